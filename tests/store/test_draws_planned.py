"""A draw that was worked out beforehand leaves what it leaves when it is worked out on the spot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection

from serving.lists.deciding import decide
from serving.lists.drawing import Suggestion, carried_out, draw, planned
from serving.lists.editing import edit
from serving.lists.facts import Facts
from serving.lists.proposing import accept
from serving.lists.requests import ListRequest
from serving.store import Store, list_members, lists
from serving.store.list_members import Member
from serving.store.lists import ListChangedError, TargetList

NOW = datetime.fromisoformat("2026-05-01T12:00:00")
FACTS = {name: Facts(name, name.upper(), f"{name}.example", "software") for name in "abcdef"}


@pytest.fixture
def store(either_url: str) -> Iterator[Store]:
    with Store.open(either_url) as opened:
        yield opened


def asked(found: TargetList, scores: Mapping[str, float], kind: Any = "refresh", **told: Any) -> Any:
    suggestions = [
        Suggestion(name, score, segment="s", detail={"baseline": score}) for name, score in scores.items()
    ]
    given = {"list_id": found.id, "suggestions": suggestions, "facts": FACTS, "kind": kind}
    return {**given, "why": "due", "who": "Ann", "now": NOW, **told}


def drawn_list(connection: Connection) -> TargetList:
    """A list of four places with a, b and c on it."""
    given = {"name": f"list {uuid4().hex}", "owner": "Ann", "purpose": "try it", "pilot": False, "size": 4}
    made = lists.add(connection, ListRequest.model_validate(given).draft(), who="Ann", now=NOW)
    return draw(connection, **asked(made, {"a": 5, "b": 4, "c": 3}, kind="first")).list


def on_it(connection: Connection, found: TargetList) -> dict[str, Member]:
    newest = lists.find(connection, list_id=found.id).version
    return list_members.members(connection, list_id=found.id, version=newest, newest=newest)


def details(connection: Connection, members: Mapping[str, Member], found: TargetList) -> dict[str, str]:
    return list_members.details(connection, list_id=found.id, some=list(members.values()))


def test_a_planned_draw_leaves_what_one_at_once_leaves(store: Store) -> None:
    with store.writing() as connection:
        first, second = drawn_list(connection), drawn_list(connection)
    for scores in ({"a": 9, "d": 8, "b": 1}, {"c": 2, "e": 1}, {"a": 9}):
        with store.reading() as connection:
            plan = planned(connection, **asked(first, scores))
        with store.writing() as connection:
            by_plan = carried_out(connection, plan)
            at_once = draw(connection, **asked(second, scores))
            members = on_it(connection, first)
            assert members == on_it(connection, second)
            assert details(connection, members, first) == details(connection, members, second)
            assert {name for name, one in members.items() if one.status == "target"} == set(scores)
        told = ("targets", "added", "dropped", "moved", "constrained")
        assert [getattr(by_plan, name) for name in told] == [getattr(at_once, name) for name in told]
        assert by_plan.list.version == at_once.list.version == 2


def test_planning_writes_nothing(store: Store) -> None:
    with store.writing() as connection:
        found = drawn_list(connection)
        before = on_it(connection, found)
        planned(connection, **asked(found, {"d": 1}))
        assert lists.find(connection, list_id=found.id) == found
        assert on_it(connection, found) == before
        assert [one.number for one in lists.versions(connection, list_id=found.id)] == [1]


def test_what_was_decided_after_the_plan_counts(store: Store) -> None:
    with store.writing() as connection:
        found = drawn_list(connection)
    with store.reading() as connection:
        plan = planned(connection, **asked(found, {"a": 5, "d": 4}))
    with store.writing() as connection:
        for name, kind in (("f", "pin"), ("a", "drop")):
            given: Any = {"kind": kind, "reason": "known", "who": "Ben", "now": NOW, "facts": FACTS[name]}
            decide(connection, list_id=found.id, account_ids=[name], **given)
    with store.writing() as connection:
        done = carried_out(connection, plan)
        members = on_it(connection, found)
    assert {name: one.status for name, one in members.items()} == {
        "a": "dropped",
        "d": "target",
        "f": "target",
    }
    # Against what was on it when the draw was written: b and c go, d comes.
    assert (done.added, done.dropped, done.targets) == (1, 2, 2)


def test_a_proposal_that_was_accepted_after_the_plan_is_what_the_next_one_is_beside(store: Store) -> None:
    with store.writing() as connection:
        found = drawn_list(connection)
        seen = draw(connection, **asked(found, {"a": 5, "d": 4})).list.revision
    with store.reading() as connection:
        plan = planned(connection, **asked(found, {"a": 5, "e": 4}))
    with store.writing() as connection:
        accept(connection, list_id=found.id, seen=seen, who="Ann", now=NOW)
    with store.writing() as connection:
        assert carried_out(connection, plan).list.version == 3
        assert set(on_it(connection, found)) == {"a", "e"}


def test_whoever_names_a_revision_is_told_of_what_came_between(store: Store) -> None:
    with store.writing() as connection:
        found = drawn_list(connection)
    with store.reading() as connection:
        plan = planned(connection, **asked(found, {"d": 4}, seen=found.revision))
    with store.writing() as connection:
        edit(connection, list_id=found.id, values={"size": 2}, seen=found.revision, who="Ben", now=NOW)
    with pytest.raises(ListChangedError, match="Ben"), store.writing() as connection:
        carried_out(connection, plan)
    with store.reading() as connection:
        assert set(on_it(connection, found)) == {"a", "b", "c"}
