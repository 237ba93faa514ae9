"""The states of a list, and what leads from one to another.

Turns a state and an action into the next state, by one table. Time rule: a refresh is due a quarter after the
last draw, a rebuild a year after the last one from scratch. Null rule: a list that was never drawn is due for
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from serving.store.list_approvals import Approval
from serving.store.lists import ListStateError, State, TargetList

__all__ = ["ACTIONS", "TRANSITIONS", "Action", "Due", "after", "due", "is_approved", "standing_approvals"]

Action = Literal["submit", "withdraw", "request_changes", "approve", "revise", "archive", "restore"]
Due = Literal["refresh", "rebuild"]

TRANSITIONS: dict[tuple[State, Action], State] = {
    ("draft", "submit"): "review",
    ("review", "withdraw"): "draft",
    ("review", "request_changes"): "draft",
    ("review", "approve"): "approved",
    ("approved", "revise"): "draft",
    ("draft", "archive"): "archived",
    ("review", "archive"): "archived",
    ("approved", "archive"): "archived",
    ("archived", "restore"): "draft",
}
"""From a state by an action to a state; whatever is not here is refused. approve: once both sides have;
revise: by any change of an approved list, which begins another version while the approved one stays what is
handed over."""

ACTIONS: tuple[Action, ...] = tuple(dict.fromkeys(action for _, action in TRANSITIONS))

REFRESHED_AFTER, REBUILT_AFTER = timedelta(days=91), timedelta(days=365)


def after(state: State, action: Action) -> State:
    """The state that an action leads to. Raises ListStateError."""
    found = TRANSITIONS.get((state, action))
    if found is None:
        allowed = [known for (start, known) in TRANSITIONS if start == state]
        raise ListStateError(
            f"a list in the state {state} does not take {action}",
            got=state,
            allowed=", ".join(start for start, known in TRANSITIONS if known == action),
            fix=f"possible now: {', '.join(allowed)}",
        )
    return found


def due(found: TargetList, *, now: datetime) -> Due | None:
    """What is to be done with a list that is in use."""
    if found.rebuilt_at is None or found.refreshed_at is None or found.state == "archived":
        return None
    if now >= found.rebuilt_at + REBUILT_AFTER:
        return "rebuild"
    return "refresh" if now >= found.refreshed_at + REFRESHED_AFTER else None


def standing_approvals(approvals: Sequence[Approval], *, version: int, revision: int) -> tuple[Approval, ...]:
    """The approvals that count: of this version as it stands now, where nobody asked for changes."""
    own = [one for one in approvals if (one.version, one.revision) == (version, revision)]
    return tuple(one for one in own if one.decision == "approved")


def is_approved(standing: Sequence[Approval]) -> bool:
    """Whether somebody of marketing and somebody of sales have approved."""
    return {one.side for one in standing} == {"marketing", "sales"}
