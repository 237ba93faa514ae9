"""The rehearsal: what a training would have said at the served model's cutoff of what came after it.

Turns a training and the cutoff of what is served into predictions of the rows whose label became known since.
A newly trained model has learned from all rows, the newest included, so that it cannot be asked about them;
the boosters of its later slices had learned from fewer rows than the served model, and would lose to it by
that alone. Learning once more, by the same settings and from the rows that the served model could know, is
the fair question: same rows to learn from, same rows to be judged by, and neither has seen the latter. Time
rule: it learns from rows whose label was known by that cutoff and predicts those whose label was not; the
levels of categories are those of today's catalogue. Null rule: too few rows on either side give None.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from features.errors import NotEnoughDataError
from training.fit import Training
from training.learning.few_rows import learn_rows
from training.learning.learn import Progress, Rows

__all__ = ["rehearse"]


def rehearse(
    training: Training, *, cutoff: datetime, smallest: int, progress: Progress | None = None
) -> pd.DataFrame | None:
    """account_id, as_of, label, label_known_at, probability of rows whose label became known after `cutoff`.

    smallest: rows of each class that these must have.
    """
    rows = training.rows
    known = (rows.frame["label_known_at"] <= pd.Timestamp(cutoff)).to_numpy()
    events = int(rows.label[~known].sum())
    if min(events, int((~known).sum()) - events) < smallest:
        return None
    earlier = Rows(
        rows.frame[known].reset_index(drop=True),
        np.ascontiguousarray(rows.X[known]),
        rows.catalogue,
        weight=None if rows.weight is None else rows.weight[known],
    )
    what = f"rehearse the {training.kind} model"
    try:
        learned = learn_rows(earlier, settings=training.settings, progress=progress, what=what)
    except NotEnoughDataError:
        return None
    later = rows.frame.loc[~known, ["account_id", "as_of", "label", "label_known_at"]]
    return later.reset_index(drop=True).assign(probability=learned.probabilities(rows.X[~known]))
