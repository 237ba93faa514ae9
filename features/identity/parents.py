"""Subsidiaries and their ultimate parents.

Turns each account's parent into the account at the top of its family, for those who choose to sell to groups
and not to their parts. Time rule: none; give the parents known at the moment that is asked for. Null rule:
an account without a parent, or whose parent is no account, stands at the top; so does each of those that are
their own ancestors, as nobody can tell which of them is the highest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from features.identity.identifiers import salesforce_id

__all__ = ["Families", "ultimate_parents"]


@dataclass(frozen=True)
class Families:
    """top: the top of the family by account, accounts at the top included.

    cycles: accounts that are their own ancestors, each ring once, from its smallest member upwards.
    """

    top: dict[str, str]
    cycles: tuple[tuple[str, ...], ...] = ()


def ultimate_parents(parents: Mapping[str, str | None]) -> Families:
    """The families of accounts.

    parents: the parent (or None) by account; a Salesforce id of 15 characters names the account of 18.

    >>> ultimate_parents({"plant": "branch", "branch": "group", "group": None, "other": "unknown"}).top
    {'plant': 'group', 'branch': 'group', 'group': 'group', 'other': 'other'}
    >>> ultimate_parents({"hen": "egg", "egg": "hen", "chick": "hen"})
    Families(top={'hen': 'hen', 'egg': 'egg', 'chick': 'hen'}, cycles=(('egg', 'hen'),))
    """
    known = {name: name for name in parents} | {
        whole: name for name in sorted(parents) if (whole := salesforce_id(name)) is not None
    }
    above = {name: _account(parent, known=known) for name, parent in parents.items()}
    cycles = tuple(sorted(_cycles(above)))
    above |= dict.fromkeys(name for ring in cycles for name in ring)
    top: dict[str, str] = {}
    for name in above:
        path = _path(name, above=above, top=top)
        top |= dict.fromkeys(path, top.get(path[-1], path[-1]))
    return Families(top, cycles)


def _account(parent: str | None, *, known: Mapping[str, str]) -> str | None:
    """The account that is meant; None where there is none."""
    if parent is None:
        return None
    return known.get(parent) or known.get(salesforce_id(parent) or "")


def _path(name: str, *, above: Mapping[str, str | None], top: Mapping[str, str]) -> list[str]:
    """From an account up to the top, or to the first one whose top is known."""
    path = [name]
    while path[-1] not in top and (parent := above[path[-1]]) is not None:
        path.append(parent)
    return path


def _cycles(above: Mapping[str, str | None]) -> Iterator[tuple[str, ...]]:
    """Each ring once, turned so that the order of rows does not matter."""
    seen: dict[str, str] = {}
    for start in above:
        path: list[str] = []
        name: str | None = start
        while name is not None and name not in seen:
            seen[name] = start
            path.append(name)
            name = above[name]
        if name is not None and seen[name] == start:
            ring = path[path.index(name) :]
            first = ring.index(min(ring))
            yield (*ring[first:], *ring[:first])
