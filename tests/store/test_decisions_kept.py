"""Whatever is drawn, accepted, discarded and decided, in whatever order: nothing that a person entered is
lost, and it counts; and two who approve at once are both heard."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from serving.lists.deciding import approve, decide, end_decision, move_state
from serving.lists.drawing import Suggestion, draw
from serving.lists.editing import edit
from serving.lists.facts import Facts
from serving.lists.proposing import DRAWS, accept, discard, open_proposal
from serving.lists.requests import ListRequest
from serving.store import Store, list_approvals, list_members, list_overrides, lists
from serving.store.list_overrides import Override, slot_of
from serving.store.lists import ListChangedError, TargetList

NOW = datetime.fromisoformat("2026-05-01T12:00:00")
NAMES = "abcdef"
FACTS = {name: Facts(name, name.upper(), f"{name}.example", "software") for name in NAMES}


@pytest.fixture
def store(either_url: str) -> Iterator[Store]:
    with Store.open(either_url) as opened:
        yield opened


def new_list(connection: Connection, **told: Any) -> TargetList:
    given_facts = {"name": f"list {uuid4().hex}", "owner": "Ann", "purpose": "try it", "pilot": False}
    segments = [{"name": "north"}, {"name": "south"}]
    draft = ListRequest.model_validate(given_facts | {"size": 3, "segments": segments} | told).draft()
    return lists.add(connection, draft, who="Ann", now=NOW)


ACCOUNT = st.sampled_from(NAMES)
STEP = st.one_of(
    st.tuples(st.just("draw"), st.sampled_from(DRAWS), st.lists(ACCOUNT, unique=True)),
    st.tuples(st.just("pin"), ACCOUNT, st.sampled_from(["north", "south", None])),
    st.tuples(st.just("drop"), ACCOUNT, st.none()),
    st.tuples(st.just("move"), ACCOUNT, st.sampled_from(["north", "south"])),
    st.tuples(st.just("end"), ACCOUNT, st.sampled_from(["membership", "segment"])),
    st.tuples(st.sampled_from(["accept", "discard", "approve"]), st.none(), st.none()),
)


class Told:
    """What people entered, kept by a plain dictionary: by account and slot, the decision that counts."""

    def __init__(self, connection: Connection, found: TargetList) -> None:
        self.connection, self.list_id = connection, found.id
        self.counts: dict[tuple[str, str], Override] = {}
        self.ever: dict[int, tuple[str, str, str]] = {}

    @property
    def found(self) -> TargetList:
        return lists.find(self.connection, list_id=self.list_id)

    def do(self, what: str, about: Any, more: Any) -> None:
        own = {"list_id": self.list_id, "who": "Ben", "now": NOW}
        if what == "draw":
            self._draw(about, more)
        elif what == "end":
            one = self.counts.pop((about, more), None)
            if one is not None:
                end_decision(self.connection, override_id=one.id, why="over", **own)
        elif what in ("pin", "drop", "move"):
            self._decide(what, about, more)
        elif what == "approve":
            self._approve()
        elif open_proposal(self.connection, self.found) is not None:
            settle = accept if what == "accept" else discard
            settle(self.connection, seen=self.found.revision, **own)

    def _draw(self, kind: Any, names: list[str]) -> None:
        # Nor of a list that people filled and approved.
        if kind == "first" and (self.found.refreshed_at is not None or not self.found.is_open):
            return
        draw(
            self.connection,
            list_id=self.list_id,
            suggestions=[Suggestion(name, 1.0 + NAMES.index(name), segment="north") for name in names],
            facts=FACTS,
            kind=kind,
            why="due",
            who="machine",
            now=NOW,
        )

    def _decide(self, kind: Any, account: str, segment: str | None) -> None:
        slot = slot_of(kind)
        present = self.counts.get((account, slot))
        if kind == "move" and account not in self.members():
            return
        _, made = decide(
            self.connection,
            list_id=self.list_id,
            account_ids=[account],
            kind=kind,
            reason=f"because {len(self.ever)}",
            who="Ben",
            now=NOW,
            segment=segment,
            replaces=None if present is None else present.id,
            facts=FACTS[account],
        )
        self.counts[account, slot] = made
        self.ever[made.id] = (made.account_id, made.reason, made.made_by)

    def _approve(self) -> None:
        found = self.found
        if found.state != "draft" or open_proposal(self.connection, found) is not None:
            return
        if not any(one.status == "target" for one in self.members().values()):
            return
        own = {"list_id": self.list_id, "now": NOW}
        seen = move_state(self.connection, action="submit", seen=found.revision, who="Ann", **own).revision
        for side, who in (("marketing", "Ann"), ("sales", "Ben")):
            told: Any = {"side": side, "decision": "approved", "comment": ""}
            approve(self.connection, approver=who, seen=seen, **own, **told)

    def members(self) -> dict[str, list_members.Member]:
        found = self.found
        at = {"list_id": self.list_id, "version": found.version, "newest": found.version}
        return list_members.members(self.connection, **at)

    def require_kept(self) -> None:
        stored = list_overrides.of_list(self.connection, list_id=self.list_id)
        assert {one.id: (one.account_id, one.reason, one.made_by) for one in stored} == self.ever
        members = self.members()
        for (account, slot), one in self.counts.items():
            member = members.get(account)
            if one.kind == "pin":
                assert member is not None, account
                assert (member.status, member.override_id) == ("target", one.id)
            elif one.kind == "drop":
                assert member is not None, account
                assert (member.status, member.override_id) == ("dropped", one.id)
            elif member is not None:
                pin = self.counts.get((account, "membership"))
                if pin is not None and pin.segment is not None and pin.id > one.id:
                    assert (member.segment, member.move_id) == (pin.segment, None)
                else:
                    assert (member.segment, member.move_id) == (one.segment, one.id)
            assert slot == one.slot


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(steps=st.lists(STEP, max_size=12))
@example(steps=[("pin", "a", "north"), ("approve", None, None), ("draw", "first", [])])
def test_nothing_that_a_person_entered_is_ever_lost(store: Store, steps: list[tuple[str, Any, Any]]) -> None:
    with store.writing() as connection:
        told = Told(connection, new_list(connection))
        for step in steps:
            told.do(*step)
            told.require_kept()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(
    before=st.lists(STEP, max_size=6), names=st.lists(ACCOUNT, unique=True), kind=st.sampled_from(DRAWS[1:])
)
def test_a_discarded_proposal_leaves_no_trace_on_the_list(
    store: Store, before: list[tuple[str, Any, Any]], names: list[str], kind: Any
) -> None:
    with store.writing() as connection:
        told = Told(connection, new_list(connection))
        for step in [("draw", "first", list(NAMES[:3])), *before, ("accept", None, None)]:
            told.do(*step)
        was, members = told.found, told.members()
        told.do("draw", kind, names)
        told.do("discard", None, None)
        now = told.found
        same = ("state", "version", "approved_version", "refreshed_at", "rebuilt_at", "segments", "rules")
        assert {name: getattr(now, name) for name in same} == {name: getattr(was, name) for name in same}
        assert told.members() == members


def in_review(store: Store) -> TargetList:
    with store.writing() as connection:
        told = Told(connection, new_list(connection))
        told.do("pin", "a", None)
        found = told.found
        return move_state(
            connection, list_id=found.id, action="submit", seen=found.revision, who="Ann", now=NOW
        )


def test_two_who_approve_at_once_are_both_recorded_and_the_list_is_approved_once(store: Store) -> None:
    found = in_review(store)
    at_once = Barrier(4)

    def deciding(side: Any, who: str) -> str:
        at_once.wait()
        with store.writing() as connection:
            given_by: Any = {"side": side, "decision": "approved", "comment": "", "approver": who}
            return approve(connection, list_id=found.id, seen=found.revision, now=NOW, **given_by).state

    people = [("marketing", "Ann"), ("sales", "Ben"), ("marketing", "Ann"), ("sales", "Ben")]
    with ThreadPoolExecutor(4) as threads:
        states = list(threads.map(lambda one: deciding(*one), people))
    with store.reading() as connection:
        now = lists.find(connection, list_id=found.id)
        given_ones = list_approvals.of_list(connection, list_id=found.id, version=found.version)
        changes = lists.changes(connection, list_id=found.id)
    assert (now.state, now.approved_version) == ("approved", found.version)
    assert sorted((one.side, one.approver) for one in given_ones) == [("marketing", "Ann"), ("sales", "Ben")]
    assert "approved" in states
    assert sum(one.action == "approve" for one in changes) == 2


def test_of_two_who_edit_at_once_the_second_is_told(store: Store) -> None:
    with store.writing() as connection:
        found = new_list(connection)
    at_once = Barrier(2)

    def editing(owner: str) -> str:
        at_once.wait()
        try:
            with store.writing() as connection:
                edit(
                    connection,
                    list_id=found.id,
                    values={"owner": owner},
                    seen=found.revision,
                    who=owner,
                    now=NOW + timedelta(seconds=1),
                )
        except ListChangedError as error:
            return str(error)
        return owner

    with ThreadPoolExecutor(2) as threads:
        first, second = sorted(threads.map(editing, ["Cat", "Dan"]), key=len)
    with store.reading() as connection:
        assert lists.find(connection, list_id=found.id).owner == first
    assert f"{first} at 2026-05-01T12:00:01Z: edit (owner)" in second
