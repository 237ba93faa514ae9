"""What a comparison may rest on: rows that neither model has learned from, the fairest first.

Turns a challenger's rows, as its rehearsal and its later slices predicted them, into up to three sets with
what is left out of each, counted by why. Time rule: a served model is asked about rows whose label became
known after its own cutoff alone. A rehearsal counts against served models that had learned up to its moment
or later: one that had seen what a served model could not would win by that alone, and one that had seen less
is hard on the challenger and on nobody else, as where a model was promoted since. Null rule: rows that a
model which cannot be scored with answers are left out, as if it had learned from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.card import registered_name
from training.gate.calibrated import rates_of, smaller_class
from training.gate.contest import Champion, Contest, Contested, cutoff_of, told_left_out

__all__ = ["UNSEEN", "Basis", "bases_of"]

UNSEEN = "whose outcome was not known when the served model was trained"
_BOTH = "that both models held out of their trainings"


@dataclass(frozen=True)
class Basis:
    """Rows of a challenger that something served answers, and what they are.

    found: with the columns `challenger` and, where that is known already, `champion`.
    """

    found: Contested
    what: str

    @property
    def rows(self) -> pd.DataFrame:
        return self.found.rows

    @property
    def is_scored(self) -> bool:
        return "champion" in self.rows

    def with_rows(self, rows: pd.DataFrame) -> Basis:
        return replace(self, found=replace(self.found, rows=rows))

    def bears(self, smallest: int, *, main: int | None) -> bool:
        """Whether there are as many rows of each class, in all and of this served model, by its place."""
        enough = smaller_class(self.rows) >= smallest
        return enough and (main is None or smaller_class(self._of(main)) >= smallest)

    def counts(self, contest: Contest, *, smallest: int) -> dict[str, dict[str, int | bool]]:
        """By key of each served model: its rows here, those with the event, and whether they are enough."""
        found = {one.key: self._of(place) for place, one in enumerate(contest.champions)}
        return {
            key: {
                "rows": len(rows),
                "events": int(rows["label"].sum()),
                "enough": smaller_class(rows) >= smallest,
            }
            for key, rows in found.items()
        }

    def few(self, contest: Contest, *, smallest: int, among: pd.DataFrame) -> Iterator[str]:
        """Of which of several served models nothing can be told alone. among: rows of the challenger."""
        places = sorted(among["place"].unique())
        for place in places if len(places) > 1 else ():
            rows = self._of(place)
            if smaller_class(rows) < smallest:
                name = registered_name(contest.champions[place].key)
                yield f"of {name} alone there are too few, {rates_of(rows)}, {smallest} needed of each"

    def lacking(self, contest: Contest, *, smallest: int, among: pd.DataFrame) -> str:
        """Why it bears no comparison."""
        few = self.few(contest, smallest=smallest, among=among)
        counted = f"of rows {self.what} there are {rates_of(self.rows)}"
        return "; ".join([counted, *few, *told_left_out(self.found.left_out)])

    def _of(self, place: int) -> pd.DataFrame:
        return self.rows[self.rows["place"] == place]


def bases_of(
    own: Contested,
    rehearsed: Contested,
    *,
    champions: Sequence[Champion],
    rehearsed_at: datetime | None,
    accounts: list[str],
) -> tuple[Basis, ...]:
    """Of the rehearsal where there was one, of the later slices, and of what both held out.

    own, rehearsed: of the later slices and of the rehearsal. accounts: that the tables hold.
    """
    slices = Basis(_unknown(own, champions), f"{UNSEEN}, of the challenger's later slices")
    both = _held_by_both(own.rows, champions, accounts=accounts)
    left_out = {**own.left_out, "not_held_out": len(own.rows) - len(both)}
    held = Basis(Contested(both, left_out), _BOTH)
    if rehearsed_at is None:
        return slices, held
    return _rehearsed(rehearsed, champions, at=rehearsed_at), slices, held


def _rehearsed(rehearsed: Contested, champions: Sequence[Champion], *, at: datetime) -> Basis:
    places = rehearsed.rows["place"].to_numpy()
    knew_more = np.datetime64(at) > _cutoffs(champions)[places]
    found = _unknown(rehearsed.without(knew_more, why="rehearsed_later"), champions)
    what = f"{UNSEEN} and the challenger rehearsed"
    learned = _cutoffs(champions)[np.unique(found.rows["place"])]
    told = f", by what was known on {at.date()}, before that" if (np.datetime64(at) < learned).any() else ""
    return Basis(found, f"{what}{told}")


def _unknown(found: Contested, champions: Sequence[Champion]) -> Contested:
    """Without rows that the served model which answers them may have learned from."""
    cutoffs = _cutoffs(champions)[found.rows["place"].to_numpy()]
    # No moment is after one that is not there, so that rows of what cannot be scored with stay out.
    return found.without(~(found.rows["label_known_at"].to_numpy() > cutoffs), why="learned_from")


def _cutoffs(champions: Sequence[Champion]) -> NDArray[np.datetime64]:
    return np.array(
        [np.datetime64("NaT") if one.bundle is None else cutoff_of(one.bundle) for one in champions],
        dtype="datetime64[us]",
    )


def _held_by_both(own: pd.DataFrame, champions: Sequence[Champion], *, accounts: list[str]) -> pd.DataFrame:
    """Rows that both held out, each with what its champion predicted of it then."""
    same, parts = ["account_id", "as_of", "label"], []
    for place in sorted(own["place"].unique()):
        held = champions[place].held_out
        if held is not None:
            theirs = held.of(accounts).rename(columns={"probability": "champion"})
            parts.append(own[own["place"] == place].merge(theirs[[*same, "champion"]], on=same))
    return pd.concat(parts, ignore_index=True) if parts else own.iloc[:0].assign(champion=np.nan)
