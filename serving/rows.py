"""The features of many subjects: one pass of the SQL for each way in which they are known.

Turns subjects and the models that are asked into rows: over the tables, over an account's own rows where more
is known of it than they hold, and over the rows of accounts that were sent along. Time rule: each subject
stands at its own `as_of`. Null rule: a subject of which no model is asked has no rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.card import ModelKey
from serving.desk import Desk
from serving.record_tables import record_name, together
from serving.records import RECORD_ID
from serving.subjects import Subject

__all__ = ["rows_of"]

Row = NDArray[np.float64]
Wanted = tuple[Subject, Collection[ModelKey]]


def rows_of(desk: Desk, wanted: Sequence[Wanted]) -> list[Mapping[ModelKey, Row]]:
    """For each subject its features for the models asked of it, float64 (k,) as their catalogues order them.

    The same bits for one subject as for many.
    """
    if len(wanted) == 1:
        return [_rows(desk, *wanted[0])]
    found: list[Mapping[ModelKey, Row]] = [{} for _ in wanted]
    for build in (_known, _newer, _sent_along):
        places = [place for place, (one, _) in enumerate(wanted) if _way(one) is build]
        if places:
            built = build(desk, [wanted[place] for place in places])
            for position, place in enumerate(places):
                # A copy: what is remembered of one must not hold the rows of all.
                found[place] = {key: built[key][position].copy() for key in wanted[place][1]}
    return found


def _rows(desk: Desk, subject: Subject, models: Collection[ModelKey]) -> Mapping[ModelKey, Row]:
    if subject.tables is not None:
        return desk.record_rows(subject.tables, RECORD_ID, models, as_of=subject.as_of)
    account = subject.account.account_id or ""
    if subject.newer:
        tables = desk.snapshot.own_rows.tables([account], newer=subject.newer)
        return desk.record_rows(tables, account, models, as_of=subject.as_of)
    return desk.rows(account, models, as_of=subject.as_of)


def _way(subject: Subject) -> Callable[[Desk, Sequence[Wanted]], Mapping[ModelKey, Row]]:
    """How the features of a subject are computed."""
    if subject.tables is not None:
        return _sent_along
    return _newer if subject.newer else _known


def _known(desk: Desk, wanted: Sequence[Wanted]) -> Mapping[ModelKey, Row]:
    keys = pd.DataFrame({"account_id": _names(wanted), "as_of": _moments(wanted)})
    return desk.matrices(keys, _models(wanted))


def _newer(desk: Desk, wanted: Sequence[Wanted]) -> Mapping[ModelKey, Row]:
    names, newer = _names(wanted), {row for subject, _ in wanted for row in subject.newer}
    tables = desk.snapshot.own_rows.tables(set(names), newer=sorted(newer, key=lambda row: row.sequence))
    return desk.record_matrices(tables, names, _models(wanted), moments=_moments(wanted))


def _names(wanted: Sequence[Wanted]) -> list[str]:
    return [subject.account.account_id or "" for subject, _ in wanted]


def _sent_along(desk: Desk, wanted: Sequence[Wanted]) -> Mapping[ModelKey, Row]:
    tables = together([subject.tables for subject, _ in wanted if subject.tables is not None])
    names = [record_name(place) for place in range(len(wanted))]
    return desk.record_matrices(tables, names, _models(wanted), moments=_moments(wanted))


def _moments(wanted: Sequence[Wanted]) -> NDArray[np.datetime64]:
    return np.array([subject.as_of for subject, _ in wanted], dtype="datetime64[us]")


def _models(wanted: Sequence[Wanted]) -> set[ModelKey]:
    return {key for _, models in wanted for key in models}
