"""From a mapping's text to a workspace, for tests that write their own small files."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from features.ingest import ingest
from features.mapping import load_config
from features.report import IngestReport
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


def load(mapping: Path) -> tuple[IngestReport, Workspace]:
    """Ingest into `workspace` beside the mapping, as if today were NOW."""
    workspace = Workspace(mapping.parent / "workspace")
    return ingest(load_config(mapping), workspace=workspace, now=NOW), workspace
