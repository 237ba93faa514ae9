"""An id of Salesforce with 15 characters and the same with 18 are one, in every table and in every query."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from loading import load, load_preset

from features.dry_run import dry_run
from features.mapping import load_config
from features.presets import preset_text

ADA = "001A0000006Vm9u"
ADA_LONG = "001A0000006Vm9uIAC"
"""001A0: the fourth is a capital letter, 8 = I. 00000: none, A. 6Vm9u: the second, 2 = C."""
BOB = "001A0000006Vm9U"
BOB_LONG = "001A0000006Vm9uIAS".replace("9u", "9U")
"""As ADA but for the case of the last: 2 + 16 = 18 = S."""
DEAL, DEAL_LONG = "006b0000000aaaZ", "006b0000000aaaZAAQ"
"""006b0: none, A. 00000: none, A. 0aaaZ: the fifth, 16 = Q. (0 6 b are no capitals.)"""

MAPPING = """
[workspace]
name = "test"

[[sources]]
table = "accounts"
path = "accounts*.csv"
system = "salesforce"
known = "start_of_time"
[sources.columns]
account_id = "Account ID"
name = "Name"
[sources.attributes]
parent = { column = "Parent Account ID", type = "text" }

[[sources]]
table = "contacts"
path = "contacts.csv"
system = "salesforce"
known = "start_of_time"
consent = { assume = "test" }
[sources.columns]
contact_id = "Who"
account_id = "Of"

[[sources]]
table = "opportunities"
system = "salesforce"
query = "SELECT deals.*, won.Day FROM deals LEFT JOIN won ON won.DealId = deals.Id"
time_zone = "UTC"
known_at = "CreatedDate"
[sources.files.deals]
path = "deals.csv"
columns = ["Id", "AccountId", "CreatedDate"]
[sources.files.won]
path = "won.csv"
columns = ["DealId", "Day"]
[sources.columns]
opportunity_id = "Id"
account_id = "AccountId"
created_at = "CreatedDate"
product = "Day"
"""

FILES = {
    "accounts.csv": f"Account ID,Name,Parent Account ID\n{ADA},Ada,\n{BOB},Bob,{ADA_LONG}\n",
    "contacts.csv": f"Who,Of\n003A0000006Vm9u,{ADA_LONG}\n003A0000006Vm9uIAC,{ADA}\n",
    "deals.csv": f"Id,AccountId,CreatedDate\n{DEAL},{BOB_LONG},2023-01-01 00:00:00\n",
    "won.csv": f"DealId,Day\n{DEAL_LONG},friday\n",
}


def write(folder: Path, mapping: str = MAPPING, **files: str) -> Path:
    for name, text in FILES.items():
        (folder / name).write_text(files.get(name.removesuffix(".csv"), text), encoding="utf-8")
    (folder / "mapping.toml").write_text(mapping, encoding="utf-8")
    return folder / "mapping.toml"


def test_both_spellings_join_in_tables_and_in_queries(tmp_path: Path) -> None:
    report, workspace = load(write(tmp_path))
    tables = workspace.tables()
    accounts = tables.read("accounts").set_index("account_id")
    assert accounts["name"].to_dict() == {ADA_LONG: "Ada", BOB_LONG: "Bob"}
    assert accounts.loc[BOB_LONG, "parent"] == ADA_LONG
    contacts = tables.read("contacts")
    assert contacts[["contact_id", "account_id"]].to_numpy().tolist() == [["003A0000006Vm9uIAC", ADA_LONG]]
    (deal,) = tables.read("opportunities").to_dict("records")
    assert (deal["opportunity_id"], deal["account_id"], deal["product"]) == (DEAL_LONG, BOB_LONG, "friday")
    assert [one.quarantined for one in report.tables] == [{}] * len(report.tables)


def test_a_second_export_in_the_other_spelling_adds_nothing(tmp_path: Path) -> None:
    mapping = write(tmp_path)
    load(mapping)
    told = f"Account ID,Name,Parent Account ID\n{ADA_LONG},Ada,\n{BOB_LONG.lower()},Bob,{ADA}\n"
    (tmp_path / "accounts_later.csv").write_text(told, encoding="utf-8")
    report, workspace = load(mapping)
    assert report.table("accounts").quarantined == {}
    assert len(workspace.tables().read("accounts")) == 2


def test_an_id_whose_last_letters_do_not_fit_is_set_aside_with_its_row(tmp_path: Path) -> None:
    # D is 3: the digit 6 would be a capital letter.
    odd = "001A0000006Vm9uIAD"
    report, workspace = load(
        write(tmp_path, accounts=f"Account ID,Name,Parent Account ID\n{ADA},Ada,\n{odd},Eve,\n")
    )
    (example,) = report.table("accounts").examples
    assert (example.reason, example.column, example.got, example.line) == (
        "wrong check letters",
        "account_id",
        odd,
        3,
    )
    assert example.allowed == "an id of 15 characters, or of 18 whose last three fit the others"
    assert set(workspace.tables().read("accounts")["account_id"]) == {ADA_LONG}


def test_a_row_without_its_account_is_found_in_the_file_that_writes_the_id_otherwise(tmp_path: Path) -> None:
    report, _ = load(write(tmp_path, deals=f"Id,AccountId,CreatedDate\n{DEAL},001b0000000aaaZ,2023-01-01\n"))
    (example,) = report.table("opportunities").examples
    assert (example.reason, example.line) == ("unknown account", 2)


def test_ids_of_another_system_stay_as_they_are(tmp_path: Path) -> None:
    report, workspace = load(write(tmp_path, mapping=MAPPING.replace('system = "salesforce"\n', "")))
    assert set(workspace.tables().read("accounts")["account_id"]) == {ADA, BOB}
    assert report.table("contacts").quarantined == {"unknown account": 1}


def test_a_dry_run_shows_what_becomes_of_ids(tmp_path: Path) -> None:
    columns = dry_run(load_config(write(tmp_path))).sources[0].columns
    (told,) = (column for column in columns if column.column == "Account ID")
    assert (told.status, told.coerced, told.examples) == ("coerced", 2, (f"{BOB} -> {BOB_LONG}",))


@pytest.mark.parametrize("system", ["hubspot", "Salesforce"])
def test_another_system_is_refused(tmp_path: Path, system: str) -> None:
    with pytest.raises(Exception, match="system"):
        load_config(write(tmp_path, mapping=MAPPING.replace('"salesforce"', f'"{system}"', 1)))


PRESET_FILES = {
    "salesforce": {
        "account": f"id,is_deleted,_fivetran_synced,created_date,name\n{ADA},no,2023-01-02,2023-01-01,Ada\n",
        "contact": "id,account_id,created_date,has_opted_out_of_email\n"
        f"003A0000006Vm9u,{ADA_LONG},2023-01-01,no\n",
        "opportunity": f"id,account_id,created_date\n{DEAL},{ADA_LONG},2023-01-01\n",
        "opportunity_line_item": f"id,opportunity_id,name,total_price\n00k1,{DEAL_LONG},Pumps,10\n",
    },
    "salesforce_reports": {
        "accounts": f"Account ID,Account Name,Created Date\n{ADA},Ada,1/1/2023\n",
        "contacts": f"Contact ID,Account ID,Created Date\n003A0000006Vm9u,{ADA_LONG},1/1/2023\n",
        "opportunities": "Opportunity ID,Account ID,Stage,Created Date,Close Date\n"
        f"{DEAL},{ADA_LONG},Demo,1/1/2023,5/1/2023\n",
    },
}


@pytest.mark.parametrize("preset", PRESET_FILES)
def test_the_presets_join_exports_in_both_spellings(tmp_path: Path, preset: str) -> None:
    report, tables = load_preset(preset, folder=tmp_path, files=PRESET_FILES[preset])
    assert [one.quarantined for one in report.tables] == [{}] * len(report.tables)
    assert set(tables.read("accounts")["account_id"]) == {ADA_LONG}
    assert set(tables.read("contacts")["account_id"]) == {ADA_LONG}
    deals = tables.read("opportunities")
    assert set(zip(deals["opportunity_id"], deals["account_id"], strict=True)) == {(DEAL_LONG, ADA_LONG)}
    if preset == "salesforce":
        assert set(deals["product"]) == {"Pumps"}


@pytest.mark.parametrize("preset", PRESET_FILES)
def test_every_source_of_the_presets_is_declared(preset: str) -> None:
    assert {source.get("system") for source in tomllib.loads(preset_text(preset))["sources"]} == {
        "salesforce"
    }
