"""What people may do, by their role: the scopes of keys, and whether they may write by them.

Turns a role, a scope and a method into yes or no. Time rule: none. Null rule: a role has no scope that is not
told here. A score is asked for by POST and changes nothing, so that who may ask may post.
"""

from __future__ import annotations

from serving.access.callers import Caller
from serving.access.scopes import Scope
from serving.problems import NotAllowedError
from serving.store.people import Role, Side

__all__ = ["READING", "may", "require_side"]

READING = frozenset({"GET", "HEAD"})
"""Methods that change nothing."""

_READS: dict[Role, frozenset[Scope]] = {
    "viewer": frozenset({"score", "lists"}),
    "approver": frozenset({"score", "lists"}),
}
_WRITES: dict[Role, frozenset[Scope]] = {
    "viewer": frozenset({"score"}),
    "approver": frozenset({"score", "lists"}),
}


def may(role: Role, *, scope: Scope, method: str) -> bool:
    """Whether somebody of this role may send a request to an endpoint that needs this scope.

    >>> may("viewer", scope="lists", method="GET"), may("viewer", scope="lists", method="POST")
    (True, False)
    """
    return scope in (_READS if method in READING else _WRITES)[role]


def require_side(caller: Caller, side: Side) -> None:
    """Refuse a person who decides for the other side than their own. Keys have none, and some people both.

    Raises NotAllowedError.
    """
    own = caller.person.side if caller.person is not None else None
    if own is not None and own != side:
        raise NotAllowedError(
            f"this person does not decide for {side}",
            got=side,
            allowed=own,
            fix=f"decide for {own}, or ask whoever runs the service for another side: spearfish users role",
        )
