"""Whom a challenger contends with: what answers today for the rows that it will answer.

Turns the models that are served, and those that are to be asked before the challenger, into the served model
that answers each of its rows, as the server would choose it. A model for accounts that nothing served answers
is new, and there is nothing that it could be worse than. A few that something answers do not change that: a
new segment always overlaps somewhere, by an account that moved or a fact that was mended. So it stays new
while what is served answers fewer than one in ten of its rows, and too few to compare (`smallest_class` of
[gate] with the event, and without). One of both alone is no reason: many rows are compared however small
their share, and a large share that is too few to compare leaves what is served where it is. Time rule: a
population is asked at the moment of each row. Null rule: a row that nothing served answers, that a model
which is asked before the challenger will answer, or of which what is served says something about another
product, is left out and counted; a served model whose labels cannot be read counts as speaking of everybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.label_settings import RowSettings
from features.tables import Tables
from models.bundle import Bundle
from models.card import ModelKey, registered_name
from models.choice import speakers
from training.gate.calibrated import rates_of, smaller_class
from training.gate.held_out import HeldOut
from training.labels import spoken_of

__all__ = ["Champion", "Contest", "Contested", "cutoff_of", "told_left_out"]


@dataclass(frozen=True)
class Champion:
    """A model that is served.

    bundle: None where it cannot be scored with here; fault says why. held_out: None where its training kept
    nothing. labels: whom it is about; None where that is not known.
    """

    key: ModelKey
    fingerprint: str
    bundle: Bundle | None
    held_out: HeldOut | None
    labels: RowSettings | None = None
    fault: str = ""


def cutoff_of(bundle: Bundle) -> datetime:
    """Up to when a model has learned, naive UTC."""
    return datetime.fromisoformat(bundle.card["cutoff"]).replace(tzinfo=None)


@dataclass(frozen=True)
class Contested:
    """Rows of a challenger that something served answers.

    rows: those given, and `place`, that of the champion that answers each. left_out: how many were, by why.
    """

    rows: pd.DataFrame
    left_out: Mapping[str, int]

    def outside(self, *, smallest: int) -> str | None:
        """Why there is nothing to compare; None where there is, and where there were no rows.

        smallest: rows with the event, and without, that a comparison needs; rows: with `label`.
        """
        found = [why for why, count in self.left_out.items() if count]
        own = len(self.rows) + sum(self.left_out[why] for why in _UNCONTESTED)
        if not found or smaller_class(self.rows) >= smallest or len(self.rows) >= _SMALLEST_SHARE * own > 0:
            return None
        reasons = "; ".join(map(_WHY.__getitem__, found))
        return f"{reasons}{self._handful(own, smallest=smallest)}"

    def _handful(self, own: int, *, smallest: int) -> str:
        if self.rows.empty:
            return ""
        return (
            f"; of its {own:,} rows {len(self.rows):,} are answered by something served "
            f"({100 * len(self.rows) / own:.1f} %, fewer than {100 * _SMALLEST_SHARE:g} %), "
            f"{rates_of(self.rows)}, {smallest} needed of each: too few to make it anything but new"
        )

    def without(self, rows: NDArray[np.bool_], *, why: str) -> Contested:
        """Leave these rows out, too. rows: (n,). why: a key of `left_out`."""
        return Contested(self.rows[~rows], {**self.left_out, why: int(rows.sum())})


_SMALLEST_SHARE = 0.1
"""Of a challenger's rows, that something served answers: with less, and too few to compare, it is new."""

_UNCONTESTED = ("unanswered", "other_product")

_WHY = {
    "asked_before": "a model that is asked before this one will answer its held-out rows",
    "unanswered": "nothing that is served answers these accounts yet",
    "other_product": "what is served answers another question for these accounts, about another product",
    "learned_from": "their outcome was known when the served model that answers them was trained",
    "rehearsed_later": "the rehearsal knew more than the served model that answers them could",
    "not_held_out": "the served model that answers them did not hold them out, or an account is gone",
}


@dataclass(frozen=True)
class Contest:
    """Who answers what a challenger will answer.

    key, labels: of the challenger; None where its card does not say. champions: the served models of its
    kind, and before: labels of the models that are to be asked before it, in the order in which they are.
    """

    key: ModelKey
    champions: tuple[Champion, ...] = ()
    labels: RowSettings | None = None
    before: tuple[RowSettings | None, ...] = ()

    def of(self, rows: pd.DataFrame, *, tables: Tables) -> Contested:
        """rows: account_id, as_of and more."""
        own = rows[self._asked_before(rows, tables=tables) < 0]
        places = self._answering(own, tables=tables)
        product = np.array([self._has_product(one) for one in self.champions] + [True])
        comparable = (places >= 0) & product[places]
        counts = {
            "asked_before": len(rows) - len(own),
            "unanswered": int((places < 0).sum()),
            "other_product": int((~product[places]).sum()),
        }
        return Contested(own[comparable].assign(place=places[comparable]).reset_index(drop=True), counts)

    def main(self, rows: pd.DataFrame) -> Champion | None:
        """The served model that answers most of these rows. rows: as `of` gives them."""
        return None if rows.empty else self.champions[int(np.bincount(rows["place"]).argmax())]

    def told(self, rows: pd.DataFrame, *, left_out: Mapping[str, int]) -> str:
        """Whose answers are compared, where that is not the model of the same name for all rows."""
        counts = rows["place"].value_counts()
        names = {self.champions[int(str(place))].key: count for place, count in counts.items()}
        answer = [f"{registered_name(key)} ({count:,})" for key, count in names.items()]
        parts = [] if list(names) == [self.key] else [f"these rows are answered by {' and '.join(answer)}"]
        return "".join(f"; {part}" for part in (*parts, *told_left_out(left_out)))

    def _has_product(self, champion: Champion) -> bool:
        ours, theirs = self.labels, champion.labels
        return ours is None or theirs is None or ours.product == theirs.product

    def _asked_before(self, rows: pd.DataFrame, *, tables: Tables) -> NDArray[np.int64]:
        return _speaking(self.before, rows, tables=tables, same=None)

    def _answering(self, rows: pd.DataFrame, *, tables: Tables) -> NDArray[np.int64]:
        found = tuple(champion.labels for champion in self.champions)
        return _speaking(found, rows, tables=tables, same=self.labels)


def told_left_out(left_out: Mapping[str, int]) -> list[str]:
    """How many rows are left out, by why."""
    return [f"{count:,} rows are left out: {_WHY[why]}" for why, count in left_out.items() if count]


def _speaking(
    labels: tuple[RowSettings | None, ...], rows: pd.DataFrame, *, tables: Tables, same: RowSettings | None
) -> NDArray[np.int64]:
    """The place of the first model that speaks of each row, -1 for none. same: of whoever made the rows."""
    if not labels or rows.empty:
        return np.full(len(rows), -1, dtype=np.int64)
    everybody = np.ones(len(rows), dtype=bool)
    return speakers(
        [everybody if one is None or one == same else spoken_of(tables, rows, settings=one) for one in labels]
    )
