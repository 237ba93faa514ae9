"""What the store tells of who was on lists, in both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from followed_lists import approved_at, at, new_list

from serving.store import Store, list_forgetting
from serving.store.list_outcomes import lists_state, read_lists
from serving.store.list_tables import OPEN

FIRST, SECOND = "2024-03-01T12:00:00", "2024-06-01T12:00:00"


@pytest.fixture
def store(own_url: str) -> Iterator[Store]:
    with Store.open(own_url) as opened:
        yield opened


@pytest.fixture
def followed(store: Store) -> int:
    number = new_list(store, rules={"product": "crm"})
    approved_at(store, number, FIRST, suggested=["a", "b", "x"], pinned=["p"], dropped=["b"], customers=["x"])
    approved_at(store, number, SECOND, suggested=["a", "b", "c"], kind="refresh")
    return number


def test_every_row_is_told_with_the_versions_that_it_holds_for(store: Store, followed: int) -> None:
    with store.reading() as connection:
        told = read_lists(connection)
    rows = sorted(tuple(row.values()) for row in told.members.to_pylist())
    # b was taken off: the machine had named it, which a later draw does not say any more.
    assert {row[1:] for row in rows} >= {
        ("a", 1, 2, True, True),
        ("a", 2, OPEN, True, True),
        ("c", 2, OPEN, True, True),
    }
    assert {row[4:] for row in rows if row[1] == "b"} == {(False, True)}
    assert {row[4:] for row in rows if row[1] == "p"} == {(True, False)}
    assert [tuple(row.values()) for row in told.versions.to_pylist()] == [
        (followed, 1, at(FIRST), "crm"),
        (followed, 2, at(SECOND), "crm"),
    ]
    assert told.forgotten == {followed: 0}


def test_a_store_without_lists_tells_of_nobody(store: Store) -> None:
    with store.reading() as connection:
        told = read_lists(connection)
    assert (len(told.members), len(told.versions), told.forgotten) == (0, 0, {})


def test_every_change_and_every_erasure_makes_another_state(store: Store, followed: int) -> None:
    def state() -> tuple[object, ...]:
        with store.reading() as connection:
            return lists_state(connection)

    first = state()
    assert state() == first
    new_list(store, "another")
    second = state()
    assert second != first
    with store.writing() as connection:
        list_forgetting.forget(connection, clean=lambda text: text, gone=lambda _, name: name == "a")
    third = state()
    assert third not in (first, second)
    with store.reading() as connection:
        told = read_lists(connection)
    assert told.forgotten[followed] > 0
    assert "a" not in told.members.column("account_id").to_pylist()
