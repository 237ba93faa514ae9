"""The HubSpot files load as counted with the csv module alone."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from loading import load

from features.report import IngestReport
from features.tables import Tables
from features.workspace import Workspace

CONFIG = Path(__file__).resolve().parents[2] / "configs" / "hubspot_free_tier.toml"
CHANNELS = ("CRM_CONTACTS", "CRM_COMPANIES", "CRM_DEALS", "EMAIL")

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "hubspot_free_tier"


@pytest.fixture(scope="module")
def loaded(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[IngestReport, Tables]:
    home = Workspace(tmp_path_factory.mktemp("hubspot"))
    report, workspace = load(CONFIG, overrides={"folder": str(folder)}, workspace=home, now=None)
    return report, workspace.tables()


def _rows(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_company_is_loaded_once(folder: Path, loaded: tuple[IngestReport, Tables]) -> None:
    rows = _rows(folder / "customers.csv") + _rows(folder / "noncustomers.csv")
    report, tables = loaded
    accounts = report.table("accounts")
    ids = {row["id"] for row in rows}
    assert (accounts.read, accounts.loaded, accounts.collapsed) == (len(rows), len(ids), 0)
    assert accounts.quarantined == {"conflicting duplicate": len(rows) - len(ids)}
    frame = tables.read("accounts").set_index("account_id")
    assert set(frame.index) == ids
    ranked = {row["id"] for row in rows if row["ALEXA_RANK"] not in ("", "16000001")}
    assert set(frame.index[frame["web_rank"].notna()]) == ranked
    repeated = [key for key, count in Counter(row["id"] for row in rows).items() if count > 1]
    assert len(repeated) == 3
    assert frame.loc[repeated, "web_rank"].notna().all()


def test_employee_ranges_keep_their_order(folder: Path, loaded: tuple[IngestReport, Tables]) -> None:
    written = {row["id"]: row["EMPLOYEE_RANGE"] for row in _rows(folder / "noncustomers.csv")}
    frame = loaded[1].read("accounts").set_index("account_id")["employees_at_least"]
    for account_id, text in written.items():
        lowest = int(text.split(" ")[0].replace(",", "")) if text else None
        assert (None if pd.isna(frame[account_id]) else frame[account_id]) == lowest


def test_each_tool_in_a_week_is_one_record_even_when_nothing_was_done(
    folder: Path, loaded: tuple[IngestReport, Tables]
) -> None:
    expected = Counter(
        {
            (row["id"], channel.lower(), row["WHEN_TIMESTAMP"][:10], int(row[f"USERS_{channel}"])): int(
                row[f"ACTIONS_{channel}"]
            )
            for row in _rows(folder / "usage_actions.csv")
            for channel in CHANNELS
        }
    )
    frame = loaded[1].read("activities")
    days = frame["occurred_at"].dt.strftime("%Y-%m-%d")
    keys = zip(frame["account_id"], frame["channel"], days, frame["people"], strict=True)
    assert dict(zip(keys, frame["quantity"], strict=True)) == dict(expected)
    assert len(frame) == len(expected)
    assert (frame["occurred_at"].dt.day_of_week == 0).all()
    assert (frame["known_at"] - frame["occurred_at"] == timedelta(days=7, seconds=-1)).all()
    assert set(frame["direction"]) == {"inbound"}


def test_each_customer_is_one_deal_won(folder: Path, loaded: tuple[IngestReport, Tables]) -> None:
    rows = {row["id"]: row for row in _rows(folder / "customers.csv")}
    deals = loaded[1].read("opportunities").set_index("account_id")
    assert set(deals.index) == set(rows)
    for account_id, row in rows.items():
        closed = datetime.fromisoformat(row["CLOSEDATE"])
        deal = deals.loc[account_id]
        assert deal["created_at"] == deal["closed_at"] == deal["known_at"] == closed
        assert (deal["outcome"], deal["amount"]) == ("won", float(row["MRR"]))


def test_undated_facts_are_marked(loaded: tuple[IngestReport, Tables]) -> None:
    assert loaded[0].current_value_only == {"accounts": ("employees_at_least", "industry", "web_rank")}
    assert set(loaded[1].read("accounts")["known_at"]) == {pd.Timestamp(1970, 1, 1)}
