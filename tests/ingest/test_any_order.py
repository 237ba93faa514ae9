"""Whatever the order of rows and files, and however rows are split into files and ingests, all six tables are
the same: with accounts that merge, records that change, deletions and opt-outs in play."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from loading import load
from six_tables import SURE, TABLES, Export, exports, write_export

from features.engine import run_sql
from features.privacy.addresses import SECRET_FILE
from features.report import IngestReport
from features.workspace import Workspace


def _turns(folder: Path, *, turns: list[list[Export]]) -> tuple[IngestReport, Workspace]:
    """An ingest after each turn, which brings several files of each source. Returns the last report."""
    workspace, part = Workspace(folder / "workspace"), 0
    workspace.home.mkdir(parents=True)
    # Addresses are kept as hashes under it. Another secret: test_any_secret.
    (workspace.home / SECRET_FILE).write_bytes(bytes(32))
    for export in turns:
        for files in export:
            mapping = write_export(folder, files, part=part)
            part += 1
        report, _ = load(mapping)
        for table in report.tables:
            assert table.balanced()
    return report, workspace


def _told(report: IngestReport, workspace: Workspace) -> dict[str, object]:
    """What the tables hold, who stands for whom, and who has opted out."""
    tables = workspace.tables()
    assert not tables.read("accounts").duplicated(["account_id", "known_at", "withdrawn_at"]).any()
    with tables.connect() as connection:
        told = {
            name: _sorted(run_sql(connection, f"SELECT * FROM {name}").to_arrow_table().to_pandas())
            for name in (*TABLES, "merged_accounts", "consent_told")
        }
    rows = {table.name: table.rows for table in report.tables}
    identity = (report.identity.merged, report.identity.review, len(report.identity.cycles))
    return {**told, "rows": rows, "fingerprint": report.fingerprint, "identity": identity}


def _sorted(frame: pd.DataFrame) -> list[str]:
    # Rows that several sources make are joined when they are read, in no promised order.
    return sorted(str(tuple(row)) for row in frame.astype(object).itertuples(index=False))


def _counts(report: IngestReport) -> list[object]:
    return [
        (table.read, table.loaded, table.collapsed, table.deleted, table.quarantined)
        for table in report.tables
    ]


def _split(export: Export, *, files: int, chance: random.Random) -> list[Export]:
    """The rows of each source shuffled, and cut into files; some of these are empty."""
    parts: list[Export] = [{} for _ in range(files)]
    for name, rows in export.items():
        shuffled = chance.sample(rows, len(rows))
        cuts = [0, *sorted(chance.randint(0, len(rows)) for _ in range(files - 1)), len(rows)]
        for part, (start, end) in zip(parts, pairwise(cuts), strict=True):
            part[name] = shuffled[start:end]
    return parts


# An ingest takes as long whatever its rows: few examples, of many rows each.
@settings(
    max_examples=8,
    deadline=None,
    # Shrinking would ingest hundreds of times, and rows are told as they are.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(exports, st.integers(2, 3), st.sampled_from([1, 2]), st.randoms(use_true_random=False))
def test_order_and_split_change_nothing(
    export: Export, files: int, turns: int, chance: random.Random
) -> None:
    parts = _split(export, files=files, chance=chance)
    # A workspace has accounts from its first ingest on.
    parts[0] = {name: [*rows, *SURE[name]] for name, rows in parts[0].items()}
    whole = {name: [row for part in parts for row in part[name]] for name in export}
    with TemporaryDirectory() as place:
        folder = Path(place)
        first = _turns(folder / "whole", turns=[[{name: rows[::-1] for name, rows in whole.items()}]])
        second = _turns(folder / "parts", turns=[parts] if turns == 1 else [parts[:1], parts[1:]])
        expected = _told(*first)
        assert _told(*second) == expected
        if turns == 1:
            assert _counts(second[0]) == _counts(first[0])
            assert second[0].snapshot == first[0].snapshot
    assert all(expected[name] for name in TABLES)
    event(f"merged accounts: {'some' if expected['merged_accounts'] else 'none'}")
