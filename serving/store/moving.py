"""Activities on their way from the store into the snapshots, each exactly once.

Turns committed rows into immutable Parquet files in the workspace, which an ingest reads as a source of its
own, and a snapshot into the place in the store's order up to which it holds them. No row is marked: a file's
name says which part of the order it holds, and a snapshot's history says which files it was made from. So
whatever is killed, a row is in the snapshot or it is read beside it, never both and never neither. Files stay
for good, as a rebuild reads them again. Time rule: a row goes once its second has passed. Null rule: none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.bindings import Binding, Source
from features.contract import TABLES
from features.history import History, source_id
from features.tables import Tables
from features.workspace import Workspace
from serving.store import activities
from serving.store.activities import Activity
from serving.store.store import Store

__all__ = ["activity_rows", "activity_source", "clean_files", "export_activities", "moved_through"]

_FOLDER = "activities"
_LABEL = "POST /v1/activities"
_NAME = re.compile(r"(?P<first>\d{20})-(?P<last>\d{20})\.parquet")
_DRAFT = ".draft-"
_ROWS = 100_000
"""Rows of one file at most; they are in memory at once."""

_SCHEMA = Tables({}).schema("activities")


def activity_rows(rows: Sequence[Activity]) -> pa.Table:
    """Rows as the canonical table `activities`."""
    return pa.Table.from_pylist([asdict(row) for row in rows], schema=_SCHEMA)


def activity_source(workspace: Workspace) -> Source | None:
    """The source that an ingest reads beside those of the mapping; None before anything was exported."""
    folder = workspace.home.absolute() / _FOLDER
    return _source(folder) if _files(folder) else None


def _source(folder: Path) -> Source:
    names = [name for name in TABLES["activities"].column_names if name != "known_at"]
    return Source(
        table="activities",
        name=_LABEL,
        path=(str(folder),),
        within=(str(folder),),
        format="parquet",
        time_zone="UTC",
        known_at=Binding(column="known_at"),
        columns={name: Binding(column=name) for name in names},
    )


def export_activities(
    workspace: Workspace, store: Store, *, now: datetime, gone: Callable[[Activity], bool] | None = None
) -> int:
    """Write what was committed since the last time into files. Returns how many rows.

    now: naive UTC; rows known in this second or later wait for the next time. gone: rows that may not stay;
    they are deleted. Raises WorkspaceError when somebody else writes to the workspace, or nothing can be
    written.
    """
    folder, exported = workspace.home / _FOLDER, 0
    with workspace.writing():
        _sweep(folder)
        after = max((last for _, last in _files(folder)), default=0)
        if gone is not None:
            with store.writing() as connection:
                activities.forget(connection, gone=gone, after=after)
        while rows := _next(store, after=after, now=now):
            folder.mkdir(exist_ok=True)
            after = rows[-1].sequence
            _write(activity_rows(rows), folder / f"{rows[0].sequence:020d}-{after:020d}.parquet")
            exported += len(rows)
    return exported


def _next(store: Store, *, after: int, now: datetime) -> tuple[Activity, ...]:
    with store.reading() as connection:
        return activities.between(connection, after=after, before=now, limit=_ROWS)


def _files(folder: Path) -> list[tuple[Path, int]]:
    """The exported files, each with the last place of its part of the order."""
    found = sorted(folder.glob("*.parquet")) if folder.is_dir() else []
    return [(file, int(match["last"])) for file in found if (match := _NAME.fullmatch(file.name))]


def _sweep(folder: Path) -> None:
    """Remove what a killed writer left behind."""
    for draft in folder.glob(f"{_DRAFT}*") if folder.is_dir() else ():
        draft.unlink()


def _write(rows: pa.Table, file: Path) -> None:
    """Put a file there whole, or not at all."""
    draft = file.with_name(f"{_DRAFT}{file.name}")
    pq.write_table(rows, draft)
    _flush(draft)
    draft.replace(file)
    _flush(file.parent)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def moved_through(workspace: Workspace, *, snapshot: str) -> int:
    """The place in the store's order up to which a snapshot holds the activities; 0 when it holds none."""
    history = History.read(workspace.snapshots / snapshot)
    if history is None:
        return 0
    ours = source_id(_source(Path(_FOLDER)))
    names = (_NAME.fullmatch(Path(file.path).name) for file in history.files if file.source == ours)
    return max((int(match["last"]) for match in names if match), default=0)


def clean_files(workspace: Workspace, *, gone: Callable[[Activity], bool]) -> int:
    """Take the rows of those who are gone out of the files. Returns how many.

    Raises WorkspaceError when somebody else writes to the workspace.
    """
    removed = 0
    with workspace.writing():
        _sweep(workspace.home / _FOLDER)
        for file, _ in _files(workspace.home / _FOLDER):
            rows = pq.read_table(file, schema=_SCHEMA)
            names = [name for name in rows.column_names if name != "withdrawn_at"]
            kept = [not gone(Activity(**row)) for row in rows.select(names).to_pylist()]
            if not all(kept):
                _write(rows.filter(pa.array(kept)), file)
                removed += kept.count(False)
    return removed
