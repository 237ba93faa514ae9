"""Accounts like given ones: from seeds and a universe to a list of which every place is explained.

Turns seeds into the next `size` accounts that are most like them, with how sure that is, what was left out
and why. Time rule: the universe is of one moment, and nothing later is looked at. Null rule: that of the
ranking.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from features.errors import InputError
from features.universe import Universe
from models.lookalikes.blending import Blend, Weights, blend
from models.lookalikes.choosing import LEAST_TO_CHOOSE
from models.lookalikes.comparing import Compared
from models.lookalikes.explaining import Suggestion, explain
from models.lookalikes.rankers import RankerName
from models.lookalikes.ranking import Prepared, Ranking, prepare, rank_universe
from models.lookalikes.reasons import Words

__all__ = ["Expansion", "expand", "listed"]

_FEW: Final = 25
_NOTHING_KNOWN: Final = "nothing is known of what weighs"


@dataclass(frozen=True)
class Expansion:
    """suggestions: the most alike first. ranking: of the whole universe.

    left_out: by reason, how many accounts that would have come before the end of the list, or anywhere, were
        left out of it. notes: how sure all of this is, and what to know of it.
    """

    suggestions: tuple[Suggestion, ...]
    ranking: Ranking
    left_out: Mapping[str, int]
    notes: tuple[Words, ...]

    @property
    def ranker(self) -> RankerName:
        return self.ranking.choice.ranker

    @property
    def not_used(self) -> tuple[Compared, ...]:
        """Attributes that tell who is a seed, not who is like one."""
        return tuple(one for one in self.ranking.compared if not one.used)


def expand(
    universe: Universe | Prepared,
    seeds: Iterable[str],
    *,
    size: int = 500,
    leave_out: Mapping[str, Collection[str]] | None = None,
    rankers: Sequence[RankerName] | None = None,
    label_rate: float | None = None,
    weights: Weights | None = None,
    intent: Mapping[str, float] | None = None,
    amounts: Mapping[str, float] | None = None,
) -> Expansion:
    """The `size` accounts that are most like the seeds.

    universe: accounts, or what `prepare` made of them where they are asked more than once. seeds:
    account_ids. leave_out: by reason, account_ids that must not be on the list; the first reason counts.
    weights, intent, amounts: see `blend`; without weights likeness alone decides.
    rankers, label_rate: see `rank_universe`. Raises InputError for a size below 1, and what `rank_universe`
    raises.

    >>> import pandas as pd
    >>> from features.tables import Attribute
    >>> frame = pd.DataFrame({"account_id": list("abcdef"), "industry": ["steel"] * 3 + ["retail"] * 3})
    >>> attributes = [Attribute("industry", "category", "industry", "行业")]
    >>> made = Universe.from_frame(pd.concat([frame.assign(account_id=frame.account_id + str(k))
    ...                                       for k in range(9)]), attributes=attributes)
    >>> found = expand(made, ["a0"], size=2)
    >>> [one.account_id for one in found.suggestions], found.suggestions[0].reasons_for[0].words.en
    (['a1', 'a2'], 'industry: steel')
    """
    if size < 1:
        raise InputError("the list is to have no account", got=size, allowed="at least 1", fix="ask for more")
    prepared = universe if isinstance(universe, Prepared) else prepare(universe)
    ranking = rank_universe(prepared, seeds, rankers=rankers, label_rate=label_rate)
    blended = None
    if weights is not None and weights != Weights():
        blended = blend(ranking, weights=weights, intent=intent, amounts=amounts)
    positions, counts = listed(ranking, leave_out=leave_out or {}, blended=blended)
    chosen = positions[:size]
    told = explain(ranking, chosen, places=range(1, len(chosen) + 1))
    if blended is not None:
        told = (_with_parts(one, blended, row) for one, row in zip(told, chosen.tolist(), strict=True))
    suggestions = tuple(told)
    return Expansion(suggestions, ranking, counts, tuple(_notes(ranking, size=size, listed=len(chosen))))


def _with_parts(one: Suggestion, blended: Blend, row: int) -> Suggestion:
    parts = {name: None if np.isnan(told[row]) else float(told[row]) for name, told in blended.parts.items()}
    return replace(one, blended=float(blended.scores[row]), parts=parts)


def listed(
    ranking: Ranking, *, leave_out: Mapping[str, Collection[str]], blended: Blend | None = None
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], dict[str, int]]:
    """Rows of all candidates in order, and how many each reason left out.

    blended: what the order follows from instead of likeness, ties by likeness.
    """
    out = np.zeros(len(ranking.universe), dtype=np.bool_)
    out[ranking.seeds] = True
    counts = {}
    for reason, account_ids in leave_out.items():
        places = ranking.universe.positions(account_ids)
        counts[reason] = int((~out[places]).sum())
        out[places] = True
    order = ranking.order
    if blended is not None:
        unknown = np.isnan(blended.scores)
        counts[_NOTHING_KNOWN] = int((unknown & ~out).sum())
        out |= unknown
        order = order[np.argsort(-blended.scores[order], kind="stable")]
    return order[~out[order]], counts


def _notes(ranking: Ranking, *, size: int, listed: int) -> Iterable[Words]:
    count, sureness = len(ranking.seeds), ranking.sureness
    if listed < size:
        yield Words(
            f"{listed:,} accounts are left, fewer than the {size:,} asked for",
            f"仅剩{listed:,}个客户，少于所要求的{size:,}个",
        )
    if count == 1:
        yield Words(
            "with a single seed nothing can be checked: these are the accounts most similar to it",
            "仅有一个种子客户，无法检验：以下为与其最相似的客户",
        )
        return
    found, chance = sureness.found(size), min(size / max(sureness.unlabelled, 1), 1.0)
    yield Words(
        f"checked by hiding each of the {count:,} seeds: the first {size:,} accounts would hold"
        f" {found.value:.0%} of them ({found.low:.0%} to {found.high:.0%}); by chance {chance:.1%}",
        f"逐一隐藏{count:,}个种子客户检验：前{size:,}个客户中可找回{found.value:.0%}"
        f"（{found.low:.0%}至{found.high:.0%}）；随机为{chance:.1%}",
    )
    if count < LEAST_TO_CHOOSE:
        yield Words(
            f"{count} seeds are too few to learn from: similarity serves; from {LEAST_TO_CHOOSE} on a model"
            " may learn what the seeds have in common",
            f"{count}个种子客户不足以训练模型，采用相似度；达到{LEAST_TO_CHOOSE}个后可学习其共同点",
        )
    elif count < _FEW:
        yield Words(
            f"{count} seeds tell little: expect the list to change when some are added",
            f"{count}个种子客户信息有限：增加后名单可能变化",
        )
    if not sureness.found(size).low > chance:
        yield Words(
            "the seeds are not surely more alike than accounts drawn at random: check whether they belong"
            " together",
            "种子客户之间的相似程度未显著高于随机客户：请检查其是否属于同一类",
        )
