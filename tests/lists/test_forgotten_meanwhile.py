"""A draw that was worked out before somebody was forgotten, and is written after their rows were erased."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from serving.lists.deciding import decide
from serving.lists.drawing import Suggestion, carried_out, draw, planned
from serving.lists.facts import Facts
from serving.lists.requests import ListRequest
from serving.store import Store, list_members, lists

NOW = datetime.fromisoformat("2026-05-01T12:00:00")
FACTS = {name: Facts(name, name.upper(), f"{name}.example", "software") for name in "abcd"}


class Listed:
    """A list of the forgotten."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def listed(self) -> object:
        return len(self.names) or None

    def forgets(self, name: str, *, kind: Literal["account"]) -> bool:
        assert kind == "account"
        return name in self.names


def test_nobody_comes_back_onto_the_list(tmp_path: Path) -> None:
    people = Listed()
    with Store.open(f"sqlite:///{tmp_path}/store.db") as store:
        with store.writing() as connection:
            given = {"name": "Few", "owner": "Ann", "purpose": "try it", "pilot": False, "size": 4}
            made = lists.add(connection, ListRequest.model_validate(given).draft(), who="Ann", now=NOW)
            told: Any = {"list_id": made.id, "facts": FACTS, "who": "Ann", "now": NOW, "people": people}
            some = [Suggestion(name, 1.0, detail={"nearest": [{"account_id": "c"}]}) for name in "ab"]
            draw(connection, suggestions=some, kind="first", why="new", **told)
            for name in "ad":
                pin: Any = {"account_ids": [name], "kind": "pin", "reason": "known"}
                decide(connection, **(told | pin | {"facts": FACTS[name]}))
        with store.reading() as connection:
            plan = planned(connection, suggestions=some, kind="refresh", why="due", **told)
        # As an erasure does: the list of the forgotten first, then the rows.
        people.names |= {"a", "c", "d"}
        store.erase(lambda text: text, gone=lambda kind, name: kind == "account" and name in people.names)
        with store.writing() as connection:
            done = carried_out(connection, plan)
            newest = {"version": done.list.version, "newest": done.list.version}
            members = list_members.members(connection, list_id=made.id, **newest)
            details = list_members.details(connection, list_id=made.id, some=list(members.values()))
    assert (set(members), done.targets, done.list.erased) == ({"b"}, 1, 2)
    assert details == {"b": '{"nearest": []}'}
