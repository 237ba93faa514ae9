"""What is told of each suggested account: reasons for and against, and the seeds that it is nearest to.

Turns places in a ranking into suggestions. The baseline, the reasons and the rest add up to the score, and
the nearest seeds are those of the ranker's own space, with what both have in common that speaks for the
account. Time rule: that of the ranking. Null rule: that of the reasons.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features.wording import english_label
from models.lookalikes.estimates import Estimate
from models.lookalikes.nearest import nearest_seeds
from models.lookalikes.ranking import Ranking
from models.lookalikes.reasons import Reason, Seen, Words, by_name, phrase

__all__ = ["NearSeed", "Suggestion", "explain"]

Integers = NDArray[np.int64]
Row = NDArray[np.float64]

_FOR: Final = 4
_AGAINST: Final = 3
_NEAR: Final = 3
_SHARED: Final = 3
_PART: Final = 5_000
_ALIKE: Final = 0.1
"""Numbers whose ranks among all accounts differ by no more are alike."""


@dataclass(frozen=True)
class NearSeed:
    """distance: in the ranker's own space. shared: what both have in common, most telling first."""

    account_id: str
    name: str | None
    distance: float
    shared: tuple[Words, ...]


@dataclass(frozen=True)
class Suggestion:
    """One account. place: 1 for the first.

    score: baseline + contributions of the reasons + other, in the ranker's own unit: log-odds against the
        weighted crowd, or a cosine. lift: how many times as dense seeds are here as everywhere. chance: of
        being one that the seeds stand for, where the level is known; see `Sureness`. blended, parts: what
        the place follows from instead, where more than likeness counts; see `models.lookalikes.blending`.
    """

    place: int
    account_id: str
    name: str | None
    domain: str | None
    score: float
    lift: Estimate
    chance: Estimate
    baseline: float
    reasons_for: tuple[Reason, ...]
    reasons_against: tuple[Reason, ...]
    other: float
    nearest: tuple[NearSeed, ...]
    blended: float | None = None
    parts: Mapping[str, float | None] = field(default_factory=dict)


def explain(ranking: Ranking, positions: Integers, *, places: Sequence[int]) -> Iterator[Suggestion]:
    """Suggestions for rows of the universe, in their order. places: of each in the list."""
    seeds = _Side(ranking, ranking.seeds)
    lifts, chances = _estimates(ranking, positions)
    for start in range(0, len(positions), _PART):
        part = slice(start, start + _PART)
        side = _Side(ranking, positions[part])
        near, distances = _nearest(ranking, positions[part])
        for row in range(len(side.cells)):
            yield _suggestion(
                side,
                seeds,
                row,
                place=places[start + row],
                lift=lifts[start + row],
                chance=chances[start + row],
                near=list(zip(near[row].tolist(), distances[row].tolist(), strict=True)),
            )


class _Side:
    """Accounts with what the ranker sees of them. cells: raw, by row; contributions: (n, k); baseline:
    (n,)."""

    def __init__(self, ranking: Ranking, positions: Integers) -> None:
        self.seen = _seen(ranking)
        self.cells: list[Mapping[str, Any]] = ranking.universe.rows.take(positions).to_pylist()
        self.contributions, self.baseline = ranking.contributions(positions)
        encoded = ranking.prepared.rows(positions)
        self._ranks = {
            one.block.attribute.name: encoded[:, _rank_column(ranking, one)] / one.block.scale[0]
            for one in self.seen
            if one.block.attribute.type == "number"
        }
        self.by_attribute = np.column_stack(
            [self.contributions[:, one.columns].sum(axis=1) for one in self.seen]
        )
        self._words: dict[tuple[int, str], list[tuple[str, float]]] = {}

    def rank(self, row: int, name: str) -> float:
        """The share of accounts below this number."""
        return float(self._ranks[name][row])

    def words(self, row: int, one: Seen, *, sign: float) -> list[str]:
        """Words of a text that add most in a direction."""
        name, space = one.block.attribute.name, one.block.text
        text = self.cells[row][name]
        if space is None or not text:
            return []
        points = one.block.encode(_single(text))[0]
        each = self.contributions[row, one.columns]
        weights = np.zeros(space.dimensions, dtype=np.float32)
        own = points[one.own]
        weights[one.own] = np.where(own != 0, each / np.where(own != 0, own, 1.0), 0.0)
        return [word for word, _ in space.telling_words(text, np.float32(sign) * weights)]


def _single(text: str) -> Any:
    import pyarrow as pa

    return pa.array([text], pa.string())


def _rank_column(ranking: Ranking, one: Seen) -> int:
    owners = ranking.prepared.encoding.owners
    return int(np.searchsorted(owners, ranking.prepared.encoding.blocks.index(one.block), "left"))


def _seen(ranking: Ranking) -> list[Seen]:
    encoding = ranking.prepared.encoding
    owners = encoding.owners[ranking.columns]
    return [
        Seen(encoding.blocks[owner], places, ranking.columns[places] - int((encoding.owners < owner).sum()))
        for owner in np.unique(owners).tolist()
        for places in (np.flatnonzero(owners == owner),)
    ]


def _nearest(ranking: Ranking, positions: Integers) -> tuple[Integers, Row]:
    """Nearest seeds of each account: in the space of the model that scored it."""
    near = np.zeros((len(positions), min(_NEAR, len(ranking.seeds))), dtype=np.int64)
    distances = np.zeros(near.shape)
    parts = ranking.account_parts[positions]
    own, seeds = ranking.encoded(positions), ranking.encoded(ranking.seeds)
    for part in np.unique(parts).tolist():
        rows = parts == part
        near[rows], distances[rows] = nearest_seeds(
            ranking.learned.space(own[rows], part=part),
            seeds=ranking.learned.space(seeds, part=part),
            count=_NEAR,
        )
    return near, distances


def _estimates(ranking: Ranking, positions: Integers) -> tuple[list[Estimate], list[Estimate]]:
    places = ranking.places[positions]
    found = []
    for told in (ranking.sureness.lift(places), ranking.sureness.chance(places)):
        value, low, high = (column.tolist() for column in told)
        found.append(
            [
                Estimate(None if math.isnan(v) else v, least, most)
                for v, least, most in zip(value, low, high, strict=True)
            ]
        )
    return found[0], found[1]


def _suggestion(
    side: _Side,
    seeds: _Side,
    row: int,
    *,
    place: int,
    lift: Estimate,
    chance: Estimate,
    near: Sequence[tuple[int, float]],
) -> Suggestion:
    sums = side.by_attribute[row]
    ranked = np.argsort(-np.abs(sums), kind="stable").tolist()
    strong = [at for at in ranked if abs(sums[at]) > 1e-9]
    speaking = [at for at in strong if sums[at] > 0][:_FOR]
    against = [at for at in strong if sums[at] < 0][:_AGAINST]
    shown = {*speaking, *against}
    cells = side.cells[row]
    return Suggestion(
        place=place,
        account_id=cells["account_id"],
        name=cells["name"],
        domain=cells["domain"],
        score=float(sums.sum() + side.baseline[row]),
        lift=lift,
        chance=chance,
        baseline=float(side.baseline[row]),
        reasons_for=tuple(_reason(side, row, at) for at in speaking),
        reasons_against=tuple(_reason(side, row, at) for at in against),
        other=float(sum(sums[at] for at in range(len(sums)) if at not in shown)),
        nearest=tuple(
            NearSeed(
                seeds.cells[seed]["account_id"],
                seeds.cells[seed]["name"],
                distance,
                tuple(_shared(side, row, seeds, seed)),
            )
            for seed, distance in near
        ),
    )


def _reason(side: _Side, row: int, at: int) -> Reason:
    one = side.seen[at]
    value = by_name(side.cells, row, one.block.attribute.name)
    told: list[str] = []
    if one.block.text is not None:
        told = side.words(row, one, sign=1.0 if side.by_attribute[row, at] >= 0 else -1.0)
    return one.reason(value, side.contributions[row], told=told)


def _shared(side: _Side, row: int, seeds: _Side, seed: int) -> Iterator[Words]:
    """What an account and a seed have in common and speaks for both, most telling first."""
    both = np.minimum(side.by_attribute[row], seeds.by_attribute[seed])
    found = 0
    for at in np.argsort(-both, kind="stable").tolist():
        if both[at] <= 0 or found == _SHARED:
            return
        words = _in_common(side, row, seeds, seed, side.seen[at])
        if words is not None:
            found += 1
            yield words


def _in_common(side: _Side, row: int, seeds: _Side, seed: int, one: Seen) -> Words | None:
    attribute = one.block.attribute
    own, other = (
        by_name(cells, at, attribute.name) for cells, at in ((side.cells, row), (seeds.cells, seed))
    )
    if own is None or other is None:
        return None
    if attribute.type == "set":
        both = sorted(set(own) & set(other))[:_SHARED]
        shown = ", ".join(map(english_label, both))
        chinese = attribute.label_zh or attribute.label
        return Words(f"{attribute.label}: {shown}", f"{chinese}：{shown}") if both else None
    if attribute.type == "text":
        return _in_both_texts(side, row, str(other), one)
    if attribute.type == "number":
        name = attribute.name
        if abs(side.rank(row, name) - seeds.rank(seed, name)) > _ALIKE:
            return None
        return _around(phrase(attribute, own), phrase(attribute, other))
    return phrase(attribute, own) if own == other else None


def _around(own: Words, other: Words) -> Words:
    """Two numbers that are alike."""
    if own == other:
        return own
    values = other.en.rpartition(": ")[2]
    return Words(f"{own.en} (the seed: {values})", f"{own.zh}（种子客户：{values}）")


def _in_both_texts(side: _Side, row: int, other: str, one: Seen) -> Words | None:
    folded = other.casefold()
    words = [word for word in side.words(row, one, sign=1.0) if word in folded]
    if not words:
        return None
    attribute, shown = one.block.attribute, ", ".join(words)
    chinese = attribute.label_zh or attribute.label
    return Words(f"{attribute.label} speaks of {shown}", f"{chinese}提到：{shown}")
