"""What people may do, by their role: the scopes of keys, and whether they may write by them.

Turns a role, a scope and a method into yes or no. Time rule: none. Null rule: a role has no scope that is not
told here. A score is asked for by POST and changes nothing, so that who may ask may post.
"""

from __future__ import annotations

from serving.access.scopes import Scope
from serving.store.people import Role

__all__ = ["READING", "may"]

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
