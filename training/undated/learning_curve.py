"""The learning curve: how well a table's outcomes can be ranked after learning from few rows, and from more.

Turns labelled rows without dates into samples of growing size, models of these, and their ROC AUC on the rows
that were left, beside peers that learned from the same samples. Time rule: none, the rows have no dates. Null
rule: a size with fewer than 40 rows of a class in a sample, or in the table, is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from rich.table import Table

from features.errors import NotEnoughDataError
from features.settings import LearningSettings
from training.backtesting.evaluate import Estimate, roc_auc
from training.backtesting.means import mean_of
from training.learning.enough import require_telling
from training.learning.folds import Positions, equal_rows
from training.learning.learn import Progress, Rows
from training.learning.small import SMALLEST_CLASS, learn_small
from training.undated.peers import TITLES, Peer

__all__ = ["SIZES", "CurveReport", "Sample", "learning_curve", "samples"]

SIZES = (80, 200, 500, 1000, 2000)
"""80 means 40 of each class; the others have the table's base rate, and 40 of each class at least."""

_MOST_JUDGED = 4000


@dataclass(frozen=True)
class Sample:
    """Positions. judge: rows that are equal to none of those learned from."""

    size: int
    learn: Positions
    judge: Positions


@dataclass(frozen=True)
class CurveReport:
    """By size, then by ranker: ROC AUC, mean over `draws` samples. ahead: paired, Spearfish minus the other.

    Intervals are Student's, over the samples: what another sample of this size would give on average.
    """

    rows: int
    base_rate: float
    seed: int
    draws: dict[int, int]
    roc_auc: dict[int, dict[str, Estimate]]
    ahead: dict[int, dict[str, Estimate]]

    def to_json(self) -> dict[str, Any]:
        return {
            "time_tested": False,
            "rows": self.rows,
            "base_rate": self.base_rate,
            "seed": self.seed,
            "draws": {str(size): count for size, count in self.draws.items()},
            "roc_auc": _figures(self.roc_auc),
            "spearfish_minus": _figures(self.ahead),
        }

    def __rich__(self) -> Table:
        table = Table(
            title=f"ROC AUC by rows learned from (base rate {self.base_rate:.1%}; time was not tested)",
            title_justify="left",
        )
        rankers = list(next(iter(self.roc_auc.values())))
        for name in ("rows", "samples", *(TITLES[ranker] for ranker in rankers)):
            table.add_column(name, justify="right")
        for size, found in self.roc_auc.items():
            table.add_row(f"{size:,}", str(self.draws[size]), *(str(found[ranker]) for ranker in rankers))
        return table


def learning_curve(
    rows: Rows,
    *,
    settings: LearningSettings,
    sizes: Sequence[int] = SIZES,
    draws: int = 10,
    peers: Sequence[Peer] = (),
    seed: int = 0,
    progress: Progress | None = None,
) -> CurveReport:
    """Learn from `draws` samples of each size. Raises NotEnoughDataError when no size can be drawn."""
    require_telling(rows)
    drawn = list(samples(rows, sizes=sizes, draws=draws, seed=seed))
    if not drawn:
        raise NotEnoughDataError(
            "too few rows for a learning curve",
            got=f"{int(rows.label.sum()):,} rows with the event among {len(rows.label):,}",
            allowed=f"more than {SMALLEST_CLASS} of each class, and different ones to judge by",
            fix="add rows, or ask for smaller sizes",
        )
    found: dict[int, list[dict[str, float]]] = {}
    for done, sample in enumerate(drawn):
        if progress:
            progress("learning curve", done, len(drawn))
        found.setdefault(sample.size, []).append(_judged(rows, sample, settings=settings, peers=peers))
    if progress:
        progress("learning curve", len(drawn), len(drawn))
    others = [peer.column for peer in peers]
    return CurveReport(
        rows=len(rows.label),
        base_rate=float(rows.label.mean()),
        seed=seed,
        draws={size: len(told) for size, told in found.items()},
        roc_auc={
            size: {
                name: _mean([one[name] for one in told], base=0.5, share=True)
                for name in ("probability", *others)
            }
            for size, told in found.items()
        },
        ahead={
            size: {
                name: _mean([one["probability"] - one[name] for one in told], base=0.0, share=False)
                for name in others
            }
            for size, told in found.items()
        },
    )


def samples(rows: Rows, *, sizes: Sequence[int], draws: int, seed: int) -> Iterator[Sample]:
    """Up to `draws` samples of each size: those beside which other rows of both classes are left."""
    groups = equal_rows(rows.X)
    by_class = [np.flatnonzero(rows.label == one) for one in (0, 1)]
    for size in sizes:
        wanted = _by_class(rows, size=size)
        if any(len(own) <= count for own, count in zip(by_class, wanted, strict=True)):
            continue
        for draw in range(draws):
            random = np.random.default_rng([seed, size, draw])
            learn = np.concatenate(
                [
                    random.choice(own, count, replace=False)
                    for own, count in zip(by_class, wanted, strict=True)
                ]
            )
            others = np.flatnonzero(~np.isin(groups, groups[learn]))
            judge = random.choice(others, min(_MOST_JUDGED, len(others)), replace=False)
            if len(np.unique(rows.label[judge])) < 2:
                continue
            yield Sample(size, np.sort(learn), np.sort(judge))


def _by_class(rows: Rows, *, size: int) -> tuple[int, int]:
    """Rows without and with the event in a sample."""
    rate = 0.5 if size == 2 * SMALLEST_CLASS else float(rows.label.mean())
    events = int(np.clip(round(rate * size), SMALLEST_CLASS, size - SMALLEST_CLASS))
    return size - events, events


def _judged(
    rows: Rows, sample: Sample, *, settings: LearningSettings, peers: Sequence[Peer]
) -> dict[str, float]:
    learn = replace(rows, frame=rows.frame.iloc[sample.learn], X=rows.X[sample.learn])
    new, label = rows.X[sample.judge], rows.label[sample.judge]
    told = {"probability": learn_small(learn, settings=settings).probabilities(new)} | {
        peer.column: peer(learn.X, label=learn.label, new=new, catalogue=rows.catalogue) for peer in peers
    }
    return {name: roc_auc(label, probabilities=chances) for name, chances in told.items()}


def _mean(values: Sequence[float], *, base: float, share: bool) -> Estimate:
    told = mean_of(values, share=share)
    low, high = (float("nan") if end is None else end for end in (told["low"], told["high"]))
    return Estimate(float(np.mean(values)), low, high, base)


def _figures(table: dict[int, dict[str, Estimate]]) -> dict[str, dict[str, dict[str, float]]]:
    return {
        str(size): {
            ("spearfish" if name == "probability" else name): one.to_json() for name, one in row.items()
        }
        for size, row in table.items()
    }
