"""What people do to a list: pin, drop and move accounts, review, approve, archive.

Turns what somebody wants, and the revision of the list that they saw, into the change and the list as it is
then; where somebody else was there before, into an error that says who, what and when. Each runs within one
transaction of the caller, and holds the list meanwhile. Time rule: a decision's end lies in the future. Null
rule: a decision without an end counts until it is ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from features.errors import InputError, UnknownAccountError, suggestion
from serving.lists.facts import Facts
from serving.lists.forgotten import People, require_not_forgotten
from serving.lists.life_cycle import Action, after, is_approved, standing_approvals
from serving.lists.merging import MERGED, NOTHING, PINNED, Decided, as_one, decided_of, departed, member
from serving.lists.proposing import open_proposal, ready
from serving.lists.replacing import require_seen
from serving.store import list_approvals, list_approved, list_members, list_overrides, lists
from serving.store.list_approvals import Approval, Decision, Side
from serving.store.list_members import Member
from serving.store.list_overrides import Kind, Override, slot_of
from serving.store.lists import ListStateError, TargetList

__all__ = ["approve", "decide", "end_decision", "move_state"]


def decide(
    connection: Connection,
    *,
    list_id: int,
    account_ids: Sequence[str],
    kind: Kind,
    reason: str,
    who: str,
    now: datetime,
    segment: str | None = None,
    expires_at: datetime | None = None,
    replaces: int | None = None,
    facts: Facts | None = None,
    people: People | None = None,
) -> tuple[TargetList, Override]:
    """Pin an account, take it off, or move it to a segment.

    account_ids: what the account is called, first as today; earlier decisions may be on any of them. Where
    several of them are on the list, the first one is decided of, and stands for the others, which go.
    replaces: the decision of this kind (to pin or drop, or to move) that the caller saw, None where they saw
    none. facts: of an account that is to be pinned and is not on the list. people: who was forgotten.

    Raises UnknownListError, ListChangedError where somebody decided meanwhile, ListStateError, InputError,
    UnknownAccountError.
    """
    found = lists.lock(connection, list_id=list_id)
    require_not_forgotten(people, account_ids)
    found = ready(connection, found, kind="edit", why=reason, who=who, now=now)
    if expires_at is not None and expires_at <= now:
        raise InputError("expires_at: has passed already", got=f"{expires_at.isoformat()}Z")
    _require_segment(found, segment, kind=kind)
    earlier = list_overrides.of_list(connection, list_id=list_id, account_ids=account_ids, unended=True)
    present = [one for one in earlier if one.slot == slot_of(kind)]
    require_seen(
        *(connection, present),
        found=found,
        account_ids=account_ids,
        slot=slot_of(kind),
        replaces=replaces,
        now=now,
    )
    rows = _rows(connection, found, account_ids)
    if not rows and (kind == "move" or (kind == "pin" and facts is None)):
        raise UnknownAccountError("the account is not on the list", got=account_ids[0], fix="pin it first")
    base = as_one(rows) if rows else _newcomer(account_ids[0], facts, draw=found.version)
    made = list_overrides.add(
        connection,
        Override(
            *(list_id, base.account_id, kind, reason, who, now),
            segment=segment,
            expires_at=expires_at,
            machine_score=base.score,
        ),
    )
    for one in present:
        list_overrides.end(connection, one, who=who, why=f"replaced by decision {made.id}", now=now)
    _apply(connection, found, rows=rows, base=base, account_ids=account_ids, now=now)
    left = lists.changed(
        *(connection, found),
        area="members",
        action=kind,
        who=who,
        now=now,
        account_id=base.account_id,
        detail=_told_of(segment, rows),
    )
    return left, made


def end_decision(
    connection: Connection,
    *,
    list_id: int,
    override_id: int,
    account_ids: Sequence[str] | None = None,
    why: str,
    who: str,
    now: datetime,
) -> tuple[TargetList, Override]:
    """End a decision: what the machine says counts again. One that has ended stays as it is.

    account_ids: what its account is called, first as today. Raises UnknownListError, UnknownOverrideError,
    ListStateError.
    """
    found = lists.lock(connection, list_id=list_id)
    one = list_overrides.find(connection, list_id=list_id, override_id=override_id)
    if one.ended_at is not None:
        return found, one
    found = ready(connection, found, kind="edit", why=why, who=who, now=now)
    ended = list_overrides.end(connection, one, who=who, why=why, now=now)
    names = account_ids or (one.account_id,)
    rows = _rows(connection, found, names)
    if rows:
        _apply(connection, found, rows=rows, base=as_one(rows), account_ids=names, now=now)
    left = lists.changed(
        *(connection, found),
        area="members",
        action=f"end_{one.kind}",
        who=who,
        now=now,
        account_id=one.account_id,
        detail=_told_of(None, rows),
    )
    return left, ended


def approve(
    connection: Connection,
    *,
    list_id: int,
    side: Side,
    decision: Decision,
    approver: str,
    comment: str,
    seen: int,
    now: datetime,
) -> TargetList:
    """Approve a list for one side, or ask for changes. The list is approved once both sides have.

    The same decision of the same person on the same revision counts once. Raises UnknownListError,
    ListChangedError, ListStateError, InputError.
    """
    found = lists.lock(connection, list_id=list_id)
    given = list_approvals.of_list(connection, list_id=list_id, version=found.version)
    made = Approval(list_id, found.version, found.revision, side, decision, approver, comment, now)
    if any(_is_same(one, made) for one in given) and seen == found.revision:
        return found
    lists.require_seen(connection, found, seen=seen, areas=("facts", "members"))
    after(found.state, "approve" if decision == "approved" else "request_changes")
    if decision == "changes_requested":
        if not comment.strip():
            raise InputError("comment: is missing", fix="say what is to be changed")
        list_approvals.add(connection, made)
        return _moved(connection, found, "request_changes", who=approver, now=now, detail=comment)
    standing = standing_approvals(given, version=found.version, revision=found.revision)
    if any(one.approver == approver and one.side != side for one in standing):
        raise InputError(
            "approver: has approved for the other side already", got=approver, fix="ask somebody else"
        )
    list_approvals.add(connection, made)
    values: dict[str, Any] = {}
    if is_approved([*standing, made]):
        values = {"state": "approved", "approved_version": found.version}
        list_approved.mark_approved(connection, found, at=now)
    return lists.changed(
        *(connection, found),
        area="state",
        action="approve",
        who=approver,
        now=now,
        values=values,
        detail=side,
        seen_as_before=True,
    )


def move_state(
    connection: Connection,
    *,
    list_id: int,
    action: Action,
    seen: int,
    who: str,
    now: datetime,
    comment: str = "",
) -> TargetList:
    """Submit a list to review, withdraw it, archive it, or restore it from there.

    Raises UnknownListError, ListChangedError, ListStateError, InputError.
    """
    found = lists.lock(connection, list_id=list_id)
    lists.require_seen(connection, found, seen=seen, areas=("facts", "members", "state"))
    if action in ("approve", "request_changes", "revise"):
        raise InputError(
            "action: is not taken by itself", got=action, fix="approve, or change what is on the list"
        )
    after(found.state, action)
    if action == "submit":
        _require_no_proposal(connection, found)
        _require_somebody(connection, found)
    if action == "restore":
        lists.require_free_name(connection, name=found.name, of=found.id)
        if not found.is_open:
            number = lists.next_number(connection, found)
            version = lists.Version(number, "edit", now, who, comment or "restored")
            found = lists.open_version(connection, found, version)
    return _moved(connection, found, action, who=who, now=now, detail=comment)


def _moved(
    connection: Connection, found: TargetList, action: Action, *, who: str, now: datetime, detail: str
) -> TargetList:
    state = "draft" if action == "restore" else after(found.state, action)
    return lists.changed(
        *(connection, found),
        area="state",
        action=action,
        who=who,
        now=now,
        values={"state": state},
        detail=detail,
    )


def _require_no_proposal(connection: Connection, found: TargetList) -> None:
    version = open_proposal(connection, found)
    if version is not None:
        raise ListStateError(
            f"the {version.kind} of version {version.number} is a proposal",
            got="proposed",
            allowed="accepted",
            fix="accept it, or discard it, first",
        )


def _require_somebody(connection: Connection, found: TargetList) -> None:
    counts = list_members.counts(connection, list_id=found.id, version=found.version, newest=found.version)
    if not any(status == "target" for status, _ in counts):
        raise ListStateError("nobody is on the list", got=found.state, fix="draw it, or pin accounts, first")


def _is_same(one: Approval, made: Approval) -> bool:
    names = ("version", "revision", "side", "decision", "approver")
    return all(getattr(one, name) == getattr(made, name) for name in names)


def _require_segment(found: TargetList, segment: str | None, *, kind: Kind) -> None:
    names = [str(one["name"]) for one in found.segments]
    if kind == "drop" and segment is not None:
        raise InputError("segment: a drop takes none", got=segment, fix="leave it out")
    if kind == "move" and segment is None:
        raise InputError("segment: is missing", allowed=", ".join(names), fix="name the segment to move to")
    if segment is not None and segment not in names:
        raise InputError(
            "segment: the list has no such segment",
            got=repr(segment),
            allowed=", ".join(names) or "none: the list has no segments",
            fix=suggestion(segment, names) or "add it to the list first",
        )


def _told_of(segment: str | None, rows: Sequence[Member]) -> str:
    """What a change says of a decision: the segment, and the rows that are one with the first from now on."""
    others = ", ".join(one.account_id for one in rows[1:])
    return "; ".join(filter(None, [segment, others and f"stands for {others}, too"]))


def _rows(connection: Connection, found: TargetList, account_ids: Sequence[str]) -> tuple[Member, ...]:
    return list_members.rows_of(
        connection,
        list_id=found.id,
        account_ids=account_ids,
        version=found.version,
        newest=found.version,
    )


def _newcomer(account_id: str, facts: Facts | None, *, draw: int) -> Member:
    """An account that is not on the list."""
    known = facts or Facts(account_id)
    return Member(
        *(account_id, "target", PINNED),
        suggested=False,
        draw=draw,
        name=known.name,
        domain=known.domain,
        industry=known.industry,
        country=known.country,
        account_owner=known.owner,
    )


def _apply(
    connection: Connection,
    found: TargetList,
    *,
    rows: Sequence[Member],
    base: Member,
    account_ids: Sequence[str],
    now: datetime,
) -> None:
    """Make the decisions in force on one account what the list says of it. rows: that it has there, all but
    the first of accounts that it stands for by now: they go."""
    kept = list_overrides.of_list(connection, list_id=found.id, account_ids=account_ids, unended=True)
    decided = _joined(one for one in kept if one.in_force(now))
    after_it = member(base, decided)
    before = {one.account_id: one for one in rows}
    members = {} if after_it is None else {after_it.account_id: after_it}
    list_members.write(
        connection,
        list_id=found.id,
        version=found.version,
        before=before,
        after=members,
        left=departed(before, members, reasons=dict.fromkeys(list(before)[1:], MERGED)),
    )


def _joined(overrides: Any) -> Decided:
    """The decisions on one account, whatever it was called when they were made."""
    found = NOTHING
    for one in decided_of(overrides).values():
        found = Decided(one.membership or found.membership, one.segment or found.segment)
    return found
