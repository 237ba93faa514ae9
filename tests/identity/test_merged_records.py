"""What a source itself has merged is one account: chains, rings, deletions, decisions and other sources."""

from __future__ import annotations

from pathlib import Path

import pytest
from loading import load

from features.errors import ConfigError
from features.mapping import load_config
from features.privacy.forgetting import Request, erase, plan, remember
from features.report import IngestReport
from features.tables import Tables
from features.workspace import Workspace
from serving.accounts import AccountIndex

MAPPING = """
[workspace]
name = "test"

[identity]
SETTINGS

[[sources]]
table = "accounts"
name = "crm"
path = "crm*.csv"
time_zone = "UTC"
known_at = "Since"
deleted = "Gone"
deleted_at = "Seen"
columns = { account_id = "Id", name = "Name", employees = "Staff", city = "City" }
[sources.attributes]
merged_into = { column = "Into", type = "record" }
owner = { column = "Owner", type = "category" }

[[sources]]
table = "accounts"
name = "register"
path = "register.csv"
time_zone = "UTC"
optional = true
known_at = "Since"
columns = { account_id = "Id", name = "Name" }

[[sources]]
table = "activities"
path = "visits.csv"
optional = true
time_zone = "UTC"
known_immediately = true
[sources.columns]
account_id = "Account"
channel = { value = "web_visit" }
direction = { value = "inbound" }
occurred_at = "When"
"""
HEADER = "Id,Name,Staff,City,Owner,Into,Since,Gone,Seen\n"
"""Of the accounts of the CRM."""

# The loser was known first, and was deleted on the third of March when it was merged.
LOSER = "old,Zephyr Foods,10,Oslo,,new,2023-01-01,yes,2023-03-03\n"
WINNER = "new,Zephyr,20,,,,2023-01-01,,\n"


def write(folder: Path, *, settings: str = "", **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    told = f'merged_into = "merged_into"\n{settings}'
    (folder / "mapping.toml").write_text(MAPPING.replace("SETTINGS", told), encoding="utf-8")
    return folder / "mapping.toml"


def tables_of(mapping: Path) -> tuple[IngestReport, Tables]:
    report, workspace = load(mapping)
    return report, workspace.tables()


def stands_for(tables: Tables) -> dict[str, str]:
    with tables.connect() as connection:
        return dict(connection.execute("SELECT account_id, identity FROM merged_accounts").fetchall())


@pytest.mark.parametrize("merge", ["false", "true"])
def test_the_winner_has_what_was_the_loser_s_and_goes_on_after_it(tmp_path: Path, merge: str) -> None:
    visits = "Account,When\nold,2023-02-01\nnew,2023-02-02\nold,2023-04-01\n"
    mapping = write(tmp_path, settings=f"merge = {merge}", crm=HEADER + LOSER + WINNER, visits=visits)
    report, tables = tables_of(mapping)
    assert report.identity.merged == 1
    assert stands_for(tables) == {"old": "new"}
    assert set(tables.read("accounts")["account_id"]) == {"new"}
    assert tables.read("activities")["account_id"].tolist() == ["new"] * 3
    keys = [("new", "2023-03-01"), ("new", "2023-03-05")]
    found = asked(tables, keys, "name", "employees", "city")
    # Of one moment the account that lasts tells; what only the loser told is known until it is deleted.
    assert found == [("Zephyr", 20, "Oslo"), ("Zephyr", 20, None)]


def asked(tables: Tables, keys: list[tuple[str, str]], *columns: str) -> list[tuple[object, ...]]:
    """The latest known values of these columns at each key."""
    told = ", ".join(
        f"max_by({name}, known_at) FILTER ({name} IS NOT NULL AND known_at < $2"
        " AND (withdrawn_at IS NULL OR withdrawn_at >= $2))"
        for name in columns
    )
    with tables.connect() as connection:
        sql = f"SELECT {told} FROM accounts WHERE account_id = $1"
        return [connection.execute(sql, [account, moment]).fetchall()[0] for account, moment in keys]


def test_a_chain_ends_at_the_last_in_any_order_and_split_of_the_files(tmp_path: Path) -> None:
    rows = [
        "a,Ada,1,,,b,2023-01-01,yes,2023-02-01\n",
        # Merged before anybody saw it: what says so is known no earlier than the deletion.
        "b,Bea,2,,,c,2023-03-01,yes,2023-03-01\n",
        "c,Cea,3,,,,2023-04-01,,\n",
    ]
    visits = "Account,When\na,2023-02-01\nb,2023-02-02\nc,2023-02-03\n"
    whole, all_at_once = tables_of(write(tmp_path / "one", crm=HEADER + "".join(rows), visits=visits))
    parts = write(tmp_path / "two", crm=HEADER + rows[2], visits=visits)
    for number, row in enumerate(rows[:2][::-1]):
        tables_of(parts)
        write(tmp_path / "two", **{f"crm{number}": HEADER + row})
    again, bit_by_bit = tables_of(parts)
    assert stands_for(all_at_once) == stands_for(bit_by_bit) == {"a": "c", "b": "c"}
    assert set(bit_by_bit.read("activities")["account_id"]) == {"c"}
    assert again.fingerprint == whole.fingerprint


@pytest.mark.parametrize("merge", ["false", "true"])
def test_a_ring_is_told_by_file_and_row_and_the_rest_loads(tmp_path: Path, merge: str) -> None:
    first = "a,Ada,1,,,b,2023-01-01,,\n" + LOSER + WINNER
    second = "b,Bea,2,,,c,2023-01-01,,\nc,Cea,3,,,a,2023-01-01,,\nd,Dea,3,,,c,2023-01-01,,\n"
    mapping = write(tmp_path, settings=f"merge = {merge}", crm1=HEADER + first, crm2=HEADER + second)
    report, tables = tables_of(mapping)
    (cycle,) = report.identity.cycles
    assert str(cycle) == (
        "merged_into: got a -> b (row 2 of crm1.csv), b -> c (row 2 of crm2.csv), c -> a (row 3 of crm2.csv),"
        " allowed a record that was not merged into this one; correct it in one of these rows"
    )
    assert "rings of merged records, each of which stands for itself: 1" in " ".join(str(report).split())
    # Who was merged into one of them is that one.
    assert stands_for(tables) == {"old": "new", "d": "c"}


def test_a_winner_that_is_no_account_stands_for_nobody(tmp_path: Path) -> None:
    _, tables = tables_of(write(tmp_path, crm=HEADER + "a,Ada,1,,,gone,2023-01-01,,\n" + WINNER))
    assert set(tables.read("accounts")["account_id"]) == {"a", "new"}


def test_it_stands_above_matching_and_above_a_decision(tmp_path: Path) -> None:
    decided = "record_id,account_id,decision\nnew,old,different\n"
    register = "Id,Name,Since\nr1,Zephyr Foods Ltd,2022-01-01\n"
    mapping = write(
        tmp_path,
        settings='merge = true\ndecisions = "decided.csv"\norigins = ["crm"]',
        crm=HEADER + "old,Zephyr Foods,10,,,new,2022-01-01,,\nnew,Other Name,20,,,,2023-01-01,,\n",
        register=register,
        decided=decided,
    )
    _, tables = tables_of(mapping)
    # The register knows the loser's name; the winner stands for all, though the loser was known first.
    assert stands_for(tables) == {"old": "new", "r1": "new"}


def test_a_loser_below_its_winner_is_no_cycle_of_parents(tmp_path: Path) -> None:
    mapping = write(
        tmp_path, settings='parent = "owner"', crm=HEADER + "old,Plant,1,,new,new,2023-01-01,,\n" + WINNER
    )
    report, tables = tables_of(mapping)
    assert report.identity.cycles == ()
    assert stands_for(tables) == {"old": "new"}


def test_the_service_answers_for_the_winner_under_the_loser_s_identifier(tmp_path: Path) -> None:
    # Renamed after the winner was known, and deleted since.
    loser = "old,Zephyr Foods,10,Oslo,,new,2023-02-01,yes,2023-03-03\n"
    _, tables = tables_of(write(tmp_path, crm=HEADER + loser + WINNER))
    index = AccountIndex(tables)
    found = index.by_id("old")
    assert (found.account_id, found.name, found.withdrawn_at) == ("new", "Zephyr", None)
    assert found == index.by_id("new")


@pytest.mark.parametrize("asked_for", ["b", "c"])
def test_who_forgets_one_record_forgets_what_was_merged_with_it(tmp_path: Path, asked_for: str) -> None:
    # Of the loser there is no row in the table: it was gone as soon as it was known.
    rows = "b,Bea,2,,,c,2023-03-01,yes,2023-03-01\nc,Cea,3,,d,,2023-01-01,,\nd,Dea,4,,,,2023-01-01,,\n"
    visits = "Account,When\nb,2023-02-02\nc,2023-02-03\nd,2023-02-04\n"
    mapping = write(tmp_path, settings='parent = "owner"', crm=HEADER + rows, visits=visits)
    _, tables = tables_of(mapping)
    # What was merged into a subsidiary rolls up with it.
    assert stands_for(tables) == {"b": "d", "c": "d"}
    workspace = Workspace(tmp_path / "workspace")
    found = plan(workspace, Request(accounts=(asked_for,)))
    remember(workspace, found.people)
    assert erase(workspace)
    left = workspace.tables()
    assert stands_for(left) == {}
    assert left.read("activities")["account_id"].tolist() == ["d"]
    assert set(left.read("accounts")["account_id"]) == {"d"}


def test_a_short_salesforce_id_names_the_long_one(tmp_path: Path) -> None:
    rows = "old,Zephyr,1,,,001A0000006Vm9u,2023-01-01,,\n001A0000006Vm9uIAC,Zephyr,1,,,,2023-01-01,,\n"
    _, tables = tables_of(write(tmp_path, crm=HEADER + rows))
    assert stands_for(tables) == {"old": "001A0000006Vm9uIAC"}


def test_a_merge_is_never_a_feature_and_has_to_be_declared_as_one(tmp_path: Path) -> None:
    mapping = write(tmp_path, crm=HEADER + LOSER + WINNER)
    text = mapping.read_text(encoding="utf-8")
    mapping.write_text(text.replace('type = "record"', 'type = "category"'), encoding="utf-8")
    with pytest.raises(ConfigError, match=r'merged_into.*type = "record"'):
        load_config(mapping)
    mapping.write_text(text.replace('merged_into = "merged_into"', 'merged_into = "into"'), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"merged_into is no attribute.*'into'"):
        load(mapping)
