"""Who is comparable with the accounts of a list, and which deals count: nothing that comes and goes later."""

from __future__ import annotations

from typing import Any

import pytest
from followed_lists import approved_at, at, new_list, outcomes, tables_of

from serving.lists.editing import edit
from serving.store import Store, lists

FIRST, LATER = "2024-03-01T12:00", "2024-10-01T12:00"
NAMES = ("a1", "a2", "a3", "c1", "c2", "c3", "c4", "c7")
ACCOUNTS: list[tuple[Any, ...]] = [(name, "2024-01-01", "software", "DE", 50) for name in NAMES]


@pytest.mark.parametrize("further", [[], ["c1", "c2"], ["c1", "c2", "c3", "c4", "c7"]])
def test_candidates_without_a_place_stay_comparable(store: Store, further: list[str]) -> None:
    """However many the machine was asked for: only those on the list were suggested to anybody."""
    number = new_list(store, size=3)
    approved_at(store, number, FIRST, suggested=["a1", "a2", "a3", *further])
    found = outcomes(tables_of(ACCOUNTS), store, list_id=number)
    assert found.groups["accepted"].accounts == 3
    assert found.comparable.on_lists == 3
    assert (found.matched.rows, found.matched.accounts) == (5, 5)


def test_rules_that_are_edited_later_change_no_product_of_before(store: Store) -> None:
    number = new_list(store, rules={"product": "crm"})
    approved_at(store, number, FIRST, suggested=["a1"])
    deals = [
        ("1", "a1", "2024-04-01", "2024-05-01", "won", "2024-05-01", "crm"),
        ("2", "a1", "2024-04-01", "2024-05-01", "lost", "2024-05-01", "erp"),
    ]
    for change in range(3):
        with store.writing() as connection:
            if change:
                seen, rules = lists.find(connection, list_id=number).revision, {"product": "erp"}
                words: dict[str, Any] = {"list_id": number, "seen": seen, "who": "Ann", "now": at(LATER)}
                edit(connection, values={"rules": rules}, **words)
        if change == 2:
            approved_at(store, number, "2024-10-20", suggested=["a1"], kind="refresh")
        told = outcomes(tables_of(ACCOUNTS, deals), store, list_id=number).groups["accepted"]
        assert (told.opened, told.won, told.ended, told.ended_won) == (1, 1, 1, 1)


def test_a_deal_that_moved_to_an_account_that_nobody_knows_has_left_the_other(store: Store) -> None:
    number = new_list(store)
    approved_at(store, number, FIRST, suggested=["a1"])
    deals = [
        ("1", "a1", "2024-04-01", None, None, "2024-04-01"),
        ("1", "elsewhere", "2024-04-01", "2024-05-01", "won", "2024-05-01"),
    ]
    told = outcomes(tables_of(ACCOUNTS, deals), store, list_id=number).groups["accepted"]
    assert (told.opened, told.won) == (0, 0)
