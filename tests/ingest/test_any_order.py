"""Whatever the order of rows and files, and however rows are split into files, the tables are the same."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_sources import ACCOUNTS, ACTIVITIES, MAPPING, NOW, write_csv

from features.ingest import ingest
from features.mapping import load_config
from features.workspace import Workspace

Rows = list[tuple[str, ...]]

updated = st.sampled_from(["2023-01-01T00:00:00Z", "2023-05-01T00:00:00Z", "", "soon"])
account = st.tuples(
    st.sampled_from(["a1", "a2", "a3", ""]),
    st.sampled_from(["Ada", "Zoe", ""]),
    st.sampled_from(["Software", ""]),
    st.sampled_from(["10", "x", ""]),
    st.sampled_from(["1", "1.50", ""]),
    updated,
)
activity = st.tuples(
    st.sampled_from(["a1", "a2", "a9"]),
    st.sampled_from(["web_visit", "email", "No"]),
    st.sampled_from(["2023-02-01 10:00:00", "2023-02-01 10:00:00.5", "2023-03-01", "2031-01-01", ""]),
    st.sampled_from(["1", "2", ""]),
)
told = st.tuples(
    st.sampled_from(["a1", "a2", "a4", ""]),
    st.sampled_from(["Ada", "Zoe", ""]),
    st.sampled_from(["10", "20", ""]),
    st.sampled_from(["Bonn", "Rome", ""]),
    updated,
)
TOLD = ("Id", "Name", "Staff", "City", "Updated")
"""What another source tells of the same accounts, perhaps at the same time."""

TWO_SOURCES = MAPPING.replace(
    '[[sources]]\ntable = "activities"',
    """[[sources]]
table = "accounts"
path = "{folder}/told*.csv"
optional = true
known_at = "Updated"
columns = { account_id = "Id", name = "Name", employees = "Staff", city = "City" }

[[sources]]
table = "activities\"""",
)
SURE: tuple[str, ...] = ("a1", "Ada", "", "", "", "2023-01-01T00:00:00Z")


def _loaded(
    folder: Path, *, accounts: list[Rows], activities: list[Rows], others: list[Rows]
) -> tuple[object, ...]:
    folder.mkdir()
    for k, rows in enumerate(others):
        write_csv(folder / f"told{k}.csv", TOLD, rows)
    for k, rows in enumerate(accounts):
        write_csv(folder / f"accounts{k}.csv", ACCOUNTS, rows)
    for k, rows in enumerate(activities):
        write_csv(folder / f"activities{k}.csv", ACTIVITIES, rows)
    (folder / "mapping.toml").write_text(TWO_SOURCES, encoding="utf-8")
    config = load_config(folder / "mapping.toml", overrides={"folder": str(folder)})
    workspace = Workspace(folder / "workspace")
    report = ingest(config, workspace=workspace, now=NOW)
    for table in report.tables:
        assert table.balanced()
    tables = workspace.tables()
    counts = [(table.read, table.loaded, table.collapsed, table.quarantined) for table in report.tables]
    assert not tables.read("accounts").duplicated(["account_id", "known_at", "withdrawn_at"]).any()
    assert len(tables.read("accounts")) == report.table("accounts").rows
    # Rows that several sources make are joined when they are read, in no promised order.
    frames = [
        tables.read(name).sort_values(["account_id", "known_at"], kind="stable", ignore_index=True)
        for name in ("accounts", "activities")
    ]
    told = [frame.to_json(date_format="iso") for frame in frames]
    return report.fingerprint, report.snapshot, counts, told


def _split(rows: Rows, *, files: int, chance: random.Random) -> list[Rows]:
    shuffled = chance.sample(rows, len(rows))
    cuts = sorted(chance.randint(0, len(rows)) for _ in range(files - 1))
    return [shuffled[start:end] for start, end in zip([0, *cuts], [*cuts, len(rows)], strict=True)]


# An ingest takes as long whatever its rows: few examples, of many rows each.
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(account, min_size=6, max_size=30),
    st.lists(activity, min_size=6, max_size=30),
    st.lists(told, min_size=4, max_size=20),
    st.integers(2, 3),
    st.randoms(),
)
def test_order_and_split_of_files_change_nothing(
    accounts: Rows, activities: Rows, others: Rows, files: int, chance: random.Random
) -> None:
    accounts = [*accounts, SURE]
    activities = [*activities, ("a1", "email", "2023-04-01", "1")]
    with TemporaryDirectory() as folder:
        whole = _loaded(Path(folder) / "whole", accounts=[accounts], activities=[activities], others=[others])
        parts = _loaded(
            Path(folder) / "parts",
            accounts=_split(accounts, files=files, chance=chance),
            activities=_split(activities, files=files, chance=chance),
            others=_split(others, files=files, chance=chance),
        )
    assert parts == whole
