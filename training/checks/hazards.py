"""The check of hazards: what data that is hard in one way costs, where the truth is known.

Turns hazards and seeds into markets to learn from, and judges each on a further market of its own, of other
accounts, hard in the same way, so that intervals hold the chance of both. Time rule: learning stops at the
end of a market. Null rule: none, every account has its truth. A model that ranks better than the true chances
do has seen the outcome: `beats_the_best` finds it. Where the leak is left in, the leakage audit of what was
learned from is asked as well, which knows no truth: whether it blocks the field, and what else it blocks.

    python -m training.checks.hazards --seeds 5 --out results/hazards.json
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from features.mapping import Config, load_config
from models.bundle import Kind
from training.audit.of_training import audit_rows
from training.backtesting.evaluate import measure
from training.backtesting.means import mean_of
from training.checks.interval_coverage import (
    JUDGED_SEEDS,
    Judged,
    judged_market,
    learn_market,
)
from training.checks.judged_markets import head_of, market_parser, with_steps
from training.checks.market import fit_training_rows, intent_training_rows, market_tables
from training.checks.results import ROOT, write_result
from training.checks.truth import calibration_error, coverage
from training.console import Output
from training.learning.intervals import fit_intervals
from training.learning.learn import Learned
from training.market.arrow import PRODUCT
from training.market.hazards import LEAKING_FIELD
from training.market.settings import HAZARDS, MarketSettings

__all__ = ["LEFT_IN", "MARKETS", "audited", "beats_the_best", "check_hazard", "hazard_config", "summarise"]

_CONFIG: Final = ROOT / "configs" / "simulated_market.toml"
_FIRST_SEED: Final = 30_000
"""Lower seeds were looked at while the hazards were made."""

_REPLICATES: Final = 200
_STEP_DAYS: Final = 90
"""Snapshots as far apart as the horizon is long."""

LEFT_IN: Final = "leaking_field, left in"
"""The leak as a model meets it that nobody audited; under the hazard's own name it is left out."""

MARKETS: Final[dict[str, dict[str, Any]]] = {
    "none": {},
    **{hazard: {"hazard": hazard} for hazard in HAZARDS},
    LEFT_IN: {"hazard": "leaking_field"},
    "selection": {"pursued_by_kind": True},
}
"""Settings of the market by hazard."""


def hazard_config(hazard: str, *, config: Config) -> Config:
    """What a user would set: one product to learn, or, once the audit has named it, no leaking field."""
    if hazard == "leaking_field":
        leave_out = (f"{LEAKING_FIELD}*",)
        kinds = {
            kind: getattr(config.model, kind).model_copy(update={"leave_out": leave_out})
            for kind in ("fit", "intent")
        }
        return config.model_copy(update={"model": config.model.model_copy(update=kinds)})
    if hazard == "several_products":
        fit = config.labels.fit.model_copy(update={"product": PRODUCT})
        return config.model_copy(update={"labels": config.labels.model_copy(update={"fit": fit})})
    return config


def check_hazard(
    hazard: str, *, seeds: Sequence[int], accounts: int, judged_accounts: int, folder: Path, config: Config
) -> Iterator[dict[str, Any]]:
    """Both models of each market under a hazard, judged on a market of its own: see `_figures`."""
    config, settings = hazard_config(hazard, config=config), MARKETS[hazard]
    for seed in seeds:
        judged = judged_market(
            MarketSettings(accounts=judged_accounts, seed=seed + JUDGED_SEEDS, **settings),
            folder=folder / "judged",
            config=config,
        )
        market = MarketSettings(accounts=accounts, seed=seed, **settings)
        learned = learn_market(market, catalogue=judged.catalogue, folder=folder / "learned", config=config)
        for kind, one in learned.items():
            told = _figures(one, judged=judged, kind=kind)
            if hazard == LEFT_IN:
                told |= audited(market, one, kind=kind, folder=folder / "learned", config=config)
            yield {"hazard": hazard, "seed": seed, "kind": kind, **told}


def audited(
    market: MarketSettings, learned: Learned, *, kind: Kind, folder: Path, config: Config
) -> dict[str, bool | int]:
    """What the leakage audit says of what was learned from.

    named: whether it blocks the leaking field, or a feature of it. others: how many other columns it blocks.
    """
    tables = market_tables(folder, config=config)
    find = fit_training_rows if kind == "fit" else intent_training_rows
    rows = find(tables, end=market.end, config=config)
    audit = audit_rows(tables, rows=rows, folds=learned.folds, kind=kind, cutoff=market.end, config=config)
    blocked = {finding.column for finding in audit.blocking}
    leaks = {column for column in blocked if LEAKING_FIELD in column}
    return {"named": bool(leaks), "others": len(blocked - leaks)}


def beats_the_best(rows: pd.DataFrame, *, replicates: int = _REPLICATES) -> bool:
    """Whether probabilities rank better than the true chances, beyond chance: then they have leaked.

    rows: account_id, label, probability, truth. Nothing that was known at the moment can rank better than the
    true chances, so the whole 95 % interval of the difference of ROC AUC above 0, over resampled accounts,
    cannot be honest.
    """
    found = measure(rows, columns=("probability", "truth"), replicates=replicates)
    return found.ahead["truth"]["roc_auc"].low > 0


def _figures(learned: Learned, *, judged: Judged, kind: Kind) -> dict[str, Any]:
    """gap: ROC AUC of the best possible ranker less the model's. calibration_error, held: over 20 bins."""
    chances, truth = learned.probabilities(judged.X[kind]), judged.truth(kind)
    low, high = fit_intervals(learned).bounds(np.log(chances) - np.log1p(-chances))
    rows = judged.keys[kind].assign(probability=chances)
    seen = learned.later if learned.crossed is None else learned.crossed
    found = measure(rows, columns=("probability", "truth"), replicates=_REPLICATES)
    model, best = (found.estimates[name]["roc_auc"].value for name in ("probability", "truth"))
    told = coverage(chances, low=low, high=high, truth=truth)
    return {
        "base_rate": float(rows["label"].mean()),
        "events": int(seen["label"].sum()),
        "model": model,
        "best": best,
        "gap": best - model,
        "calibration_error": calibration_error(chances, truth=truth),
        "coverage": float(told.held.mean()),
        "width": float(told.width.mean()),
        "beats_the_best": found.ahead["truth"]["roc_auc"].low > 0,
    }


def summarise(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """By hazard and kind: means with 95 % intervals over markets, and in how many the model leaked.

    Where the audit was asked: in how many it blocked the leaking field, and how many other columns in all.
    """
    frame = pd.DataFrame(found)
    shares = ("base_rate", "model", "best", "calibration_error", "coverage", "width")
    return [
        {"hazard": hazard, "kind": kind, "markets": len(part)}
        | {name: mean_of(part[name], share=True) for name in shares}
        | {"gap": mean_of(part["gap"])}
        | {"beats_the_best": int(part["beats_the_best"].sum())}
        | _audits(part)
        for (hazard, kind), part in frame.groupby(["hazard", "kind"], sort=False)
    ]


def _audits(part: pd.DataFrame) -> dict[str, int]:
    if "named" not in part.columns or part["named"].isna().any():
        return {}
    return {
        "audit_names_the_leak": int(part["named"].sum()),
        "audit_blocks_others": int(part["others"].sum()),
    }


def main() -> None:
    """The command: check all hazards on some seeds and write what was found as JSON."""
    parser = market_parser(
        "training.checks.hazards",
        description=__doc__,
        first_seed=_FIRST_SEED,
        accounts=1_200,
        judged_accounts=3_000,
    )
    parser.add_argument("--seeds", type=int, default=5, help="how many markets of each hazard")
    parser.add_argument("--hazards", nargs="*", default=list(MARKETS), choices=list(MARKETS))
    given = parser.parse_args()
    output, config = Output(as_json=True), with_steps(load_config(_CONFIG), days=_STEP_DAYS)
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    found: list[dict[str, Any]] = []
    with output.progress() as progress, tempfile.TemporaryDirectory() as folder:
        for number, hazard in enumerate(given.hazards):
            found += check_hazard(
                hazard,
                seeds=seeds,
                accounts=given.accounts,
                judged_accounts=given.judged_accounts,
                folder=Path(folder),
                config=config,
            )
            progress("hazards", number + 1, len(given.hazards))
    document = {**head_of(given, seeds=seeds), "step_days": _STEP_DAYS, "hazards": summarise(found)}
    output.result(write_result(document, out=given.out, also=[_CONFIG]))


if __name__ == "__main__":
    main()
