"""The rehearsal: what a training would have said at the served model's cutoff of what came after it.

Turns a training and the cutoff of what is served into predictions of the rows whose label became known since.
A newly trained model has learned from all rows, the newest included, so that it cannot be asked about them;
the boosters of its later slices had learned from fewer rows than the served model, and would lose to it by
that alone. Learning once more, by the same settings and from the rows that the served model could know, is
the fair question: same rows to learn from, same rows to be judged by, and neither has seen the latter. Time
rule: it learns from rows whose label was known by that cutoff, weighed by whom sales had pursued by then, and
predicts those whose label was not; the levels of categories are those of today's catalogue. Null rule: too
few rows on either side, or too few accounts pursued or passed over by then, give None.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.errors import NotEnoughDataError
from features.mapping import Config
from features.tables import Tables
from features.workspace import Manifest
from models.card import ModelKey, kind_of, name_of
from training.fit import Training
from training.gate.held_out import HeldOut, held_out
from training.learning.few_rows import learn_rows
from training.learning.learn import Progress

if TYPE_CHECKING:
    from training.gate.asking import Served

__all__ = ["rehearse", "to_hold_out"]


def to_hold_out(
    training: Training,
    *,
    present: Served | None,
    secret: bytes,
    tables: Tables,
    manifest: Manifest,
    config: Config,
    progress: Progress | None,
) -> HeldOut:
    """What the gate asks for later: the later slices, and a rehearsal at the served model's cutoff.

    present: what is served. secret: the workspace's. tables, manifest: that the training learned from, while
    the workspace holds them.
    """
    # What is served lies in a store, which takes seconds to import.
    from training.gate.asking import replaced_cutoff

    before = tuple(
        config.of_model(key).labels.of(kind_of(key)) for key in _asked_before(training.key, config=config)
    )
    cutoff = replaced_cutoff(
        present,
        bundle=training.bundle,
        rows=training.rows.frame,
        before=before,
        tables=tables,
        manifest=manifest,
    )
    if cutoff is None:
        return held_out(training, settings=config.gate, secret=secret)
    rows = rehearse(
        training,
        cutoff=cutoff,
        smallest=config.gate.smallest_class,
        progress=progress,
    )
    return held_out(training, settings=config.gate, secret=secret, rehearsed=rows, rehearsed_at=cutoff)


def _asked_before(key: ModelKey, *, config: Config) -> list[ModelKey]:
    """The named models of its kind that answer before a model, in the order of the config."""
    named = [one for one in config.models if name_of(one) is not None and kind_of(one) == kind_of(key)]
    return named[: named.index(key)] if key in named else named


def rehearse(
    training: Training,
    *,
    cutoff: datetime,
    smallest: int,
    progress: Progress | None = None,
) -> pd.DataFrame | None:
    """account_id, as_of, label, label_known_at, probability of rows whose label became known after `cutoff`.

    smallest: rows of each class that these must have. Where deals are weighed by pursuit, the tables that the
    training learned from are read again.
    """
    rows = training.rows
    known = (rows.frame["label_known_at"] <= pd.Timestamp(cutoff)).to_numpy()
    events = int(rows.label[~known].sum())
    if min(events, int((~known).sum()) - events) < smallest:
        return None
    what = f"rehearse the {training.kind} model"
    try:
        earlier = rows.as_of(np.flatnonzero(known), cutoff=cutoff)
        learned = learn_rows(earlier, settings=training.settings, progress=progress, what=what)
    except NotEnoughDataError:
        return None
    later = rows.frame.loc[~known, ["account_id", "as_of", "label", "label_known_at"]]
    return later.reset_index(drop=True).assign(probability=learned.probabilities(rows.X[~known]))
