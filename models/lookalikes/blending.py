"""Fit, intent and value in one order, with weights that everybody sees.

Turns likeness to the seeds, chances to buy and amounts of won deals into one score from 0 to 1 for each
account: the weighted mean of the shares of accounts that it is ahead of in each part. Time rule: that of what
is handed in. Null rule: an account of which a part is not known has the mean of its other parts, by their
weights; where none of them is known, it has no score and is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV

from features.errors import ConfigError, InputError, suggestion
from models.lookalikes.ranking import Prepared, Ranking

__all__ = ["PARTS", "Blend", "Part", "Weights", "blend", "expected_values"]

Doubles = NDArray[np.float64]
Part = Literal["fit", "intent", "value"]
PARTS: Final[tuple[Part, ...]] = ("fit", "intent", "value")

_LEAST_DEALS: Final = 20
"""Fewer amounts say nothing of what makes a deal large."""

_STRENGTHS: Final = np.geomspace(0.1, 1_000.0, 9)


@dataclass(frozen=True)
class Weights:
    """How much each part counts; any numbers that are in proportion mean the same.

    Raises ConfigError for a weight below 0, or where all are 0.
    """

    fit: float = 1.0
    intent: float = 0.0
    value: float = 0.0

    def __post_init__(self) -> None:
        told = self.to_dict()
        if min(told.values()) < 0 or not 0 < sum(told.values()) < float("inf"):
            raise ConfigError(
                "the weights of a blend", got=told, allowed="0 or more each, not all 0", fix="weigh a part"
            )

    def to_dict(self) -> dict[str, float]:
        return {part: float(getattr(self, part)) for part in PARTS}

    @classmethod
    def parse(cls, text: str) -> Weights:
        """What was typed as `fit=0.6,intent=0.4`; parts that are not named weigh nothing.

        >>> Weights.parse("fit=2, value=1")
        Weights(fit=2.0, intent=0.0, value=1.0)
        """
        told: dict[str, float] = dict.fromkeys(PARTS, 0.0)
        for piece in filter(None, (part.strip() for part in text.split(","))):
            name, _, number = (word.strip() for word in piece.partition("="))
            if name not in PARTS:
                raise ConfigError(
                    "no such part of a blend",
                    got=repr(name),
                    allowed=", ".join(PARTS),
                    fix=suggestion(name, PARTS) or "write it as fit=0.6,intent=0.4",
                )
            try:
                told[name] = float(number)
            except ValueError as error:
                raise ConfigError(
                    f"the weight of {name} is no number", got=repr(number), fix="write it as fit=0.6"
                ) from error
        return cls(**told)


@dataclass(frozen=True)
class Blend:
    """parts: by name, (n,) shares of accounts that are behind, NaN where not known; of those that weigh.

    scores: (n,), NaN where nothing that weighs is known.
    """

    weights: Weights
    parts: Mapping[str, Doubles]
    scores: Doubles


def blend(
    ranking: Ranking,
    *,
    weights: Weights,
    intent: Mapping[str, float] | None = None,
    amounts: Mapping[str, float] | None = None,
) -> Blend:
    """The parts that weigh, and their weighted mean.

    intent: by account_id, the chance to buy; others are not known. amounts: by account_id, what its won deals
    were worth. Raises InputError where a part weighs and nothing is known of it.
    """
    count = len(ranking.universe)
    raw: dict[str, Doubles] = {}
    if weights.fit:
        raw["fit"] = ranking.scores
    if weights.intent:
        raw["intent"] = _of_accounts(ranking.prepared, intent or {})
        if np.isnan(raw["intent"]).all():
            raise InputError(
                "nothing is known of who is about to buy",
                got=f"chances of {len(intent or {}):,} accounts",
                allowed="a released model of buying intent",
                fix="train and promote a buying intent model, or let intent weigh 0",
            )
    if weights.value:
        raw["value"] = expected_values(ranking.prepared, amounts or {})
    parts = {name: _shares(told, seeds=ranking.seeds) for name, told in raw.items()}
    total, weight = np.zeros(count), np.zeros(count)
    for name, told in parts.items():
        known = ~np.isnan(told)
        total[known] += getattr(weights, name) * told[known]
        weight[known] += getattr(weights, name)
    with np.errstate(invalid="ignore"):
        return Blend(weights, parts, np.where(weight > 0, total / weight, np.nan))


def expected_values(prepared: Prepared, amounts: Mapping[str, float]) -> Doubles:
    """What a won deal with each account would be worth (n,), from what accounts like it were worth.

    A ridge regression of the logarithm, its strength chosen by leaving one out. Raises InputError below 20.
    """
    known = {account: amount for account, amount in amounts.items() if amount > 0}
    positions = prepared.universe.positions(known)
    if len(positions) < _LEAST_DEALS:
        raise InputError(
            "too few won deals with an amount to tell what a deal is worth",
            got=f"{len(positions):,}",
            allowed=f"at least {_LEAST_DEALS}",
            fix="bind the amount of opportunities, or let value weigh 0",
        )
    ids = prepared.universe.rows.column("account_id").take(positions).to_pylist()
    names = [one.name for one in prepared.universe.attributes]
    columns = prepared.view("linear", names=names, emptiness=names)
    model = RidgeCV(_STRENGTHS).fit(
        prepared.rows(positions)[:, columns].astype(np.float64), np.log([known[account] for account in ids])
    )
    found = np.empty(len(prepared.universe))
    for rows, X in prepared.parts():
        found[rows] = np.exp(X[:, columns] @ model.coef_ + model.intercept_)
    return found


def _of_accounts(prepared: Prepared, told: Mapping[str, float]) -> Doubles:
    values = [told.get(account) for account in prepared.universe.account_ids]
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _shares(values: Doubles, *, seeds: NDArray[np.int64]) -> Doubles:
    """Of each account the share of those that are no seeds which are behind it, ties by half."""
    found = np.full(len(values), np.nan)
    known = ~np.isnan(values)
    known[seeds] = False
    if known.any():
        from scipy.stats import rankdata

        found[known] = (rankdata(values[known]) - 0.5) / known.sum()
    return found
