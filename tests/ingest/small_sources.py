"""Small CSV files and the mapping that binds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

import pandas as pd
from loading import NOW, load

from features.report import IngestReport
from features.workspace import Workspace

MAPPING = """
[workspace]
name = "test"

[parameters]
folder = "."

[[sources]]
table = "accounts"
path = "{folder}/accounts*.csv"
known_at = "Updated"
[sources.columns]
account_id = "Id"
name = "Name"
industry = "Industry"
employees = "Staff"
[sources.attributes.score]
column = "Score"
type = "number"

[[sources]]
table = "activities"
path = "{folder}/activities*.csv"
time_zone = "UTC"
known_immediately = true
[sources.columns]
account_id = "Account"
channel = "Kind"
direction = { value = "inbound" }
occurred_at = "When"
seconds = { column = "Minutes", scale = 60 }
"""

ACCOUNTS = ("Id", "Name", "Industry", "Staff", "Score", "Updated")
ACTIVITIES = ("Account", "Kind", "When", "Minutes")
ADA = ("a1", "Ada", "Software", "10", "1.5", "2023-01-01T00:00:00Z")
VISIT = ("a1", "web_visit", "2023-02-01 10:00:00", "2")


def write_csv(path: Path, header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    pd.DataFrame(list(rows), columns=list(header)).to_csv(path, index=False)


def write_sources(
    folder: Path,
    *,
    accounts: Iterable[Iterable[str]] = (ADA,),
    activities: Iterable[Iterable[str]] = (VISIT,),
    mapping: str = MAPPING,
) -> Path:
    """Writes accounts.csv, activities.csv and mapping.toml; returns the mapping's path."""
    write_csv(folder / "accounts.csv", ACCOUNTS, accounts)
    write_csv(folder / "activities.csv", ACTIVITIES, activities)
    path = folder / "mapping.toml"
    path.write_text(mapping, encoding="utf-8")
    return path


def run(
    mapping: Path,
    *,
    workspace: Workspace | None = None,
    overrides: Mapping[str, str] | None = None,
    now: datetime = NOW,
    rebuild: bool = False,
) -> tuple[IngestReport, Workspace]:
    """As `load`, with the folder of the mapping as its parameter."""
    told = {"folder": str(mapping.parent)} | dict(overrides or {})
    return load(mapping, workspace=workspace, overrides=told, now=now, rebuild=rebuild)
