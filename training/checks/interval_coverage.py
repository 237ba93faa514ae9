"""The interval check: how often intervals hold what they speak of, over many small simulated markets.

Turns seeds into markets that are learned as `spearfish train` learns, by the same learner with the same
settings; only accounts and snapshots are fewer. Each is judged by the true chances of the accounts of
another, larger market, a new one after every few, and ways to find intervals are compared in the same run.
Where fit has few wins it is learned from lines and small trees, so a second block of larger markets measures
the boosted trees. Time rule: learning stops at the end of a market. Null rule: none, every account has its
truth.

    python -m training.checks.interval_coverage --markets 200 --out results/interval_coverage.json
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.catalogue import Catalogue, learn_catalogue
from features.mapping import Config, load_config
from features.tables import Tables
from models.booster import Matrix
from models.bundle import Kind
from training.backtesting.means import mean_of
from training.checks.interval_tries import TRIES
from training.checks.judged_markets import head_of, market_parser, with_steps
from training.checks.market import (
    fit_test_rows,
    fit_training_rows,
    intent_test_rows,
    intent_training_rows,
    market_tables,
)
from training.checks.results import ROOT, write_result
from training.checks.truth import Coverage, calibration_error, coverage
from training.console import Output
from training.fit import matrix, select_features
from training.learning.few_rows import learn_rows
from training.learning.intervals import design_effect, intervals_of
from training.learning.learn import Learned, Rows
from training.learning.small import SmallLearned
from training.market.settings import MarketSettings
from training.market.write import simulate

__all__ = [
    "JUDGED_SEEDS",
    "KINDS",
    "Judged",
    "check_block",
    "check_market",
    "judged_market",
    "learn_market",
    "summarise",
]

_CONFIG: Final = ROOT / "configs" / "simulated_market.toml"
_FIRST_SEED: Final = 20_000
"""The intervals were made on seeds below 500."""

JUDGED_SEEDS: Final = 3_000_000
KINDS: Final[tuple[Kind, Kind]] = ("fit", "intent")
_JUDGED_EVERY: Final = 20
"""So many markets are judged on one and the same; then comes another."""

_LARGER_JUDGED_EVERY: Final = 4
_TRIES_EVERY: Final = 5
"""Of so many markets one tries the ways that bundles do not carry, too."""

_STEP_DAYS: Final = 90
"""Snapshots as far apart as the horizon is long."""

USED: Final = "used"
"""The intervals that bundles carry; the others are tries."""

BOOSTED_TREES: Final = "boosted trees"
LINES_AND_TREES: Final = "the mean of lines and small trees"
"""What `spearfish train` learns from few rows."""


@dataclass(frozen=True)
class Judged:
    """Accounts of a market to be judged on, by kind. Its catalogue serves all markets: it says which columns
    there are and in which order, and knows no label. keys: account_id, as_of, label, truth."""

    catalogue: Catalogue
    X: dict[Kind, Matrix]
    keys: dict[Kind, pd.DataFrame]

    def truth(self, kind: Kind) -> NDArray[np.float64]:
        """The true chances (n,)."""
        return self.keys[kind]["truth"].to_numpy(dtype=np.float64)


def judged_market(market: MarketSettings, *, folder: Path, config: Config) -> Judged:
    """A market of other accounts, with the features that every model is asked about."""
    simulate(market, directory=folder)
    tables = market_tables(folder, config=config)
    catalogue = learn_catalogue(tables, cutoff=market.end)
    keys: dict[Kind, pd.DataFrame] = {
        "fit": _of_product(fit_test_rows(tables, folder), tables=tables, product=config.labels.fit.product),
        "intent": intent_test_rows(tables, folder, end=market.end, config=config),
    }
    settings = {"fit": config.model.fit, "intent": config.model.intent}
    selected = {kind: select_features(catalogue, kind=kind, settings=settings[kind]) for kind in KINDS}
    return Judged(
        catalogue,
        {kind: matrix(tables, keys[kind], catalogue=selected[kind]) for kind in KINDS},
        keys,
    )


def _of_product(keys: pd.DataFrame, *, tables: Tables, product: str | None) -> pd.DataFrame:
    if product is None:
        return keys
    opportunities = tables.read("opportunities")
    asked = opportunities.loc[opportunities["product"] == product, "opportunity_id"]
    return keys[keys["opportunity_id"].isin(asked)].reset_index(drop=True)


def learn_market(
    market: MarketSettings, *, catalogue: Catalogue, folder: Path, config: Config
) -> dict[Kind, Learned]:
    """Both models of a market, learned at its end as `spearfish train` learns them."""
    simulate(market, directory=folder)
    tables = market_tables(folder, config=config)
    rows: dict[Kind, Rows] = {
        "fit": fit_training_rows(tables, end=market.end, config=config, catalogue=catalogue),
        "intent": intent_training_rows(tables, end=market.end, config=config, catalogue=catalogue),
    }
    settings = {"fit": config.model.fit, "intent": config.model.intent}
    return {kind: learn_rows(rows[kind], settings=settings[kind]) for kind in KINDS}


def check_market(
    market: MarketSettings, *, judged: Judged, folder: Path, config: Config, tries: bool = True
) -> list[dict[str, Any]]:
    """By kind and way: coverage, width and calibration error of one market.

    tries: also the ways that bundles do not carry. held: share of the 20 bins whose interval holds their mean
    true chance. each: share of accounts whose own interval does. bins: which.
    """
    learned = learn_market(market, catalogue=judged.catalogue, folder=folder, config=config)
    return [
        told
        for kind, one in learned.items()
        for told in _ways(
            one, judged=judged, kind=kind, base={"seed": market.seed, "kind": kind}, tries=tries
        )
    ]


def _ways(
    learned: Learned, *, judged: Judged, kind: Kind, base: Mapping[str, Any], tries: bool
) -> list[dict[str, Any]]:
    chances, truth = learned.probabilities(judged.X[kind]), judged.truth(kind)
    logits = np.log(chances) - np.log1p(-chances)
    rows = learned.later if learned.crossed is None else learned.crossed
    facts = {
        **base,
        "events": int(rows["label"].sum()),
        "design_effect": design_effect(rows),
        "error": calibration_error(chances, truth=truth),
        "base_rate": float(truth.mean()),
        "learner": LINES_AND_TREES if isinstance(learned, SmallLearned) else BOOSTED_TREES,
    }
    others = TRIES if tries else {}
    ways = {USED: intervals_of(rows).bounds} | {name: find(rows) for name, find in others.items()}
    told = []
    for way, bounds in ways.items():
        low, high = bounds(logits)
        told.append({**facts, "way": way, **_figures(coverage(chances, low=low, high=high, truth=truth))})
    return told


def _figures(found: Coverage) -> dict[str, Any]:
    return {
        "held": float(found.held.mean()),
        "each": float(found.each.mean()),
        "width": float(found.width.mean()),
        "bins": found.held.tolist(),
    }


def summarise(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """By kind: calibration error and base rate, and coverage and width of each way.

    found: what `check_market` says, and `judged`, the seed of the market it was judged on. Intervals are over
    judged markets (Student's t on their means), so they hold the chance of both sides.
    """
    frame = pd.DataFrame(found)
    told: dict[str, Any] = {}
    for kind, part in frame.groupby("kind"):
        used = part[part["way"] == USED]
        told[str(kind)] = {
            "calibration_error": mean_of(_by_judged(used, "error"), share=True),
            "base_rate": mean_of(_by_judged(used, "base_rate"), share=True),
            "events": mean_of(_by_judged(used, "events")),
            "design_effect": mean_of(_by_judged(used, "design_effect")),
            "learners": {str(name): int(count) for name, count in used["learner"].value_counts().items()},
            "ways": {str(way): _way(own) for way, own in part.groupby("way", sort=False)},
        }
    return told


def _by_judged(found: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """The mean of every judged market (n,); lists of bins become (n, 20)."""
    means = [np.mean(np.array(own.tolist()), axis=0) for _, own in found.groupby("judged")[column]]
    return np.array(means, dtype=np.float64)


def _way(found: pd.DataFrame) -> dict[str, Any]:
    """The mean over bins hides bins that hold less: the worst of them and the top one stand beside it."""
    bins = _by_judged(found, "bins")
    every = bins.mean(axis=0)
    return {
        "markets": len(found),
        "coverage": mean_of(_by_judged(found, "held"), share=True),
        "coverage_of_each_account": mean_of(_by_judged(found, "each"), share=True),
        "width": mean_of(_by_judged(found, "width"), share=True),
        "worst_bin": {"bin": int(every.argmin()) + 1, **mean_of(bins[:, every.argmin()], share=True)},
        "top_bin": {"bin": len(every), **mean_of(bins[:, -1], share=True)},
        "coverage_by_bin": every.round(3).tolist(),
    }


def check_block(
    seeds: Sequence[int],
    *,
    accounts: int,
    judged_accounts: int,
    judged_every: int,
    folder: Path,
    config: Config,
    progress: Callable[[str, int, int], None],
) -> list[dict[str, Any]]:
    """Markets of one size: what `check_market` says of each, and `judged`, the seed of the market it was
    judged on; `judged_every` of them share one."""
    found: list[dict[str, Any]] = []
    for number, seed in enumerate(seeds):
        if number % judged_every == 0:
            other = MarketSettings(accounts=judged_accounts, seed=seed + JUDGED_SEEDS)
            judged = judged_market(other, folder=folder / "judged", config=config)
        told = check_market(
            MarketSettings(accounts=accounts, seed=seed),
            judged=judged,
            folder=folder / "learned",
            config=config,
            tries=number % _TRIES_EVERY == 0,
        )
        found += [{**one, "judged": other.seed} for one in told]
        progress(f"markets of {accounts}", number + 1, len(seeds))
    return found


def main() -> None:
    """The command: check some markets and write what was found as JSON."""
    given = _parser().parse_args()
    output, config = Output(as_json=True), with_steps(load_config(_CONFIG), days=_STEP_DAYS)
    seeds = range(given.first_seed, given.first_seed + given.markets)
    larger = range(seeds[-1] + 1, seeds[-1] + 1 + given.larger_markets)
    blocks: list[dict[str, Any]] = []
    with output.progress() as progress, tempfile.TemporaryDirectory() as folder:
        for own, accounts, every in (
            (seeds, given.accounts, _JUDGED_EVERY),
            (larger, given.larger_accounts, _LARGER_JUDGED_EVERY),
        ):
            found = check_block(
                own,
                accounts=accounts,
                judged_accounts=given.judged_accounts,
                judged_every=every,
                folder=Path(folder),
                config=config,
                progress=progress,
            )
            size = {"seeds": [own[0], own[-1]], "accounts": accounts}
            blocks.append({**size, "judged_markets": _judged_of(found), "kinds": summarise(found)})
    document = {
        **head_of(given, seeds=seeds),
        "step_days": _STEP_DAYS,
        **blocks[0],
        "larger": blocks[1],
    }
    output.result(write_result(document, out=given.out, also=[_CONFIG]))


def _judged_of(found: Sequence[Mapping[str, Any]]) -> int:
    return len({one["judged"] for one in found})


def _parser() -> argparse.ArgumentParser:
    parser = market_parser(
        "training.checks.interval_coverage",
        description=__doc__,
        first_seed=_FIRST_SEED,
        accounts=1_000,
        judged_accounts=10_000,
    )
    parser.add_argument("--markets", type=int, default=200, help="how many")
    parser.add_argument("--larger-markets", type=int, default=20, help="how many of the second block")
    parser.add_argument("--larger-accounts", type=int, default=3_000, help="accounts to learn from there")
    return parser


if __name__ == "__main__":
    main()
