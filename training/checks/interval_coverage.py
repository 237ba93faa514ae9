"""The interval check: how often intervals hold what they speak of, over many small simulated markets.

Turns seeds into markets that are learned as `spearfish train` learns, each judged on the accounts of one
further, larger market by their true chances, and compares ways to find intervals in the same run. Time rule:
learning stops at the end of a market. Null rule: none, every account has its truth.

    python -m training.checks.interval_coverage --markets 200 --out results/interval_coverage.json
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
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
from training.checks.interval_tries import TRIES
from training.checks.judged_markets import head_of, market_parser
from training.checks.market import (
    fit_test_rows,
    fit_training_rows,
    intent_test_rows,
    intent_training_rows,
    market_tables,
)
from training.checks.results import ROOT, write_result
from training.checks.truth import Coverage, calibration_error, coverage, mean_of
from training.console import Output
from training.fit import matrix, select_features
from training.learning.few_rows import learn_rows
from training.learning.intervals import design_effect, intervals_of
from training.learning.learn import Learned, Rows
from training.market.settings import MarketSettings
from training.market.write import simulate

__all__ = [
    "JUDGED_SEEDS",
    "KINDS",
    "Judged",
    "check_market",
    "judged_market",
    "learn_market",
    "light_config",
    "summarise",
]

_CONFIG: Final = ROOT / "configs" / "simulated_market.toml"
_FIRST_SEED: Final = 20_000
"""The intervals were made on seeds below 500."""

JUDGED_SEEDS: Final = 3_000_000
KINDS: Final[tuple[Kind, Kind]] = ("fit", "intent")
USED: Final = "used"
"""The intervals that bundles carry; the others are tries."""


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


def light_config(config: Config) -> Config:
    """Eight months of snapshots and fewer, faster trees, so that 200 markets are a matter of minutes.

    Fit is learned by trees alone, however few the wins: one learner in all markets.
    """
    quick = {"learning_rate": 0.2, "num_leaves": 4, "max_rounds": 120, "patience": 15}
    intent = config.model.intent.model_copy(update=quick)
    fit = config.model.fit.model_copy(update={"few_rows": 0, "members": 2})
    labels = config.labels.intent.model_copy(update={"history_days": 240})
    return config.model_copy(
        update={
            "model": config.model.model_copy(update={"fit": fit, "intent": intent}),
            "labels": config.labels.model_copy(update={"intent": labels}),
        }
    )


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
    market: MarketSettings, *, judged: Judged, folder: Path, config: Config
) -> list[dict[str, Any]]:
    """By kind and way: coverage, width and calibration error of one market.

    held: share of the 20 bins whose interval holds their mean true chance. each: share of accounts whose own
    interval does. bins: which.
    """
    learned = learn_market(market, catalogue=judged.catalogue, folder=folder, config=config)
    return [
        told
        for kind, one in learned.items()
        for told in _ways(one, judged=judged, kind=kind, base={"seed": market.seed, "kind": kind})
    ]


def _ways(learned: Learned, *, judged: Judged, kind: Kind, base: Mapping[str, Any]) -> list[dict[str, Any]]:
    chances, truth = learned.probabilities(judged.X[kind]), judged.truth(kind)
    logits = np.log(chances) - np.log1p(-chances)
    rows = learned.later if learned.crossed is None else learned.crossed
    facts = {
        **base,
        "events": int(rows["label"].sum()),
        "design_effect": design_effect(rows),
        "error": calibration_error(chances, truth=truth),
        "base_rate": float(truth.mean()),
    }
    ways = {USED: intervals_of(rows).bounds} | {name: find(rows) for name, find in TRIES.items()}
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
    """By kind: calibration error and base rate, and coverage and width of each way; 95 % intervals over
    markets (Student's t)."""
    frame = pd.DataFrame(found)
    told: dict[str, Any] = {}
    for kind, part in frame.groupby("kind"):
        used = part[part["way"] == USED]
        names = {"calibration_error": "error", "base_rate": "base_rate", "events": "events"}
        told[str(kind)] = {name: mean_of(used[column]) for name, column in names.items()} | {
            "design_effect": mean_of(used["design_effect"]),
            "ways": {str(way): _way(own) for way, own in part.groupby("way", sort=False)},
        }
    return told


def _way(found: pd.DataFrame) -> dict[str, Any]:
    bins = np.mean(np.array(found["bins"].tolist()), axis=0)
    return {
        "coverage": mean_of(found["held"]),
        "coverage_of_each_account": mean_of(found["each"]),
        "width": mean_of(found["width"]),
        "coverage_by_bin": bins.round(3).tolist(),
    }


def main() -> None:
    """The command: check some markets and write what was found as JSON."""
    parser = market_parser(
        "training.checks.interval_coverage",
        description=__doc__,
        first_seed=_FIRST_SEED,
        accounts=2_000,
        judged_accounts=10_000,
    )
    parser.add_argument("--markets", type=int, default=200, help="how many")
    given = parser.parse_args()
    output, config = Output(as_json=True), light_config(load_config(_CONFIG))
    seeds = range(given.first_seed, given.first_seed + given.markets)
    found: list[dict[str, Any]] = []
    with output.progress() as progress, tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        judged = judged_market(
            MarketSettings(accounts=given.judged_accounts, seed=given.first_seed + JUDGED_SEEDS),
            folder=where / "judged",
            config=config,
        )
        for number, seed in enumerate(seeds, start=1):
            found += check_market(
                MarketSettings(accounts=given.accounts, seed=seed),
                judged=judged,
                folder=where / "learned",
                config=config,
            )
            progress("markets", number, given.markets)
    document = {**head_of(given, seeds=seeds), "kinds": summarise(found)}
    output.result(write_result(document, out=given.out, also=[_CONFIG]))


if __name__ == "__main__":
    main()
