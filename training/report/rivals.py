"""The model beside what it has to beat, on the newest later slice of its own training.

Turns a training into rankings of the same rows by simple heuristics, a regression and untuned trees, with
intervals and paired differences. Time rule: the others learn from the rows that the model's own fold learned
from, whose label was known when the slice starts. Null rule: a heuristic without its feature is left out; a
training without later rows of both classes has no rivals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from models.booster import Matrix
from training.backtesting.baselines import activity_heuristic, recency
from training.backtesting.evaluate import Estimate, Measured, measure
from training.backtesting.report import RANKERS
from training.fit import Training
from training.learning.splits import Fold, Positions, keep_negatives
from training.report.charts import Chart, interval_chart
from training.undated.peers import BASELINES

__all__ = ["Rivals", "find_rivals", "rival_chart", "rival_rows"]

_OURS = "probability"
_REPLICATES = 300
_LEARNERS = tuple(peer for peer in BASELINES if peer.column in ("logistic_regression_logarithms", "lightgbm"))
"""The quick ones: a training should not wait for those that a backtest learns beside."""

_MOST_LEARNED = 50_000
"""Of more rows than these the others learn from all with the event and a sample of the rest."""


@dataclass(frozen=True)
class Rivals:
    """measured: rankings of `rows`, the model's first. since: the day from which these rows are."""

    measured: Measured
    rows: int
    events: int
    since: str

    @property
    def base_rate(self) -> float:
        return self.events / self.rows

    @property
    def best(self) -> str:
        """The column of the other ranker with the highest ROC AUC."""
        others = {name: told["roc_auc"].value for name, told in self.measured.estimates.items()}
        return max((name for name in others if name != _OURS), key=lambda name: others[name])

    @property
    def lead(self) -> Estimate:
        """In ROC AUC, of the model over the best other one."""
        return self.measured.ahead[self.best]["roc_auc"]


def find_rivals(training: Training) -> Rivals | None:
    """What simple rankers reach on the newest later slice."""
    number = len(training.learned.folds) - 1
    later = training.learned.later
    rows = later[later["fold"] == number].reset_index(drop=True)
    if number < 0 or rows["label"].nunique() < 2:
        return None
    told = _told(training, training.learned.folds[number], rows["position"].to_numpy(dtype=np.int64))
    measured = measure(rows.assign(**told), columns=(_OURS, *told), probabilities=(), replicates=_REPLICATES)
    since = rows["as_of"].min().date().isoformat()
    return Rivals(measured, len(rows), int(rows["label"].sum()), since)


def _told(training: Training, fold: Fold, asked: Positions) -> dict[str, Matrix]:
    """By column, the rankings (n,) of the rows that are asked for."""
    rows, settings = training.rows, training.settings
    most = max(1.0, _MOST_LEARNED / int(rows.label[fold.earlier].sum()) - 1.0)
    limit = min(most, settings.negatives_per_positive or most)
    kept = keep_negatives(rows.label, positions=fold.earlier, per_positive=limit, seed=settings.seed)
    new, catalogue = rows.X[asked], rows.catalogue
    found = {
        peer.column: peer(rows.X[kept], label=rows.label[kept], new=new, catalogue=catalogue)
        for peer in _LEARNERS
    }
    simple = {
        "recent_activity": activity_heuristic(new, catalogue=catalogue),
        "recency": recency(new, catalogue=catalogue),
    }
    return found | {name: ranks for name, ranks in simple.items() if ranks is not None}


def rival_rows(measured: Measured, *, names: Mapping[str, str] = RANKERS) -> Iterator[dict[str, Any]]:
    """What the table reads, the best first. names: of the rankers, in words."""
    told = measured.estimates
    for name in sorted(told, key=lambda one: -told[one]["roc_auc"].value):
        lead = measured.ahead.get(name)
        yield {
            "name": names.get(name, name),
            "ours": lead is None,
            "roc_auc": f"{told[name]['roc_auc'].value:.3f}",
            "roc_auc_interval": _interval(told[name]["roc_auc"]),
            "pr_auc": f"{told[name]['pr_auc'].value:.3f}",
            "pr_auc_interval": _interval(told[name]["pr_auc"]),
            "lead": "" if lead is None else f"{lead['roc_auc'].value:+.3f}",
            "lead_interval": "" if lead is None else _interval(lead["roc_auc"], sign="+"),
        }


def _interval(one: Estimate, *, sign: str = "") -> str:
    return f"{one.low:{sign}.3f} to {one.high:{sign}.3f}"


def rival_chart(measured: Measured, *, names: Mapping[str, str] = RANKERS) -> Chart:
    """ROC AUC of each ranker with its interval."""
    found = pd.DataFrame(
        {names.get(name, name): vars(told["roc_auc"]) for name, told in measured.estimates.items()}
    ).T.sort_values("value")
    best = str(found.index[-1])
    words = f"ROC AUC of each ranker on the same rows, with 95 % intervals; the highest is that of {best}."
    return interval_chart(
        found, title="Beside simpler rankers", words=words, ours=names[_OURS], label="ROC AUC (0.5: a coin)"
    )
