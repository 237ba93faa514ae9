"""Whether the intent model speaks of an account at all.

Turns the versions of an account's deals into the reason why it is outside the population that the intent
model was trained on: it has an open opportunity, or owns the product. Time rule: the latest version with
`known_at < as_of` is a deal's state. Null rule: a deal without an outcome is open; without a product asked
for, deals of every product count.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from features.label_settings import PopulationSettings

__all__ = ["Deal", "intent_obstacle"]


class Deal(NamedTuple):
    """One version of a deal."""

    opportunity_id: str
    known_at: datetime
    product: str | None
    created_at: datetime
    closed_at: datetime | None
    outcome: str | None
    withdrawn_at: datetime | None = None

    def counts(self, as_of: datetime) -> bool:
        """Whether the version was known by then, and its deletion was not."""
        return self.known_at < as_of and (self.withdrawn_at is None or as_of <= self.withdrawn_at)


def intent_obstacle(
    deals: Iterable[Deal],
    *,
    as_of: datetime,
    product: str | None,
    population: PopulationSettings | None = None,
) -> Deal | None:
    """The deal that keeps an account out of the intent population: open, or won. None when there is none.

    population: whom the model was trained on; by default accounts with neither.
    """
    kept = population or PopulationSettings()
    choices = {None: kept.open_opportunities, "won": kept.customers}
    states: dict[str, Deal] = {}
    for deal in deals:
        if deal.counts(as_of) and product in (None, deal.product):
            latest = states.get(deal.opportunity_id)
            if latest is None or latest.known_at < deal.known_at:
                states[deal.opportunity_id] = deal
    blocking = [deal for deal in states.values() if choices.get(deal.outcome) == "leave_out"]
    return max(
        blocking, key=lambda deal: (deal.outcome is None, deal.created_at, deal.opportunity_id), default=None
    )
