"""Ingests that follow each other: what was read stays, what is new is added, nothing depends on the order."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loading import NOW
from small_sources import ACCOUNTS, ACTIVITIES, ADA, MAPPING, VISIT, run, write_csv, write_sources

from features.errors import ConfigError, WorkspaceError
from features.report import IngestReport
from features.validation import Reason
from features.workspace import Workspace

Row = tuple[str, ...]

account = st.tuples(
    st.sampled_from(["a1", "a2", "a3", ""]),
    st.sampled_from(["Ada", "Zoe", ""]),
    st.sampled_from(["Software", ""]),
    st.sampled_from(["10", "20", "x"]),
    st.just("1"),
    st.sampled_from([f"2023-0{month}-01T00:00:00Z" for month in (1, 2, 3, 4)]),
)
activity = st.tuples(
    st.sampled_from(["a1", "a2", "a3", "a9"]),
    st.sampled_from(["web_visit", "email"]),
    st.sampled_from(["2023-02-01 10:00:00", "2023-03-01"]),
    st.sampled_from(["1", "2"]),
    st.sampled_from(["2023-05-01", "2023-06-01", "2023-07-01"]),
)
EXPORTED = MAPPING.replace("known_immediately = true", 'known_at = "Exported"')
SURE: Row = ("a1", "Ada", "", "", "", "2023-01-01T00:00:00Z")


def _ingests(folder: Path, *, turns: list[tuple[list[Row], list[Row]]]) -> tuple[object, ...]:
    """The fingerprint, the tables and the counts after one ingest per turn of (accounts, activities)."""
    folder.mkdir()
    (folder / "mapping.toml").write_text(EXPORTED, encoding="utf-8")
    for turn, (accounts, activities) in enumerate(turns):
        write_csv(folder / f"accounts{turn}.csv", ACCOUNTS, accounts)
        write_csv(folder / f"activities{turn}.csv", (*ACTIVITIES, "Exported"), activities)
        report, workspace = run(folder / "mapping.toml")
        for table in report.tables:
            assert table.balanced()
    tables = workspace.tables()
    frames = [tables.read(name).to_json(date_format="iso") for name in ("accounts", "activities")]
    return report.fingerprint, report.snapshot, workspace.manifest().quarantine, frames


# An ingest takes as long whatever its rows: few examples, of many rows each.
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(account, min_size=6, max_size=24),
    st.lists(activity, min_size=6, max_size=20),
    st.integers(2, 3),
    st.randoms(use_true_random=False),
)
def test_any_split_over_any_number_of_ingests_gives_the_same_tables(
    accounts: list[Row], activities: list[Row], count: int, chance: random.Random
) -> None:
    turns: list[tuple[list[Row], list[Row]]] = [([SURE], []) for _ in range(count)]
    for place, rows in enumerate((accounts, activities)):
        for row in rows:
            # Some rows come again in a later file.
            for turn in chance.sample(range(count), chance.choice([1, 1, 2])):
                turns[turn][place].append(row)
    whole = ([row for part, _ in turns for row in part], [row for _, part in turns for row in part])
    with TemporaryDirectory() as folder:
        at_once = _ingests(Path(folder) / "whole", turns=[whole])
        in_turns = _ingests(Path(folder) / "turns", turns=turns)
        backwards = _ingests(Path(folder) / "back", turns=turns[::-1])
    assert in_turns == backwards
    assert in_turns[0] == at_once[0]
    assert in_turns[3] == at_once[3]


def _again(report: IngestReport, *, first: IngestReport) -> None:
    assert (report.snapshot, report.fingerprint, report.changed) == (first.snapshot, first.fingerprint, False)
    assert "nothing new" in str(report)


def test_the_same_file_twice_changes_nothing(tmp_path: Path) -> None:
    bad = ("a1", "Web Visit", "2023-02-01 10:00", "2")
    stray = ("a9", *VISIT[1:])
    path = write_sources(tmp_path, activities=[VISIT, VISIT, bad, stray, stray])
    first, workspace = run(path)
    assert first.table("activities").quarantined == {Reason.WRONG_PATTERN: 1, Reason.UNKNOWN_ACCOUNT: 1}
    report, _ = run(path)
    _again(report, first=first)
    assert report.known_files == 2
    write_sources(tmp_path, activities=[VISIT, VISIT, bad, stray, stray])
    report, _ = run(path)
    _again(report, first=first)
    assert (report.known_files, report.table("activities").loaded) == (0, 0)
    assert workspace.manifest().quarantine["activities"] == first.table("activities").quarantined


def _versions(workspace: Workspace, *, column: str = "employees") -> list[tuple[str, int]]:
    frame = workspace.tables().read("accounts").sort_values("known_at")
    return [(str(row.known_at)[:10], int(getattr(row, column))) for row in frame.itertuples()]


EXTRACT = MAPPING.replace('known_at = "Updated"', "extracted_at = {day}T00:00:00Z")


def _extract(folder: Path, *, day: str, staff: str) -> Workspace:
    path = write_sources(
        folder, accounts=[("a1", "Ada", "Software", staff, "1", "")], mapping=EXTRACT.replace("{day}", day)
    )
    return run(path)[1]


def test_later_extracts_add_versions_where_a_value_changes_or_changes_back(tmp_path: Path) -> None:
    for month, staff in (("01", "10"), ("02", "10"), ("04", "20"), ("05", "10")):
        workspace = _extract(tmp_path, day=f"2023-{month}-01", staff=staff)
    assert _versions(workspace) == [("2023-01-01", 10), ("2023-04-01", 20), ("2023-05-01", 10)]


def test_a_late_extract_splits_what_looked_unchanged(tmp_path: Path) -> None:
    for day, staff in (("2023-01-01", "10"), ("2023-03-01", "10"), ("2023-02-01", "20")):
        workspace = _extract(tmp_path, day=day, staff=staff)
    assert _versions(workspace) == [("2023-01-01", 10), ("2023-02-01", 20), ("2023-03-01", 10)]


def test_rows_wait_for_their_account(tmp_path: Path) -> None:
    path = write_sources(tmp_path, activities=[("a2", *VISIT[1:])])
    first, workspace = run(path)
    assert first.table("activities").rows == 0
    write_csv(tmp_path / "accounts_later.csv", ACCOUNTS, [("a2", *ADA[1:])])
    (tmp_path / "activities.csv").unlink()
    report, _ = run(path)
    assert report.table("activities").rows == 1
    assert "activities" not in workspace.manifest().quarantine


def test_a_mended_file_takes_its_bad_rows_out_of_the_quarantine(tmp_path: Path) -> None:
    path = write_sources(tmp_path, accounts=[ADA, ("a2", "Bob", "", "many", "", ADA[5])])
    _, workspace = run(path)
    assert workspace.manifest().quarantine == {"accounts": {Reason.WRONG_TYPE: 1}}
    write_csv(tmp_path / "accounts_more.csv", ACCOUNTS, [("", *ADA[1:])])
    run(path)
    assert workspace.manifest().quarantine == {"accounts": {Reason.WRONG_TYPE: 1, Reason.MISSING_VALUE: 1}}
    write_csv(tmp_path / "accounts.csv", ACCOUNTS, [ADA, ("a2", "Bob", "", "7", "", ADA[5])])
    report, _ = run(path)
    assert workspace.manifest().quarantine == {"accounts": {Reason.MISSING_VALUE: 1}}
    assert (report.table("accounts").rows, report.table("accounts").loaded) == (2, 1)


def test_a_row_from_the_future_counts_once_its_time_has_come(tmp_path: Path) -> None:
    path = write_sources(tmp_path, activities=[VISIT, (*VISIT[:2], "2024-02-01", "1")])
    report, workspace = run(path)
    assert report.table("activities").quarantined == {Reason.IN_THE_FUTURE: 1}
    report, _ = run(path, now=NOW.replace(month=3))
    assert report.table("activities").rows == 2
    assert workspace.manifest().quarantine == {}


SCALED = MAPPING.replace("scale = 60", "scale = 1")


def test_a_changed_mapping_reads_everything_again_where_it_can(tmp_path: Path) -> None:
    path = write_sources(tmp_path)
    run(path)
    path.write_text(SCALED, encoding="utf-8")
    _, workspace = run(path)
    assert workspace.tables().read("activities")["seconds"].tolist() == [2]


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (SCALED, "sources were bound otherwise when earlier files were read (got activities*.csv)"),
        (
            MAPPING.replace('name = "test"', 'name = "other"'),
            "the workspace holds other data",
        ),
    ],
)
def test_what_cannot_be_read_again_is_not_forgotten_unasked(
    tmp_path: Path, mapping: str, message: str
) -> None:
    path = write_sources(tmp_path)
    _, workspace = run(path)
    before = workspace.manifest()
    write_csv(tmp_path / "activities.csv", ACTIVITIES, [(*VISIT[:2], "2023-04-01", "1")])
    path.write_text(mapping, encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        run(path)
    assert message in str(raised.value)
    assert "--rebuild" in str(raised.value)
    assert workspace.manifest() == before
    run(path, rebuild=True)
    assert workspace.tables().read("activities")["occurred_at"].tolist() == [pd.Timestamp(2023, 4, 1)]


@pytest.mark.parametrize("lost", ["activities.parquet", "kept/activities.parquet", "history.json"])
def test_a_damaged_history_is_not_gone_on_from(tmp_path: Path, lost: str) -> None:
    path = write_sources(tmp_path, activities=[VISIT, ("a9", *VISIT[1:])])
    report, workspace = run(path)
    damaged = workspace.snapshots / report.snapshot / lost
    whole = damaged.read_bytes()
    damaged.write_text("{", encoding="utf-8") if lost == "history.json" else damaged.unlink()
    write_sources(tmp_path, accounts=[("a2", *ADA[1:])])
    with pytest.raises(WorkspaceError, match="--rebuild"):
        run(path)
    damaged.write_bytes(whole)
    assert run(path)[0].table("accounts").rows == 2


def test_without_keeping_history_each_ingest_starts_from_nothing(tmp_path: Path) -> None:
    mapping = MAPPING.replace('name = "test"', 'name = "test"\nkeep_history = false')
    run(write_sources(tmp_path, mapping=mapping))
    _, workspace = run(write_sources(tmp_path, accounts=[("a2", *ADA[1:])], mapping=mapping))
    assert workspace.tables().read("accounts")["account_id"].tolist() == ["a2"]


def test_a_new_attribute_of_a_new_source_is_added(tmp_path: Path) -> None:
    path = write_sources(tmp_path)
    run(path)
    write_csv(tmp_path / "vendor.csv", ("Id", "Rank", "Seen"), [("a1", "7", "2023-06-01")])
    path.write_text(
        MAPPING + '\n[[sources]]\ntable = "accounts"\npath = "{folder}/vendor.csv"\ntime_zone = "UTC"\n'
        'known_at = "Seen"\n[sources.columns]\naccount_id = "Id"\n'
        '[sources.attributes.rank]\ncolumn = "Rank"\ntype = "number"\n',
        encoding="utf-8",
    )
    _, workspace = run(path)
    frame = workspace.tables().read("accounts").sort_values("known_at")
    assert frame["rank"].tolist()[1:] == [7.0]
    assert [attribute.name for attribute in workspace.manifest().attributes] == ["rank", "score"]
    path.write_text(MAPPING, encoding="utf-8")
    assert not run(path)[0].changed


def _as_stored_before(workspace: Workspace, *, identifier: str) -> None:
    """The activities of versions that derived an identifier for each row, and kept no fractions."""
    snapshot = workspace.manifest().snapshot
    (workspace.snapshots / snapshot).rename(workspace.snapshots / "older")
    told = workspace.manifest_path.read_text(encoding="utf-8").replace(snapshot, "older")
    workspace.manifest_path.write_text(told, encoding="utf-8")
    file = workspace.snapshots / "older" / "activities.parquet"
    rows = pq.read_table(file)
    kept = rows.select([name for name in rows.column_names if name not in ("activity_id", "_beyond")])
    with_id = kept.append_column("activity_id", pa.array([identifier] * len(rows), pa.string()))
    pq.write_table(with_id.replace_schema_metadata(None), file)


@pytest.mark.parametrize(("fraction", "goes_on"), [("", True), (".25", False)])
def test_rows_of_an_older_version_are_told_from_new_ones_or_asked_for_again(
    tmp_path: Path, fraction: str, goes_on: bool
) -> None:
    visit = (*VISIT[:2], VISIT[2] + fraction, VISIT[3])
    path = write_sources(tmp_path, activities=[visit])
    _, workspace = run(path)
    # What such versions hashed: cells, then the lengths of those that hold any text, parted by chr(31).
    moment = 1_675_245_600_000_000 + (250_000 if fraction else 0)
    cells = ["a1", "", "web_visit", "inbound", str(moment), "1", "120", "", "2", "-1", "9", "7"]
    identifier = hashlib.md5("\x1f".join(cells).encode(), usedforsecurity=False).hexdigest()[:20]
    _as_stored_before(workspace, identifier=identifier)
    write_sources(tmp_path, activities=[visit, visit])
    if not goes_on:
        with pytest.raises(WorkspaceError, match=r"fractions of seconds.*count twice.*--rebuild"):
            run(path)
        run(path, rebuild=True)
    assert run(path)[0].table("activities").rows == 1
