"""Accounts that asked to be forgotten, as whoever writes to a list has to ask of them.

Turns the list of the forgotten into a question about single accounts. What a write is about was read before
the store was its own: an erasure may have come between, which looked for rows that were not there yet, so
that the write has to ask again once it need not wait for one any more (`serving.store.lists.lock`). Time
rule: the list of the forgotten counts as it is now. Null rule: without one nobody was forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Literal, Protocol

from features.errors import UnknownAccountError

__all__ = ["People", "gone_from", "nearest_without", "nobody", "remembered_in", "require_not_forgotten"]


class People(Protocol):
    """Who was forgotten; `features.privacy.known_people.KnownPeople` is one."""

    def listed(self) -> object:
        """What is another one once somebody was put on the list; None without a list."""

    def forgets(self, name: str, *, kind: Literal["account"]) -> bool:
        """Whether an identifier is that of an account that was forgotten."""


def nobody(_: str) -> bool:
    """What `gone_from` says where nobody was ever forgotten."""
    return False


def gone_from(people: People | None) -> Callable[[str], bool]:
    """Whether an account was forgotten by now; each is looked up once. people: None where nobody can be."""
    if people is None or people.listed() is None:
        return nobody
    known = people

    @cache
    def gone(account_id: str) -> bool:
        return known.forgets(account_id, kind="account")

    return gone


def require_not_forgotten(people: People | None, account_ids: Iterable[str]) -> None:
    """Raise UnknownAccountError where an account was forgotten, as the tables will once they are read anew.

    account_ids: what it is called, first as today.
    """
    gone, names = gone_from(people), list(account_ids)
    if any(gone(name) for name in names):
        raise UnknownAccountError("no such account", got=names[0], fix="send nothing about it")


def remembered_in(asked: Mapping[str, Any], *, gone: Callable[[str], bool]) -> dict[str, Any]:
    """What an expansion is asked, without seeds that were forgotten. What was about nobody stays so."""
    names = asked["account_ids"]
    if names is None:
        return dict(asked)
    return {**asked, "account_ids": [name for name in names if not gone(name)]}


def nearest_without(told: Mapping[str, Any], *, gone: Callable[[str], bool]) -> Mapping[str, Any]:
    """What the machine said of an account, without the forgotten among the nearest seeds; the same where none
    is."""
    if gone is nobody:
        return told
    nearest = told.get("nearest") or []
    kept = [seed for seed in nearest if not gone(str(seed.get("account_id", "")))]
    return told if len(kept) == len(nearest) else {**told, "nearest": kept}
