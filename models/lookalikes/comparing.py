"""Which attributes mean the same of seeds and of the accounts that are searched.

Turns the cells of seeds and of all other accounts into the attributes that may be used, and those that may
not with the reason: what only one side tells (sales filled it in, a provider did not) says who is a seed
and not who is like one. Time rule: none, the universe is of one moment. Null rule: an empty cell tells
nothing; where one side leaves somewhat more of them empty, the values count and their absence does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.comparable import emptier, known_words
from features.origins import EMPTY_ELSEWHERE, OTHER_VALUES
from features.universe import Universe

__all__ = ["Compared", "Why", "compare_attributes"]

Why = Literal["origins", "seeds tell more", "seeds tell less", "other words"]

_MUCH_EMPTIER: Final = 0.5
"""A column that one side fills half as often as the other, or less, is told by one side."""

_EMPTIER: Final = 0.8
"""Nor does it count that a cell is empty where one side fills it this much less often, surely."""

_SHARED: Final = 0.5
"""Of the words of seeds, the share that others must have, too."""

_LEAST_WORDS: Final = 5

_SENTENCES: Final[dict[Why, tuple[str, str]]] = {
    "origins": (
        "{label}: told differently by the sources that accounts come from ({detail})",
        "{label}：各数据来源的说法不一致（{detail}）",
    ),
    "seeds tell more": (
        "{label}: known of {seeds:.0%} of the seeds and of {others:.0%} of the other accounts, so it would"
        " tell who is a seed, not who is like one",
        "{label}：种子客户中有{seeds:.0%}已知，其他客户仅{others:.0%}，只能说明谁是种子客户",
    ),
    "seeds tell less": (
        "{label}: known of {seeds:.0%} of the seeds and of {others:.0%} of the other accounts",
        "{label}：种子客户中仅{seeds:.0%}已知，其他客户为{others:.0%}",
    ),
    "other words": (
        "{label}: {shared:.0%} of what it says of seeds is said of other accounts, too",
        "{label}：种子客户的取值中仅{shared:.0%}也出现在其他客户中",
    ),
}


@dataclass(frozen=True)
class Compared:
    """One attribute. seeds, others: the share of each of which it is known. shared: of words, the share of
    what it says of seeds that it says of others, too; 1 for what has no words.

    why: it is not used; None where it is. emptiness: whether it counts that it is not known.
    """

    name: str
    label: str
    label_zh: str
    seeds: float
    others: float
    shared: float = 1.0
    why: Why | None = None
    emptiness: bool = True
    detail: str = ""

    @property
    def used(self) -> bool:
        return self.why is None

    def sentence(self, language: Literal["en", "zh"] = "en") -> str:
        """Why it is not used, in one sentence; empty where it is used."""
        if self.why is None:
            return ""
        english, chinese = _SENTENCES[self.why]
        label = self.label if language == "en" else self.label_zh
        text = english if language == "en" else chinese
        return text.format(
            label=label, seeds=self.seeds, others=self.others, shared=self.shared, detail=self.detail
        )


def compare_attributes(universe: Universe, *, seeds: NDArray[np.int64]) -> tuple[Compared, ...]:
    """Every attribute of the universe, in its order. seeds: their rows."""
    flags = np.zeros(len(universe), dtype=np.bool_)
    flags[seeds] = True
    return tuple(
        _compare(
            universe, one.name, flags=flags, labels=(one.label, one.label_zh or one.label), kind=one.type
        )
        for one in universe.attributes
    )


def _compare(
    universe: Universe, name: str, *, flags: NDArray[np.bool_], labels: Sequence[str], kind: str
) -> Compared:
    column = universe.rows.column(name).combine_chunks()
    known = column.is_valid().to_numpy(zero_copy_only=False)
    counts = [(int(known[side].sum()), int(side.sum())) for side in (flags, ~flags)]
    shares = [filled / of if of else 0.0 for filled, of in counts]
    shared = _shared(column, flags=flags, kind=kind)
    why: Why | None = None
    detail = universe.not_comparable.get(name, "")
    if detail in (EMPTY_ELSEWHERE, OTHER_VALUES) or detail:
        why = "origins"
    elif emptier(counts[1], counts[0], ratio=_MUCH_EMPTIER):
        why = "seeds tell more"
    elif emptier(counts[0], counts[1], ratio=_MUCH_EMPTIER):
        why = "seeds tell less"
    elif shared < _SHARED:
        why = "other words"
    one_sided = any(emptier(one, other, ratio=_EMPTIER) for one, other in (counts, counts[::-1]))
    return Compared(name, labels[0], labels[1], shares[0], shares[1], shared, why, not one_sided, detail)


def _shared(column: pa.Array, *, flags: NDArray[np.bool_], kind: str) -> float:
    """The share of the words of seeds that others have; of too few words nothing is said."""
    if kind not in ("category", "set"):
        return 1.0
    own = column.filter(pa.array(flags))
    others = column.filter(pa.array(~flags))
    if kind == "set":
        own, others = pc.list_flatten(own), pc.list_flatten(others)
    told = pc.value_counts(own.drop_null())
    counts = told.field("counts").to_numpy(zero_copy_only=False)
    if counts.sum() < _LEAST_WORDS:
        return 1.0
    elsewhere = pc.is_in(told.field("values"), value_set=pc.unique(others.drop_null()))
    return known_words(counts.astype(np.int64), elsewhere.to_numpy(zero_copy_only=False).astype(np.int64))
