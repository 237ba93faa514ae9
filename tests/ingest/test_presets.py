"""The presets bind made-up exports as worked out by hand, and load the sample exports as they are."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from loading import as_lines, load_preset, write_preset

from features.dry_run import DryRun, dry_run
from features.mapping import load_config
from features.presets import PRESETS
from features.report import IngestReport
from features.tables import Tables

EXPORTS = Path(__file__).with_name("exports")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[IngestReport, Tables]]:
    names = [name for name in PRESETS if name != "csv"]
    return {
        name: load_preset(name, folder=EXPORTS / name, place=tmp_path_factory.mktemp(name), now=None)
        for name in names
    }


ACTIVITIES = {
    "salesforce": {
        ("00T1", "call_attempt", "outbound", "2023-04-03 08:00:00", 20),
        ("00T2", "call", "mutual", "2023-04-04 10:00:00", 300),
        ("00T3", "email_sent", "outbound", "2023-04-05 23:59:59", None),
        ("00T6", "call", "mutual", "2023-04-06 11:00:00", 60),
        ("00T7", "call", "inbound", "2023-04-07 11:00:00", None),
        ("00U1", "meeting", "mutual", "2023-04-10 13:00:00", 1800),
        ("00v1", "campaign_sent", "outbound", "2023-02-01 00:00:00", None),
        ("00v1-response", "campaign_response", "inbound", "2023-02-03 23:59:59", None),
        # Of the account since the lead was converted.
        ("00v2", "campaign_sent", "outbound", "2023-02-01 23:59:59", None),
    },
    "hubspot": {
        ("31", "call_attempt", "outbound", "2023-04-03 08:00:00", 20),
        ("32", "call", "mutual", "2023-04-04 10:00:00", 300),
        ("33", "call", "inbound", "2023-04-05 10:00:00", None),
        ("34", "email_sent", "outbound", "2023-04-06 10:00:00", None),
        ("35", "email_reply", "inbound", "2023-04-07 10:00:00", None),
        ("36", "meeting", "mutual", "2023-04-10 13:00:00", 1800),
        ("e1", "email_sent", "outbound", "2023-02-01 00:00:00", None),
        ("e2", "email_open", "inbound", "2023-02-02 00:00:00", 27),
        ("e5", "email_click", "inbound", "2023-02-03 00:00:00", None),
        ("e6", "email_click", "inbound", "2023-02-04 00:00:00", None),
        ("form-f-11-c", "form_submission", "inbound", "2023-02-05 08:00:00", None),
    },
    "salesforce_reports": {
        ("00T1", "call_attempt", "outbound", "2023-04-02 23:59:59", None),
        ("00T2", "call", "mutual", "2023-04-04 23:59:59", 300),
        ("00T3", "call", "mutual", "2023-04-05 23:59:59", 60),
        ("00U1", "meeting", "mutual", "2023-04-10 13:00:00", 1800),
        ("701-003A-campaign_sent", "campaign_sent", "outbound", "2023-02-01 23:59:59", None),
        ("701-003A-campaign_response", "campaign_response", "inbound", "2023-02-03 23:59:59", None),
    },
}


@pytest.mark.parametrize("preset", list(ACTIVITIES))
def test_who_acted_and_when_it_was_known(loaded: dict[str, tuple[IngestReport, Tables]], preset: str) -> None:
    frame = loaded[preset][1].read("activities")
    known = frame["known_at"].dt.strftime("%Y-%m-%d %H:%M:%S")
    seconds = [None if pd.isna(value) else int(value) for value in frame["seconds"]]
    found = zip(frame["activity_id"], frame["channel"], frame["direction"], known, seconds, strict=True)
    assert set(found) == ACTIVITIES[preset]


def test_activities_of_hubspot_s_own_export(loaded: dict[str, tuple[IngestReport, Tables]]) -> None:
    activities = loaded["hubspot_reports"][1].read("activities")
    lines = as_lines(activities, "occurred_at channel direction account_id contact_id")
    assert lines == [
        "2023-02-02 00:00:00 | email_open | inbound | 1 | 11",
        "2023-02-05 08:00:00 | form_submission | inbound | 1 | 11",
        "2023-02-06 08:00:00 | form_submission | inbound | 1 | 12",
        "2023-04-02 10:00:00 | call_attempt | outbound | 1 | ",
        "2023-04-04 10:00:00 | call | mutual | 1 | 11",
        "2023-04-06 10:00:00 | email_sent | outbound | 1 | ",
        "2023-04-07 10:00:00 | email_reply | inbound | 1 | ",
        "2023-04-10 13:00:00 | meeting | mutual | 1 | 11",
        "2023-04-10 13:00:00 | meeting | mutual | 1 | 12",
        "2023-04-11 13:00:00 | email_sent | outbound | 1 | ",
    ]


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        (
            "salesforce",
            [
                "001A | 2022-05-01 10:00:00 |  | ",
                "001A | 2023-01-01 00:00:00 | 10.0 | Ada",
                "001A | 2023-06-01 00:00:00 | 101.0 | Ada Inc",
                "001B | 1970-01-01 00:00:00 | 7.0 | Bob Ltd",
                "001C | 2022-06-01 00:00:00 | 3.0 | Gone Ltd",
                "lead-zeta.example | 2023-01-04 23:59:59 |  | Zeta",
            ],
        ),
        (
            "hubspot",
            [
                "1 | 2022-05-01 10:00:00 |  | Ada Inc",
                "1 | 2023-01-01 00:00:00 | 10.0 | ",
                "1 | 2023-06-01 00:00:00 | 90.0 | ",
                "2 | 2022-05-02 10:00:00 | 7.0 | Bob Ltd",
                "lead-zeta.example | 2023-01-07 00:00:00 |  | Zeta",
            ],
        ),
        (
            "hubspot_reports",
            [
                "1 | 2022-05-01 10:00:00 |  | Ada Inc",
                "1 | 2023-01-01 00:00:00 | 10.0 | ",
                "2 | 2022-05-02 10:00:00 | 7.0 | Bob Ltd",
                "lead-nobody.example | 2023-01-07 00:00:00 |  | Nobody",
            ],
        ),
        (
            "salesforce_reports",
            ["001A | 2022-05-31 00:00:00 | 1090 | Ada Inc", "001B | 2022-06-01 00:00:00 | 7 | Bob Ltd"],
        ),
    ],
)
def test_a_history_becomes_versions_and_today_s_value_never_stands_in_for_the_past(
    loaded: dict[str, tuple[IngestReport, Tables]], preset: str, expected: list[str]
) -> None:
    accounts = loaded[preset][1].read("accounts")
    assert as_lines(accounts, "account_id known_at employees name") == expected


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        (
            "salesforce",
            [
                "006A | 2023-03-01 09:00:00 |  |  | ",
                "006A | 2023-03-01 09:30:00 |  |  | 300.0",
                "006A | 2023-04-01 00:00:00 |  |  | 500.0",
                "006A | 2023-05-01 14:00:00 | 2023-05-01 14:00:00 | won | 500.0",
                "006B | 2023-03-01 09:00:00 |  |  | ",
                "006B | 2023-03-01 23:59:59 | 2023-03-01 23:59:59 | lost | 70.0",
            ],
        ),
        (
            "hubspot",
            [
                "21 | 2023-03-01 09:00:00 |  |  | ",
                "21 | 2023-04-01 00:00:00 |  |  | 300.0",
                "21 | 2023-05-01 14:30:00 | 2023-05-01 14:30:00 | won | 500.0",
                "22 | 2023-03-01 09:00:00 |  |  | ",
                "22 | 2023-04-01 23:59:59 | 2023-04-01 23:59:59 | lost | 70.0",
            ],
        ),
        (
            "salesforce_reports",
            [
                "006A | 2023-03-01 23:59:59 |  |  | ",
                "006A | 2023-05-01 23:59:59 | 2023-05-01 00:00:00 | won | 1500.0",
            ],
        ),
    ],
)
def test_a_deal_is_opened_before_its_worth_and_its_end_are_known(
    loaded: dict[str, tuple[IngestReport, Tables]], preset: str, expected: list[str]
) -> None:
    deals = loaded[preset][1].read("opportunities")
    assert as_lines(deals, "opportunity_id known_at closed_at outcome amount") == expected


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("salesforce", ["006A | Demo | 2023-03-01 09:00:00", "006A | Won | 2023-05-01 14:00:00"]),
        ("hubspot", ["21 | Demo | 2023-03-01 09:00:00", "21 | Won | 2023-05-01 14:30:00"]),
        (
            "salesforce_reports",
            ["006A | Closed Won | 2023-05-01 14:05:00", "006A | Demo | 2023-03-01 09:05:00"],
        ),
        ("hubspot_reports", ["21 | Demo | 2023-03-01 09:00:00"]),
    ],
)
def test_moves_from_stage_to_stage(
    loaded: dict[str, tuple[IngestReport, Tables]], preset: str, expected: list[str]
) -> None:
    moves = loaded[preset][1].read("stage_changes")
    assert as_lines(moves, "opportunity_id stage occurred_at") == expected


def test_what_is_at_fault_is_named(loaded: dict[str, tuple[IngestReport, Tables]]) -> None:
    (example,) = loaded["salesforce"][0].table("activities").examples
    assert (example.column, example.got) == ("occurred_at", "[text, 9 characters]")
    assert loaded["salesforce"][0].table("contacts").quarantined == {"missing value": 1}
    (example,) = loaded["salesforce_reports"][0].table("opportunities").examples
    assert (example.column, example.got) == ("created_at", "31/1/2023")


def test_a_deleted_record_counts_until_it_was_seen_to_be_deleted(
    loaded: dict[str, tuple[IngestReport, Tables]],
) -> None:
    accounts = loaded["salesforce"][1].read("accounts").set_index("account_id")
    assert accounts.loc["001C", "withdrawn_at"] == pd.Timestamp(2023, 7, 1)
    assert accounts.loc[["001A", "001B"], "withdrawn_at"].isna().all()


def test_only_what_has_no_history_is_marked(loaded: dict[str, tuple[IngestReport, Tables]]) -> None:
    salesforce, hubspot = (loaded[name][0].current_value_only for name in ("salesforce", "hubspot"))
    # 001B has no history: what it holds is today's.
    assert salesforce["accounts"] == (
        *("annual_revenue", "country", "domain", "employees", "industry", "name"),
    )
    assert salesforce["opportunities"] == (
        *("account_id", "amount", "closed_at", "created_at", "outcome", "product"),
    )
    assert hubspot["accounts"] == (
        *("annual_revenue", "city", "country", "domain", "employees", "industry", "name"),
    )
    assert hubspot["contacts"] == ("account_id", "email", "role", "seniority")


def test_what_is_not_there_is_told(loaded: dict[str, tuple[IngestReport, Tables]]) -> None:
    assert loaded["salesforce"][0].left_out == ("contact history", "contact field history")
    assert loaded["hubspot"][0].left_out == ("contact property history", "task")


BANKING = "K64 Financial service activities, except insurance and pension funding"
SOFTWARE = "J62 Computer programming, consultancy and related activities"


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        (
            "salesforce",
            [
                f"001A | {SOFTWARE} | GB |  | ",
                "001B | S94 Activities of membership organizations | DE | bob.example | 2259960.0",
                "001C |  |  | gone.example | 5000000.0",
            ],
        ),
        ("hubspot", [f"1 | {SOFTWARE} | DE | ada.example | 1129980.0", "2 |  |  |  | "]),
        ("hubspot_reports", [f"1 | {SOFTWARE} |  | ada.example | ", "2 |  |  |  | "]),
        (
            "salesforce_reports",
            [
                f"001A | {BANKING} | DE | ada.example | 2500000.0",
                "001B |  |  |  | ",
            ],
        ),
    ],
)
def test_cells_of_companies_are_read_into_one_spelling(
    loaded: dict[str, tuple[IngestReport, Tables]], preset: str, expected: list[str]
) -> None:
    columns = ["industry", "country", "domain", "annual_revenue"]
    rows = loaded[preset][1].read("accounts").sort_values("known_at")
    latest = rows[~rows["account_id"].str.startswith("lead-")].groupby("account_id")[columns].last()
    assert as_lines(latest.reset_index(), " ".join(["account_id", *columns])) == expected


def test_cells_that_cannot_be_read_are_counted(loaded: dict[str, tuple[IngestReport, Tables]]) -> None:
    assert loaded["salesforce"][0].table("accounts").unread == {"country": 1, "industry": 1}


@pytest.mark.parametrize(
    ("preset", "leads", "matched", "people"),
    [
        # By name: one writes from a mail provider, the account of the other has no domain.
        ("salesforce", 3, 2, {"00Q3": "001A", "00Q4": "001B", "00Q5": "lead-zeta.example"}),
        ("hubspot", 2, 1, {"13": "2", "14": "lead-zeta.example"}),
        # By domain.
        ("hubspot_reports", 2, 1, {"12": "1", "13": "lead-nobody.example"}),
        ("salesforce_reports", 1, 1, {"00Q2": "001A"}),
    ],
)
def test_who_names_a_company_reaches_its_account(
    loaded: dict[str, tuple[IngestReport, Tables]],
    preset: str,
    leads: int,
    matched: int,
    people: dict[str, str],
) -> None:
    report, tables = loaded[preset]
    assert (report.identity.leads, report.identity.matched) == (leads, matched)
    assert f"companies that leads name: {leads}, matched to accounts: {matched}" in str(report)
    contacts = tables.read("contacts").set_index("contact_id")["account_id"]
    assert dict(contacts[list(people)]) == people
    activities = tables.read("activities").dropna(subset="contact_id").set_index("contact_id")["account_id"]
    assert all(set(activities.loc[[one]]) == {people[one]} for one in people if one in activities.index)
    assert activities.index.isin(list(people)).any()


def test_the_product_is_that_of_the_line_worth_most(
    loaded: dict[str, tuple[IngestReport, Tables]],
) -> None:
    rows = loaded["salesforce"][1].read("opportunities")
    assert {(row.opportunity_id, row.product) for row in rows.itertuples()} == {
        ("006A", "Seats"),
        ("006B", "Lamp"),
    }


def test_a_machine_that_follows_links_is_no_engagement(
    loaded: dict[str, tuple[IngestReport, Tables]],
) -> None:
    report, tables = loaded["hubspot"]
    assert report.traffic == {"bot": 1}
    marked = tables.read("activities").dropna(subset="traffic")
    assert list(marked["activity_id"]) == ["e6"]


def test_a_title_tells_the_level(loaded: dict[str, tuple[IngestReport, Tables]]) -> None:
    contacts = loaded["salesforce"][1].read("contacts").set_index("contact_id")
    assert contacts.loc["003A", "seniority"] == "vice_president"


def test_no_table_holds_an_address(loaded: dict[str, tuple[IngestReport, Tables]]) -> None:
    for _, tables in loaded.values():
        for name in ("contacts", "activities"):
            assert "@" not in tables.read(name).to_csv()


def _told_by_a_dry_run(
    preset: str, folder: Path, place: Path, *, ingested: IngestReport, patch: pytest.MonkeyPatch
) -> DryRun:
    """Of an export whose ingest is known already: the dry run need not try it again."""
    path = write_preset(preset, place)
    patch.setattr("features.dry_run.ingest", lambda *_, **__: ingested)
    return dry_run(load_config(path, overrides={"folder": str(folder)}))


@pytest.mark.parametrize("preset", ["salesforce", "hubspot_reports"])
def test_a_dry_run_tells_of_every_column_of_an_export(
    loaded: dict[str, tuple[IngestReport, Tables]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    preset: str,
) -> None:
    folder = EXPORTS / preset
    report = _told_by_a_dry_run(preset, folder, tmp_path, ingested=loaded[preset][0], patch=monkeypatch)
    told = {column.column for source in report.sources for column in source.columns}
    for file in folder.glob("*.csv"):
        assert set(file.read_text(encoding="utf-8").splitlines()[0].split(",")) <= told


@pytest.fixture(scope="module", params=["salesforce", "hubspot"])
def sample(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> tuple[str, Path, IngestReport, Tables]:
    """A preset, the folder of its sample export, and what its ingest gives without an edit."""
    preset, folder = request.param, shared_data / "crm_exports" / request.param
    return (
        preset,
        folder,
        *load_preset(preset, folder=folder, place=tmp_path_factory.mktemp(preset), now=None),
    )


def test_the_sample_export_loads_without_an_edit(sample: tuple[str, Path, IngestReport, Tables]) -> None:
    *_, report, tables = sample
    assert report.table("accounts").rows > 0
    matched = report.identity.matched
    assert 0 <= report.table("accounts").rows - len(tables.read("accounts")) <= matched
    for table in report.tables:
        assert table.balanced()
        # Made-up rows refer to records that are not in the sample; every other cell has to fit.
        allowed = {"unknown account", "unknown opportunity", "missing value", "closed before it was opened"}
        assert set(table.quarantined) <= allowed


def test_the_sample_export_is_told_column_by_column(
    sample: tuple[str, Path, IngestReport, Tables], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preset, folder, ingested, _ = sample
    report = _told_by_a_dry_run(preset, folder, tmp_path, ingested=ingested, patch=monkeypatch)
    statuses = {column.status for source in report.sources for column in source.columns}
    assert {"bound", "ignored", "missing"} <= statuses
    assert report.error is None


def test_every_preset_is_a_whole_mapping(tmp_path: Path) -> None:
    for preset in PRESETS:
        path = write_preset(preset, tmp_path)
        assert load_config(path).file == path
