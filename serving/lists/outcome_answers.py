"""What is answered about what became of accounts on lists: models of GET /v1/lists/{id}/outcomes.

Turns groups and comparisons into their answer. Time rule: times are UTC, whole seconds, written with Z. Null
rule: a rate of nobody, a difference to nobody and a ratio to no win are null.
"""

from __future__ import annotations

from pydantic import Field

from models.list_outcomes import LEAST_ACCOUNTS, Compared, Matched, wilson
from models.list_size import Estimate
from serving.answers import Answer, Moment
from serving.lists.outcomes import Comparable, Group, ListOutcomes

__all__ = ["ListOutcomesAnswer", "outcomes_answer"]

_MOMENT = "the first approved version that said so"


class OutcomeEstimate(Answer):
    """A number and the interval that holds it with 95 % confidence."""

    value: float
    low: float
    high: float


class OutcomeGroup(Answer):
    """Accounts of one kind, and what became of them. accounts = unknown + customers + open_deals + too_early
    + ripe."""

    accounts: int
    unknown: int = Field(description="Left out: the tables did not know them at their moment.")
    customers: int = Field(description="Left out: customers already, of the list's product if it has one.")
    open_deals: int = Field(description="Left out: in an open deal already.")
    too_early: int = Field(description="Their days are not over, or the data do not tell of all of them.")
    first_ripe_at: Moment | None = Field(description="When the first of those that are too early is ripe.")
    ripe: int = Field(description="Accounts whose outcome is told.")
    opened: int = Field(description="Of these, those that opened a deal within the days.")
    won: int = Field(description="Of these, those that opened a deal within the days and won it within them.")
    opened_rate: OutcomeEstimate | None
    win_rate: OutcomeEstimate | None = Field(description="won of ripe.")
    deals_ended: int = Field(description="Deals opened within the days that ended within them.")
    deals_won: int = Field(
        description="Of these, those that were won: of accounts that opened any, which win_rate is not."
    )
    taken_up_later: int = Field(description="Ripe accounts that a list took up within the days after.")


class ComparableGroup(Answer):
    """Accounts of no list at the moments when suggestions were accepted; an account counts at each moment.
    known = on_lists + customers + open_deals + free."""

    known: int = Field(description="Accounts that the tables knew then.")
    on_lists: int = Field(description="Left out: on a list in use by then, or rejected for one.")
    customers: int
    open_deals: int
    free: int = Field(description="Accounts that could be compared.")
    opened: int
    won: int
    deals_ended: int
    deals_won: int
    taken_up_later: int = Field(
        description="Of free, those that a list took up within the days after. They stay: to leave them out "
        "would be to look ahead."
    )


class ComparedOutcomes(Answer):
    """One rate of the accepted beside that of others."""

    accepted: OutcomeEstimate | None
    others: OutcomeEstimate | None
    difference: OutcomeEstimate | None = Field(description="accepted - others.")
    ratio: OutcomeEstimate | None = Field(
        description="accepted / others; null without a hit on both sides, and with not_enough."
    )
    verdict: str = Field(
        description="higher, lower, unclear (the interval of the difference holds 0), or not_enough: fewer "
        f"than {LEAST_ACCOUNTS} accounts on a side, or no hit at all."
    )


class MatchedOutcomes(Answer):
    """The accepted beside comparable accounts, weighted so that strata weigh what they weigh among the
    accepted."""

    strata: list[str] = Field(
        description="What strata are made of: moment, worked (whether sales works it, not a universe alone), "
        "industry, country, size, activity (any in the 90 days before), deal (any ever before); fewer where "
        "less than half of the accepted found a comparable one."
    )
    accepted: int
    matched: int = Field(description="Of these, those with a comparable account.")
    without_comparable: int = Field(description="Left out of the comparison. accepted = matched + these.")
    rows: int = Field(description="Comparable accounts that count, at each moment again.")
    accounts: int = Field(description="The same, each once.")
    effective: float = Field(description="The same, as weighting leaves it: Kish's effective number.")
    opened: ComparedOutcomes
    won: ComparedOutcomes


class RejectedOutcomes(Answer):
    """The accepted beside the rejected, as they are: whether people's no was right."""

    opened: ComparedOutcomes
    won: ComparedOutcomes


class ListOutcomesAnswer(Answer):
    """What became of the accounts of a list, beside comparable ones that were on none. The difference tells
    of the list as a whole, who was chosen and that sales then worked them, not of the choice alone."""

    list_id: int | None = Field(description="null for all lists together.")
    days: int
    until: Moment = Field(description="What was known before this moment tells what became of them.")
    moments: int = Field(description="Approvals that first said something of an account.")
    ripe_moments: int = Field(description="Of these, those whose days are over.")
    forgotten: int = Field(description="Places of accounts that were erased: nothing is told of them.")
    accepted: OutcomeGroup = Field(description=f"Suggestions on the list, since {_MOMENT}.")
    added: OutcomeGroup = Field(description=f"Accounts that people added, since {_MOMENT}.")
    rejected: OutcomeGroup = Field(
        description=f"Suggestions that people took off, since {_MOMENT}, and that were on it before no more."
    )
    comparable: ComparableGroup
    against_comparable: MatchedOutcomes
    against_rejected: RejectedOutcomes


def outcomes_answer(found: ListOutcomes, *, list_id: int | None) -> ListOutcomesAnswer:
    """The outcomes as they are answered."""
    return ListOutcomesAnswer(
        list_id=list_id,
        days=found.days,
        until=found.until,
        moments=found.moments,
        ripe_moments=found.ripe_moments,
        forgotten=found.forgotten,
        **{name: _group(one) for name, one in found.groups.items()},
        comparable=_comparable(found.comparable),
        against_comparable=_matched(found.matched),
        against_rejected=RejectedOutcomes(
            opened=_compared(found.rejected_opened), won=_compared(found.rejected_won)
        ),
    )


def _group(group: Group) -> OutcomeGroup:
    return OutcomeGroup(
        accounts=group.accounts,
        **group.left_out,
        too_early=group.too_early,
        first_ripe_at=group.first_ripe_at,
        ripe=group.ripe,
        opened=group.opened,
        won=group.won,
        opened_rate=_rate(group.opened, group.ripe),
        win_rate=_rate(group.won, group.ripe),
        deals_ended=group.ended,
        deals_won=group.ended_won,
        taken_up_later=group.taken_up_later,
    )


def _comparable(group: Comparable) -> ComparableGroup:
    return ComparableGroup(
        known=group.accounts,
        on_lists=group.on_lists,
        customers=group.left_out["customers"],
        open_deals=group.left_out["open_deals"],
        free=group.ripe,
        opened=group.opened,
        won=group.won,
        deals_ended=group.ended,
        deals_won=group.ended_won,
        taken_up_later=group.taken_up_later,
    )


def _matched(found: Matched) -> MatchedOutcomes:
    return MatchedOutcomes(
        strata=list(found.strata),
        accepted=found.accepted,
        matched=found.matched,
        without_comparable=found.alone,
        rows=found.rows,
        accounts=found.accounts,
        effective=found.effective,
        opened=_compared(found.opened),
        won=_compared(found.won),
    )


def _compared(found: Compared) -> ComparedOutcomes:
    return ComparedOutcomes(
        accepted=_estimate(found.first),
        others=_estimate(found.second),
        difference=_estimate(found.difference),
        ratio=_estimate(found.ratio),
        verdict=found.verdict,
    )


def _rate(hits: int, of: int) -> OutcomeEstimate | None:
    return _estimate(wilson(hits / of, of)) if of else None


def _estimate(found: Estimate | None) -> OutcomeEstimate | None:
    return None if found is None else OutcomeEstimate(**vars(found))
