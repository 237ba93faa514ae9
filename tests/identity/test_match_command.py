"""`spearfish match`: leads in, matches and a review file out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from loading import KNOWN_ACCOUNTS, load
from typer.testing import CliRunner

from features.errors import ConfigError, ContractError, InputError
from features.workspace import Workspace
from training.cli.app import app
from training.lead_files import match_lead_file

MAPPING = f"""{KNOWN_ACCOUNTS}name = "Name"
domain = "Web"
country = "Country"
"""

ACCOUNTS = """Id,Name,Web,Country
a1,Zephyr Foods Inc.,zephyr.com,USA
a2,Boreas Energy,,Germany
"""

LEADS = """Lead,Company,Email,Country
l1,,ann@mail.zephyr.com,
l2,BOREAS ENERGY GmbH,bob@gmail.com,DE
l3,Boreas Energy,carl@gmail.com,France
l4,Nobody Knows,dora@gmail.com,
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name, text in (("accounts.csv", ACCOUNTS), ("mapping.toml", MAPPING), ("leads.csv", LEADS)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    load(tmp_path / "mapping.toml")
    return tmp_path


def test_leads_find_their_accounts(home: Path) -> None:
    files = ["--out", str(home / "out.csv"), "--review", str(home / "review.csv")]
    done = CliRunner().invoke(
        app,
        ["match", str(home / "leads.csv"), "--id", "Lead", "-w", str(home / "workspace"), "--json", *files],
        catch_exceptions=False,
    )
    assert json.loads(done.stdout)["by_rule"] == {"domain": 1, "name": 1}
    matched = pd.read_csv(home / "out.csv")
    assert matched[["lead_id", "account_id"]].to_numpy().tolist() == [["l1", "a1"], ["l2", "a2"]]
    review = pd.read_csv(home / "review.csv")
    assert review[["record_id", "account_id", "reason"]].to_numpy().tolist() == [
        ["l3", "a2", "other country"]
    ]
    assert "gmail" not in (home / "out.csv").read_text() + (home / "review.csv").read_text()


def match(home: Path, *more: str) -> dict[str, object]:
    files = ["--out", str(home / "out.csv"), "--review", str(home / "review.csv"), "--id", "Lead"]
    arguments = ["match", str(home / "leads.csv"), "-w", str(home / "workspace"), "--json", *files, *more]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def decide(home: Path, *rows: tuple[str, str, str]) -> str:
    file = home / "decided.csv"
    pd.DataFrame(rows, columns=["record_id", "account_id", "decision"]).to_csv(file, index=False)
    return str(file)


IDENTIFIED = """Id,Name,Code,SF
001A0000006Vm9u,Zephyr Foods,,
001A0000006Vm9U,Notos Power,,
a3,Boreas Energy,91440300715267260P,
a4,Euros Shipping,,001A0000006Vm9vIAC
"""

ATTRIBUTES = """name = "Name"
[sources.attributes]
registration_number = { column = "Code", type = "text" }
salesforce_id = { column = "SF", type = "text" }
"""


def identified(folder: Path, *, code: str) -> Path:
    (folder / "accounts.csv").write_text(IDENTIFIED.replace("91440300715267260P", code), encoding="utf-8")
    (folder / "mapping.toml").write_text(KNOWN_ACCOUNTS + ATTRIBUTES, encoding="utf-8")
    load(folder / "mapping.toml")
    return folder


def test_identifiers_of_companies_go_before_their_names(tmp_path: Path) -> None:
    """One code as its register groups it; one id of Salesforce in 15 characters, in 18 and in lower case."""
    home = identified(tmp_path, code="9144030071526726XG")
    rows = (
        "Lead,Company,Code,Of",
        "l1,Zephyr Foods,9144 0300 7152 6726 XG,",
        "l2,Boreas Energy,,001A0000006Vm9u",
        "l3,,,001A0000006Vm9uIAC",
        "l4,,,001a0000006vm9uiac",
        "l5,Boreas Energy,,001A0000006Vm9U",
        "l6,,,001A0000006Vm9v",
        # A digit that differs: the code is no code, the letters at the end of the id do not fit.
        "l7,,914403007152672601,",
        "l8,,,001A0000006Vm9uIAZ",
        "l9,Boreas Energy,,",
    )
    (home / "leads.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    found = match(home, "--registration-number", "Code", "--salesforce-id", "Of")
    assert found["by_rule"] == {"name": 1, "registration_number": 1, "salesforce_id": 5}
    assert (found["leads"], found["unmatched"], found["not_valid"]) == (9, 2, {"Code": 1, "Of": 1})
    matched = pd.read_csv(home / "out.csv")
    assert matched.to_numpy().tolist() == [
        ["l1", "a3", "registration_number", 1.0],
        ["l2", "001A0000006Vm9u", "salesforce_id", 1.0],
        ["l3", "001A0000006Vm9u", "salesforce_id", 1.0],
        ["l4", "001A0000006Vm9u", "salesforce_id", 1.0],
        ["l5", "001A0000006Vm9U", "salesforce_id", 1.0],
        ["l6", "a4", "salesforce_id", 1.0],
        ["l9", "a3", "name", 1.0],
    ]


def test_a_column_that_was_named_must_be_there(home: Path) -> None:
    with pytest.raises(ContractError, match=r"no column 'Firm' .*Lead, Company, Email, Country"):
        match(home, "--company", "Firm")


def test_the_files_of_excel_are_read_and_written_as_excel_has_them(home: Path) -> None:
    """With its mark and semicolons, and Chinese text without a mark in its old encoding."""
    rows = "Lead;Company;Country\n=l1;Zephyr Foods;US\nl2;北风能源;\n\n"
    (home / "leads.csv").write_bytes(b"\xef\xbb\xbf" + rows.encode())
    assert match(home)["by_rule"] == {"name": 1}
    # "=l1" would be a formula.
    assert (home / "out.csv").read_bytes().startswith(b"\xef\xbb\xbflead_id,account_id,rule,score\n'=l1,a1,")
    (home / "leads.csv").write_bytes(rows.encode("gb18030"))
    with pytest.raises(ConfigError, match="--encoding gb18030"):
        match(home)
    assert match(home, "--encoding", "gb18030")["leads"] == 2


def test_a_decision_on_an_identifier_that_looks_like_a_formula_is_found_again(home: Path) -> None:
    (home / "leads.csv").write_text("Lead,Company,Country\n=l1,Boreas Energy,France\n", encoding="utf-8")
    assert match(home)["review"] == 1
    review = (home / "review.csv").read_text(encoding="utf-8-sig")
    assert "'=l1,a2," in review
    (home / "decided.csv").write_text(review.replace(",FR,DE,\n", ",FR,DE,same\n"), encoding="utf-8-sig")
    assert match(home, "--decisions", str(home / "decided.csv"))["by_rule"] == {"decision": 1}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("Lead,Company\nl1,A\nl2,B\nl1,C\n", "row 4: 'Lead' names a lead twice .*as in row 2"),
        ("Lead,Company\nl1,A\n ,B\n", "row 3: 'Lead' is empty"),
        ("Lead,Company\nl1,A\nl2\n", "row 3: other cells than the header has .got 1; allowed 2"),
        ("Lead,Firm\nl1,A\n", "no column says which company a lead is with"),
    ],
)
def test_the_row_at_fault_is_named(home: Path, rows: str, message: str) -> None:
    (home / "leads.csv").write_text(rows, encoding="utf-8")
    with pytest.raises(ContractError, match=message):
        match(home)


def test_decisions_go_before_every_rule(home: Path) -> None:
    match(home)
    review = pd.read_csv(home / "review.csv").assign(decision="same")
    review.to_csv(home / "decided.csv", index=False, encoding="utf-8-sig")
    found = match(home, "--decisions", str(home / "decided.csv"))
    assert found["by_rule"] == {"decision": 1, "domain": 1, "name": 1}
    assert found["review"] == 0
    matched = pd.read_csv(home / "out.csv").set_index("lead_id")["account_id"].to_dict()
    assert matched == {"l1": "a1", "l2": "a2", "l3": "a2"}


def test_what_a_person_told_apart_is_neither_matched_nor_shown_again(home: Path) -> None:
    file = decide(home, ("l1", "a1", "different"), ("l3", "a2", "different"), ("l2", "gone", "same"))
    found = match(home, "--decisions", file)
    assert found["by_rule"] == {"name": 1}
    assert found["review"] == 0


def test_the_decisions_of_the_config_count_and_those_that_are_named_go_before(home: Path) -> None:
    decide(home, ("l3", "a2", "same"), ("l1", "a1", "different"))
    (home / "decided.csv").rename(home / "ours.csv")
    mapping = home / "mapping.toml"
    text = mapping.read_text(encoding="utf-8")
    mapping.write_text(f'{text}\n[identity]\ndecisions = "ours.csv"\naccept = 1.0\n', encoding="utf-8")
    found = match(home, "--config", str(mapping))
    # The name of l2 is much like that of an account, and the config asks for the same.
    assert found["by_rule"] == {"decision": 1}
    again = match(home, "--config", str(mapping), "--decisions", decide(home, ("l1", "a1", "same")))
    assert again["by_rule"] == {"decision": 2}


def test_a_decision_on_a_merged_account_counts_for_the_one_that_stands_for_it(home: Path) -> None:
    stands_for = {"account_id": "old", "identity": "a2", "place": 1, "rule": "name", "score": 1.0}
    pd.DataFrame([stands_for]).to_parquet(home / "identity.parquet")
    tables = replace(Workspace(home / "workspace").tables(), merged=home / "identity.parquet")
    found = match_lead_file(
        tables,
        file=home / "leads.csv",
        columns={"lead_id": "Lead", "company": "Company"},
        decisions=[Path(decide(home, ("l4", "old", "same")))],
    )
    last = found.found.matched.set_index("record_id").loc["l4"]
    assert (last["account_id"], last["rule"]) == ("a2", "decision")


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("leads.csv", ContractError, "is no review file"),
        ("nothing.csv", InputError, "cannot be read as CSV"),
    ],
)
def test_a_file_without_decisions_is_refused(
    home: Path, name: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        match(home, "--decisions", str(home / name))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["leads.csv"], ContractError, "no column 'Id'"),
        (["nothing.csv"], InputError, "cannot be read as CSV"),
        (["workspace"], InputError, "cannot be read as CSV"),
    ],
)
def test_a_file_that_holds_no_leads_is_refused(
    home: Path, arguments: list[str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        CliRunner().invoke(
            app,
            [
                "match",
                str(home / arguments[0]),
                "-w",
                str(home / "workspace"),
                "--out",
                str(home / "out.csv"),
            ],
            catch_exceptions=False,
        )
    assert not (home / "out.csv").exists()


def test_a_later_file_goes_before_what_an_earlier_one_said_of_a_merged_account(home: Path) -> None:
    stands_for = {"account_id": "old", "identity": "a2", "place": 1, "rule": "name", "score": 1.0}
    pd.DataFrame([stands_for]).to_parquet(home / "identity.parquet")
    tables = replace(Workspace(home / "workspace").tables(), merged=home / "identity.parquet")
    columns = {"lead_id": "Lead", "company": "Company", "email": "Email", "website": "Website"}
    columns |= {"country": "Country", "registration_number": "Code", "account_salesforce_id": "Of"}
    earlier = Path(decide(home, ("l4", "old", "same"))).rename(home / "earlier.csv")
    later = Path(decide(home, ("l4", "a2", "different")))
    for decisions, expected in (([earlier, later], False), ([later, earlier], True)):
        found = match_lead_file(tables, file=home / "leads.csv", columns=columns, decisions=decisions)
        assert ("l4" in found.found.matched["record_id"].tolist()) is expected


def test_the_address_may_be_the_identifier_of_a_lead(home: Path) -> None:
    assert match(home, "--id", "Email")["by_rule"] == {"domain": 1, "name": 1}
    assert pd.read_csv(home / "out.csv")["lead_id"].tolist() == ["ann@mail.zephyr.com", "bob@gmail.com"]
