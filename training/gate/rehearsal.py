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

from features.catalogue import FIT_GROUPS
from features.errors import NotEnoughDataError
from features.label_settings import FitLabelSettings
from features.mapping import Config
from features.tables import Tables
from features.workspace import Manifest
from models.card import ModelKey, kind_of, name_of
from training.fit import Training, matrix
from training.gate.held_out import HeldOut, held_out
from training.labels import fit_labels
from training.learning.few_rows import learn_rows
from training.learning.learn import Progress, Rows
from training.learning.pursuit import weighed_by_pursuit

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
        tables=tables,
        labels=config.of_model(training.key).labels.fit,
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
    tables: Tables,
    labels: FitLabelSettings,
    cutoff: datetime,
    smallest: int,
    progress: Progress | None = None,
) -> pd.DataFrame | None:
    """account_id, as_of, label, label_known_at, probability of rows whose label became known after `cutoff`.

    tables, labels: that the training learned from; read where it weighs deals by pursuit. smallest: rows of
    each class that these must have.
    """
    rows = training.rows
    known = (rows.frame["label_known_at"] <= pd.Timestamp(cutoff)).to_numpy()
    events = int(rows.label[~known].sum())
    if min(events, int((~known).sum()) - events) < smallest:
        return None
    earlier = Rows(
        rows.frame[known].reset_index(drop=True), np.ascontiguousarray(rows.X[known]), rows.catalogue
    )
    what = f"rehearse the {training.kind} model"
    try:
        if rows.weight is not None:
            earlier = _weighed(earlier, tables=tables, labels=labels, cutoff=cutoff)
        learned = learn_rows(earlier, settings=training.settings, progress=progress, what=what)
    except NotEnoughDataError:
        return None
    later = rows.frame.loc[~known, ["account_id", "as_of", "label", "label_known_at"]]
    return later.reset_index(drop=True).assign(probability=learned.probabilities(rows.X[~known]))


def _weighed(rows: Rows, *, tables: Tables, labels: FitLabelSettings, cutoff: datetime) -> Rows:
    """The rows with weights by the pursuit that was known at `cutoff`; whom sales took up since is no hint.

    Raises NotEnoughDataError where too few accounts were pursued by then, or too few passed over.
    """
    accounts = fit_labels(tables, cutoff=cutoff, settings=labels).pursued
    if accounts is None:
        return rows
    X = matrix(tables, accounts, catalogue=rows.catalogue.select(groups=FIT_GROUPS))
    return weighed_by_pursuit(rows, accounts=accounts, X=X)
