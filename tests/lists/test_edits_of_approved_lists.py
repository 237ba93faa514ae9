"""What people approved of a list is not changed without another review."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import update

from serving.lists.deciding import approve, move_state
from serving.lists.drawing import Suggestion, draw
from serving.lists.editing import edit
from serving.lists.facts import Facts
from serving.lists.handing_over import hand_over, lines
from serving.lists.proposing import discard
from serving.lists.requests import ListRequest
from serving.store import Store, lists, schema
from serving.store.lists import TargetList

NOW = datetime.fromisoformat("2026-05-01T12:00:00")
SEGMENT = {"name": "north", "basis": "other", "description": None}
GOAL = {
    "metric": "win_rate",
    "segment": None,
    "baseline": None,
    "target": 1.0,
    "unit": "absolute",
    "date": "2027-01-01",
}


@pytest.fixture
def found(store: Store) -> TargetList:
    """A list that is approved."""
    given = {"name": "Banks", "owner": "Ann", "purpose": "try it", "pilot": False, "size": 2}
    with store.writing() as connection:
        made = lists.add(connection, ListRequest.model_validate(given).draft(), who="Ann", now=NOW)
    drawn(store, made, "first")
    return approved(store, made)


def drawn(store: Store, found: TargetList, kind: Any) -> None:
    with store.writing() as connection:
        draw(
            connection,
            list_id=found.id,
            suggestions=[Suggestion("a", 1.0)],
            facts={"a": Facts("a")},
            kind=kind,
            why="due",
            who="Ann",
            now=NOW,
        )


def now_of(store: Store, found: TargetList) -> TargetList:
    with store.reading() as connection:
        return lists.find(connection, list_id=found.id)


def approved(store: Store, found: TargetList) -> TargetList:
    own: Any = {"list_id": found.id, "now": NOW}
    with store.writing() as connection:
        seen = lists.find(connection, list_id=found.id).revision
        seen = move_state(connection, action="submit", seen=seen, who="Ann", **own).revision
        for side, who in (("marketing", "Ann"), ("sales", "Ben")):
            told: Any = {"side": side, "decision": "approved", "comment": "", "approver": who}
            left = approve(connection, seen=seen, **told, **own)
    assert left.state == "approved"
    return left


def edited(store: Store, found: TargetList, **values: Any) -> TargetList:
    seen = now_of(store, found).revision
    with store.writing() as connection:
        return edit(connection, list_id=found.id, values=values, seen=seen, who="Cat", now=NOW)


def name_handed_over(store: Store, found: TargetList, **told: Any) -> str:
    with store.writing() as connection:
        own: Any = {"file_format": "csv", "who": "Ben", "now": NOW, **told}
        export = hand_over(connection, list_id=found.id, **own).export
        header, row = lines(connection, export)
    return dict(zip(header, row, strict=True))["list"]


@pytest.mark.parametrize(
    "values",
    [{"name": "Insurers"}, {"purpose": "something else"}, {"segments": [SEGMENT]}, {"goals": [GOAL]}],
)
def test_an_edit_of_what_was_reviewed_is_a_draft(
    store: Store, found: TargetList, values: dict[str, Any]
) -> None:
    left = edited(store, found, **values)
    assert (left.state, left.version, left.approved_version) == ("draft", 2, 1)
    assert now_of(store, found) == left
    assert {name: getattr(left, name) for name in values} == values
    with store.reading() as connection:
        newest = lists.versions(connection, list_id=found.id)[0]
    assert (newest.kind, newest.opened_by, newest.why) == ("edit", "Cat", f"edited: {next(iter(values))}")
    again = approved(store, found)
    assert (again.version, again.approved_version) == (2, 2)


@pytest.mark.parametrize("values", [{"owner": "Ben"}, {"size": 7}, {"rules": {"customers": False}}, {}])
def test_what_nobody_reviews_by_itself_leaves_it_approved(
    store: Store, found: TargetList, values: dict[str, Any]
) -> None:
    assert edited(store, found, name="Banks", **values).state == "approved"


def test_the_name_that_is_handed_over_is_the_one_that_was_approved(store: Store, found: TargetList) -> None:
    edited(store, found, name="Insurers")
    edited(store, found, name="Brokers")
    assert name_handed_over(store, found) == "Banks"
    assert name_handed_over(store, found, draft=True) == "Brokers"
    approved(store, found)
    assert name_handed_over(store, found) == "Brokers"


def test_what_was_approved_before_it_was_remembered_is_handed_over_still(
    store: Store, found: TargetList
) -> None:
    with store.writing() as connection:
        connection.execute(update(schema.list_versions).values(source={}))
    edited(store, found, name="Insurers")
    assert name_handed_over(store, found) == "Banks"


@pytest.mark.parametrize(("name", "state"), [("Insurers", "draft"), ("Banks", "approved")])
def test_an_edit_beside_a_proposal_is_a_draft_once_that_is_discarded(
    store: Store, found: TargetList, name: str, state: str
) -> None:
    drawn(store, found, "refresh")
    seen = edited(store, found, name=name, size=3).revision
    assert name_handed_over(store, found) == "Banks"
    with store.writing() as connection:
        left = discard(connection, list_id=found.id, seen=seen, who="Ann", now=NOW)
    assert (left.name, left.state, left.approved_version) == (name, state, 1)
    assert now_of(store, found) == left
    assert name_handed_over(store, found) == "Banks"
