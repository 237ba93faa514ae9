"""The check of few rows: small simulated markets, both learners and other people's, judged by the truth.

Turns seeds into small markets whose won and lost opportunities are learned, and judges all learners on the
opportunities of one larger market of other accounts; of intent it is `training.checks.few_intent`. Time
rule: learning stops at the end of the small market. Null rule: none, every opportunity has its truth.

    python -m training.checks.few_rows --out results/few_rows.json
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import NotEnoughDataError
from features.mapping import Config, load_config
from models.booster import Matrix
from training.backtesting.baselines import logistic_regression_probabilities
from training.backtesting.evaluate import roc_auc
from training.backtesting.means import mean_of
from training.checks import few_intent
from training.checks.market import fit_test_rows, fit_training_rows, market_tables
from training.checks.results import ROOT, write_result
from training.console import Output
from training.fit import matrix
from training.learning.few_rows import learn_few
from training.learning.learn import Progress, Rows, learn
from training.market.settings import MarketSettings
from training.market.write import simulate

__all__ = ["ACCOUNTS", "check_market", "log_loss_of_truth", "summarise"]

_CONFIG: Final = ROOT / "configs" / "simulated_market.toml"
_FIRST_SEED: Final = 40_000
"""The limit of `few_rows` was chosen on seeds 410 to 412."""

_JUDGED_SEED: Final = 1_040_000
_JUDGED_ACCOUNTS: Final = 15_000
ACCOUNTS: Final = (500, 1_000, 2_000)
"""That come to some 60, 120 and 240 wins."""


def check_market(
    accounts: int, *, seed: int, folder: Path, judged_on: Path, config: Config
) -> dict[str, Any]:
    """What each learner reaches on one market: ROC AUC, and log loss against the true chances.

    judged_on: a simulated market of other accounts.
    """
    small = MarketSettings(accounts=accounts, seed=seed)
    simulate(small, directory=folder / "small")
    tables, test = (market_tables(path, config=config) for path in (folder / "small", judged_on))
    rows = fit_training_rows(tables, end=small.end, config=config)
    keys = fit_test_rows(test, judged_on)
    X, truth = matrix(test, keys, catalogue=rows.catalogue), keys["truth"].to_numpy()
    found: dict[str, Any] = {"accounts": accounts, "seed": seed, "wins": int(rows.label.sum())}
    for name, chance in ({"best": truth} | _chances(rows, X, config=config)).items():
        found[f"{name}_roc_auc"] = roc_auc(keys["label"].to_numpy(), probabilities=chance)
        found[f"{name}_log_loss"] = log_loss_of_truth(truth, chance=chance)
    return found


def _chances(rows: Rows, X: Matrix, *, config: Config) -> dict[str, Matrix]:
    settings, everything = config.model.fit, np.arange(len(rows.frame), dtype=np.int64)
    return {
        "few_rows": learn_few(rows, settings=settings).probabilities(X),
        "trees": learn(rows, settings=settings).probabilities(X),
        "logistic_regression": logistic_regression_probabilities(
            rows, earlier=everything, X=X, settings=settings
        ),
        "base_rate": np.full(len(X), rows.label.mean()),
    }


def log_loss_of_truth(truth: NDArray[np.float64], *, chance: NDArray[np.float64]) -> float:
    """The mean log loss to be expected of chances (n,) where the true ones are `truth` (n,).

    >>> round(log_loss_of_truth(np.array([0.5]), chance=np.array([0.5])), 4)
    0.6931
    """
    bounded = np.clip(chance, 1e-6, 1.0 - 1e-6)
    return float(-(truth * np.log(bounded) + (1.0 - truth) * np.log1p(-bounded)).mean())


def summarise(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """By size of the market: means over seeds, and the lead of the few rows' learner over the trees with its
    95 % interval (Student's t over seeds)."""
    lines = []
    for accounts, part in pd.DataFrame(found).groupby("accounts"):
        means = part.drop(columns=["accounts", "seed"]).mean().to_dict()
        lines.append(
            {
                "accounts": int(str(accounts)),
                **{str(name): float(value) for name, value in means.items()},
                "log_loss_better_by": mean_of(part["trees_log_loss"] - part["few_rows_log_loss"]),
            }
        )
    return lines


def main() -> None:
    """The command: learn from some markets and write what was found as JSON."""
    parser = argparse.ArgumentParser(prog="python -m training.checks.few_rows", description=__doc__)
    parser.add_argument("--kind", choices=("fit", "intent", "both"), default="both", help="of which models")
    parser.add_argument("--seeds", type=int, default=8, help="fit: how many markets of each size")
    parser.add_argument("--markets", type=int, default=2, help="intent: how many markets are sampled")
    parser.add_argument("--draws", type=int, default=3, help="intent: samples of each size and market")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=few_intent.SIZES, help="intent: accounts with the event"
    )
    parser.add_argument("--accounts", type=int, default=8_000, help="intent: accounts of a market")
    parser.add_argument("--out", type=Path, help="write the JSON here, too")
    given = parser.parse_args()
    output, config = Output(as_json=True), load_config(_CONFIG)
    document: dict[str, Any] = {}
    with output.progress() as progress, tempfile.TemporaryDirectory() as name:
        if given.kind != "intent":
            document |= _fit(Path(name), seeds=given.seeds, config=config, progress=progress)
        if given.kind != "fit":
            document["intent"] = few_intent.check_intent(
                config,
                folder=Path(name) / "intent",
                seeds=range(few_intent.FIRST_SEED, few_intent.FIRST_SEED + given.markets),
                accounts=given.accounts,
                sizes=given.sizes,
                draws=given.draws,
                progress=progress,
            )
    output.result(write_result(document, out=given.out, also=[_CONFIG]))


def _fit(folder: Path, *, seeds: int, config: Config, progress: Progress) -> dict[str, Any]:
    """Every size and seed; a market that bears no model is told with its reason."""
    found: list[dict[str, Any]] = []
    refused: list[str] = []
    asked = [(accounts, _FIRST_SEED + n) for accounts in ACCOUNTS for n in range(seeds)]
    judged_on = folder / "judged"
    simulate(MarketSettings(accounts=_JUDGED_ACCOUNTS, seed=_JUDGED_SEED), directory=judged_on)
    for number, (accounts, seed) in enumerate(asked):
        try:
            found.append(check_market(accounts, seed=seed, folder=folder, judged_on=judged_on, config=config))
        except NotEnoughDataError as error:
            refused.append(f"{accounts:,} accounts, seed {seed}: {error.sentence()}")
        progress("learn from few rows", number + 1, len(asked))
    return {"sizes": summarise(found), "refused": refused, "by_seed": found}


if __name__ == "__main__":
    main()
