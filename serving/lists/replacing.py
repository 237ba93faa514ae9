"""Whether somebody has seen the decision that theirs replaces.

Turns the decision that a caller names into nothing, or into an error that says who decided what meanwhile.
Time rule: decisions count that are in force `now`. Null rule: who names none has seen none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from features.errors import InputError
from serving.store import list_overrides
from serving.store.list_overrides import Override, Slot, UnknownOverrideError
from serving.store.lists import ListChangedError, TargetList

__all__ = ["require_seen"]


def require_seen(
    connection: Connection,
    present: Sequence[Override],
    *,
    found: TargetList,
    account_ids: Sequence[str],
    slot: Slot,
    replaces: int | None,
    now: datetime,
) -> None:
    """Raise ListChangedError where another decision counts than the one that the caller saw, and InputError
    where that was never one of this account."""
    standing = [one for one in present if one.in_force(now)]
    if any(one.id == replaces for one in present) or (replaces is None and not standing):
        return
    seen = None
    if replaces is not None:
        seen = _named(connection, found, account_ids=account_ids, slot=slot, replaces=replaces)
    if standing or seen is None:
        one = standing[0]
        what = f"{one.made_by} at {one.made_at.isoformat()}Z: {one.kind} {one.account_id} ({one.reason})"
        allowed = f"decision {one.id}"
    else:
        ended = "" if seen.ended_at is None else f" at {seen.ended_at.isoformat()}Z"
        what, allowed = f"{seen.ended_by} ended decision {seen.id}{ended}", "no decision"
    raise ListChangedError(
        f"somebody has decided of this account meanwhile: {what}",
        got="no decision" if replaces is None else f"decision {replaces}",
        allowed=allowed,
        fix="read the account again, and send the decision that yours replaces",
    )


def _named(
    connection: Connection, found: TargetList, *, account_ids: Sequence[str], slot: Slot, replaces: int
) -> Override:
    """The decision that the caller names. Raises InputError where it is not one that theirs could replace."""
    fault: dict[str, Any] = {
        "allowed": f"a decision on {account_ids[0]}, or none",
        "fix": "read the account again, and send the id of its own decision that yours replaces",
    }
    try:
        seen = list_overrides.find(connection, list_id=found.id, override_id=replaces)
    except UnknownOverrideError as error:
        raise InputError("replaces: the list has no such decision", got=replaces, **fault) from error
    if seen.account_id not in account_ids:
        what = f"decision {replaces} on {seen.account_id}"
        raise InputError("replaces: is a decision about another account", got=what, **fault)
    if seen.slot != slot:
        one = "whether the account is on the list" if slot == "membership" else "the account's segment"
        raise InputError(
            f"replaces: is no decision about {one}", got=f"decision {replaces}, a {seen.kind}", **fault
        )
    return seen
