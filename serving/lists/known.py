"""What the tables of a workspace know of accounts that are to be on a list.

Turns identifiers into facts, whatever older identifiers lead to the accounts. Time rule: what is known now.
Null rule: an account that the tables do not hold has no facts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from features.tables import Tables
from serving.lists.facts import Facts, facts_of, same_account, unknown_columns
from serving.lists.settings import Rules
from serving.store import Store, list_overrides, lists

__all__ = ["Known", "KnownAccount", "account_in", "known_in"]


@dataclass(frozen=True)
class Known:
    """facts: by account as it is called today. same: by account that another one stands for, that one."""

    facts: Mapping[str, Facts]
    same: Mapping[str, str]


@dataclass(frozen=True)
class KnownAccount:
    """One account. names: what it is called, first as today, then by its older ones in their order.

    facts: None where the tables do not hold it. unknown_columns: that the list's rules name and the accounts
    have no more; a decision needs none of them.
    """

    names: tuple[str, ...]
    facts: Facts | None
    unknown_columns: tuple[str, ...] = ()


def known_in(
    tables: Tables,
    store: Store,
    *,
    list_id: int,
    account_ids: Collection[str],
    rules: Mapping[str, Any] | None = None,
) -> Known:
    """What a draw of a list has to know: of the accounts that are suggested, and of those that people decided
    of. rules: that a redraw brings; None for the list's. Raises UnknownListError, and InvalidRequestError for
    columns that the rules name and the accounts lack: without them nobody knows who may be on the list."""
    with store.reading() as connection:
        found = lists.find(connection, list_id=list_id)
        asked = Rules.model_validate(rules or found.rules)
        decided = list_overrides.of_list(connection, list_id=list_id, unended=True)
    same = same_account(tables)
    wanted = {*account_ids, *(one.account_id for one in decided)}
    today = {same.get(name, name) for name in wanted}
    return Known(facts_of(tables, rules=asked, account_ids=today), same)


def account_in(tables: Tables, account_id: str, *, rules: Mapping[str, Any]) -> KnownAccount:
    """What a decision on an account has to know. rules: of the list, as the store has them."""
    same = same_account(tables)
    today = same.get(account_id, account_id)
    older = sorted(name for name, identity in same.items() if identity == today)
    asked = Rules.model_validate(rules)
    found = facts_of(tables, rules=asked, account_ids=[today], as_far=True)
    unknown = dict.fromkeys(unknown_columns(tables, rules=asked).values())
    return KnownAccount((today, *older), found.get(today), tuple(unknown))
