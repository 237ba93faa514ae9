"""The intent half of the check of few rows: samples of the accounts of markets, and all learners on each.

Turns seeds into markets, these into samples of a few accounts with all of their snapshots, and judges every
learner by the true chances of the accounts of one other market. Time rule: learning stops at the end of a
market; the judged snapshot lies one horizon before its own. Null rule: none, every snapshot has its truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.mapping import Config
from models.booster import Matrix
from training.backtesting.curve import draw_accounts
from training.backtesting.evaluate import Estimate, interval, resampled
from training.backtesting.learners import undo_sampling
from training.backtesting.metrics import Slice, means
from training.checks.market import intent_test_rows, intent_training_rows, market_tables
from training.fit import matrix
from training.learning.few_rows import grow_few
from training.learning.learn import Rows, learn
from training.learning.splits import keep_negatives
from training.market.settings import MarketSettings
from training.market.write import simulate
from training.undated.peers import BASELINES, BOOSTERS, Peer

__all__ = ["FIRST_SEED", "SIZES", "Sampled", "check_intent", "compared"]

FIRST_SEED: Final = 40_500
"""How strongly lines are drawn to zero, and the limit of `few_rows`, were chosen on seeds 421 to 423."""

SIZES: Final = (40, 80, 200, 500, 2_000)
"""Accounts with the event in a sample; of 40, the others are as many, of more as keep the share."""

_JUDGED_SEED: Final = 1_040_500
_REPLICATES: Final = 1_000
_OURS: Final = "few_rows"
_PEERS: Final = ("logistic_regression", "logistic_regression_logarithms", "lightgbm", "catboost")

Progress = Callable[[str, int, int], None]


@dataclass
class Sampled:
    """What every learner says of the judged rows, by sample. told: by learner, one (n,) for each sample."""

    accounts: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    events: list[int] = field(default_factory=list)
    told: dict[str, list[Matrix]] = field(default_factory=dict)


def check_intent(
    config: Config,
    *,
    folder: Path,
    seeds: Sequence[int],
    accounts: int = 8_000,
    judged_accounts: int = 8_000,
    sizes: Sequence[int] = SIZES,
    draws: int = 3,
    peers: Sequence[Peer] | None = None,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """By size: what each learner reaches, and how far the one for few rows is ahead of each other.

    accounts: of each market that is sampled; a size that its accounts with the event do not reach is left
    out. draws: samples of each size and market. peers: other people's learners, by default logistic
    regressions, LightGBM and, where it is installed, CatBoost. folder: where markets are written.
    """
    judged = MarketSettings(accounts=judged_accounts, seed=_JUDGED_SEED)
    simulate(judged, directory=folder / "judged")
    test = market_tables(folder / "judged", config=config)
    keys = intent_test_rows(test, folder / "judged", end=judged.end, config=config)
    found: dict[int, Sampled] = {size: Sampled() for size in sizes}
    for done, seed in enumerate(seeds):
        if progress:
            progress("learn from few accounts", done, len(seeds))
        settings = MarketSettings(accounts=accounts, seed=seed)
        simulate(settings, directory=folder / "sampled")
        tables = market_tables(folder / "sampled", config=config)
        rows = intent_training_rows(tables, end=settings.end, config=config)
        X = matrix(test, keys, catalogue=rows.catalogue)
        for size, sample in _samples(rows, sizes=sizes, draws=draws, seed=seed):
            _learn(sample, X, config=config, peers=peers, into=found[size])
    if progress:
        progress("learn from few accounts", len(seeds), len(seeds))
    return [
        {"accounts_with_event": size, **compared(sampled, keys=keys)}
        for size, sampled in found.items()
        if sampled.told
    ]


def _samples(rows: Rows, *, sizes: Sequence[int], draws: int, seed: int) -> Iterator[tuple[int, Rows]]:
    events = rows.frame.groupby("account_id")["label"].max().sum()
    reached = [size for size in sizes if size < events]
    # The last that is drawn are all rows, which is no size that was asked for.
    for size, drawn in zip(reached, draw_accounts(rows, sizes=reached, draws=draws, seed=seed), strict=False):
        for draw, positions in enumerate(drawn):
            part = rows.as_of(positions, cutoff=rows.frame["label_known_at"].max())
            yield size, _even(part, seed=seed + draw) if size == SIZES[0] else part


def _even(rows: Rows, *, seed: int) -> Rows:
    """As many accounts without the event as with it, where there are more."""
    had = rows.frame.groupby("account_id")["label"].max()
    others = had.index[had == 0].to_numpy()
    kept = np.random.default_rng(seed).permutation(others)[: int(had.sum())]
    inside = rows.frame["account_id"].isin([*had.index[had == 1], *kept])
    return rows.as_of(np.flatnonzero(inside), cutoff=rows.frame["label_known_at"].max())


def _learn(rows: Rows, X: Matrix, *, config: Config, peers: Sequence[Peer] | None, into: Sampled) -> None:
    settings = config.model.intent
    positions = np.arange(len(rows.label), dtype=np.int64)
    kept = keep_negatives(
        rows.label, positions=positions, per_positive=settings.negatives_per_positive, seed=settings.seed
    )
    into.accounts.append(int(rows.frame["account_id"].nunique()))
    into.rows.append(len(rows.label))
    into.events.append(int(rows.label.sum()))
    told = {
        _OURS: grow_few(rows, settings=settings).probabilities(X),
        "trees": learn(rows, settings=settings).probabilities(X),
        "base_rate": np.full(len(X), rows.label.mean()),
    }
    for peer in _peers() if peers is None else peers:
        chances = peer(rows.X[kept], label=rows.label[kept], new=X, catalogue=rows.catalogue)
        told[peer.column] = undo_sampling(chances, label=rows.label, kept=kept)
    for name, chances in told.items():
        into.told.setdefault(name, []).append(chances)


def _peers() -> list[Peer]:
    """CatBoost only where it is installed: it comes with the extra `peers`."""
    there = [peer for peer in (*BASELINES, *BOOSTERS) if peer.column in _PEERS]
    return [peer for peer in there if peer.column != "catboost" or find_spec("catboost") is not None]


def compared(sampled: Sampled, *, keys: pd.DataFrame, replicates: int = _REPLICATES) -> dict[str, Any]:
    """Means over samples of ROC AUC and of log loss against the true chances, with 95 % intervals, and the
    lead of the learner for few rows: what is told of the same rows and samples, paired.

    keys: account_id, label, truth of the judged rows (n,). Each replicate draws samples and, apart from
    them, accounts with replacement: the bootstrap of two factors (Owen 2007, Annals of Applied Statistics 1),
    which errs towards longer intervals.
    """
    told = {**sampled.told, "best": [keys["truth"].to_numpy()] * len(sampled.rows)}
    figures = _drawn(told, keys, samples=len(sampled.rows), replicates=replicates)
    base = float(keys["label"].mean())
    return {
        "samples": len(sampled.rows),
        "judged_rows": len(keys),
        "base_rate": base,
        **{name: float(np.mean(getattr(sampled, name))) for name in ("accounts", "rows", "events")},
        **{
            metric: {
                name: _estimate(drawn, base=0.5 if metric == "roc_auc" else base)
                for name, drawn in by.items()
            }
            for metric, by in figures.items()
        },
        "few_rows_minus": {
            other: {metric: _estimate(by[_OURS] - by[other], base=0.0) for metric, by in figures.items()}
            for other in told
            if other not in (_OURS, "best")
        },
    }


def _drawn(
    told: Mapping[str, Sequence[Matrix]], keys: pd.DataFrame, *, samples: int, replicates: int
) -> dict[str, dict[str, Matrix]]:
    """By metric and learner, (1 + replicates,): the figure itself, then of each replicate."""
    random = np.random.default_rng(1)
    picked = random.multinomial(samples, np.ones(samples) / samples, size=replicates)
    share = np.vstack([np.ones(samples), picked]) / samples
    label, truth = keys["label"].to_numpy(), keys["truth"].to_numpy()
    found: dict[str, dict[str, Matrix]] = {"roc_auc": {}, "log_loss": {}}
    weights = np.vstack(list(resampled(keys["account_id"], replicates=replicates, seed=0)))
    for name, chances in told.items():
        auc = np.column_stack([_roc_auc(one, label=label, weights=weights) for one in chances])
        loss = np.column_stack([_loss(one, truth=truth) for one in chances])
        weighed = weights @ loss / weights.sum(axis=1, keepdims=True)
        found["roc_auc"][name] = (share * auc).sum(axis=1)
        found["log_loss"][name] = (share * weighed).sum(axis=1)
    return found


def _roc_auc(chances: Matrix, *, label: NDArray[np.int64], weights: Matrix) -> Matrix:
    ranked = Slice.of(pd.DataFrame({"label": label, "probability": chances}))
    # Accounts that are drawn without any of a class rank nothing: undefined, and left out of the interval.
    with np.errstate(divide="ignore", invalid="ignore"):
        return means([ranked], weights, top_k=1, probabilities=False)["roc_auc"]


def _loss(chances: Matrix, *, truth: Matrix) -> Matrix:
    """Of each row, (n,): the log loss to be expected where the true chance is `truth`."""
    bounded = np.clip(chances, 1e-6, 1.0 - 1e-6)
    loss: Matrix = -(truth * np.log(bounded) + (1.0 - truth) * np.log1p(-bounded))
    return loss


def _estimate(drawn: Matrix, *, base: float) -> dict[str, float]:
    return Estimate(float(drawn[0]), *interval(drawn[1:]), base=base).to_json()
