"""A market whose tables leak, and what each command said on the way to a release of what learned from it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from command import Done, spearfish

from features.mapping import load_config
from training.api import market_tables
from training.audit.planting import PLANTED as TOLD
from training.audit.planting import planted
from training.market import MarketSettings, simulate

CONFIG = Path(__file__).parents[2] / "configs" / "simulated_market.toml"
LEAKY = MarketSettings(accounts=600, seed=5)
PLANTED = "verdict"
"""Filled in when an account is won, with its true time."""

REASON = "a trial run, nobody is served by it"
_BOUND = """
verdict = { column = "verdict", type = "category", label = "the verdict" }
"""
_QUICK = """
[labels.intent]
history_days = 500
step_days = 60

[model.fit]
max_rounds = 5
members = 1
folds = 1
few_rows = 0

[model.intent]
max_rounds = 30
folds = 1
few_rows = 0
crossed_folds = 0
groups = ["firmographic", "engagement"]
negatives_per_positive = 4.0

[gate]
slope = [0.001, 1000.0]
level = [0.001, 1000.0]
replicates = 100

[backtest]
replicates = 100
"""
"""A gate that asks for no calibration, so that nothing but the audit stands in the way."""


@dataclass(frozen=True)
class Leaky:
    """home: of the workspace. market: the folder of its sources. said: by step, what its command said."""

    home: Path
    market: Path
    said: Mapping[str, Done]


def promoted(folder: Path) -> Leaky:
    """After a promotion that the audit refused, and one with a waiver."""
    home, market, config = folder / "workspace", _planted_market(folder), _config(folder)
    bound = ("--config", config, "--set", f"folder={market}", "--json")
    steps: dict[str, tuple[object, ...]] = {
        "ingest": ("ingest", *bound),
        "audit": ("audit", *bound),
        "train": ("train", *bound),
        "refused": ("promote", "--json"),
        "nothing served": ("releases", "--json"),
        "promote": ("promote", "--waive", f"{PLANTED}={REASON}", "--why", "to try it out", "--json"),
        "releases": ("releases", "--json"),
    }
    return Leaky(home, market, {name: spearfish(*typed, home=home) for name, typed in steps.items()})


def _planted_market(folder: Path) -> Path:
    """The files of a market, with one more column of accounts."""
    market = simulate(LEAKY, directory=folder / "market").directory
    leaking = planted(market_tables(market, config=load_config(CONFIG)), kind="fit", cutoff=LEAKY.end)
    accounts = leaking.read("accounts").drop(
        columns=[*(set(TOLD) - {PLANTED}), "withdrawn_at"], errors="ignore"
    )
    accounts.to_parquet(market / "accounts.parquet", index=False)
    shutil.rmtree(market / "truth")
    return market


def _config(folder: Path) -> Path:
    """What is shipped for simulated markets, with the further column bound and quicker learning."""
    told = CONFIG.read_text(encoding="utf-8")
    told = told[: told.index("[labels.intent]")]
    first = told.index("\n", told.index("[sources.attributes]"))
    config = folder / "market.toml"
    config.write_text(told[:first] + _BOUND.rstrip() + told[first:] + _QUICK, encoding="utf-8")
    return config
