"""Decisions on one account: which of them says where it belongs, and which of them another one replaces."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from features.errors import InputError
from serving.lists.deciding import decide, end_decision
from serving.lists.drawing import Drawn, Suggestion, draw
from serving.lists.facts import Facts
from serving.lists.requests import ListRequest
from serving.store import Store, list_members, lists
from serving.store.list_members import Member
from serving.store.list_overrides import Override
from serving.store.lists import ListChangedError, TargetList

NOW = datetime.fromisoformat("2026-05-01T12:00:00")
FACTS = {name: Facts(name) for name in "abc"}
QUOTA = {"segment_quotas": [{"name": "north", "most": 1}]}


@pytest.fixture
def found(store: Store) -> TargetList:
    """A list with a and b on it; one account may be in the north."""
    given = {"name": "Few", "owner": "Ann", "purpose": "try it", "pilot": False, "size": 5, "rules": QUOTA}
    segments = [{"name": "north"}, {"name": "south"}]
    draft = ListRequest.model_validate(given | {"segments": segments}).draft()
    with store.writing() as connection:
        made = lists.add(connection, draft, who="Ann", now=NOW)
    drawn(store, made, "first")
    return made


def drawn(store: Store, found: TargetList, kind: Any) -> Drawn:
    with store.writing() as connection:
        return draw(
            connection,
            list_id=found.id,
            suggestions=[Suggestion("a", 2.0, segment="south"), Suggestion("b", 1.0, segment="north")],
            facts=FACTS,
            kind=kind,
            why="due",
            who="Ann",
            now=NOW,
        )


def decided(store: Store, found: TargetList, account: str, kind: Any, **told: Any) -> Override:
    given = {"reason": "known", "who": "Ben", "now": NOW, "facts": FACTS[account], **told}
    with store.writing() as connection:
        return decide(connection, list_id=found.id, account_ids=[account], kind=kind, **given)[1]


def member(store: Store, found: TargetList, account: str) -> Member:
    with store.reading() as connection:
        newest = lists.find(connection, list_id=found.id).version
        return list_members.members(connection, list_id=found.id, version=newest, newest=newest)[account]


def test_the_latest_decision_that_names_a_segment_counts(store: Store, found: TargetList) -> None:
    move = decided(store, found, "a", "move", segment="south")
    pin = decided(store, found, "a", "pin", segment="north")
    placed = member(store, found, "a")
    assert (placed.segment, placed.override_id, placed.move_id) == ("north", pin.id, None)
    # It counts towards the quota of the north, which is full then.
    done = drawn(store, found, "refresh")
    assert {drop.account_id: drop.rule for drop in done.constrained.drops} == {"b": "quota of segment"}
    assert member(store, found, "a").segment == "north"
    later = decided(store, found, "a", "move", segment="south", replaces=move.id)
    assert (member(store, found, "a").segment, member(store, found, "a").move_id) == ("south", later.id)


def test_an_older_move_counts_again_once_the_pin_is_over(store: Store, found: TargetList) -> None:
    move = decided(store, found, "a", "move", segment="north")
    pin = decided(store, found, "a", "pin", segment="south")
    with store.writing() as connection:
        own: Any = {"list_id": found.id, "override_id": pin.id, "why": "over", "who": "Ann", "now": NOW}
        end_decision(connection, **own)
    assert (member(store, found, "a").segment, member(store, found, "a").move_id) == ("north", move.id)


def test_a_pin_without_a_segment_leaves_a_move_in_force(store: Store, found: TargetList) -> None:
    decided(store, found, "a", "move", segment="north")
    decided(store, found, "a", "pin")
    assert member(store, found, "a").segment == "north"


@pytest.mark.parametrize("another_stands", [True, False])
def test_what_is_replaced_is_of_the_same_account_and_question(
    store: Store, found: TargetList, *, another_stands: bool
) -> None:
    of_b, move = decided(store, found, "b", "pin"), decided(store, found, "a", "move", segment="south")
    if another_stands:
        decided(store, found, "a", "pin")
    told = {
        of_b.id: f"replaces: is a decision about another account .got decision {of_b.id} on b; "
        "allowed a decision on a, or none.",
        move.id: "replaces: is no decision about whether the account is on the list "
        f".got decision {move.id}, a move;",
        999: "replaces: the list has no such decision .got 999;",
    }
    for number, message in told.items():
        with pytest.raises(InputError, match=message) as raised:
            decided(store, found, "a", "drop", replaces=number)
        assert not isinstance(raised.value, ListChangedError)
        assert raised.value.http_status == 422


def test_who_ended_what_was_seen_is_told(store: Store, found: TargetList) -> None:
    pin = decided(store, found, "a", "pin")
    with store.writing() as connection:
        own: Any = {"list_id": found.id, "override_id": pin.id, "why": "over", "who": "Ann", "now": NOW}
        end_decision(connection, **own)
    with pytest.raises(ListChangedError, match=f"Ann ended decision {pin.id} at 2026-05-01T12:00:00Z"):
        decided(store, found, "a", "drop", replaces=pin.id)
