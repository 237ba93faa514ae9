"""Lookalikes asked for in a workspace: who the seeds are, who must stay out, and what the order follows from.

Turns tables and what somebody asks into an expansion. Time rule: accounts and customers are those known
before `as_of`. Null rule: where no seeds are named, all customers are seeds: of the product line, where one
is named.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from features.errors import ConfigError, NotEnoughDataError, suggestion
from features.tables import Tables
from features.universe import Universe, customers, read_universe, won_amounts
from models.lookalikes.blending import Weights
from models.lookalikes.expansion import Expansion, expand
from models.lookalikes.ranking import Prepared, prepare

__all__ = ["MODES", "Expanded", "Mode", "Question", "Stage", "answer", "weights_of"]

Mode = Literal["vertical", "horizontal", "intent"]
MODES: tuple[Mode, ...] = get_args(Mode)
"""vertical: more like the seeds. horizontal: for a product line, of which only owners are left out. intent:
about to buy, by the released model of buying intent."""

Stage = Literal["reading", "learning", "ranking"]

_CUSTOMERS: Final = "customers that are no seeds"


@dataclass(frozen=True)
class Question:
    """What is asked. seeds: account_ids; None for all customers.

    product: a product line to sell more widely: its owners are the seeds where none are named, and they alone
    are left out, so that customers of other lines are candidates. weights, label_rate: see `expand`.
    """

    seeds: Collection[str] | None = None
    size: int = 500
    leave_customers_out: bool = True
    product: str | None = None
    weights: Weights | None = None
    label_rate: float | None = None


@dataclass(frozen=True)
class Expanded:
    """prepared: the universe, to be asked again. seeds: who they were."""

    expansion: Expansion
    prepared: Prepared
    seeds: tuple[str, ...]


def weights_of(mode: str, *, product: str | None, weights: Weights | None) -> Weights | None:
    """What the order of a mode follows from; None where likeness alone decides.

    Raises ConfigError for an unknown mode, and for what a mode does not take.
    """
    if mode not in MODES:
        raise ConfigError(
            "mode: no such mode", got=mode, allowed=", ".join(MODES), fix=suggestion(mode, MODES)
        )
    if mode == "horizontal" and product is None:
        raise ConfigError("mode: horizontal needs a product line", fix="name the product")
    if mode != "horizontal" and product is not None:
        raise ConfigError(f"product: {mode} takes none", got=product, fix="ask for the mode horizontal")
    if mode == "intent":
        if weights is not None:
            raise ConfigError("weights: intent takes none", got=weights.to_dict(), fix="leave them out")
        return Weights(fit=0.0, intent=1.0)
    return weights


def answer(
    tables: Tables,
    question: Question,
    *,
    as_of: datetime,
    universe: Universe | None = None,
    intent: Mapping[str, float] | None = None,
    reached: Callable[[Stage], None] = lambda _: None,
) -> Expanded:
    """The accounts of a workspace that are asked for.

    universe: of `as_of`, where it was read already. intent: by account, the chance to buy; see `blend`.
    reached: told each stage as it begins. Raises NotEnoughDataError without seeds, and what `expand` raises.
    """
    reached("reading")
    known = universe or read_universe(tables, as_of=as_of)
    owners = customers(tables, as_of=as_of, product=question.product)
    if question.seeds is None:
        seeds = tuple(known.rows.column("account_id").take(known.positions(owners)).to_pylist())
        if not seeds:
            raise NotEnoughDataError("there is no customer to look for others like", fix="name seeds")
    else:
        seeds = tuple(question.seeds)
    weights = question.weights
    amounts = won_amounts(tables, as_of=as_of) if weights is not None and weights.value else None
    reason = _CUSTOMERS if question.product is None else f"owners of {question.product} that are no seeds"
    others: Mapping[str, list[str]] = {reason: owners} if question.leave_customers_out and owners else {}
    reached("learning")
    prepared = prepare(known)
    reached("ranking")
    found = expand(
        prepared,
        seeds,
        size=question.size,
        leave_out=others,
        label_rate=question.label_rate,
        weights=weights,
        intent=intent,
        amounts=amounts,
    )
    return Expanded(found, prepared, seeds)
