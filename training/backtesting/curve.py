"""The learning curve of outcomes with dates: what a model of fewer accounts would have said at a past cutoff.

Turns tables and a cutoff into models of samples of accounts, of growing size, and their ROC AUC on what
followed, beside a logistic regression that learned from the same samples. Time rule: all learn from rows
whose label was known at the cutoff, and are judged by what came after it, as in a backtest. Null rule: a size
of which a sample bears no model is left out; an outcome that is still open is not judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from rich.table import Table

from features.errors import NotEnoughDataError
from features.mapping import Config
from features.settings import LearningSettings
from features.tables import Tables
from features.workspace import Workspace
from models.booster import Matrix
from models.card import ModelKey, kind_of, name_of, registered_name
from training.backtesting.dates import chosen_cutoffs
from training.backtesting.evaluate import Estimate, mean_roc_auc
from training.backtesting.questions import ask, with_labels
from training.learning.enough import require_enough
from training.learning.few_rows import learn_rows
from training.learning.learn import Progress, Rows
from training.learning.small import SMALLEST_CLASS
from training.learning.splits import Positions, keep_negatives
from training.undated.backtest import undated_curve
from training.undated.learning_curve import CurveReport
from training.undated.peers import BASELINES

__all__ = ["SIZES", "DatedCurve", "Point", "dated_curve", "draw_accounts", "workspace_curves"]

SIZES = (40, 80, 160, 320, 640)
"""Accounts of the rarer class in a sample; the others are as many as keep the share."""

_NAMES = ("with the event", "without it")
_REGRESSION = next(peer for peer in BASELINES if peer.column == "logistic_regression_logarithms")


@dataclass(frozen=True)
class Point:
    """One size. accounts, rows, events: of a sample, on average. samples: how many were drawn."""

    accounts: int
    rows: int
    events: int
    samples: int
    ours: Estimate
    regression: Estimate

    def to_json(self) -> dict[str, Any]:
        counts = {name: getattr(self, name) for name in ("accounts", "rows", "events", "samples")}
        return counts | {
            "roc_auc": {"spearfish": self.ours.to_json(), _REGRESSION.column: self.regression.to_json()}
        }


@dataclass(frozen=True)
class DatedCurve:
    """rows, base_rate: of what followed the cutoff, by which every point is judged. points: by size.

    ROC AUC is the mean over the samples; intervals resample the accounts that are judged.
    """

    key: ModelKey
    cutoff: datetime
    rows: int
    base_rate: float
    points: tuple[Point, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "time_tested": True,
            "model": self.key,
            "cutoff": f"{self.cutoff.isoformat()}Z",
            "rows": self.rows,
            "base_rate": self.base_rate,
            "points": [point.to_json() for point in self.points],
        }

    def __rich__(self) -> Table:
        table = Table(
            title=f"ROC AUC of {registered_name(self.key)} on {self.rows:,} rows after "
            f"{self.cutoff.date().isoformat()} (base rate {self.base_rate:.1%}), by accounts learned from",
            title_justify="left",
        )
        for name in ("accounts", "rows", "with the event", "samples", "Spearfish", _REGRESSION.title):
            table.add_column(name, justify="right")
        for one in self.points:
            counts = (f"{count:,}" for count in (one.accounts, one.rows, one.events, one.samples))
            table.add_row(*counts, str(one.ours), str(one.regression))
        return table


def workspace_curves(
    workspace: Workspace,
    *,
    config: Config,
    key: ModelKey,
    draws: int = 10,
    progress: Progress | None = None,
) -> dict[str, CurveReport] | dict[str, DatedCurve]:
    """The curve of a model of the config, by its key; where outcomes have no dates, by choice of columns.

    Without dates it is the curve of the model of wins and losses, whichever of the two is asked for. Raises
    as a backtest does, NotEnoughDataError where no size bears a model, and ContractError for a named intent
    model of outcomes without dates.
    """
    settings = config.of_model(key)
    with workspace.lease() as manifest:
        if "opportunities" in manifest.undated:
            if name_of(key) is not None and kind_of(key) == "intent":
                manifest.require_dated(f"a learning curve of {key}")
            return undated_curve(workspace, config=settings, draws=draws, progress=progress)
        tables = workspace.tables(manifest)
        cutoff = chosen_cutoffs(tables, config=settings, kind=kind_of(key))[-1]
        curve = dated_curve(tables, config=settings, key=key, cutoff=cutoff, draws=draws, progress=progress)
        return {key: curve}


def dated_curve(
    tables: Tables,
    *,
    config: Config,
    key: ModelKey,
    cutoff: datetime,
    sizes: Sequence[int] = SIZES,
    draws: int = 10,
    progress: Progress | None = None,
) -> DatedCurve:
    """Learn at `cutoff` from `draws` samples of each size, and from all; judge by what followed.

    config: of the model. Raises NotEnoughDataError where not even all accounts bear a model, or where what
    followed has one class only.
    """
    kind = kind_of(key)
    question = ask(tables, kind=kind, cutoff=cutoff, config=config)
    asked = question.asked.assign(cutoff=pd.Timestamp(cutoff), place=np.arange(len(question.asked)))
    if kind == "intent":
        asked = asked.drop(columns="as_of")
    followed = with_labels(tables, asked, kind=kind, config=config)
    known = followed[followed["label"].notna()].astype({"label": np.int64}).reset_index(drop=True)
    new = question.own(question.X)[known["place"].to_numpy(dtype=np.int64)]
    rows = question.own_rows
    counts = {"rows": len(rows.label), "events": int(rows.label.sum())}
    require_enough(rows, counts=counts, names=_NAMES, accounts=kind == "intent")
    drawn = list(draw_accounts(rows, sizes=sizes, draws=draws, seed=question.settings.seed))
    points = []
    for done, samples in enumerate(drawn):
        if progress:
            progress("learning curve", done, len(drawn))
        parts = [_part(rows, sample, cutoff=cutoff) for sample in samples]
        points.append(_point(parts, known, new, settings=question.settings, config=config))
    if progress:
        progress("learning curve", len(drawn), len(drawn))
    if points[-1] is None:
        # What `train` would say of all accounts.
        learn_rows(rows, settings=question.settings)
    found = tuple(point for point in points if point is not None)
    return DatedCurve(key, cutoff, len(known), float(known["label"].mean()), found)


def draw_accounts(
    rows: Rows, *, sizes: Sequence[int], draws: int, seed: int
) -> Iterator[tuple[Positions, ...]]:
    """For each size that is less than all, the rows of `draws` samples of accounts; then all rows, once.

    A sample has as many accounts of the rarer class as the size says, where an account belongs to those with
    the event if any row of it does, and the share of the table.
    """
    accounts = np.asarray(pd.factorize(rows.frame["account_id"], sort=True)[0], dtype=np.int64)
    had = np.zeros(accounts.max() + 1, dtype=bool)
    had[accounts[rows.label == 1]] = True
    rare, other = sorted((np.flatnonzero(had), np.flatnonzero(~had)), key=len)
    for size in sizes:
        if size >= len(rare):
            break
        common = min(len(other), round(size * len(other) / len(rare)))
        samples = []
        for draw in range(draws):
            random = np.random.default_rng([seed, size, draw])
            chosen = [random.choice(rare, size, replace=False), random.choice(other, common, replace=False)]
            samples.append(np.flatnonzero(np.isin(accounts, np.concatenate(chosen))))
        yield tuple(samples)
    yield (np.arange(len(accounts), dtype=np.int64),)


def _part(rows: Rows, sample: Positions, *, cutoff: datetime) -> Rows:
    return rows if len(sample) == len(rows.frame) else rows.as_of(sample, cutoff=cutoff)


def _point(
    parts: Sequence[Rows], known: pd.DataFrame, new: Matrix, *, settings: LearningSettings, config: Config
) -> Point | None:
    """None where a sample bears no model."""
    if any(min(part.label.sum(), len(part.label) - part.label.sum()) < SMALLEST_CLASS for part in parts):
        return None
    try:
        ours = [learn_rows(part, settings=settings).probabilities(new) for part in parts]
    except NotEnoughDataError:
        return None
    others = [_regression(part, new, settings=settings) for part in parts]
    return Point(
        accounts=_mean([part.frame["account_id"].nunique() for part in parts]),
        rows=_mean([len(part.label) for part in parts]),
        events=_mean([int(part.label.sum()) for part in parts]),
        samples=len(parts),
        ours=_judged(known, ours, config=config),
        regression=_judged(known, others, config=config),
    )


def _mean(counts: Sequence[int]) -> int:
    return round(sum(counts) / len(counts))


def _regression(rows: Rows, new: Matrix, *, settings: LearningSettings) -> Matrix:
    positions = np.arange(len(rows.label), dtype=np.int64)
    limit = settings.negatives_per_positive
    kept = keep_negatives(rows.label, positions=positions, per_positive=limit, seed=settings.seed)
    return _REGRESSION(rows.X[kept], label=rows.label[kept], new=new, catalogue=rows.catalogue)


def _judged(known: pd.DataFrame, told: Sequence[Matrix], *, config: Config) -> Estimate:
    columns = {f"sample_{number}": ranks for number, ranks in enumerate(told)}
    return mean_roc_auc(known.assign(**columns), columns=list(columns), replicates=config.backtest.replicates)
