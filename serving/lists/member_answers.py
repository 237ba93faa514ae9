"""What is answered about the accounts on a list.

Turns members into answers. Time rule: none. Null rule: what is not known is null; an account that the machine
said nothing of has no reasons.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from features.feature import Language
from serving.answers import Answer
from serving.lists.answers import DecisionMade, LeftOutBy, ListAnswer, decision_made, list_answer
from serving.lists.drawing import Drawn
from serving.lists.known import KnownAccount
from serving.store.list_members import Member
from serving.store.list_overrides import Override
from serving.store.lists import TargetList

__all__ = [
    "DecidedAnswer",
    "DrawAnswer",
    "ListedAccount",
    "MemberAnswer",
    "MembersAnswer",
    "NearSeed",
    "Why",
    "WhySuggested",
    "decided_answer",
    "draw_answer",
    "listed_account",
    "member_answer",
    "rules_note",
    "why",
]


class ListedAccount(Answer):
    """An account on a list."""

    account_id: str
    name: str | None
    domain: str | None
    industry: str | None
    country: str | None
    account_owner: str | None = Field(description="Of sales.")
    status: str = Field(description="target, or dropped: taken off by a person.")
    segment: str | None
    machine_segment: str | None = Field(description="Where the machine would put it.")
    suggested: bool = Field(description="Whether the machine wants it on the list.")
    score: float | None = Field(description="Of the machine; what people decide does not change it.")
    probability: float | None
    probability_low: float | None
    probability_high: float | None
    why: str = Field(description="suggested, pinned, moved_by_hand or dropped_by_hand.")
    override_id: int | None = Field(description="The decision that pinned it or took it off.")
    move_id: int | None = Field(description="The decision that put it into its segment.")


class MembersAnswer(Answer):
    """A page of the accounts of a version."""

    list_id: int
    version: int
    revision: int = Field(description="Of the list: what changes rest on.")
    total: int = Field(description="Accounts on all pages.")
    accounts: list[ListedAccount]
    next_page: str | None = Field(description="What to send as `page` for the next one; null at the end.")


class WhySuggested(Answer):
    """One reason for or against an account."""

    sentence: str
    attribute: str | None = Field(description="What of the account it is about; null where nobody told.")
    contribution: float | None = Field(description="Its share of the score.")


class NearSeed(Answer):
    """A seed that an account is like."""

    account_id: str
    name: str | None
    distance: float | None = Field(description="In the space that the ranker itself uses; 0 is the same.")
    shared: list[str] = Field(description="What the two have in common, the most telling first.")


class Why(Answer):
    """Why an account is where it is in a ranking: baseline, contributions and other add up to its score."""

    score: float | None = Field(
        description="Of likeness; where a blend makes the order, not the blended one."
    )
    baseline: float | None
    other: float | None = Field(description="The contributions that are not told one by one.")
    reasons_for: list[WhySuggested]
    reasons_against: list[WhySuggested]
    nearest: list[NearSeed] = Field(description="The seeds that it is most like, the nearest first.")


class MemberAnswer(Answer):
    """An account on a list, with its reasons and what people decided of it."""

    list_id: int
    version: int
    revision: int = Field(description="Of the list: what changes rest on.")
    account: ListedAccount | None = Field(description="null where it is not on this version.")
    why: Why | None = Field(description="What the machine said; null where it said nothing.")
    decisions: list[DecisionMade] = Field(description="Every one ever made on this list, the latest first.")


class PinnedAgainst(Answer):
    """An account that somebody pinned although a rule is against it."""

    account_id: str
    rule: str
    detail: str


class DrawAnswer(Answer):
    """What a draw did."""

    target_list: ListAnswer
    targets: int = Field(description="Accounts on the list now.")
    added: int
    dropped: int
    moved: int
    left_out: list[LeftOutBy] = Field(description="By rule, how many candidates it left out.")
    pinned_against: list[PinnedAgainst]


class DecidedAnswer(Answer):
    """A decision as it is stored, and the list as it is then."""

    target_list: ListAnswer
    decision: DecisionMade
    notes: list[str] = Field(description="What else there is to know of the list, such as rules to mend.")


def decided_answer(
    found: TargetList, made: Override, *, account: KnownAccount, now: datetime, language: Language
) -> DecidedAnswer:
    """A decision with its list as it is answered. account: that it is about."""
    return DecidedAnswer(
        target_list=list_answer(found, now=now),
        decision=decision_made(made, now=now),
        notes=[rules_note(name, language=language) for name in account.unknown_columns],
    )


def rules_note(column: str, *, language: Language = "en") -> str:
    """What is said of rules that name a column which the accounts do not have."""
    if language == "zh":
        return f"名单的规则使用了客户表中没有的列{column}：在修改规则之前，无法重新生成名单"
    return (
        f"the rules of the list name the column {column}, which the accounts do not have: edit the rules, as "
        "the list cannot be drawn before"
    )


def listed_account(found: Member) -> ListedAccount:
    """A member as it is answered."""
    own = ("probability_low", "probability_high")
    told = {name: getattr(found, name) for name in ListedAccount.model_fields if name not in own}
    return ListedAccount(**told, probability_low=found.low, probability_high=found.high)


def member_answer(
    one: Member | None,
    *,
    found: TargetList,
    version: int,
    detail: str | None,
    decisions: Sequence[Override],
    now: datetime,
    language: Language,
) -> MemberAnswer:
    """A member with its reasons. detail: what the machine said, as JSON."""
    return MemberAnswer(
        list_id=found.id,
        version=version,
        revision=found.revision,
        account=None if one is None else listed_account(one),
        why=why(
            None if one is None else one.score,
            {} if detail is None else json.loads(detail),
            language=language,
        ),
        decisions=[decision_made(made, now=now) for made in decisions],
    )


def why(score: float | None, told: Mapping[str, Any], *, language: Language) -> Why | None:
    """What the machine said of an account, in one language; None where it said nothing.

    told: as `serving.lists.details` writes it, or as much of it as a file or a request held.
    """
    words = {
        side: [_reason(one, language=language) for one in told.get(side) or ()]
        for side in ("reasons_for", "reasons_against")
    }
    nearest = [_seed(one, language=language) for one in told.get("nearest") or ()]
    if not (nearest or any(words.values())):
        return None
    return Why(score=score, baseline=told.get("baseline"), other=told.get("other"), **words, nearest=nearest)


def _reason(told: Mapping[str, Any], *, language: Language) -> WhySuggested:
    return WhySuggested(
        sentence=(language == "zh" and told.get("sentence_zh")) or told["sentence"],
        attribute=told.get("attribute"),
        contribution=told.get("contribution"),
    )


def _seed(told: Mapping[str, Any], *, language: Language) -> NearSeed:
    return NearSeed(
        account_id=told["account_id"],
        name=told.get("name"),
        distance=told.get("distance"),
        shared=(language == "zh" and told.get("shared_zh")) or told.get("shared") or [],
    )


def draw_answer(done: Drawn, *, now: datetime) -> DrawAnswer:
    """A draw as it is answered."""
    return DrawAnswer(
        target_list=list_answer(done.list, now=now),
        targets=done.targets,
        added=done.added,
        dropped=done.dropped,
        moved=done.moved,
        left_out=[LeftOutBy(rule=one.rule, accounts=one.dropped) for one in done.constrained.counted()],
        pinned_against=[
            PinnedAgainst(account_id=one.account_id, rule=one.rule, detail=one.detail)
            for one in done.constrained.conflicts
        ],
    )
