"""Releases, the pointer, and the way back; in SQLite and in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from store_processes import NOON, draft

from features.errors import InputError, WorkspaceError
from serving.store import Draft, Pointer, Store

SECOND = timedelta(seconds=1)


@pytest.fixture
def store(own_url: str) -> Iterator[Store]:
    with Store.open(own_url) as opened:
        yield opened


def publish(store: Store, *fingerprints: str, now: datetime = NOON, delay: int = 0) -> int:
    activate_at = now + timedelta(seconds=delay)
    return store.publish(draft(*fingerprints), activate_at=activate_at, now=now).release.id


def step_back(store: Store, *, now: datetime = NOON) -> int:
    return store.step_back(activate_at=None, who="Bob", why="worse", now=now).release.id


def test_an_empty_store_serves_nothing(store: Store) -> None:
    assert store.pointer() == Pointer(None, None, None)
    assert (store.current(NOON), store.pending(NOON), store.history(), store.events()) == (None, None, (), ())


@pytest.mark.parametrize("fingerprints", [("fit-1", "intent-1"), ("fit-1",), ("intent-1",)])
def test_a_release_is_read_back_as_it_was_written(store: Store, fingerprints: tuple[str, ...]) -> None:
    made = store.publish(
        draft(*fingerprints, time_zone="Europe/Berlin", priority={"A": {"B": "sales"}}),
        activate_at=NOON,
        now=NOON,
    )
    release = store.current(NOON)
    assert made.changed
    assert release == made.release == store.release(made.release.id)
    assert release.fingerprints == {name.split("-")[0]: name for name in fingerprints}
    assert release.settings == {"time_zone": "Europe/Berlin", "priority": {"A": {"B": "sales"}}}
    assert (release.created_by, release.reason, release.created_at) == ("Ada", "better", NOON)
    for name in fingerprints:
        assert store.bundle_bytes(name) == f"bytes of {name}".encode()


def test_until_activate_at_the_release_before_answers(store: Store) -> None:
    first = publish(store, "fit-1")
    second = publish(store, "fit-2", now=NOON, delay=2)
    current, pending = store.current(NOON + SECOND), store.pending(NOON + SECOND)
    assert current is not None
    assert pending is not None
    assert (current.id, pending.id) == (first, second)
    assert store.current(NOON + 2 * SECOND) == pending
    assert store.pending(NOON + 2 * SECOND) is None


def test_a_release_replaced_before_it_was_active_never_answers(store: Store) -> None:
    first = publish(store, "fit-1")
    publish(store, "fit-2", delay=5)
    third = publish(store, "fit-3", now=NOON + SECOND, delay=5)
    answering = [store.current(NOON + i * SECOND) for i in range(8)]
    assert [release and release.id for release in answering] == [first] * 6 + [third] * 2


def test_the_first_release_may_be_pending_too(store: Store) -> None:
    publish(store, "fit-1", delay=3)
    assert store.current(NOON) is None
    assert store.pending(NOON) is not None


def test_repeated_steps_back_walk_to_the_first_release_and_stop(store: Store) -> None:
    one, two, three = (publish(store, f"fit-{i}") for i in (1, 2, 3))
    assert [step_back(store), step_back(store)] == [two, one]
    with pytest.raises(InputError, match="no release to go back to"):
        step_back(store)
    current = store.current(NOON)
    assert current is not None
    assert (current.id, three) == (one, 3)


def test_after_a_step_back_a_new_release_leads_back_to_what_it_replaced(store: Store) -> None:
    one = publish(store, "fit-1")
    publish(store, "fit-2")
    step_back(store)
    three = publish(store, "fit-3")
    previous = store.previous(three)
    assert previous is not None
    assert (previous.id, step_back(store)) == (one, one)


def test_a_rolled_back_pair_can_be_promoted_again(store: Store) -> None:
    one, two = publish(store, "fit-1"), publish(store, "fit-2")
    step_back(store)
    again = publish(store, "fit-2")
    assert again not in {one, two}
    assert [release.id for release in store.history()] == [again, two, one]
    assert step_back(store) == one


def test_stepping_back_from_nothing_is_an_error(store: Store) -> None:
    with pytest.raises(InputError, match="no release to go back from"):
        step_back(store)


def test_the_same_models_and_settings_change_nothing(store: Store) -> None:
    first = store.publish(draft("fit-1", "intent-1"), activate_at=NOON, now=NOON)
    again = store.publish(draft("fit-1", "intent-1", who="Bob"), activate_at=None, now=NOON + SECOND)
    assert (again.changed, again.release, again.activate_at) == (False, first.release, NOON)
    assert len(store.history()) == len(store.events()) == 1


@pytest.mark.parametrize(
    "other", [draft("fit-1"), draft("fit-1", "intent-2"), draft("fit-1", "intent-1", time_zone="Asia/Tokyo")]
)
def test_another_model_or_setting_is_another_release(store: Store, other: Draft) -> None:
    publish(store, "fit-1", "intent-1")
    assert store.publish(other, activate_at=None, now=NOON).changed


def test_any_release_can_be_activated_by_number(store: Store) -> None:
    one, two = publish(store, "fit-1"), publish(store, "fit-2")
    chosen = store.activate(one, activate_at=NOON + SECOND, who="Bob", why="test", now=NOON)
    assert chosen.id == one
    assert store.pointer() == Pointer(one, NOON + SECOND, two)
    with pytest.raises(InputError, match="no such release"):
        store.activate(99, activate_at=None, who="Bob", why="test", now=NOON)


def test_every_move_is_logged_with_who_when_and_why(store: Store) -> None:
    one, two = publish(store, "fit-1"), publish(store, "fit-2", now=NOON + SECOND)
    step_back(store, now=NOON + 2 * SECOND)
    assert [(e.action, e.who, e.why, e.at, e.release_id, e.replaced_id) for e in store.events()] == [
        ("rollback", "Bob", "worse", NOON + 2 * SECOND, one, two),
        ("promote", "Ada", "better", NOON + SECOND, two, one),
        ("promote", "Ada", "better", NOON, one, None),
    ]


@pytest.mark.parametrize("fingerprints", [(), ("fit-1", "fit-2"), ("lookalike-1",)])
def test_a_release_holds_at_most_one_model_of_each_kind(fingerprints: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="a release holds"):
        draft(*fingerprints)


@pytest.mark.parametrize("blank", [{"who": " "}, {"why": ""}])
def test_who_and_why_are_required(blank: dict[str, str]) -> None:
    with pytest.raises(InputError, match="a change of what is served says"):
        draft("fit-1", **blank)


@pytest.mark.parametrize("moment", [NOON.replace(microsecond=5), NOON.replace(tzinfo=UTC)])
def test_moments_are_whole_seconds_without_a_zone(store: Store, moment: datetime) -> None:
    with pytest.raises(InputError, match="whole seconds"):
        store.publish(draft("fit-1"), activate_at=NOON, now=moment)
    assert store.history() == ()


def test_a_bundle_the_store_never_held_is_named(store: Store) -> None:
    with pytest.raises(WorkspaceError, match=r"does not hold this bundle.*fit-9"):
        store.bundle_bytes("fit-9")


def test_a_release_says_itself_in_json(store: Store) -> None:
    publish(store, "intent-1")
    assert store.history()[0].to_json() == {
        "id": 1,
        "created_at": "2026-05-01T12:00:00Z",
        "created_by": "Ada",
        "reason": "better",
        "models": {"intent": "intent-1"},
        "settings": {},
        "previous_id": None,
    }
