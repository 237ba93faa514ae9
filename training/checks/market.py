"""The simulated-market check: how close both models come to the best possible ranker.

Turns seeds into pairs of markets, one to learn from and a larger one, of other accounts, to be judged on,
and compares the models with logistic regression and with the true chances. Time rule: learning stops at the
end of the training market; the test snapshot lies one horizon before its end, opportunities are looked at
as they were opened. Null rule: none; every opportunity and snapshot of a simulated market has its truth.

    python -m training.checks.market --seeds 10 --out results/simulated_market.json
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from features.catalogue import Catalogue, learn_catalogue
from features.contract import TABLES
from features.errors import InputError
from features.label_settings import FitLabelSettings
from features.mapping import Config, load_config
from features.settings import LearningSettings
from features.tables import Tables
from models.bundle import Kind
from training.backtesting.baselines import logistic_regression_probabilities
from training.backtesting.evaluate import roc_auc
from training.backtesting.means import mean_of
from training.checks.results import write_result
from training.checks.truth import calibration_error
from training.console import Output
from training.fit import fit_rows, intent_rows, matrix, select_features
from training.labels import fit_followed, fit_labels, intent_outcomes
from training.learning.few_rows import learn_rows
from training.learning.learn import Progress, Rows
from training.market.settings import MarketSettings
from training.market.write import read_truth, simulate

__all__ = [
    "Comparison",
    "check_seed",
    "fit_test_rows",
    "fit_training_rows",
    "intent_test_rows",
    "intent_training_rows",
    "market_tables",
    "summarise",
]

_CONFIG: Final = Path(__file__).parents[2] / "configs" / "simulated_market.toml"
_TEST_SEEDS: Final = 1_000_000
"""Test markets have other seeds than any training market: seed + a million."""

_FIRST_SEED: Final = 500
"""Lower seeds were looked at while the market and the models were made; these were not."""

_LEARN: Final = "learn {kind} of market {seed}"


@dataclass(frozen=True)
class Comparison:
    """ROC AUC of three rankers on the same rows of a test market.

    calibration_error: of the model; see `training.checks.truth`.
    """

    kind: Kind
    seed: int
    rows: int
    events: int
    model: float
    logistic_regression: float
    best: float
    calibration_error: float


def check_seed(
    seed: int,
    *,
    accounts: int = 5_000,
    test_accounts: int = 50_000,
    folder: Path,
    config: Config | None = None,
    progress: Progress | None = None,
) -> tuple[Comparison, Comparison]:
    """Learn fit and intent from the market `seed` and judge both on a market of other accounts.

    folder: where both markets are written; earlier ones there are replaced.
    """
    config = config or load_config(_CONFIG)
    learned_from = MarketSettings(accounts=accounts, seed=seed)
    judged_on = MarketSettings(accounts=test_accounts, seed=seed + _TEST_SEEDS)
    for name, settings in (("train", learned_from), ("test", judged_on)):
        simulate(settings, directory=folder / name, progress=_told(progress, f"simulate {name} {seed}"))
    train, test = (market_tables(folder / name, config=config) for name in ("train", "test"))
    end = learned_from.end
    rows = {
        "fit": fit_training_rows(train, end=end, config=config),
        "intent": intent_training_rows(train, end=end, config=config),
    }
    keys = {
        "fit": fit_test_rows(test, folder / "test"),
        "intent": intent_test_rows(test, folder / "test", end=judged_on.end, config=config),
    }
    kinds: tuple[Kind, Kind] = ("fit", "intent")
    fit, intent = (
        _compare(kind, seed, rows=rows[kind], keys=keys[kind], tables=test, config=config, progress=progress)
        for kind in kinds
    )
    return fit, intent


def market_tables(directory: Path, *, config: Config) -> Tables:
    """The tables of a simulated market as they were written; they follow the contract already."""
    return Tables({name: (directory / f"{name}.parquet",) for name in TABLES}, config.attributes)


def summarise(comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """Means over seeds with 95 % intervals (Student's t): each ranker, the gap to the best, the lead, the
    calibration error and the base rate."""
    frame = pd.DataFrame([asdict(one) for one in comparisons])
    frame["gap_to_best"] = frame["best"] - frame["model"]
    frame["ahead_of_logistic_regression"] = frame["model"] - frame["logistic_regression"]
    frame["base_rate"] = frame["events"] / frame["rows"]
    shares = ("model", "logistic_regression", "best", "calibration_error", "base_rate")
    return {
        str(kind): {name: mean_of(part[name], share=True) for name in shares}
        | {name: mean_of(part[name]) for name in ("gap_to_best", "ahead_of_logistic_regression")}
        for kind, part in frame.groupby("kind")
    }


def fit_training_rows(
    tables: Tables, *, end: datetime, config: Config, catalogue: Catalogue | None = None
) -> Rows:
    """The opportunities of a market that train at its end, with their features.

    catalogue: that of another market, so that both have the same columns; None to learn it.
    """
    catalogue = catalogue or learn_catalogue(tables, cutoff=end)
    labels = fit_labels(tables, cutoff=end, settings=config.labels.fit)
    selected = select_features(catalogue, kind="fit", settings=config.model.fit)
    return fit_rows(tables, labels=labels, catalogue=selected)


def intent_training_rows(
    tables: Tables, *, end: datetime, config: Config, catalogue: Catalogue | None = None
) -> Rows:
    """The snapshots of a market that train at its end, with their features; as `fit_training_rows`."""
    catalogue = catalogue or learn_catalogue(tables, cutoff=end)
    selected = select_features(catalogue, kind="intent", settings=config.model.intent)
    return intent_rows(tables, cutoff=end, config=config, catalogue=selected)


def fit_test_rows(tables: Tables, directory: Path) -> pd.DataFrame:
    """Every closed opportunity with its true chance to be won: account_id, as_of, label, truth."""
    truth = read_truth(directory).fit[["opportunity_id", "probability"]]
    closed = fit_followed(tables, settings=FitLabelSettings()).dropna(subset="label")
    closed = closed.astype({"label": "int64"}).reset_index(drop=True)
    return _with_truth(closed, truth, on=["opportunity_id"])


def intent_test_rows(tables: Tables, directory: Path, *, end: datetime, config: Config) -> pd.DataFrame:
    """The population one horizon before the end, with its true chance to open an opportunity."""
    settings = config.labels.intent
    moment = end - timedelta(days=settings.horizon_days)
    truth = read_truth(directory).intent[["account_id", "as_of", "probability"]]
    outcomes = intent_outcomes(tables, as_of=[moment], settings=settings)
    return _with_truth(outcomes, truth[truth["as_of"] == pd.Timestamp(moment)], on=["account_id", "as_of"])


def _with_truth(outcomes: pd.DataFrame, truth: pd.DataFrame, *, on: list[str]) -> pd.DataFrame:
    joined = outcomes.merge(truth.rename(columns={"probability": "truth"}), on=on, how="left")
    if joined["truth"].isna().any():
        raise InputError("rows without truth", got=int(joined["truth"].isna().sum()), fix="simulate again")
    return joined


def _compare(
    kind: Kind,
    seed: int,
    *,
    rows: Rows,
    keys: pd.DataFrame,
    tables: Tables,
    config: Config,
    progress: Progress | None,
) -> Comparison:
    settings: LearningSettings = config.model.fit if kind == "fit" else config.model.intent
    X = matrix(tables, keys, catalogue=rows.catalogue)
    learned = learn_rows(rows, settings=settings, progress=progress, what=_LEARN.format(kind=kind, seed=seed))
    everything = np.arange(len(rows.frame), dtype=np.int64)
    logistic = logistic_regression_probabilities(rows, earlier=everything, X=X, settings=settings)
    label = keys["label"].to_numpy()
    model, regression, best = (
        roc_auc(label, probabilities=chances)
        for chances in (learned.probabilities(X), logistic, keys["truth"].to_numpy())
    )
    truth = keys["truth"].to_numpy()
    error = calibration_error(learned.probabilities(X), truth=truth)
    return Comparison(kind, seed, len(keys), int(label.sum()), model, regression, best, error)


def _told(progress: Progress | None, what: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, total: progress(what, done, total)


def main() -> None:
    """The command: check some seeds and write what was found as JSON."""
    parser = argparse.ArgumentParser(prog="python -m training.checks.market", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="how many markets, with seeds from 500 on")
    parser.add_argument("--accounts", type=int, default=20_000, help="accounts to learn from")
    parser.add_argument("--test-accounts", type=int, default=20_000, help="accounts to be judged on")
    parser.add_argument("--out", type=Path, help="write the JSON here, too")
    given = parser.parse_args()
    output = Output(as_json=True)
    started = time.monotonic()
    comparisons: list[Comparison] = []
    seeds = range(_FIRST_SEED, _FIRST_SEED + given.seeds)
    with output.progress() as progress, tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            comparisons += check_seed(
                seed,
                accounts=given.accounts,
                test_accounts=given.test_accounts,
                folder=Path(folder),
                progress=progress,
            )
            output.table(
                ["kind", "seed", "rows", "events", "model", "LR", "best", "error"], _lines(comparisons[-2:])
            )
    document = {
        "seeds": list(seeds),
        "accounts": given.accounts,
        "test_accounts": given.test_accounts,
        "minutes": round((time.monotonic() - started) / 60, 1),
        "roc_auc": summarise(comparisons),
        "by_seed": [asdict(one) for one in comparisons],
    }
    output.result(write_result(document, out=given.out))


def _lines(comparisons: Sequence[Comparison]) -> list[tuple[object, ...]]:
    return [
        (
            one.kind,
            one.seed,
            one.rows,
            one.events,
            *(f"{v:.4f}" for v in (one.model, one.logistic_regression, one.best, one.calibration_error)),
        )
        for one in comparisons
    ]


if __name__ == "__main__":
    main()
