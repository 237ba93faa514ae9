"""Subsidiaries and their ultimate parents.

Turns each account's parent into the account at the top of its family, for those who choose to sell to groups
and not to their parts. Time rule: none; give the parents known at the moment that is asked for. Null rule:
an account without a parent, or whose parent is no account, stands at the top.
"""

from __future__ import annotations

from collections.abc import Mapping

from features.errors import ContractError
from features.identity.identifiers import salesforce_id

__all__ = ["ultimate_parents"]


def ultimate_parents(parents: Mapping[str, str | None]) -> dict[str, str]:
    """The top of the family by account, accounts at the top included.

    parents: the parent (or None) by account; a Salesforce id of 15 characters names the account of 18.
    Raises ContractError that names the cycle when an account is its own ancestor.

    >>> ultimate_parents({"plant": "branch", "branch": "group", "group": None, "other": "unknown"})
    {'plant': 'group', 'branch': 'group', 'group': 'group', 'other': 'other'}
    """
    known = {name: name for name in parents} | {
        whole: name for name in sorted(parents) if (whole := salesforce_id(name)) is not None
    }
    above = {name: _account(parent, known=known) for name, parent in parents.items()}
    top: dict[str, str] = {}
    for name in above:
        path = _path(name, above=above, top=top)
        top |= dict.fromkeys(path, top.get(path[-1], path[-1]))
    return top


def _account(parent: str | None, *, known: Mapping[str, str]) -> str | None:
    """The account that is meant; None where there is none."""
    if parent is None:
        return None
    return known.get(parent) or known.get(salesforce_id(parent) or "")


def _path(name: str, *, above: Mapping[str, str | None], top: Mapping[str, str]) -> list[str]:
    """From an account up to the top, or to the first one whose top is known."""
    path, seen = [name], {name}
    while path[-1] not in top and (parent := above[path[-1]]) is not None:
        if parent in seen:
            raise _cycle([*path[path.index(parent) :], parent])
        path.append(parent)
        seen.add(parent)
    return path


def _cycle(names: list[str]) -> ContractError:
    # Named from its smallest member, so that the order of rows does not change the message.
    ring = names[:-1]
    start = ring.index(min(ring))
    turned = [*ring[start:], *ring[:start], ring[start]]
    return ContractError(
        "parents of accounts form a cycle",
        got=" -> ".join(turned),
        allowed="a parent that is no descendant",
        fix="correct the parent of one of these accounts in the source",
    )
