"""Accounts that became one: what people said of any of them holds for the one that stands for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from serving.lists.deciding import decide, end_decision
from serving.lists.drawing import Drawn, Suggestion, draw
from serving.lists.editing import exclude
from serving.lists.facts import Facts
from serving.lists.requests import ListRequest
from serving.store import Store, list_members, list_overrides, lists
from serving.store.list_members import Member
from serving.store.list_pages import diff
from serving.store.lists import TargetList

NOW = datetime.fromisoformat("2026-05-01T12:00:00")
SAME = {"old": "new"}
"""old is called new today."""


@pytest.fixture
def made(store: Store) -> TargetList:
    given = {"name": "Few", "owner": "Ann", "purpose": "try it", "pilot": False, "size": 2}
    segments = [{"name": "north"}, {"name": "south"}]
    with store.writing() as connection:
        draft = ListRequest.model_validate(given | {"segments": segments}).draft()
        return lists.add(connection, draft, who="Ann", now=NOW)


def drawn(store: Store, made: TargetList, scores: Mapping[str, float], **told: Any) -> Drawn:
    same = told.get("same", {})
    facts = {
        name: Facts(name, name.upper(), f"{name}.example") for name in ("a", "b", "new", "old", "oldest")
    }
    with store.writing() as connection:
        return draw(
            connection,
            list_id=made.id,
            suggestions=[Suggestion(name, score) for name, score in scores.items()],
            facts={name: one for name, one in facts.items() if name not in same},
            **{"kind": "refresh", "why": "due", "who": "Ann", "now": NOW, **told},
        )


def on_it(store: Store, made: TargetList) -> dict[str, Member]:
    with store.reading() as connection:
        newest = lists.find(connection, list_id=made.id).version
        return list_members.members(connection, list_id=made.id, version=newest, newest=newest)


def why_gone(store: Store, made: TargetList) -> dict[str, str]:
    with store.reading() as connection:
        changes = diff(connection, list_id=made.id, earlier=1, later=2)
    return {one.account_id: one.why for one in changes if one.change == "dropped"}


def decided(store: Store, made: TargetList, *names: str, kind: Any, **told: Any) -> int:
    with store.writing() as connection:
        given = {"reason": "known", "who": "Ben", "now": NOW, "facts": Facts(names[0]), **told}
        return decide(connection, list_id=made.id, account_ids=names, kind=kind, **given)[1].id


def test_an_exclusion_under_an_older_identifier_counts(store: Store, made: TargetList) -> None:
    with store.writing() as connection:
        exclude(connection, list_id=made.id, entries=["old"], seen=1, who="Ann", now=NOW)
    done = drawn(store, made, {"new": 5, "a": 4}, kind="first", same=SAME)
    assert {drop.account_id: drop.rule for drop in done.constrained.drops} == {"new": "listed"}
    assert set(on_it(store, made)) == {"a"}


def test_a_place_is_kept_under_another_name(store: Store, made: TargetList) -> None:
    drawn(store, made, {"old": 5, "a": 4}, kind="first")
    drawn(store, made, {"b": 9, "a": 4, "new": 1}, same=SAME)
    # b is better than both, and comes onto neither's place.
    assert set(on_it(store, made)) == {"a", "new"}
    assert why_gone(store, made) == {"old": "merged"}


def test_a_pin_under_an_older_identifier_keeps_what_the_machine_said(store: Store, made: TargetList) -> None:
    drawn(store, made, {"old": 5, "a": 4}, kind="first")
    pin = decided(store, made, "old", kind="pin")
    drawn(store, made, {"b": 9, "a": 4}, same=SAME)
    found = on_it(store, made)["new"]
    assert (found.override_id, found.score, found.suggested) == (pin, 5, False)
    assert set(on_it(store, made)) == {"a", "new"}


@pytest.mark.parametrize("first", ["old", "new"])
def test_a_decision_is_of_the_one_that_stands_for_both(store: Store, made: TargetList, first: str) -> None:
    second = "new" if first == "old" else "old"
    drawn(store, made, {first: 5, second: 4}, kind="first")
    decided(store, made, "new", "old", kind="drop")
    assert {name: one.status for name, one in on_it(store, made).items()} == {"new": "dropped"}
    with store.reading() as connection:
        assert list_overrides.of_list(connection, list_id=made.id)[0].account_id == "new"
        change = lists.changes(connection, list_id=made.id)[0]
    assert (change.account_id, change.detail) == ("new", "stands for old, too")


def test_of_two_older_ones_the_first_identifier_is_decided_of(store: Store, made: TargetList) -> None:
    drawn(store, made, {"oldest": 5, "old": 4}, kind="first")
    decided(store, made, "new", "old", "oldest", kind="move", segment="north")
    assert {name: one.segment for name, one in on_it(store, made).items()} == {"old": "north"}


def test_the_end_of_a_pin_leaves_whom_the_machine_wants_by_either_name(
    store: Store, made: TargetList
) -> None:
    drawn(store, made, {"old": 5, "a": 4}, kind="first")
    pin = decided(store, made, "new", kind="pin")
    assert set(on_it(store, made)) == {"a", "new", "old"}
    with store.writing() as connection:
        names = ("new", "old")
        given: Any = {"override_id": pin, "account_ids": names, "why": "over", "who": "Ann", "now": NOW}
        end_decision(connection, list_id=made.id, **given)
    found = on_it(store, made)
    assert {name: one.score for name, one in found.items()} == {"a": 4, "new": 5}
    assert found["new"].suggested
