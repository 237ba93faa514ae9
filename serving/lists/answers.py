"""What is answered about lists: models of the answers of /v1/lists.

Turns rows of the store into answers. Time rule: times are UTC, whole seconds, written with Z. Null rule: what
is not known is null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import Field

from serving.answers import Answer, Moment
from serving.lists.life_cycle import due, standing_approvals
from serving.lists.settings import Goal, Rules, Segment
from serving.store.list_approvals import Approval
from serving.store.list_exports import Export
from serving.store.list_overrides import Override
from serving.store.list_pages import Changed
from serving.store.lists import Change, TargetList, Version

__all__ = [
    "ApprovalGiven",
    "ChangedAccount",
    "ChangesAnswer",
    "DecisionMade",
    "DecisionsAnswer",
    "DiffAnswer",
    "ExportAnswer",
    "ExportsAnswer",
    "LeftOutAccount",
    "LeftOutAnswer",
    "ListAnswer",
    "ListChange",
    "ListDetail",
    "ListsAnswer",
    "ProposalAnswer",
    "SegmentCount",
    "VersionAnswer",
    "VersionsAnswer",
    "changed_account",
    "decision_made",
    "export_answer",
    "list_answer",
    "list_change",
    "list_detail",
    "version_answer",
]

_NEXT = "What to send as `page` for the next one; null at the end."


class ListAnswer(Answer):
    """A target account list."""

    id: int
    name: str
    owner: str = Field(description="Who answers for it.")
    purpose: str
    state: str = Field(description="draft, review, approved or archived.")
    pilot: bool
    sub_industry: str | None = Field(description="The one industry of a pilot.")
    size: int = Field(description="Accounts that it may hold.")
    segments: list[Segment]
    goals: list[Goal]
    rules: Rules
    revision: int = Field(description="Rises with every change: send it back with yours.")
    version: int = Field(description="The newest version: being worked on, or what was approved last.")
    approved_version: int | None = Field(description="What a CRM is given; null before the first approval.")
    created_at: Moment
    created_by: str
    changed_at: Moment
    changed_by: str
    refreshed_at: Moment | None = Field(description="When it was drawn last.")
    rebuilt_at: Moment | None = Field(description="When it was last drawn from scratch.")
    due: str | None = Field(description="refresh (a quarter has passed), rebuild (a year), or null.")
    erased: int = Field(description="How many of its accounts were forgotten on request.")


class ListsAnswer(Answer):
    """Lists, the newest first."""

    lists: list[ListAnswer]
    next_page: str | None = Field(description=_NEXT)


class SegmentCount(Answer):
    """How many accounts of a segment the newest version has."""

    segment: str | None
    status: str = Field(description="target, or dropped: taken off by a person.")
    accounts: int


class ApprovalGiven(Answer):
    """What a reviewer decided."""

    version: int
    side: str = Field(description="marketing or sales.")
    decision: str = Field(description="approved or changes_requested.")
    approver: str
    comment: str
    at: Moment
    counts: bool = Field(description="Whether it is of the list as it stands, and approves it.")


class ProposalAnswer(Answer):
    """A draw that waits to be accepted or discarded. What it would change: GET /v1/lists/{id}/diff."""

    version: int
    beside: int = Field(description="The version that it would change.")
    kind: str = Field(description="refresh, rebuild or redraw.")
    why: str
    proposed_at: Moment
    proposed_by: str


class ListDetail(Answer):
    """A list with what is on it in numbers, and who approved it."""

    target_list: ListAnswer
    proposal: ProposalAnswer | None = Field(description="null where none waits.")
    counts: list[SegmentCount]
    approvals: list[ApprovalGiven] = Field(description="Of the newest version, the earliest first.")


def list_answer(found: TargetList, *, now: datetime) -> ListAnswer:
    """The list as it is answered."""
    told = {name: getattr(found, name) for name in ListAnswer.model_fields if name != "due"}
    told["segments"] = [Segment.model_validate(one) for one in found.segments]
    told["goals"] = [Goal.model_validate(one) for one in found.goals]
    told["rules"] = Rules.model_validate(found.rules)
    return ListAnswer(**told, due=due(found, now=now))


def list_detail(
    found: TargetList,
    *,
    counts: Mapping[tuple[str, str], int],
    approvals: Sequence[Approval],
    proposal: Version | None,
    now: datetime,
) -> ListDetail:
    """The list with its numbers. counts: by status and segment. approvals: of its newest version. proposal:
    that version, where it is one."""
    standing = standing_approvals(approvals, version=found.version, revision=found.revision)
    return ListDetail(
        target_list=list_answer(found, now=now),
        proposal=None if proposal is None else _proposal(proposal),
        counts=[
            SegmentCount(segment=segment or None, status=status, accounts=accounts)
            for (status, segment), accounts in sorted(counts.items())
        ],
        approvals=[
            ApprovalGiven(
                **{name: getattr(one, name) for name in ApprovalGiven.model_fields if name != "counts"},
                counts=one in standing,
            )
            for one in approvals
        ],
    )


def _proposal(version: Version) -> ProposalAnswer:
    return ProposalAnswer(
        version=version.number,
        beside=version.source["base"],
        kind=version.kind,
        why=version.why,
        proposed_at=version.opened_at,
        proposed_by=version.opened_by,
    )


class DecisionMade(Answer):
    """What somebody decided of an account, beside what the machine said of it."""

    id: int
    account_id: str
    kind: str = Field(description="pin, drop or move.")
    segment: str | None
    reason: str
    made_by: str
    made_at: Moment
    expires_at: Moment | None = Field(description="The first draw after that follows the machine again.")
    machine_score: float | None = Field(description="What the machine said of the account then.")
    in_force: bool = Field(description="False once it was ended, replaced or has run out.")
    ended_at: Moment | None
    ended_by: str | None
    ended_why: str | None


class DecisionsAnswer(Answer):
    """What people decided of the accounts of a list, the latest first."""

    decisions: list[DecisionMade]
    next_page: str | None = Field(description=_NEXT)


def decision_made(found: Override, *, now: datetime) -> DecisionMade:
    """A decision as it is answered."""
    told = {name: getattr(found, name) for name in DecisionMade.model_fields if name != "in_force"}
    return DecisionMade(**told, in_force=found.in_force(now))


class LeftOutBy(Answer):
    """How many candidates a rule left out."""

    rule: str
    accounts: int


class VersionAnswer(Answer):
    """A version of a list: what it was drawn from, or why else there is one."""

    number: int
    kind: str = Field(description="first, refresh, rebuild, redraw, or edit.")
    opened_at: Moment
    opened_by: str
    why: str
    approved_at: Moment | None
    left_out: list[LeftOutBy] = Field(description="By rule, whom the draw left out.")
    pinned_against: list[LeftOutBy] = Field(description="By rule, whom people pinned although it is broken.")


class VersionsAnswer(Answer):
    """The versions of a list, the newest first."""

    versions: list[VersionAnswer]


def version_answer(found: Version) -> VersionAnswer:
    """A version as it is answered."""
    told = {
        name: getattr(found, name)
        for name in VersionAnswer.model_fields
        if name not in ("left_out", "pinned_against")
    }
    rules, conflicts = found.drops.get("rules", {}), found.drops.get("conflicts", {})
    return VersionAnswer(**told, left_out=_by_rule(rules), pinned_against=_by_rule(conflicts))


def _by_rule(counts: Mapping[str, int]) -> list[LeftOutBy]:
    most_first = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [LeftOutBy(rule=rule, accounts=accounts) for rule, accounts in most_first]


class LeftOutAccount(Answer):
    """An account that a rule left out."""

    account_id: str
    rule: str
    detail: str = Field(description="What the rule found, in words.")
    score: float | None


class LeftOutAnswer(Answer):
    """Whom the rules left out of a version."""

    list_id: int
    version: int
    accounts: list[LeftOutAccount]


class ChangedAccount(Answer):
    """An account that changed from one version to another."""

    account_id: str
    name: str | None
    change: str = Field(description="added, dropped or moved.")
    before_segment: str | None
    after_segment: str | None
    score: float | None
    why: str = Field(description="What did it: suggested, pinned, dropped_by_hand, a rule, and so on.")
    decision: DecisionMade | None = Field(description="What a person decided, where a person did it.")


class DiffAnswer(Answer):
    """What changed from an earlier version to a later one, by account."""

    list_id: int
    earlier: int
    later: int
    added: int
    dropped: int
    moved: int
    changes: list[ChangedAccount]
    next_page: str | None = Field(description=_NEXT)


def changed_account(found: Changed, *, decisions: Mapping[int, Override], now: datetime) -> ChangedAccount:
    """A change as it is answered. decisions: by id, as far as the changes name any."""
    told = {name: getattr(found, name) for name in ChangedAccount.model_fields if name != "decision"}
    made = None if found.decision is None else decisions.get(found.decision)
    return ChangedAccount(**told, decision=None if made is None else decision_made(made, now=now))


class ListChange(Answer):
    """One change of a list."""

    revision: int
    version: int
    area: str = Field(description="facts, members or state.")
    action: str
    who: str
    at: Moment
    account_id: str | None
    detail: str


class ChangesAnswer(Answer):
    """The changes of a list, the latest first."""

    revision: int = Field(description="What the list has come to.")
    changes: list[ListChange]


def list_change(found: Change) -> ListChange:
    """A change as it is answered."""
    return ListChange(**vars(found))


class ExportAnswer(Answer):
    """An export: its file is at GET /v1/lists/{id}/exports/{export_id}/file."""

    id: int
    list_id: int
    version: int
    format: str
    who: str
    at: Moment
    draft: bool
    targets: int = Field(description="Rows that say target = true.")
    leavers: int = Field(description="Rows of accounts that are targets no more: target = false.")
    unfound: int | None = Field(
        description="Accounts left out, as the CRM cannot find them; told when it is made, null later."
    )
    current: bool = Field(
        description="Whether the file is the newest in its format, of a list that has kept its name, its "
        "approved version and its use since. What an older file flags in a CRM the next export takes back."
    )
    file_url: str = Field(description="Where the file is.")


class ExportsAnswer(Answer):
    """Exports, the latest first."""

    exports: list[ExportAnswer]


def export_answer(found: Export, *, current: bool, unfound: int | None = None) -> ExportAnswer:
    """An export as it is answered."""
    own = ("unfound", "current", "file_url")
    told = {name: getattr(found, name) for name in ExportAnswer.model_fields if name not in own}
    file_url = f"/v1/lists/{found.list_id}/exports/{found.id}/file"
    return ExportAnswer(**told, unfound=unfound, current=current, file_url=file_url)
