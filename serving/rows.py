"""The features of many subjects: one pass of the SQL over those that are known, one over those sent along.

Turns subjects and the models that are asked into rows. Time rule: each subject stands at its own `as_of`.
Null rule: a subject of which no model is asked has no rows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

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
    for sent_along in (False, True):
        places = [place for place, (one, _) in enumerate(wanted) if (one.tables is not None) is sent_along]
        if places:
            own = [wanted[place] for place in places]
            built = _sent_along(desk, own) if sent_along else _known(desk, own)
            for position, place in enumerate(places):
                found[place] = {key: built[key][position] for key in wanted[place][1]}
    return found


def _rows(desk: Desk, subject: Subject, models: Collection[ModelKey]) -> Mapping[ModelKey, Row]:
    if subject.tables is None:
        return desk.rows(subject.account.account_id or "", models, as_of=subject.as_of)
    return desk.record_rows(subject.tables, RECORD_ID, models, as_of=subject.as_of)


def _known(desk: Desk, wanted: Sequence[Wanted]) -> Mapping[ModelKey, Row]:
    names = [subject.account.account_id or "" for subject, _ in wanted]
    return desk.matrices(_keys(names, wanted), _models(wanted))


def _sent_along(desk: Desk, wanted: Sequence[Wanted]) -> Mapping[ModelKey, Row]:
    tables = together([subject.tables for subject, _ in wanted if subject.tables is not None])
    names = [record_name(place) for place in range(len(wanted))]
    return desk.record_matrices(tables, _keys(names, wanted), _models(wanted))


def _keys(names: Sequence[str], wanted: Sequence[Wanted]) -> pd.DataFrame:
    moments = np.array([subject.as_of for subject, _ in wanted], dtype="datetime64[us]")
    return pd.DataFrame({"account_id": list(names), "as_of": moments})


def _models(wanted: Sequence[Wanted]) -> set[ModelKey]:
    return {key for _, models in wanted for key in models}
