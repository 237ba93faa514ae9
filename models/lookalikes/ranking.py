"""A universe in the order of how much each account is like the seeds.

Turns a universe and seeds into a score for every account, by the ranker that found hidden seeds best, over
the attributes that mean the same of seeds and of the others. Time rule: none, the universe is of one
moment. Null rule: that of the encoding. The same accounts give the same bits in whatever order they come:
rows are sorted by account_id, chance is drawn with fixed seeds, and equal scores are told apart by
account_id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.errors import InputError, NotEnoughDataError, suggestion
from features.universe import Universe
from models.lookalikes.choosing import Choice, candidates, choose, divisions
from models.lookalikes.comparing import Compared, compare_attributes
from models.lookalikes.encoding import Encoding, learn_encoding
from models.lookalikes.estimates import Sureness
from models.lookalikes.rankers import RANKERS, Learned, RankerName, Sample, learn_ranker

__all__ = ["Prepared", "Ranking", "prepare", "rank_universe"]

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]

_CROWD: Final = 50_000
"""Accounts without a label that rankers learn from and are judged among."""

_PART: Final = 20_000
_KEPT: Final = 100_000_000
"""Numbers of an encoded universe that are kept for the next question; more are made again when asked for."""

_POINTS_FOR_TREES: Final = 32


@dataclass(frozen=True)
class Prepared:
    """A universe with its encoding, to be asked many times."""

    universe: Universe
    encoding: Encoding

    @cached_property
    def _whole(self) -> NDArray[np.float32] | None:
        if len(self.universe) * len(self.encoding.labels) > _KEPT:
            return None
        return self.encoding.encode(self.universe.rows)

    def rows(self, positions: Integers) -> NDArray[np.float32]:
        """float32 (n, k): encoded accounts."""
        if self._whole is not None:
            return self._whole[positions]
        return self.encoding.encode(self.universe.rows.take(positions))

    def parts(self) -> Iterator[tuple[Integers, NDArray[np.float32]]]:
        """All accounts, so many at a time."""
        for start in range(0, len(self.universe), _PART):
            positions = np.arange(start, min(start + _PART, len(self.universe)))
            if self._whole is not None:
                yield positions, self._whole[start : start + _PART]
            else:
                yield positions, self.encoding.encode(self.universe.rows.slice(start, _PART))

    def view(self, ranker: RankerName, *, names: Sequence[str], emptiness: Sequence[str]) -> Integers:
        """Columns that a ranker looks at, of the attributes `names`.

        Trees would tell apart what is not known by what it is not, so they look at attributes in `emptiness`
        alone: those of which it counts that a cell is empty.
        """
        names = emptiness if ranker == "trees" else names
        columns = self.encoding.columns_of(names, emptiness=emptiness)
        roles = self.encoding.roles[columns]
        if ranker != "trees":
            return np.asarray(columns[roles != "rank"])
        starts = np.searchsorted(self.encoding.owners, self.encoding.owners[columns], "left")
        far = (roles == "point") & (columns - starts >= _POINTS_FOR_TREES)
        return np.asarray(columns[(roles != "knot") & ~far])


def prepare(universe: Universe) -> Prepared:
    """Learn how the accounts of a universe are told apart. Raises NotEnoughDataError without attributes."""
    encoding = learn_encoding(universe)
    if not encoding.blocks:
        raise NotEnoughDataError(
            "the accounts have nothing to be alike in",
            got=f"{len(universe):,} accounts without an attribute that tells two of them apart",
            allowed="industry, country, employees, technologies, a description or other attributes",
            fix="bind such columns in the mapping, and ingest again",
        )
    return Prepared(universe, encoding)


@dataclass(frozen=True)
class Ranking:
    """Scores of all accounts. seeds: their rows. compared: every attribute of the universe, used or not.

    columns: those that the ranker looks at. scores: float64 (n,). account_parts: (n,), which part an account
    is in; its score comes from a model that never saw it without a label.
    """

    prepared: Prepared
    seeds: Integers
    compared: tuple[Compared, ...]
    choice: Choice
    columns: Integers
    learned: Learned
    scores: Doubles
    account_parts: Integers
    sureness: Sureness

    @property
    def universe(self) -> Universe:
        return self.prepared.universe

    @cached_property
    def order(self) -> Integers:
        """Rows of all accounts that are no seeds, the most alike first, ties by account_id."""
        order = np.lexsort((np.arange(len(self.scores)), -self.scores))
        seed = np.zeros(len(self.scores), dtype=np.bool_)
        seed[self.seeds] = True
        return np.asarray(order[~seed[order]], dtype=np.int64)

    @cached_property
    def places(self) -> Doubles:
        """(n,): the share of all accounts that are no seeds which an account is behind; NaN for seeds."""
        found = np.full(len(self.scores), np.nan)
        found[self.order] = (np.arange(len(self.order)) + 0.5) / max(len(self.order), 1)
        return found

    def encoded(self, positions: Integers) -> NDArray[np.float32]:
        """Accounts as the ranker sees them."""
        return self.prepared.rows(positions)[:, self.columns]

    def contributions(self, positions: Integers) -> tuple[Doubles, Doubles]:
        """What each column adds to the score (n, k), and the baseline (n,)."""
        X, parts = self.encoded(positions), self.account_parts[positions]
        found = np.zeros((len(X), X.shape[1] + 1))
        for part in np.unique(parts):
            found[parts == part] = self.learned.contributions(X[parts == part], part=int(part))
        return found[:, :-1], found[:, -1]


def rank_universe(
    prepared: Prepared,
    seeds: Iterable[str],
    *,
    rankers: Sequence[RankerName] | None = None,
    label_rate: float | None = None,
) -> Ranking:
    """Order a universe by likeness to seeds.

    seeds: account_ids; each counts once, whatever their order. rankers: to choose from; by default those that
    so many seeds may be served by. label_rate: see `Sureness`.
    Raises InputError for a seed that is no account, an unknown ranker, or a universe of nothing but seeds,
    and NotEnoughDataError without a seed or where no attribute can be compared.
    """
    universe = prepared.universe
    positions = _positions(universe, seeds)
    names = _rankers(rankers, seeds=len(positions))
    compared = compare_attributes(universe, seeds=positions)
    used = [one.name for one in compared if one.used]
    emptiness = [one.name for one in compared if one.used and one.emptiness]
    if not len(prepared.encoding.columns_of(used, emptiness=emptiness)):
        raise NotEnoughDataError(
            "no attribute means the same of seeds and of other accounts",
            got="; ".join(one.sentence() for one in compared if not one.used),
            fix="bind attributes that are known of all accounts, and ingest again",
        )
    divided = divisions(len(positions))
    sample, parts = _sample(prepared, positions, divided=divided)
    views = {name: prepared.view(name, names=used, emptiness=emptiness) for name in names}
    names = [name for name in names if len(views[name])] or RANKERS[:1]
    choice = choose(sample, view=views.__getitem__, rankers=names)
    columns = views[choice.ranker]
    own = Sample(sample.seeds[:, columns], sample.crowd[:, columns], sample.parts, divided)
    learned = learn_ranker(choice.ranker, own)
    scores = _scores(prepared, learned, columns=columns, parts=parts)
    others = len(universe) - len(positions)
    shares = choice.shares
    sureness = Sureness(shares, choice.crowd_shares, len(positions), others, label_rate)
    return Ranking(prepared, positions, compared, choice, columns, learned, scores, parts, sureness)


def _positions(universe: Universe, seeds: Iterable[str]) -> Integers:
    wanted = set(seeds)
    if not wanted:
        raise NotEnoughDataError(
            "there is no seed", fix="name at least one account to look for others like it"
        )
    positions = universe.positions(wanted)
    if len(positions) < len(wanted):
        known = set(universe.rows.column("account_id").take(positions).to_pylist())
        absent = sorted(wanted - known)
        raise InputError(
            f"{len(absent):,} seeds are no accounts of the universe",
            got=", ".join(absent[:5]),
            fix="match them to accounts first, or leave them out",
        )
    if len(positions) == len(universe):
        raise InputError(
            "every account is a seed: nothing is left to look through",
            got=f"{len(positions):,} seeds of {len(universe):,} accounts",
            fix="ingest a larger universe, or name fewer seeds",
        )
    return positions


def _rankers(asked: Sequence[RankerName] | None, *, seeds: int) -> Sequence[RankerName]:
    for name in asked or ():
        if name not in RANKERS:
            raise InputError(
                "no such ranker", got=repr(name), allowed=", ".join(RANKERS), fix=suggestion(name, RANKERS)
            )
    return sorted(asked, key=RANKERS.index) if asked else candidates(seeds)


def _sample(prepared: Prepared, seeds: Integers, *, divided: int) -> tuple[Sample, Integers]:
    """Seeds and crowd to learn from, and the part of every account."""
    count = len(prepared.universe)
    place = np.random.default_rng(1).permutation(count)
    parts = place % divided
    others = np.setdiff1d(np.arange(count), seeds)
    crowd = others[np.argsort(place[others], kind="stable")[:_CROWD]]
    return Sample(prepared.rows(seeds), prepared.rows(crowd), parts[crowd], divided), parts


def _scores(prepared: Prepared, learned: Learned, *, columns: Integers, parts: Integers) -> Doubles:
    scores = np.empty(len(prepared.universe))
    for positions, X in prepared.parts():
        told = np.ascontiguousarray(X[:, columns])
        for part in np.unique(parts[positions]):
            rows = parts[positions] == part
            scores[positions[rows]] = learned.scores(told[rows], part=int(part))
    return scores
