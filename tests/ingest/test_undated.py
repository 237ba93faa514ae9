"""Tables without dates are loaded without one, and what needs time refuses them by name."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from loading import load
from small_sources import ADA, MAPPING, run, write_csv, write_sources

from features.errors import ConfigError, ContractError
from features.mapping import load_config
from features.workspace import Workspace
from training.backtesting.backtest import backtest
from training.feature_table import feature_table
from training.train import train

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
UNDATED = MAPPING.replace('known_at = "Updated"', "undated = true")
DEALS = """
[[sources]]
table = "opportunities"
path = "{folder}/deals.csv"
undated = true
[sources.columns]
opportunity_id = "deal"
account_id = "account"
outcome = "result"
"""


def _undated(tmp_path: Path) -> Path:
    write_csv(tmp_path / "deals.csv", ("deal", "account", "result"), [("d1", "a1", "won")])
    return write_sources(tmp_path, mapping=UNDATED + DEALS)


def test_no_time_is_invented(tmp_path: Path) -> None:
    report, workspace = run(_undated(tmp_path))
    for name, times in {
        "accounts": ["known_at"],
        "opportunities": ["known_at", "created_at", "closed_at"],
    }.items():
        assert (report.table(name).loaded, report.table(name).quarantined) == (1, {})
        assert workspace.tables().read(name)[times].isna().all(axis=None)
    assert workspace.manifest().undated == {"accounts": ("accounts*.csv",), "opportunities": ("deals.csv",)}


def test_what_needs_time_refuses_by_name_and_what_needs_none_works(tmp_path: Path) -> None:
    path = _undated(tmp_path)
    _, workspace = run(path)
    config = load_config(path, overrides={"folder": str(tmp_path)})
    with pytest.raises(ContractError, match=r"^train needs to know when .* but accounts is undated"):
        train(workspace, config=config)
    with pytest.raises(ContractError, match=r"^backtest needs to know"):
        backtest(workspace, config=config)
    with pytest.raises(ContractError, match=r"^features --as-of needs to know"):
        feature_table(workspace, as_of=datetime.fromisoformat("2023-06-01"))
    table = feature_table(workspace)
    assert (table.as_of, table.frame["score"].tolist()) == (None, [float(ADA[4])])
    assert table.to_json()["as_of"] is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "undated = true\n[sources.columns]\nopp",
            "undated = false\n[sources.columns]\nopp",
            "input should be",
        ),
        ('outcome = "result"', 'outcome = "result"\nclosed_at = "at"', "an undated source has no times"),
        ("known_immediately = true", "undated = true", "rows of activities say nothing without a time"),
    ],
)
def test_half_undated_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text((UNDATED + DEALS).replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load_config(path)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("name", "outcome", "won"),
    [("x_education_leads", "Converted", "1"), ("online_shoppers", "Revenue", "TRUE")],
)
def test_the_undated_sets_load_whole(
    shared_data: Path, tmp_path: Path, name: str, outcome: str, won: str
) -> None:
    (file,) = (shared_data / name).glob("*.csv")
    with file.open(encoding="utf-8-sig", newline="") as text:
        rows = list(csv.DictReader(text))
    told = {"folder": str(shared_data / name)}
    report, workspace = load(
        CONFIGS / f"{name}.toml", overrides=told, workspace=Workspace(tmp_path), now=None
    )
    assert {table.name: (table.loaded, table.quarantined) for table in report.tables} == {
        "accounts": (len(rows), {}),
        "opportunities": (len(rows), {}),
    }
    counted = Counter("won" if row[outcome] == won else "lost" for row in rows)
    assert Counter(workspace.tables().read("opportunities")["outcome"]) == counted
