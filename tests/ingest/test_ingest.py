"""Files become canonical tables: typed, counted, counted and kept; bad rows are set aside."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from small_sources import ACCOUNTS, ACTIVITIES, ADA, MAPPING, VISIT, run, write_csv, write_sources

from features.errors import ConfigError, ContractError, WorkspaceError
from features.ingest import ingest
from features.mapping import load_config
from features.report import IngestReport
from features.validation import Reason
from features.workspace import Workspace


def test_cells_become_typed_canonical_columns(tmp_path: Path) -> None:
    _, workspace = run(write_sources(tmp_path))
    accounts, activities = (workspace.tables().read(name) for name in ("accounts", "activities"))
    account, activity = accounts.iloc[0], activities.iloc[0]
    assert (account["account_id"], account["employees"], account["score"]) == ("a1", 10, 1.5)
    assert account["known_at"] == pd.Timestamp(2023, 1, 1)
    assert activity["occurred_at"] == activity["known_at"] == pd.Timestamp(2023, 2, 1, 10)
    assert (activity["seconds"], activity["quantity"]) == (120, 1)
    assert pd.isna(activity["activity_id"])


SINCE = ADA[5]
BAD_ACCOUNTS = [
    (("", "B", "", "1", "", "2023-01-01Z"), Reason.WRONG_TYPE, "known_at", "2023-01-01Z"),
    (("", "B", "", "1", "", SINCE), Reason.MISSING_VALUE, "account_id", None),
    (("b", "B", "", "many", "", SINCE), Reason.WRONG_TYPE, "employees", "many"),
    (("b", "B", "", "1.5", "", SINCE), Reason.WRONG_TYPE, "employees", "1.5"),
    (("b", "B", "", "nan", "", SINCE), Reason.WRONG_TYPE, "employees", "nan"),
    (("b", "B", "", "-1", "", SINCE), Reason.OUT_OF_BOUNDS, "employees", "-1"),
    (("b", "B", "", "1e9", "", SINCE), Reason.OUT_OF_BOUNDS, "employees", "1e9"),
    (("b", "B", "", "1", "high", SINCE), Reason.WRONG_TYPE, "score", "high"),
    (("b", "B", "", "1", "", ""), Reason.MISSING_VALUE, "known_at", None),
    (("b", "B", "", "1", "", "2023-01-01 00:00"), Reason.TIME_WITHOUT_ZONE, "known_at", "2023-01-01 00:00"),
    (("b", "B", "", "1", "", "2024-01-02T00:00Z"), Reason.IN_THE_FUTURE, "known_at", "2024-01-02T00:00Z"),
    (("a1", "Ada", "", "10", "", SINCE), Reason.CONFLICTING_DUPLICATE, "account_id", "a1"),
]
BAD_ACTIVITIES = [
    (("a9", "web_visit", "2023-02-01 10:00", "2"), Reason.UNKNOWN_ACCOUNT, "account_id", "a9"),
    (("a1", "Web Visit", "2023-02-01 10:00", "2"), Reason.WRONG_PATTERN, "channel", "[text, 9 characters]"),
    (("a1", "", "2023-02-01 10:00", "2"), Reason.MISSING_VALUE, "channel", None),
    (("a1", "web_visit", "01/02/2023", "2"), Reason.WRONG_TYPE, "occurred_at", "01/02/2023"),
    (("a1", "web_visit", "2023-02-30 10:00", "2"), Reason.WRONG_TYPE, "occurred_at", "2023-02-30 10:00"),
    (("a1", "web_visit", "", "2"), Reason.MISSING_VALUE, "occurred_at", None),
    (("a1", "web_visit", "2031-02-01 10:00", "2"), Reason.IN_THE_FUTURE, "occurred_at", "2031-02-01 10:00"),
    (("a1", "web_visit", "2023-02-01 10:00", "-2"), Reason.OUT_OF_BOUNDS, "seconds", "-2"),
]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[IngestReport, Workspace]:
    accounts, activities = ([row for row, *_ in bad] for bad in (BAD_ACCOUNTS, BAD_ACTIVITIES))
    folder = tmp_path_factory.mktemp("bad")
    return run(write_sources(folder, accounts=[*accounts, ADA], activities=[VISIT, *activities]))


@pytest.mark.parametrize(
    ("table", "case"),
    [("accounts", case) for case in BAD_ACCOUNTS] + [("activities", case) for case in BAD_ACTIVITIES],
)
def test_a_bad_row_is_set_aside_with_its_reason(
    loaded: tuple[IngestReport, Workspace],
    table: str,
    case: tuple[tuple[str, ...], Reason, str, str | None],
) -> None:
    (report, workspace), (row, reason, column, got) = loaded, case
    kept = pd.read_parquet(workspace.snapshots / report.snapshot / "quarantine" / f"{table}.parquet")
    alike = kept["got"].isna() if got is None else kept["got"] == got
    mine = kept[(kept["reason"] == reason) & (kept["column"] == column) & alike]
    assert len(mine) == 1
    # Of a row about people only what can be no name is shown: whose account it is, and words of the contract.
    told = row[1] if table == "accounts" else row[0]
    assert told in [value or "" for value in json.loads(mine.iloc[0]["row"]).values()]


def test_every_row_is_loaded_or_set_aside(loaded: tuple[IngestReport, Workspace]) -> None:
    report, workspace = loaded
    for name, bad in (("accounts", BAD_ACCOUNTS), ("activities", BAD_ACTIVITIES)):
        table = report.table(name)
        assert (table.read, table.loaded, table.collapsed) == (len(bad) + 1, 1, 0)
        assert table.quarantined == Counter(reason for _, reason, *_ in bad)
        assert workspace.manifest().quarantine[name] == table.quarantined
        assert len(workspace.tables().read(name)) == 1
    assert workspace.tables().read("accounts")["name"].tolist() == ["Ada"]


def test_lines_that_are_no_rows_are_counted_and_kept(tmp_path: Path) -> None:
    mapping = write_sources(tmp_path)
    with (tmp_path / "accounts.csv").open("a", encoding="utf-8") as file:
        file.write("b,short\nc,C,,1,,2023-01-01T00:00:00Z,too,long\nd,D,,2,,2023-01-01T00:00:00Z\n")
    table = run(mapping)[0].table("accounts")
    assert (table.read, table.loaded, table.quarantined) == (4, 2, {Reason.MALFORMED_LINE: 2})
    assert table.examples[0].row in ("b,short", "c,C,,1,,2023-01-01T00:00:00Z,too,long")


def test_identical_rows_are_one_row(tmp_path: Path) -> None:
    report, _ = run(write_sources(tmp_path, accounts=[ADA, ADA], activities=[VISIT, VISIT, VISIT]))
    assert [(table.loaded, table.collapsed) for table in report.tables] == [(1, 1), (1, 2)]


def test_activities_within_one_second_are_told_apart_before_their_time_is_floored(tmp_path: Path) -> None:
    visits = [(*VISIT[:2], f"2023-02-01 10:00:00.{fraction}", "2") for fraction in ("1", "9")]
    report, workspace = run(write_sources(tmp_path, activities=visits))
    assert report.table("activities").loaded == 2
    times = workspace.tables().read("activities")["occurred_at"]
    assert set(times) == {pd.Timestamp(2023, 2, 1, 10)}


def test_of_rows_that_disagree_the_most_complete_stays(tmp_path: Path) -> None:
    sparse, other = ("a1", "Zoe", "", "", "", ADA[5]), ("a1", "Bob", "Software", "10", "1.5", ADA[5])
    report, workspace = run(write_sources(tmp_path, accounts=[sparse, other, ADA, other]))
    assert workspace.tables().read("accounts")["name"].tolist() == ["Ada"]
    assert report.table("accounts").quarantined == {Reason.CONFLICTING_DUPLICATE: 2}
    assert report.table("accounts").collapsed == 1


def test_an_activity_seen_in_two_extracts_is_known_since_the_earlier_one(tmp_path: Path) -> None:
    mapping = MAPPING.replace("known_immediately = true", 'known_at = "Exported"')
    path = write_sources(tmp_path, mapping=mapping)
    rows = [(*VISIT, exported) for exported in ("2023-06-01", "2023-03-01")]
    write_csv(tmp_path / "activities.csv", (*ACTIVITIES, "Exported"), rows)
    report, workspace = run(path)
    assert report.table("activities").collapsed == 1
    assert workspace.tables().read("activities")["known_at"].tolist() == [pd.Timestamp(2023, 3, 1)]


@pytest.mark.parametrize(
    ("written", "zone", "utc"),
    [
        ("2023-07-01 12:00:00", "Europe/Berlin", "2023-07-01 10:00:00"),
        ("2023-01-01 12:00:00", "Europe/Berlin", "2023-01-01 11:00:00"),
        ("2023-07-01T12:00:00+09:00", "Europe/Berlin", "2023-07-01 03:00:00"),
        ("2023-07-01T12:00:00.999Z", "UTC", "2023-07-01 12:00:00"),
        ("2023-07-01", "Asia/Shanghai", "2023-06-30 16:00:00"),
    ],
)
def test_times_become_utc_seconds(tmp_path: Path, written: str, zone: str, utc: str) -> None:
    mapping = MAPPING.replace('time_zone = "UTC"', f'time_zone = "{zone}"')
    _, workspace = run(write_sources(tmp_path, activities=[(*VISIT[:2], written, "1")], mapping=mapping))
    assert str(workspace.tables().read("activities")["occurred_at"][0]) == utc


@pytest.mark.parametrize(
    ("way", "known_at"),
    [
        ("known_immediately = true", pd.Timestamp(2023, 2, 1, 10)),
        ('known_at_delay = "6 days 23:59:59"', pd.Timestamp(2023, 2, 8, 9, 59, 59)),
        ("extracted_at = 2023-06-01T02:00:00+02:00", pd.Timestamp(2023, 6, 1)),
    ],
)
def test_the_mapping_says_when_rows_were_known(tmp_path: Path, way: str, known_at: pd.Timestamp) -> None:
    path = write_sources(tmp_path, mapping=MAPPING.replace("known_immediately = true", way))
    _, workspace = run(path)
    assert workspace.tables().read("activities")["known_at"][0] == known_at
    assert workspace.manifest().data_through == known_at


ATTRIBUTES = [
    ("number", "scale = 10", " 3.5 ", 35.0),
    ("category", 'case = "words"', "REAL_ESTATE", "real estate"),
    ("category", 'values = { a = "Alpha" }', "a", "Alpha"),
    ("category", 'empty = ["n/a", 0]', "0", None),
    ("boolean", "", "Yes", True),
    ("boolean", "values = { ja = true }", "ja", True),
    ("date", 'format = "%d.%m.%Y"', "31.12.2022", pd.Timestamp(2022, 12, 31)),
    ("text", "", " a  b ", "a  b"),
    ("set", "", "b; a;b;;", ["a", "b"]),
    ("set", 'separator = "|"', "x|y", ["x", "y"]),
    ("set", 'values = { b = "c" }', "b;a", ["a", "c"]),
]


def test_attributes_of_every_type(tmp_path: Path) -> None:
    tables = "\n".join(
        f'[sources.attributes.x{k}]\ncolumn = "X{k}"\ntype = "{kind}"\n{options}'
        for k, (kind, options, *_) in enumerate(ATTRIBUTES)
    )
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        '[workspace]\nname = "test"\n[parameters]\nfolder = "."\n[[sources]]\ntable = "accounts"\n'
        'path = "{folder}/a.csv"\ntime_zone = "UTC"\nknown = "start_of_time"\n'
        f'[sources.columns]\naccount_id = "Id"\n{tables}',
        encoding="utf-8",
    )
    header = ["Id", *(f"X{k}" for k in range(len(ATTRIBUTES)))]
    write_csv(tmp_path / "a.csv", header, [["a", *(written for *_, written, _ in ATTRIBUTES)]])
    account = run(mapping)[1].tables().read("accounts").iloc[0]
    for k, (kind, options, _, expected) in enumerate(ATTRIBUTES):
        value = account[f"x{k}"]
        read = list(value) if kind == "set" else None if pd.isna(value) else value
        assert read == expected, (kind, options)


def test_parquet_and_queries_load_like_csv(tmp_path: Path) -> None:
    path = write_sources(tmp_path, activities=[VISIT, (*VISIT[:2], "2023-03-01 10:00:00", "0")])
    expected = run(path)[0].fingerprint
    for name in ("accounts", "activities"):
        frame = pd.read_csv(tmp_path / f"{name}.csv", parse_dates=["When"] if name == "activities" else False)
        frame.to_parquet(tmp_path / f"{name}.parquet")
    path.write_text(MAPPING.replace(".csv", ".parquet"), encoding="utf-8")
    assert run(path)[0].fingerprint == expected
    query = 'query = "SELECT * FROM files WHERE CAST(Minutes AS INTEGER) >= 0;"'
    path.write_text(MAPPING.replace("time_zone", f"{query}\ntime_zone"), encoding="utf-8")
    assert run(path)[0].fingerprint == expected


ZONE = 'time_zone = "UTC"'
FAULTS = [
    ('account_id = "Id"', 'account_id = "ID"', ContractError, "no column 'ID' (allowed Id, Name"),
    ("seconds = {", 'people = "Persons"\nseconds = {', ContractError, "no column 'Persons' (allowed Account"),
    ("activities*", "visits*", ConfigError, "sources[2] (activities, visits*.csv): no such file"),
    (ZONE, "", ConfigError, "occurred_at holds times without a zone (got '2023-02-01 10:00:00'); declare it"),
    (ZONE, f'{ZONE}\nquery = "SELECT Nothing FROM files"', ConfigError, "the query cannot be read"),
    (
        ZONE,
        f'{ZONE}\nquery = "SELECT * REPLACE (Kind::INT AS Kind) FROM files"',
        ConfigError,
        "reading failed",
    ),
    ("known_immediately = true", "extracted_at = 2025-01-01T00:00:00Z", ConfigError, "is in the future"),
]


@pytest.mark.parametrize(("old", "new", "error", "message"), FAULTS)
def test_a_fault_of_the_whole_load_says_what_and_changes_nothing(
    tmp_path: Path, old: str, new: str, error: type[Exception], message: str
) -> None:
    path = write_sources(tmp_path)
    before = run(path)[1].manifest()
    assert old in MAPPING
    path.write_text(MAPPING.replace(old, new), encoding="utf-8")
    with pytest.raises(error) as raised:
        run(path)
    assert message in str(raised.value)
    assert Workspace(tmp_path / "workspace").manifest() == before
    assert [folder.name for folder in (tmp_path / "workspace" / "snapshots").iterdir()] == [before.snapshot]


@pytest.mark.parametrize(
    ("accounts", "message"),
    [
        ([], "accounts is empty (got 0 rows)"),
        (
            [("", *ADA[1:])],
            "not one row fits the contract (got 1 rows: 1 x missing value; for example",
        ),
    ],
)
def test_a_load_without_a_single_account_is_refused(
    tmp_path: Path, accounts: list[tuple[str, ...]], message: str
) -> None:
    with pytest.raises(ContractError) as raised:
        run(write_sources(tmp_path, accounts=accounts))
    assert message in str(raised.value)
    with pytest.raises(WorkspaceError, match="no tables in the workspace"):
        Workspace(tmp_path / "workspace").manifest()


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "is empty (got no header line)"), ("Id,ID\n1,2\n", "names a column twice (got ID, Id)")],
)
def test_a_file_without_a_usable_header_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = write_sources(tmp_path)
    (tmp_path / "accounts.csv").write_text(content, encoding="utf-8")
    with pytest.raises(ContractError) as raised:
        run(path)
    assert message in str(raised.value)


def test_deals_need_outcome_and_closing_together_and_stages_a_known_deal(tmp_path: Path) -> None:
    write_csv(
        tmp_path / "deals.csv",
        ("deal", "account", "opened", "closed", "result", "seen"),
        [
            ("d1", "a1", "2023-01-01", "", "", "2023-01-01"),
            ("d1", "a1", "2023-01-01", "2023-03-01", "won", "2023-03-01"),
            ("d2", "a1", "2023-01-01", "2023-03-01", "", "2023-03-01"),
            ("d3", "a1", "2023-04-01", "2023-03-01", "lost", "2023-04-01"),
            ("d4", "a1", "2023-01-01", "2023-03-01", "lost", "2023-02-01"),
            ("d5", "a1", "2023-01-01", "2023-03-01", "draw", "2023-03-01"),
        ],
    )
    write_csv(
        tmp_path / "stages.csv",
        ("deal", "stage", "at"),
        [("d1", "offer", "2023-02-01"), ("d9", "offer", "2023-02-01")],
    )
    deals = """
[[sources]]
table = "opportunities"
path = "{folder}/deals.csv"
time_zone = "UTC"
known_at = "seen"
[sources.columns]
opportunity_id = "deal"
account_id = "account"
created_at = "opened"
closed_at = "closed"
outcome = "result"

[[sources]]
table = "stage_changes"
path = "{folder}/stages.csv"
time_zone = "UTC"
known_immediately = true
[sources.columns]
opportunity_id = "deal"
stage = "stage"
occurred_at = "at"
"""
    report, _ = run(write_sources(tmp_path, mapping=MAPPING + deals))
    assert report.table("opportunities").loaded == 2
    assert report.table("opportunities").quarantined == {
        Reason.CLOSED_TOO_EARLY: 1, Reason.HALF_CLOSED: 1, Reason.KNOWN_TOO_EARLY: 1, Reason.NOT_ALLOWED: 1
    }  # fmt: skip
    assert report.table("stage_changes").quarantined == {Reason.UNKNOWN_OPPORTUNITY: 1}


def test_the_report_reads_as_a_table_and_as_an_object(tmp_path: Path) -> None:
    rows = [("a9", *VISIT[1:]), VISIT]
    mapping = MAPPING.replace('known_at = "Updated"', 'known = "start_of_time"\ncurrent_value_only = true')
    report, _ = run(write_sources(tmp_path, activities=rows, mapping=mapping))
    text = str(report)
    assert "unknown account" in text
    assert "account_id: got 'a9'" in text
    assert "accounts.employees" in text
    assert report.to_dict()["tables"]["activities"]["quarantined"] == {"unknown account": 1}
    json.dumps(report.to_dict())


def test_headers_may_hold_quotes_and_dots(tmp_path: Path) -> None:
    path = write_sources(tmp_path, mapping=MAPPING.replace('"Name"', "'na\"me.x'"))
    write_csv(tmp_path / "accounts.csv", ("Id", 'na"me.x', *ACCOUNTS[2:]), [ADA])
    assert run(path)[1].tables().read("accounts")["name"].tolist() == ["Ada"]


def test_progress_ends_where_it_said_it_would(tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    config = load_config(write_sources(tmp_path), overrides={"folder": str(tmp_path)})
    ingest(config, workspace=Workspace(tmp_path / "w"), progress=lambda *step: steps.append(step))
    assert [done for _, done, _ in steps] == list(range(6))
    assert {total for _, _, total in steps} == {5}
