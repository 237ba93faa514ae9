"""A small company's export with people in it, and ways to leave some of them out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import pandas as pd

from features.ingest import ingest
from features.mapping import load_config
from features.privacy.forgetting import Plan, Request, erase, plan, remember
from features.report import IngestReport
from features.workspace import Workspace

NOW = datetime.fromisoformat("2024-01-01")
Row = dict[str, str]
Export = dict[str, list[Row]]

MAPPING = """
[workspace]
name = "people"
IDENTITY

[[sources]]
table = "accounts"
path = "accounts*.csv"
known_at = "since"
[sources.columns]
account_id = "id"
name = "name"
domain = "domain"
employees = "staff"

[[sources]]
table = "contacts"
path = "contacts*.csv"
known_at = "since"
[sources.columns]
contact_id = "id"
account_id = "account"
title = "title"
email = "email"
consent_basis = "basis"

[[sources]]
table = "activities"
path = "activities*.csv"
known_immediately = true
[sources.columns]
activity_id = "id"
account_id = "account"
contact_id = "contact"
channel = "kind"
direction = { value = "inbound" }
occurred_at = "at"

[[sources]]
table = "intent_topics"
path = "topics*.csv"
known_immediately = true
[sources.columns]
account_id = "account"
topic = "topic"
occurred_at = "at"
score = "score"

[[sources]]
table = "opportunities"
path = "deals*.csv"
known_immediately = true
[sources.columns]
opportunity_id = "id"
account_id = "account"
created_at = "at"

[[sources]]
table = "stage_changes"
path = "stages*.csv"
known_immediately = true
[sources.columns]
opportunity_id = "deal"
stage = "stage"
occurred_at = "at"
"""

COLUMNS = {
    "accounts": ("id", "name", "domain", "staff", "since"),
    "contacts": ("id", "account", "title", "email", "basis", "since", "full_name"),
    "activities": ("id", "account", "contact", "kind", "at"),
    "topics": ("account", "topic", "at", "score"),
    "deals": ("id", "account", "at"),
    "stages": ("deal", "stage", "at"),
}


def day(number: int) -> str:
    return f"2023-{1 + number // 28 % 12:02d}-{1 + number % 28:02d}T00:00:00Z"


def export(accounts: int = 6) -> Export:
    """Accounts account-0.. with two people, three activities, a topic and a deal each."""
    made: Export = {name: [] for name in COLUMNS}
    for n in range(accounts):
        account = f"account-{n}"
        made["accounts"].append(
            {
                "id": account,
                "name": f"Company {n} Limited",
                "domain": f"company-{n}.example",
                "staff": str(10 + n),
                "since": day(n),
            }
        )
        made["topics"].append({"account": account, "topic": "fishing", "at": day(40 + n), "score": "50"})
        made["deals"].append({"id": f"deal-{n}", "account": account, "at": day(50 + n)})
        made["stages"].append({"deal": f"deal-{n}", "stage": "open", "at": day(50 + n)})
        for k in range(2):
            person = f"person-{n}-{k}"
            made["contacts"].append(
                {
                    "id": person,
                    "account": account,
                    "title": "Chief Angler" if k else "Fishmonger",
                    "email": f"{person}@company-{n}.example",
                    "basis": "consent",
                    "since": day(n + k),
                    "full_name": f"Pike Perch {n} {k}",
                }
            )
        for k in range(3):
            made["activities"].append(
                {
                    "id": f"visit-{n}-{k}",
                    "account": account,
                    "contact": f"person-{n}-{k}" if k < 2 else "",
                    "kind": "web_visit",
                    "at": day(60 + n + k),
                }
            )
    return made


def without(rows: Export, gone: Callable[[str, Row], bool]) -> Export:
    """The export without some rows. gone: of a file's name and a row."""
    return {name: [row for row in told if not gone(name, row)] for name, told in rows.items()}


def write(folder: Path, rows: Mapping[str, list[Row]], *, part: str = "", identity: str = "") -> Path:
    """The files and the mapping; returns the mapping's path."""
    folder.mkdir(exist_ok=True)
    for name, told in rows.items():
        frame = pd.DataFrame(told, columns=list(COLUMNS[name]))
        frame.to_csv(folder / f"{name}{part}.csv", index=False)
    (folder / "mapping.toml").write_text(MAPPING.replace("IDENTITY", identity), encoding="utf-8")
    return folder / "mapping.toml"


def load(mapping: Path, *, workspace: Workspace | None = None, rebuild: bool = False) -> IngestReport:
    home = workspace or Workspace(mapping.parent / "workspace")
    return ingest(load_config(mapping), workspace=home, now=NOW, rebuild=rebuild)


def forget(workspace: Workspace, request: Request) -> Plan:
    """Forget in the tables."""
    found = plan(workspace, request)
    remember(workspace, found.people)
    erase(workspace)
    return found


def frames(workspace: Workspace) -> dict[str, str]:
    """What the tables hold, as text; where accounts were merged, reading them follows no order."""
    tables = workspace.tables()
    names = ("accounts", "contacts", "activities", "intent_topics", "opportunities", "stage_changes")
    keyed = {"contacts": ["email"]}
    return {name: _text(tables.read(name).drop(columns=keyed.get(name, []))) for name in names}


def _text(frame: pd.DataFrame) -> str:
    ordered = frame.sort_values(list(frame.columns), key=lambda column: column.astype(str))
    return str(ordered.to_json(orient="records", date_format="iso"))
