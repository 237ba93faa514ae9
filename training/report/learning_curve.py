"""The learning curve of a model of few rows: what it would have said after learning from fewer accounts.

Turns a training of few rows into models of samples of the accounts that its newest fold learned from, judged
on that fold's later slice as the model itself is. Time rule: samples hold rows whose label was known when the
slice starts. Null rule: a training of many rows, whose curve takes long, and a slice of one class have none;
a size of which a sample bears no model is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from features.errors import NotEnoughDataError
from training.backtesting.curve import draw_accounts
from training.backtesting.evaluate import Estimate, mean_roc_auc
from training.fit import Training
from training.learning.few_rows import are_few
from training.learning.rows import Rows
from training.learning.small import learn_small
from training.learning.splits import Fold
from training.report.charts import step_chart

__all__ = ["curve_section"]

_SIZES = (40, 80)
"""Accounts of the rarer class; few rows are below some hundreds, and each sample takes a second."""

_DRAWS = 2
_FEWEST = 5
_REPLICATES = 300
_HEADS = ("Accounts learned from", "Rows", "With the event", "Samples", "ROC AUC", "95 % interval")


def curve_section(training: Training) -> dict[str, Any] | None:
    """about, heads and rows of a table, and a chart; None where rows are many, or cannot be judged."""
    number = len(training.learned.folds) - 1
    later = training.learned.later
    judged = later[later["fold"] == number].reset_index(drop=True)
    few = are_few(training.rows, settings=training.settings)
    if not few or number < 0 or judged["label"].nunique() < 2:
        return None
    points = [*_sampled(training, judged), _whole(training, judged)]
    found = pd.DataFrame({f"{counts[0]:,}": vars(auc) for counts, auc in points}).T
    last = points[-1][1]
    return {
        "about": f"Judged on the same {len(judged):,} newest rows, {int(judged['label'].sum()):,} of them "
        f"with the event ({judged['label'].mean():.1%}); the ROC AUC without knowledge is 0.5. The last line "
        "is the model as it was judged. While the figures still rise, more accounts would help most.",
        "heads": _HEADS,
        "rows": [(*(f"{count:,}" for count in counts), auc.shown, auc.bounds) for counts, auc in points],
        "chart": step_chart(
            found,
            title="What more accounts brought",
            words=f"ROC AUC by accounts learned from, with 95 % intervals: from {points[0][1]} with "
            f"{points[0][0][0]:,} accounts to {last} with {points[-1][0][0]:,}; a coin: 0.5.",
            label="ROC AUC",
            axis="accounts learned from (dashed: a coin)",
        ),
    }


def _sampled(training: Training, judged: pd.DataFrame) -> Iterator[tuple[tuple[int, ...], Estimate]]:
    """By size: accounts, rows, events and samples, and the mean ROC AUC."""
    fold, settings = training.learned.folds[-1], training.settings
    earlier = _earlier(training.rows, fold)
    new = training.rows.X[judged["position"].to_numpy(dtype=np.int64)]
    for samples in draw_accounts(earlier, sizes=_SIZES, draws=_DRAWS, seed=settings.seed):
        parts = [earlier.as_of(one, cutoff=fold.starts) for one in samples]
        if len(parts) == 1:
            # All of them, of which the model itself is.
            return
        try:
            told = {
                f"sample_{place}": learn_small(
                    part,
                    settings=settings,
                    groups=np.unique(part.frame["account_id"], return_inverse=True)[1].astype(np.int64),
                    smallest_class=_FEWEST,
                ).probabilities(new)
                for place, part in enumerate(parts)
            }
        except NotEnoughDataError:
            continue
        counts = (
            round(np.mean([part.frame["account_id"].nunique() for part in parts])),
            round(np.mean([len(part.label) for part in parts])),
            round(np.mean([part.label.sum() for part in parts])),
            len(parts),
        )
        yield counts, mean_roc_auc(judged.assign(**told), columns=list(told), replicates=_REPLICATES)


def _earlier(rows: Rows, fold: Fold) -> Rows:
    """What the model that is judged learned from: weighed as of the fold's start where enough was known then,
    else all alike; see `Rows.weight_in`."""
    try:
        return rows.as_of(fold.earlier, cutoff=fold.starts)
    except NotEnoughDataError:
        return replace(rows, weight=None, weigh=None).as_of(fold.earlier, cutoff=fold.starts)


def _whole(training: Training, judged: pd.DataFrame) -> tuple[tuple[int, ...], Estimate]:
    """The model that was judged on the slice."""
    rows = training.rows.frame.iloc[training.learned.folds[-1].earlier]
    counts = (rows["account_id"].nunique(), len(rows), int(rows["label"].sum()), 1)
    return counts, mean_roc_auc(judged, columns=["probability"], replicates=_REPLICATES)
