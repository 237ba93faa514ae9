"""A list from its first draw to its archive: who is on it, who decided what, and what is handed over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from features.errors import InputError
from serving.lists.deciding import approve, decide, end_decision, move_state
from serving.lists.drawing import Drawn, Suggestion, draw
from serving.lists.editing import edit
from serving.lists.facts import Facts
from serving.lists.handing_over import hand_over, lines
from serving.lists.proposing import accept, discard, open_proposal
from serving.lists.requests import ListRequest
from serving.store import Store, list_members, list_overrides, lists
from serving.store.list_members import Member
from serving.store.list_overrides import Override
from serving.store.list_pages import Filter, diff, diff_counts, page
from serving.store.lists import ListChangedError, ListStateError, TargetList

NOW = datetime.fromisoformat("2026-05-01T12:00:00")
FACTS = {name: Facts(name, name.upper(), f"{name}.example", "software") for name in "abcdefgh"}


@pytest.fixture
def store(listless_store: Store) -> Store:
    return listless_store


@pytest.fixture
def made(store: Store) -> TargetList:
    with store.writing() as connection:
        return lists.add(connection, asked("EMEA").draft(), who="Ann", now=NOW)


def asked(name: str, **told: Any) -> ListRequest:
    given = {"name": name, "owner": "Ann", "purpose": "try it", "pilot": False, "size": 5}
    return ListRequest.model_validate(given | told)


def drawn(store: Store, found: TargetList, scores: Mapping[str, float], **told: Any) -> Drawn:
    """A draw of accounts by score; each in the segment `s`."""
    with store.writing() as connection:
        return draw(
            connection,
            list_id=found.id,
            suggestions=[Suggestion(name, score, segment="s") for name, score in scores.items()],
            **{"facts": FACTS, "kind": "refresh", "why": "due", "who": "Ann", "now": NOW, **told},
        )


def decided(store: Store, found: TargetList, account: str, kind: Any, **told: Any) -> Override:
    with store.writing() as connection:
        given = {"reason": "known", "who": "Ben", "now": NOW, "facts": FACTS.get(account), **told}
        return decide(connection, list_id=found.id, account_ids=[account], kind=kind, **given)[1]


def on_it(store: Store, found: TargetList, version: int | None = None) -> dict[str, Member]:
    with store.reading() as connection:
        newest = lists.find(connection, list_id=found.id).version
        at = newest if version is None else version
        return list_members.members(connection, list_id=found.id, version=at, newest=newest)


def targets(store: Store, found: TargetList, version: int | None = None) -> set[str]:
    return {name for name, one in on_it(store, found, version).items() if one.status == "target"}


def approved(store: Store, found: TargetList) -> TargetList:
    """Through review, by both sides."""
    with store.writing() as connection:
        known = lists.find(connection, list_id=found.id)
        if open_proposal(connection, known) is not None:
            known = accept(connection, list_id=found.id, seen=known.revision, who="Ann", now=NOW)
        seen = move_state(
            connection, list_id=found.id, action="submit", seen=known.revision, who="Ann", now=NOW
        ).revision
        approve(connection, list_id=found.id, **reviewed("marketing", "Ann", seen))
        return approve(connection, list_id=found.id, **reviewed("sales", "Ben", seen))


def reviewed(side: Any, who: str, seen: int, decision: Any = "approved", comment: str = "") -> dict[str, Any]:
    told = {"side": side, "decision": decision, "approver": who, "comment": comment}
    return told | {"seen": seen, "now": NOW}


def exported(
    store: Store, found: TargetList, file_format: Any = "salesforce", match: Any = None
) -> dict[str, tuple[str, str]]:
    """By what the CRM finds an account by, its list and its flag. No record may have two rows."""
    told = {"file_format": file_format, "match": match, "who": "Ann", "now": NOW}
    with store.writing() as connection:
        done = hand_over(connection, list_id=found.id, **told)
        _, *rows = lines(connection, done.export)
    assert len({row[0] for row in rows}) == len(rows)
    return {row[0]: (row[1], row[3]) for row in rows}


def test_a_new_list_is_a_pilot_of_fifty_unless_told_otherwise() -> None:
    given = {"name": "x", "owner": "Ann", "purpose": "try it"}
    draft = ListRequest.model_validate(given).draft()
    assert (draft.pilot, draft.size) == (True, 50)


def test_a_refresh_keeps_what_people_decided(store: Store, made: TargetList) -> None:
    drawn(store, made, {"a": 5, "b": 4, "c": 3})
    decided(store, made, "c", "pin")
    decided(store, made, "b", "drop")
    decided(store, made, "d", "pin")
    done = drawn(store, made, {"b": 9, "e": 8})
    assert targets(store, made) == {"c", "d", "e"}
    assert on_it(store, made)["b"].why == "dropped_by_hand"
    assert (done.added, done.dropped, done.moved) == (1, 1, 0)


def test_a_decision_that_has_run_out_counts_no_more_in_the_next_draw(store: Store, made: TargetList) -> None:
    drawn(store, made, {"a": 5})
    decided(store, made, "c", "pin", expires_at=NOW + timedelta(days=1))
    drawn(store, made, {"a": 5})
    assert targets(store, made) == {"a", "c"}
    drawn(store, made, {"a": 5}, now=NOW + timedelta(days=1))
    assert targets(store, made) == {"a"}


def test_an_ended_drop_brings_back_what_the_machine_wants(store: Store, made: TargetList) -> None:
    drawn(store, made, {"a": 5})
    one = decided(store, made, "a", "drop")
    assert targets(store, made) == set()
    with store.writing() as connection:
        end_decision(connection, list_id=made.id, override_id=one.id, why="wrong", who="Ann", now=NOW)
    assert targets(store, made) == {"a"}


def test_a_change_of_an_approved_list_is_a_draft_beside_what_was_approved(
    store: Store, made: TargetList
) -> None:
    drawn(store, made, {"a": 5, "b": 4})
    assert approved(store, made).approved_version == 1
    drawn(store, made, {"b": 4, "c": 3})
    assert (targets(store, made, 1), targets(store, made, 2)) == ({"a", "b"}, {"b", "c"})
    with store.reading() as connection:
        found = lists.find(connection, list_id=made.id)
        changes = diff(connection, list_id=made.id, earlier=1, later=2)
        counts = diff_counts(connection, list_id=made.id, earlier=1, later=2)
    assert (found.state, found.version, found.approved_version) == ("draft", 2, 1)
    assert [(one.account_id, one.change, one.why) for one in changes] == [
        ("a", "dropped", "not_suggested"),
        ("c", "added", "suggested"),
    ]
    assert counts == {"added": 1, "dropped": 1, "moved": 0}


def test_no_flag_goes_stale(store: Store, made: TargetList) -> None:
    drawn(store, made, {"a": 5, "b": 4})
    approved(store, made)
    assert exported(store, made) == {"a": ("EMEA", "true"), "b": ("EMEA", "true")}
    drawn(store, made, {"b": 4})
    # What nobody has approved is not handed over.
    assert exported(store, made)["a"] == ("EMEA", "true")
    approved(store, made)
    for _ in range(2):
        assert exported(store, made) == {"a": ("EMEA", "false"), "b": ("EMEA", "true")}
    with store.writing() as connection:
        seen = lists.find(connection, list_id=made.id).revision
        move_state(connection, list_id=made.id, action="archive", seen=seen, who="Ann", now=NOW)
    assert exported(store, made) == {"a": ("EMEA", "false"), "b": ("EMEA", "false")}


def flags(store: Store, found: TargetList) -> dict[str, str]:
    """By domain of a HubSpot file, its flag."""
    told = exported(store, found, "hubspot", "domain")
    return {domain: flag for domain, (_, flag) in told.items()}


def renamed(account: str, domain: str) -> dict[str, Facts]:
    return {**FACTS, account: Facts(account, account.upper(), domain, "software")}


def test_a_target_is_told_once_whoever_left_with_the_same_domain(store: Store, made: TargetList) -> None:
    drawn(store, made, {"a": 5})
    approved(store, made)
    assert flags(store, made) == {"a.example": "true"}
    drawn(store, made, {"b": 5}, facts=renamed("b", "a.example"))
    approved(store, made)
    assert flags(store, made) == {"a.example": "true"}


def test_the_flag_of_a_domain_that_an_account_had_is_taken_back(store: Store, made: TargetList) -> None:
    drawn(store, made, {"a": 5})
    approved(store, made)
    flags(store, made)
    drawn(store, made, {"a": 5}, facts=renamed("a", "new.example"))
    approved(store, made)
    assert flags(store, made) == {"new.example": "true", "a.example": "false"}
    drawn(store, made, {"b": 5}, facts=renamed("a", "new.example"))
    approved(store, made)
    assert flags(store, made) == {"b.example": "true", "new.example": "false", "a.example": "false"}


def test_two_targets_of_one_domain_are_not_told_to_be_none(store: Store, made: TargetList) -> None:
    drawn(store, made, {"a": 5})
    approved(store, made)
    flags(store, made)
    drawn(store, made, {"a": 5, "b": 4}, facts=renamed("b", "a.example"))
    approved(store, made)
    assert flags(store, made) == {}


def test_later_files_find_accounts_as_the_latest_did(store: Store, made: TargetList) -> None:
    drawn(store, made, {"a": 5})
    approved(store, made)
    exported(store, made, "hubspot", "domain")
    exported(store, made, "hubspot", "external")
    assert set(exported(store, made, "hubspot")) == {"a"}


@pytest.mark.parametrize(("file_format", "match"), [("salesforce", "domain"), ("csv", "id")])
def test_a_way_that_a_file_does_not_know_is_refused(
    store: Store, made: TargetList, file_format: str, match: str
) -> None:
    drawn(store, made, {"a": 5})
    approved(store, made)
    with pytest.raises(InputError, match="match_by: is no way"):
        exported(store, made, file_format, match)


def test_an_edit_must_leave_a_list_that_could_be_made(store: Store, made: TargetList) -> None:
    segments, goals = [{"name": "s"}, {"name": "s"}], [{"segment": "x"}]
    for values in ({"name": "7"}, {"segments": segments}, {"goals": goals}, {"sub_industry": "software"}):
        with pytest.raises(InputError), store.writing() as connection:
            edit(connection, list_id=made.id, values=values, seen=1, who="Ann", now=NOW)


def test_what_somebody_edits_while_a_proposal_is_drawn_twice_stays(store: Store, made: TargetList) -> None:
    drawn(store, made, {"a": 5})
    drawn(store, made, {"b": 5})
    segments = [{"name": "new", "basis": "other", "description": None}]
    with store.writing() as connection:
        seen = lists.find(connection, list_id=made.id).revision
        edit(connection, list_id=made.id, values={"segments": segments}, seen=seen, who="Ann", now=NOW)
    drawn(store, made, {"c": 5})
    with store.writing() as connection:
        seen = lists.find(connection, list_id=made.id).revision
        assert discard(connection, list_id=made.id, seen=seen, who="Ann", now=NOW).segments == segments


def test_who_left_for_another_list_is_still_a_target(store: Store, made: TargetList) -> None:
    drawn(store, made, {"a": 5})
    approved(store, made)
    exported(store, made)
    with store.writing() as connection:
        other = lists.add(connection, asked("Other").draft(), who="Ann", now=NOW)
    drawn(store, other, {"a": 5})
    approved(store, other)
    drawn(store, made, {"b": 5})
    approved(store, made)
    assert exported(store, made) == {"a": ("Other", "true"), "b": ("EMEA", "true")}


def test_the_second_writer_is_told_who_was_there(store: Store, made: TargetList) -> None:
    def change(owner: str) -> None:
        with store.writing() as connection:
            edit(connection, list_id=made.id, values={"owner": owner}, seen=1, who=owner, now=NOW)

    change("Cat")
    with pytest.raises(ListChangedError, match=r"Cat at 2026-05-01T12:00:00Z: edit \(owner\)"):
        change("Dan")
    drawn(store, made, {"a": 5})
    first = decided(store, made, "a", "pin", who="Cat")
    with pytest.raises(ListChangedError, match=r"Cat at .*: pin a \(known\)"):
        decided(store, made, "a", "drop")
    decided(store, made, "a", "drop", replaces=first.id)
    assert targets(store, made) == set()
    with store.reading() as connection:
        told = list_overrides.of_list(connection, list_id=made.id)
    assert [(one.kind, one.ended_by) for one in told] == [("drop", None), ("pin", "Ben")]


def test_approvals_are_of_what_was_seen_and_count_once(store: Store, made: TargetList) -> None:
    drawn(store, made, {"a": 5})
    with store.writing() as connection:
        found = lists.find(connection, list_id=made.id)
        found = move_state(
            connection, list_id=made.id, action="submit", seen=found.revision, who="Ann", now=NOW
        )
        for _ in range(2):
            approve(connection, list_id=made.id, **reviewed("marketing", "Ann", found.revision))
        with pytest.raises(InputError, match="other side"):
            approve(connection, list_id=made.id, **reviewed("sales", "Ann", found.revision))
    decided(store, made, "a", "pin")
    with store.writing() as connection:
        with pytest.raises(ListChangedError, match=r"Ben at .*: pin a"):
            approve(connection, list_id=made.id, **reviewed("sales", "Ben", found.revision))
        now = lists.find(connection, list_id=made.id).revision
        # The approval of marketing was of another list.
        assert approve(connection, list_id=made.id, **reviewed("sales", "Ben", now)).state == "review"
        assert approve(connection, list_id=made.id, **reviewed("marketing", "Ann", now)).state == "approved"


def test_what_a_state_does_not_allow_is_refused(store: Store, made: TargetList) -> None:
    with store.writing() as connection:
        with pytest.raises(ListStateError, match="nobody is on the list"):
            move_state(connection, list_id=made.id, action="submit", seen=1, who="Ann", now=NOW)
        with pytest.raises(ListStateError, match="nobody has approved"):
            hand_over(connection, list_id=made.id, file_format="hubspot", who="Ann", now=NOW)
        with pytest.raises(ListStateError, match="draft"):
            approve(connection, list_id=made.id, **reviewed("sales", "Ben", 1))


@pytest.mark.parametrize("descending", [True, False])
def test_pages_hold_everybody_once_in_order(store: Store, made: TargetList, *, descending: bool) -> None:
    drawn(store, made, {"a": 1, "b": 2, "c": 2, "d": 3})
    decided(store, made, "e", "pin")
    found, after = list[str](), None
    while True:
        with store.reading() as connection:
            one = page(
                connection,
                list_id=made.id,
                version=1,
                newest=1,
                wanted=Filter(),
                descending=descending,
                after=after,
                limit=2,
            )
        found += [member.account_id for member in one.members]
        assert one.total == 5
        after = one.after
        if after is None:
            break
    expected = ["e", "a", "b", "c", "d"]
    assert found == (expected[::-1] if descending else expected)


def test_a_forgotten_account_leaves_the_others_as_they_are(store: Store, made: TargetList) -> None:
    drawn(store, made, {"a": 5, "b": 4})
    decided(store, made, "a", "pin")
    approved(store, made)
    exported(store, made)
    store.erase(lambda text: text, gone=lambda kind, name: (kind, name) == ("account", "a"))
    assert targets(store, made) == {"b"}
    assert exported(store, made) == {"b": ("EMEA", "true")}
    with store.reading() as connection:
        assert lists.find(connection, list_id=made.id).erased == 1
        assert list_overrides.of_list(connection, list_id=made.id) == ()
