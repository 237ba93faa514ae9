"""Accounts of several sources are one account where tables are read, and stay apart where they are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from loading import load

from features.errors import ConfigError
from features.identity.counts import REVIEW_FILE, IdentityCounts
from features.mapping import load_config
from features.report import IngestReport
from features.tables import Tables

MAPPING = """
[workspace]
name = "test"

[identity]
merge = true
SETTINGS

[[sources]]
table = "accounts"
name = "crm"
path = "crm*.csv"
known_at = "Since"
[sources.columns]
account_id = "Id"
name = "Name"
domain = "Web"
employees = "Staff"
[sources.attributes.parent]
column = "Parent"
type = "text"

[[sources]]
table = "accounts"
name = "register"
path = "register*.csv"
known_at = "Since"
[sources.columns]
account_id = "Id"
name = "Name"
domain = "Web"
employees = "Staff"
city = "City"

[[sources]]
table = "activities"
path = "visits*.csv"
known_immediately = true
[sources.columns]
account_id = "Account"
channel = { value = "web_visit" }
direction = { value = "inbound" }
occurred_at = "When"
"""

SINCE, LATER = "2023-01-01T00:00:00Z", "2023-02-01T00:00:00Z"
ZEPHYR = "001A0000006Vm9uIAC"
CRM = [
    {
        "Id": "001A0000006Vm9uIAC",
        "Name": "Zephyr Foods Inc.",
        "Web": "zephyr.com",
        "Staff": 10,
        "Since": SINCE,
    },
    {"Id": "c2", "Name": "Boreas Energy", "Web": "boreas.com", "Staff": 20, "Since": SINCE, "Parent": "c3"},
    {"Id": "c3", "Name": "Wind Holding", "Staff": 900, "Since": SINCE},
]
PLANT = {"Id": "c4", "Name": "Zephyr Plant", "Staff": 3, "Since": SINCE, "Parent": ZEPHYR}
REGISTER = [
    {
        "Id": "a1",
        "Name": "ZEPHYR FOODS",
        "Web": "www.zephyr.com",
        "Staff": 12,
        "City": "Oslo",
        "Since": SINCE,
    },
    {"Id": "a2", "Name": "Boreas Energy", "Web": "boreas.de", "Staff": 25, "Since": LATER},
    {"Id": "a3", "Name": "Notus Media", "Staff": 30, "City": "Rome", "Since": SINCE},
]
VISITS = [
    {"Account": account, "When": f"2023-03-0{day}T00:00:00Z"}
    for day, account in enumerate(["001A0000006Vm9uIAC", "a1", "c2", "a2", "a3"], start=1)
]


def write(folder: Path, *, settings: str = "", **files: list[dict[str, Any]]) -> Path:
    folder.mkdir(exist_ok=True)
    columns = ["Id", "Name", "Web", "Staff", "Since", "Parent", "City"]
    for name, rows in files.items():
        frame = pd.DataFrame(rows)
        frame = frame if name.startswith("visits") else frame.reindex(columns=columns)
        frame.to_csv(folder / f"{name}.csv", index=False)
    (folder / "mapping.toml").write_text(MAPPING.replace("SETTINGS", settings), encoding="utf-8")
    return folder / "mapping.toml"


def load_tables(mapping: Path) -> tuple[IngestReport, Tables]:
    report, workspace = load(mapping)
    return report, workspace.tables()


def read(tables: Tables, name: str) -> pd.DataFrame:
    frame = tables.read(name)
    return frame.sort_values(list(frame.columns[:3]), ignore_index=True)


def test_two_sources_become_one_account(tmp_path: Path) -> None:
    report, tables = load_tables(write(tmp_path, crm=CRM, register=REGISTER, visits=VISITS))
    accounts = read(tables, "accounts")
    assert set(accounts["account_id"]) == {ZEPHYR, "c2", "c3", "a2", "a3"}
    zephyr = accounts[accounts["account_id"] == ZEPHYR]
    # What both say of one moment is one row: the CRM's cells, and the register's where the CRM says nothing.
    assert zephyr[["name", "employees", "city"]].to_numpy().tolist() == [["Zephyr Foods Inc.", 10, "Oslo"]]
    visits = read(tables, "activities")["account_id"].value_counts().to_dict()
    assert visits == {ZEPHYR: 2, "c2": 1, "a2": 1, "a3": 1}
    assert report.identity == IdentityCounts(merged=1, review=1)
    told = "".join(str(report).split())
    assert "accountsthatanotheronestandsfor:1" in told
    assert f"pairstolookat:1(snapshots/{report.snapshot}/{REVIEW_FILE}intheworkspace)" in told


def test_without_the_section_nothing_is_merged(tmp_path: Path) -> None:
    mapping = write(tmp_path, crm=CRM, register=REGISTER, visits=VISITS)
    mapping.write_text(mapping.read_text().replace("merge = true", "merge = false"), encoding="utf-8")
    report, tables = load_tables(mapping)
    assert tables.read("accounts")["account_id"].nunique() == 6
    assert report.identity == IdentityCounts()


def test_any_order_and_any_split_of_the_files_gives_the_same_tables(tmp_path: Path) -> None:
    whole, all_at_once = load_tables(write(tmp_path / "one", crm=CRM, register=REGISTER, visits=VISITS))
    mapping = write(tmp_path / "two", register=REGISTER[1:], crm=CRM[:1], visits=VISITS[3:])
    load_tables(mapping)
    write(tmp_path / "two", crm2=CRM[1:], visits2=VISITS[:1])
    load_tables(mapping)
    write(tmp_path / "two", register3=REGISTER[:1], visits3=VISITS[1:3])
    parts, bit_by_bit = load_tables(mapping)
    for name in ("accounts", "activities"):
        pd.testing.assert_frame_equal(read(all_at_once, name), read(bit_by_bit, name))
    assert whole.fingerprint == parts.fingerprint


def test_a_decision_merges_what_was_doubtful(tmp_path: Path) -> None:
    mapping = write(tmp_path, crm=CRM, register=REGISTER, visits=VISITS)
    before, _ = load_tables(mapping)
    review = tmp_path / "workspace" / "snapshots" / before.snapshot / REVIEW_FILE
    doubtful = pd.read_csv(review)
    assert doubtful[["record_id", "account_id"]].to_numpy().tolist() == [["a2", "c2"]]
    doubtful.assign(decision="same").to_csv(tmp_path / "decided.csv", index=False)
    report, tables = load_tables(write(tmp_path, settings='decisions = "decided.csv"'))
    assert report.changed
    assert report.fingerprint != before.fingerprint
    boreas = read(tables, "accounts").query("account_id == 'c2'")
    # Known later, the register's number is the newer one; the two are versions of one account.
    assert boreas["employees"].tolist() == [20, 25]
    again, _ = load_tables(write(tmp_path, settings='decisions = "decided.csv"'))
    assert not again.changed


def test_subsidiaries_roll_up_by_choice(tmp_path: Path) -> None:
    _, tables = load_tables(
        write(tmp_path, settings='parent = "parent"', crm=CRM, register=REGISTER, visits=VISITS)
    )
    accounts = read(tables, "accounts").set_index("account_id")
    assert "c2" not in accounts.index
    # A plant's facts are not its owner's, its dealings are.
    assert accounts.loc["c3", "employees"] == 900
    assert "c3" in set(tables.read("activities")["account_id"])


@pytest.mark.parametrize("merge", ["true", "false"])
def test_a_cycle_of_parents_is_told_and_the_rest_loads(tmp_path: Path, merge: str) -> None:
    circle = [{**CRM[2], "Parent": "c2", "Since": LATER}]
    files: dict[str, list[dict[str, Any]]] = {"crm": [*CRM, PLANT], "crm2": circle, "register": REGISTER}
    mapping = write(tmp_path, settings='parent = "parent"', visits=VISITS, **files)
    mapping.write_text(mapping.read_text().replace("merge = true", f"merge = {merge}"), encoding="utf-8")
    report, tables = load_tables(mapping)
    told = (
        "parent: got c2 -> c3 (row 3 of crm.csv), c3 -> c2 (row 2 of crm2.csv), allowed a parent that is no"
        " descendant; correct the parent in one of these rows"
    )
    (cycle,) = report.identity.cycles
    assert str(cycle) == told
    assert told in " ".join(str(report).split())
    accounts = set(tables.read("accounts")["account_id"])
    assert accounts >= {"c2", "c3", ZEPHYR, "a3"}
    # Whose parents are in order rolls up.
    assert "c4" not in accounts


def test_who_merged_with_its_parent_is_no_cycle(tmp_path: Path) -> None:
    same = {"Name": "Zephyr Foods", "Web": "zephyr.com", "Staff": 12, "Since": SINCE}
    mapping = write(
        tmp_path,
        settings='parent = "parent"',
        crm=[{**CRM[0], "Parent": "a1"}],
        register=[{"Id": "a1", **same}],
        visits=VISITS[:2],
    )
    report, tables = load_tables(mapping)
    assert report.identity.cycles == ()
    assert set(tables.read("accounts")["account_id"]) == {ZEPHYR}


def test_an_unknown_parent_attribute_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"parent is no attribute.*owner"):
        load_tables(write(tmp_path, settings='parent = "owner"', crm=CRM, register=REGISTER, visits=VISITS))


def test_an_unknown_register_is_refused_when_the_mapping_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"identity\.company_register.*unknown register"):
        load_config(write(tmp_path, settings='company_register = "xx.none"', crm=CRM))
