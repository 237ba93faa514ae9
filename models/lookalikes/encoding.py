"""Accounts as numbers: what each attribute says of an account, on scales that can be added up.

Turns raw columns of a universe into a float32 matrix of blocks, one block for each attribute: numbers by
their rank among all accounts, as shares of the knots around it; words as flags of the common ones, rare
ones less than common ones by how few accounts have them; sets as flags of their members; texts as points of
a `TextSpace`. No block knows of the others, so that an attribute can be left out without a trace. Time
rule: none, the universe is of one moment. Null rule: what is not known is 0, which is the mean of those
that are known; a further column says that it is not known, where that means the same for everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.tables import Attribute
from features.universe import Universe
from models.lookalikes.texts import TextSpace

__all__ = ["Block", "Encoding", "Role", "learn_encoding"]

Floats = NDArray[np.float32]
Role = Literal["knot", "rank", "level", "member", "flag", "point", "missing"]

KNOTS: Final = 8
"""Of a number; between two of them its effect is a straight line in ranks."""

_MOST_LEVELS: Final = 60
_LEAST_ACCOUNTS: Final = 5
"""A word or member of fewer accounts has no flag of its own."""

_RARE: Final = 0.02
"""Below this share a flag is worth less than it would be if likeness were rarity alone."""

_SPREAD: Final = 0.5
"""The standard deviation of a whole block; a text's points have a length of about 1."""

_SAMPLE: Final = 50_000
"""Texts that the space of texts is learned from, evenly chosen."""


class _Code(Protocol):
    """From the cells of a column to float32 (n, columns), NaN in a row that is not known."""

    def __call__(self, cells: pa.Array) -> Floats: ...


@dataclass(frozen=True)
class Block:
    """The columns of one attribute.

    roles, labels: of each column: a "level" or a "member" and its word, a "knot" and its place.
    middle, scale: (k,), taken off and multiplied with where the cell is known. text: of a text alone.
    """

    attribute: Attribute
    roles: tuple[Role, ...]
    labels: tuple[str, ...]
    code: _Code
    middle: Floats
    scale: Floats
    missing: float = 0.0
    text: TextSpace | None = None

    def encode(self, cells: pa.Array) -> Floats:
        """float32 (n, columns)."""
        raw = self.code(cells)
        width = raw.shape[1]
        known = ~np.isnan(raw[:, :1])
        found = np.zeros((len(raw), len(self.roles)), dtype=np.float32)
        found[:, :width] = np.where(known, (raw - self.middle[:width]) * self.scale[:width], np.float32(0))
        if len(self.roles) > width:
            found[:, width] = (~known[:, 0] - self.middle[width]) * self.scale[width]
        return found


@dataclass(frozen=True)
class Encoding:
    """Blocks side by side."""

    blocks: tuple[Block, ...]

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        return tuple(block.attribute for block in self.blocks)

    @property
    def owners(self) -> NDArray[np.int64]:
        """int64 (k,): the place of the attribute that each column belongs to."""
        return np.repeat(np.arange(len(self.blocks)), [len(block.roles) for block in self.blocks])

    @property
    def roles(self) -> NDArray[np.str_]:
        return np.array([role for block in self.blocks for role in block.roles], dtype=np.str_)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(label for block in self.blocks for label in block.labels)

    def encode(self, rows: pa.Table) -> Floats:
        """float32 (n, k), for rows of the universe."""
        parts = [block.encode(_one(rows.column(block.attribute.name))) for block in self.blocks]
        return np.hstack(parts) if parts else np.zeros((rows.num_rows, 0), dtype=np.float32)

    def columns_of(self, names: Sequence[str], *, emptiness: Sequence[str]) -> NDArray[np.int64]:
        """Columns of the attributes `names`; whether a cell is empty counts for those in `emptiness` only."""
        kept = [
            name in names and (role != "missing" or name in emptiness)
            for block in self.blocks
            for role in block.roles
            for name in (block.attribute.name,)
        ]
        return np.flatnonzero(np.array(kept, dtype=np.bool_))


def learn_encoding(universe: Universe) -> Encoding:
    """The encoding of a universe's attributes; one that tells nothing apart has no block."""
    blocks = (_learned(attribute, universe) for attribute in universe.attributes)
    return Encoding(tuple(block for block in blocks if block is not None))


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _learned(attribute: Attribute, universe: Universe) -> Block | None:
    cells = _one(universe.rows.column(attribute.name))
    if attribute.type == "text":
        return _text(attribute, cells)
    made = {"number": _number, "category": _category, "boolean": _flag, "set": _set}[attribute.type](cells)
    if made is None:
        return None
    code, roles, labels = made
    return _scaled(attribute, cells, code=code, roles=roles, labels=labels)


_Made = tuple[_Code, tuple[Role, ...], tuple[str, ...]]


def _scaled(
    attribute: Attribute,
    cells: pa.Array,
    *,
    code: _Code,
    roles: tuple[Role, ...],
    labels: tuple[str, ...],
) -> Block:
    """The block whose columns have a mean of 0 and, together, the variance that every attribute has."""
    raw = code(cells)
    known = raw[~np.isnan(raw[:, 0])].astype(np.float64)
    middle, spread = known.mean(axis=0), known.std(axis=0)
    common = spread**2 + _RARE
    scale = 1.0 / np.sqrt(common)
    total = float(np.sqrt(((spread * scale) ** 2)[np.array(roles) != "rank"].sum()))
    scale = scale * _SPREAD / (total or 1.0)
    empty = 1.0 - len(known) / len(raw)
    if 0.0 < empty < 1.0:
        roles, labels = (*roles, "missing"), (*labels, "")
        middle = np.append(middle, empty)
        scale = np.append(scale, _SPREAD / np.sqrt(empty * (1.0 - empty) + _RARE) * 0.5)
    return Block(attribute, roles, labels, code, middle.astype(np.float32), scale.astype(np.float32))


def _each(role: Role, count: int) -> tuple[Role, ...]:
    """The same role of so many columns."""
    return tuple([role] * count)


def _number(cells: pa.Array) -> _Made | None:
    values = cells.drop_null().to_numpy(zero_copy_only=False).astype(np.float64)
    values = values[np.isfinite(values)]
    points = (
        np.unique(np.quantile(values, np.linspace(0.0, 1.0, 257), method="inverted_cdf"))
        if len(values)
        else values
    )
    if len(points) < 2:
        return None
    ordered = np.sort(values)
    below = np.searchsorted(ordered, points, "left") + np.searchsorted(ordered, points, "right")
    ranks = below / (2.0 * len(ordered))
    places = np.linspace(ranks[0], ranks[-1], min(KNOTS, len(points)))

    def code(cells: pa.Array) -> Floats:
        numbers = cells.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
        rank = np.interp(numbers, points, ranks)
        hats = [np.interp(rank, places, np.eye(len(places))[k]) for k in range(len(places))]
        found = np.stack([rank, *hats], axis=1)
        found[~np.isfinite(numbers)] = np.nan
        return found.astype(np.float32)

    roles: tuple[Role, ...] = ("rank", *_each("knot", len(places)))
    return code, roles, ("", *(f"{place:.3f}" for place in places))


def _common(cells: pa.Array) -> list[str]:
    """The words of enough accounts, most of all first, in an order that chance does not decide."""
    counts = pc.value_counts(cells.drop_null())
    pairs = [(str(one["values"]), int(one["counts"])) for one in counts.to_pylist()]
    ranked = sorted((pair for pair in pairs if pair[1] >= _LEAST_ACCOUNTS), key=lambda p: (-p[1], p[0]))
    return sorted(word for word, _ in ranked[:_MOST_LEVELS])


def _category(cells: pa.Array) -> _Made | None:
    levels = _common(cells)
    if not levels or (len(levels) == 1 and pc.count_distinct(cells).as_py() < 2):
        return None
    known = pa.array(levels, pa.string())

    def code(cells: pa.Array) -> Floats:
        place = pc.fill_null(pc.index_in(cells, value_set=known), -1).to_numpy(zero_copy_only=False)
        found = (place[:, None] == np.arange(len(levels))).astype(np.float32)
        found[~cells.is_valid().to_numpy(zero_copy_only=False)] = np.nan
        return np.asarray(found, dtype=np.float32)

    roles: tuple[Role, ...] = _each("level", len(levels))
    return code, roles, tuple(levels)


def _flag(cells: pa.Array) -> _Made | None:
    if pc.count_distinct(cells.drop_null()).as_py() < 2:
        return None

    def code(cells: pa.Array) -> Floats:
        found = cells.cast(pa.int8()).cast(pa.float32()).to_numpy(zero_copy_only=False)
        return np.asarray(found, dtype=np.float32)[:, None].copy()

    return code, ("flag",), ("",)


def _set(cells: pa.Array) -> _Made | None:
    members = _common(pc.list_flatten(cells))
    if not members:
        return None
    known = pa.array(members, pa.string())

    def code(cells: pa.Array) -> Floats:
        found = np.zeros((len(cells), len(members)), dtype=np.float32)
        place = pc.index_in(pc.list_flatten(cells), value_set=known)
        rows = pc.list_parent_indices(cells).to_numpy(zero_copy_only=False)
        has = place.is_valid().to_numpy(zero_copy_only=False)
        found[rows[has], place.drop_null().to_numpy(zero_copy_only=False)] = 1.0
        found[~cells.is_valid().to_numpy(zero_copy_only=False)] = np.nan
        return found

    roles: tuple[Role, ...] = _each("member", len(members))
    return code, roles, tuple(members)


def _text(attribute: Attribute, cells: pa.Array) -> Block | None:
    texts: list[Any] = cells.to_pylist()
    step = -(-len(texts) // _SAMPLE)
    space = TextSpace.learn(texts[::step])
    if space is None:
        return None
    width = space.dimensions

    def code(cells: pa.Array) -> Floats:
        told: list[Any] = cells.to_pylist()
        found = space.embed(told)
        found[[not text for text in told]] = np.nan
        return found

    still, one = np.zeros(width, dtype=np.float32), np.ones(width, dtype=np.float32)
    roles: tuple[Role, ...] = _each("point", width)
    return Block(attribute, roles, ("",) * width, code, still, one, text=space)
