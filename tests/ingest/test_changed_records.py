"""Exports of what a source knows today, one after the other: each change becomes a version of its own."""

from __future__ import annotations

import itertools
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from loading import NOW, load, load_preset
from small_sources import write_csv

from features.errors import ConfigError
from features.report import IngestReport
from features.tables import OPT_OUTS, Tables
from features.workspace import Workspace

MAPPING = """
[workspace]
name = "test"
[[sources]]
table = "accounts"
name = "account"
path = "accounts*.csv"
time_zone = "Europe/Berlin"
known_at = "Created"
changed_at = "Changed"
current_value_only = true
deleted = "Gone"
[sources.columns]
account_id = "Id"
name = "Name"
employees = "Staff"
"""
COLUMNS = ("Id", "Name", "Staff", "Created", "Changed", "Gone")
JANUARY = ("a1", "Ada", "10", "2020-05-01T00:00:00Z", "2023-01-10T08:00:00Z", "no")
MARCH = ("a1", "Ada", "25", "2020-05-01T00:00:00Z", "2023-03-05T09:30:00Z", "no")
MAY = ("a1", "Ada", "10", "2020-05-01T00:00:00Z", "2023-05-20T10:00:00Z", "no")
CREATED, IN_MARCH, IN_MAY = map(
    datetime.fromisoformat, ("2020-05-01", "2023-03-05T09:30:00", "2023-05-20T10:00:00")
)

Row = tuple[str, ...]


def _load(folder: Path, rows: list[Row], *, part: int = 0, mapping: str = MAPPING) -> IngestReport:
    folder.mkdir(exist_ok=True)
    write_csv(folder / f"accounts{part}.csv", COLUMNS, rows)
    (folder / "mapping.toml").write_text(mapping, encoding="utf-8")
    return load(folder / "mapping.toml")[0]


def _versions(folder: Path) -> list[tuple[datetime, int]]:
    frame = Workspace(folder / "workspace").tables().read("accounts").sort_values("known_at")
    return [(moment.to_pydatetime(), int(staff)) for moment, staff in frame[["known_at", "employees"]].values]


def test_a_later_export_adds_a_version_known_from_its_change_on(tmp_path: Path) -> None:
    _load(tmp_path, [JANUARY])
    report = _load(tmp_path, [MARCH], part=1).table("accounts")
    assert (report.loaded, report.quarantined) == (1, {})
    assert _versions(tmp_path) == [(CREATED, 10), (IN_MARCH, 25)]
    assert not _load(tmp_path, [MARCH], part=1).changed


def test_a_value_that_changed_back_is_a_version_and_a_change_of_something_else_is_none(
    tmp_path: Path,
) -> None:
    untold = (*MARCH[:4], "2023-04-01T00:00:00Z", "no")
    _load(tmp_path, [JANUARY, MARCH, MAY, untold])
    assert _versions(tmp_path) == [(CREATED, 10), (IN_MARCH, 25), (IN_MAY, 10)]


def test_any_order_and_split_of_exports_gives_the_same_versions(tmp_path: Path) -> None:
    told = set()
    for number, order in enumerate(itertools.permutations([JANUARY, MARCH, MAY])):
        folder = tmp_path / str(number)
        for part, row in enumerate(order):
            report = _load(folder, [row], part=part)
        told.add((report.snapshot, report.fingerprint, str(_versions(folder))))
    whole = _load(tmp_path / "whole", [MAY, JANUARY, MARCH])
    assert told == {(whole.snapshot, whole.fingerprint, str(_versions(tmp_path / "whole")))}


def test_the_first_state_is_known_since_the_creation_and_marked(tmp_path: Path) -> None:
    report = _load(tmp_path, [MARCH])
    assert _versions(tmp_path) == [(CREATED, 25)]
    assert report.current_value_only == {"accounts": ("employees", "name")}
    # An older export that comes later shows that it was not so from the start.
    _load(tmp_path, [JANUARY], part=1)
    assert _versions(tmp_path) == [(CREATED, 10), (IN_MARCH, 25)]


@pytest.mark.parametrize(
    ("written", "known"),
    [
        # Berlin is an hour ahead of UTC in winter, and two in summer; the day on which that ends has 25.
        ("2023-03-05", "2023-03-05T22:59:59"),
        ("2023-03-05 00:00:00", "2023-03-05T22:59:59"),
        ("2023-07-05", "2023-07-05T21:59:59"),
        ("2023-10-29", "2023-10-29T22:59:59"),
        ("2023-03-05 10:30:00", "2023-03-05T09:30:00"),
        # Before the record was there, nothing could be known of it.
        ("2019-01-01T12:00:00Z", "2020-05-01T00:00:00"),
    ],
)
def test_a_change_is_never_known_before_it_was_made(tmp_path: Path, written: str, known: str) -> None:
    first = (*JANUARY[:4], "2018-01-01T00:00:00Z", "no")
    _load(tmp_path, [first if "2019" in written else JANUARY, (*MARCH[:4], written, "no")])
    assert max(moment for moment, _ in _versions(tmp_path)) == datetime.fromisoformat(known)


def test_states_without_a_time_come_first_and_those_of_one_time_contradict_each_other(tmp_path: Path) -> None:
    _load(tmp_path, [(*JANUARY[:4], "", "no"), MARCH])
    assert _versions(tmp_path) == [(CREATED, 10), (IN_MARCH, 25)]
    report = _load(tmp_path, [(*MARCH[:2], "26", *MARCH[3:])], part=1).table("accounts")
    assert report.quarantined == {"conflicting duplicate": 1}


def test_a_deletion_without_a_time_of_its_own_was_known_with_the_last_change(tmp_path: Path) -> None:
    _load(tmp_path, [JANUARY, (*MARCH[:5], "yes")])
    frame = Workspace(tmp_path / "workspace").tables().read("accounts")
    assert frame["withdrawn_at"].tolist() == [pd.Timestamp(IN_MARCH)]
    assert frame["employees"].tolist() == [10]


@pytest.mark.parametrize("seen", ["2023-03-05 00:00:00", "2023-03-06 08:00:00"])
def test_what_was_deleted_is_changed_no_more(tmp_path: Path, seen: str) -> None:
    """A deletion that was seen on a day without a time ends what the record said, its last change too."""
    mapping = MAPPING.replace("Europe/Berlin", "UTC").replace(
        "[sources.columns]", 'deleted_at = "Seen"\n[sources.columns]'
    )
    (tmp_path / "mapping.toml").write_text(mapping, encoding="utf-8")
    gone = (*MARCH[:4], "2023-03-05 00:00:00", "yes", seen)
    write_csv(tmp_path / "accounts.csv", (*COLUMNS, "Seen"), [(*JANUARY, ""), gone])
    _, workspace = load(tmp_path / "mapping.toml")
    frame = workspace.tables().read("accounts")
    assert set(frame["withdrawn_at"]) == {pd.Timestamp(seen)}
    assert (frame["known_at"] < frame["withdrawn_at"]).all()


def test_a_change_in_the_future_is_set_aside_and_one_of_today_is_not(tmp_path: Path) -> None:
    today = (*MARCH[:4], NOW.date().isoformat(), "no")
    report = _load(
        tmp_path,
        [JANUARY, today, (*MAY[:4], "2024-01-02", "no")],
        mapping=MAPPING.replace("Europe/Berlin", "UTC"),
    )
    assert report.table("accounts").quarantined == {"in the future": 1}
    assert _versions(tmp_path)[-1] == (datetime.fromisoformat("2024-01-01T23:59:59"), 25)


def test_without_a_time_of_the_change_the_report_says_that_later_values_are_set_aside(tmp_path: Path) -> None:
    mapping = MAPPING.replace('changed_at = "Changed"\n', "")
    first = _load(tmp_path, [JANUARY], mapping=mapping)
    told = "(changed_at makes them versions): account (accounts)"
    assert told in " ".join(str(first).split())
    report = _load(tmp_path, [MARCH], part=1, mapping=mapping)
    assert report.table("accounts").quarantined == {"conflicting duplicate": 1}
    assert told in " ".join(str(report).split())
    assert "changed_at" not in str(_load(tmp_path / "other", [JANUARY]))


@pytest.mark.parametrize("way", ["extracted_at = 2023-01-01T00:00:00Z", "undated = true"])
def test_a_source_with_other_times_has_no_changed_at(tmp_path: Path, way: str) -> None:
    with pytest.raises(ConfigError, match="changed_at makes versions"):
        _load(tmp_path, [JANUARY], mapping=MAPPING.replace('known_at = "Created"', way))


PRESET_EXPORTS = {
    "salesforce": (
        "account.csv",
        ("id", "name", "number_of_employees", "created_date", "last_modified_date"),
        ("001A", "Ada", "10", "2020-05-01 00:00:00", "2023-01-10 08:00:00"),
        ("001A", "Ada", "25", "2020-05-01 00:00:00", "2023-03-05 09:30:00"),
        "2023-03-05T09:30:00",
    ),
    "hubspot": (
        "company.csv",
        ("id", "property_name", "property_numberofemployees", "property_createdate", "_fivetran_synced"),
        ("1", "Ada", "10", "2020-05-01 00:00:00", "2023-01-10 08:00:00"),
        ("1", "Ada", "25", "2020-05-01 00:00:00", "2023-03-05 09:30:00"),
        "2023-03-05T09:30:00",
    ),
    "salesforce_reports": (
        "accounts.csv",
        ("Account ID", "Account Name", "Employees", "Created Date", "Last Modified Date"),
        ("001A", "Ada", "10", "5/1/2020", "1/10/2023"),
        ("001A", "Ada", "25", "5/1/2020", "3/5/2023"),
        "2023-03-05T23:59:59",
    ),
    "hubspot_reports": (
        "companies.csv",
        ("Record ID", "Company name", "Number of Employees", "Create Date", "Last Modified Date"),
        ("1", "Ada", "10", "2020-05-01 00:00", "2023-01-10 08:00"),
        ("1", "Ada", "25", "2020-05-01 00:00", "2023-03-05 09:30"),
        "2023-03-05T09:30:00",
    ),
}


@pytest.mark.parametrize("preset", PRESET_EXPORTS)
def test_an_export_made_again_adds_versions_by_the_presets(tmp_path: Path, preset: str) -> None:
    file, columns, january, march, known = PRESET_EXPORTS[preset]
    for row in (january, march):
        # As people do, the new file takes the place of the old one.
        write_csv(tmp_path / file, columns, [row])
        report, _ = load_preset(preset, folder=tmp_path)
    assert _versions(tmp_path) == [(CREATED, 10), (datetime.fromisoformat(known), 25)]
    assert "accounts.employees" in str(report)
    assert not report.table("accounts").untimed


@pytest.fixture(scope="module")
def of_two_exports(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """People and deals of two exports by the preset, one after the other."""
    folder = tmp_path_factory.mktemp("exports")
    people = ("id", "account_id", "title", "created_date", "last_modified_date")
    deals = (
        "id",
        "account_id",
        "created_date",
        "close_date",
        "is_closed",
        "is_won",
        "amount",
        "system_modstamp",
    )
    deal = ("006A", "001A", "2022-01-01 00:00:00", "2023-01-09", "true", "true")
    exports: dict[str, list[Row]] = {
        "account": [("id", "name", "created_date"), ("001A", "Ada", "2020-05-01 00:00:00")],
        "contact": [
            people,
            ("003A", "001A", "Buyer", "2021-01-01 00:00:00", "2023-01-10 08:00:00"),
            ("003A", "001A", "Head of purchasing", "2021-01-01 00:00:00", "2023-03-05 09:30:00"),
        ],
        "opportunity": [deals, (*deal, "100", "2023-01-10 08:00:00"), (*deal, "250", "2023-03-05 09:30:00")],
    }
    for turn in (1, 2):
        for name, (header, *rows) in exports.items():
            write_csv(folder / f"{name}.csv", header, rows[:turn][-1:])
        _, tables = load_preset("salesforce", folder=folder)
    return tables


@pytest.mark.parametrize("table", ["contacts", "opportunities"])
def test_people_and_deals_of_a_later_export_are_versions_too(of_two_exports: Tables, table: str) -> None:
    column = {"contacts": "title", "opportunities": "amount"}[table]
    frame = of_two_exports.read(table).sort_values("known_at").dropna(subset=column)
    expected: dict[str, list[tuple[str, object]]] = {
        "contacts": [("2021-01-01 00:00:00", "Buyer"), ("2023-03-05 09:30:00", "Head of purchasing")],
        "opportunities": [("2023-01-09 23:59:59", 100.0), ("2023-03-05 09:30:00", 250.0)],
    }
    assert list(zip(map(str, frame["known_at"]), frame[column], strict=True)) == expected[table]


def test_a_query_may_end_with_a_comment(tmp_path: Path) -> None:
    query = 'query = "FROM files -- as they are"'
    _load(tmp_path, [JANUARY, MARCH], mapping=MAPPING.replace("time_zone", f"{query}\ntime_zone"))
    assert _versions(tmp_path) == [(CREATED, 10), (IN_MARCH, 25)]


PEOPLE = """
[[sources]]
table = "contacts"
path = "people.csv"
time_zone = "UTC"
known_at = "Created"
changed_at = "Changed"
consent = { opted_out = "Out" }
columns = { contact_id = "Id", account_id = "Account" }
"""


@pytest.mark.parametrize("account", ["a1", "", "a9"])
def test_who_opted_out_without_a_time_did_so_by_the_last_change(tmp_path: Path, account: str) -> None:
    """Whether or not the row is set aside, nobody has opted out before the record could say so."""
    person = ("c1", account, "2020-05-01")
    rows = [(*person, "no", "2023-01-10"), (*person, "yes", "2023-03-05 09:30:00")]
    write_csv(tmp_path / "people.csv", ("Id", "Account", "Created", "Out", "Changed"), rows)
    _load(tmp_path, [JANUARY], mapping=MAPPING + PEOPLE)
    name = "contacts.parquet" if account == "a1" else OPT_OUTS
    (file,) = (tmp_path / "workspace" / "snapshots").glob(f"*/{name}")
    told = pd.read_parquet(file).dropna(subset="opted_out_at")
    assert told["opted_out_at"].tolist() == [pd.Timestamp(IN_MARCH)]
