"""From a mapping's text to a workspace, for tests that write their own small files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pandas as pd

from features.ingest import ingest
from features.mapping import load_config
from features.presets import preset_text
from features.report import IngestReport
from features.tables import Tables
from features.workspace import Workspace

NOW = datetime.fromisoformat("2024-01-01")

KNOWN_ACCOUNTS = """
[workspace]
name = "test"

[[sources]]
table = "accounts"
path = "accounts.csv"
known = "start_of_time"
[sources.columns]
account_id = "Id"
"""
"""The beginning of a mapping: accounts.csv, whose further columns may follow."""

VISITS = """
[[sources]]
table = "activities"
path = "visits*.csv"
known_immediately = true
[sources.columns]
account_id = "Account"
contact_id = "Person"
channel = "Kind"
direction = { value = "inbound" }
occurred_at = "When"
"""
"""A part of a mapping: what people did, whose further columns may follow."""


def load(
    mapping: Path,
    *,
    workspace: Workspace | None = None,
    overrides: Mapping[str, str] | None = None,
    now: datetime | None = NOW,
    rebuild: bool = False,
) -> tuple[IngestReport, Workspace]:
    """Ingest into a workspace, by default `workspace` beside the mapping. now: the day it is; None: today."""
    workspace = workspace or Workspace(mapping.parent / "workspace")
    config = load_config(mapping, overrides=overrides)
    return ingest(config, workspace=workspace, now=now, rebuild=rebuild), workspace


def write_preset(preset: str, folder: Path, *, text: str | None = None) -> Path:
    """Write mapping.toml into the folder and return its path. text: what the preset became, when changed."""
    mapping = folder / "mapping.toml"
    mapping.write_text(preset_text(preset) if text is None else text, encoding="utf-8")
    return mapping


def load_preset(
    preset: str,
    *,
    folder: Path,
    files: Mapping[str, str] | None = None,
    place: Path | None = None,
    text: str | None = None,
    now: datetime | None = NOW,
) -> tuple[IngestReport, Tables]:
    """As `load`, by a preset: the files of a folder, into which `files` are written first.

    files: text by name, without ".csv". place: of the mapping and the workspace, by default the same folder.
    """
    for name, content in (files or {}).items():
        (folder / f"{name}.csv").write_text(content, encoding="utf-8")
    mapping = write_preset(preset, place or folder, text=text)
    report, workspace = load(mapping, overrides={"folder": str(folder)}, now=now)
    return report, workspace.tables()


def reversed_rows(files: Mapping[str, str]) -> dict[str, str]:
    """The same files with the rows below each header in the opposite order."""
    parts = {name: text.splitlines() for name, text in files.items()}
    return {name: "\n".join([header, *rows[::-1]]) + "\n" for name, (header, *rows) in parts.items()}


def as_lines(table: pd.DataFrame, columns: str, *, time: str = "%Y-%m-%d %H:%M:%S") -> list[str]:
    """Its rows as "a | b", sorted; a cell without a value is empty. columns: parted by spaces."""
    frame = table[columns.split()]
    times = {str(name): frame[name].dt.strftime(time) for name in frame.select_dtypes("datetime")}
    rows = frame.assign(**times).itertuples(index=False)
    return sorted(" | ".join("" if pd.isna(cell) else str(cell) for cell in row) for row in rows)
