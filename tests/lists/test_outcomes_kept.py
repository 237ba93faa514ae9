"""Outcomes are worked out once while neither tables nor lists change, however many ask at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from followed_lists import approved_at, at, new_list, tables_of

from serving.lists import outcomes_kept
from serving.lists.outcomes import ListOutcomes, outcomes_of
from serving.lists.outcomes_kept import known_outcomes
from serving.problems import BusyError
from serving.store import Store
from serving.store.lists import ListStateError

NOW = at("2024-12-01")
SUGGESTED = ["a1", "a2"]


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The days of whatever is worked out."""
    found: list[int] = []

    def counted(*given: Any, **told: Any) -> ListOutcomes:
        found.append(told["days"])
        return outcomes_of(*given, **told)

    monkeypatch.setattr(outcomes_kept, "outcomes_of", counted)
    return found


class Tables:
    """What is asked of a snapshot."""

    def __init__(self) -> None:
        accounts = [(name, "2024-01-01", "software", "DE", 50) for name in (*SUGGESTED, "c1")]
        self.tables, self.manifest = tables_of(accounts), SimpleNamespace()


def snapshot() -> Any:
    return Tables()


class Line:
    """A lock that knows when as many stand before it, or hold it, as are expected. Each comes once."""

    def __init__(self, expected: int) -> None:
        self._one, self._coming, self._missing = threading.Lock(), threading.Lock(), expected
        self.complete = threading.Event()

    def __enter__(self) -> None:
        with self._coming:
            self._missing -= 1
            if not self._missing:
                self.complete.set()
        self._one.acquire()

    def __exit__(self, *_: object) -> None:
        self._one.release()


def test_four_who_ask_at_once_are_answered_by_one_work(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one who works goes on when the others, who found nothing known either, stand in line."""
    number, first, line, worked = new_list(store), snapshot(), Line(4), list[int]()
    approved_at(store, number, "2024-03-01", suggested=SUGGESTED[:1])

    def slow(*given: Any, **told: Any) -> ListOutcomes:
        worked.append(told["days"])
        assert line.complete.wait(30), "fewer than four stand in line"
        return outcomes_of(*given, **told)

    monkeypatch.setattr(outcomes_kept, "_working", line)
    monkeypatch.setattr(outcomes_kept, "outcomes_of", slow)

    def ask(_: int) -> ListOutcomes:
        return known_outcomes(first, store, list_id=number, days=30, now=NOW)

    with ThreadPoolExecutor(4) as askers:
        answers = list(askers.map(ask, range(4)))
    assert worked == [30]
    assert all(one is answers[0] for one in answers)
    assert answers[0].groups["accepted"].accounts == 1


def test_nothing_is_worked_out_twice_while_nothing_changes(store: Store, worked: list[int]) -> None:
    number, first = new_list(store), snapshot()
    approved_at(store, number, "2024-03-01", suggested=SUGGESTED[:1])

    def ask(days: int = 30, *, of: Any = first) -> int:
        return known_outcomes(of, store, list_id=number, days=days, now=NOW).groups["accepted"].accounts

    assert (ask(), ask(), worked) == (1, 1, [30])
    assert (ask(60), ask(30), worked) == (1, 1, [30, 60])
    # Other tables, and another version of a list, make another answer.
    second = snapshot()
    assert (ask(of=second), worked) == (1, [30, 60, 30])
    approved_at(store, number, "2024-04-01", suggested=SUGGESTED, kind="refresh")
    assert (ask(), worked) == (2, [30, 60, 30, 30])


def test_a_list_that_nobody_approved_is_refused_before_anybody_waits(store: Store, worked: list[int]) -> None:
    number = new_list(store)
    with pytest.raises(ListStateError):
        known_outcomes(snapshot(), store, list_id=number, days=30, now=NOW)
    assert worked == []


def test_few_wait_and_what_is_known_waits_for_nobody(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a single place, which whoever works something out takes; the service has a few."""
    monkeypatch.setattr(outcomes_kept, "_waiting", threading.BoundedSemaphore(1))
    number, first = new_list(store), snapshot()
    approved_at(store, number, "2024-03-01", suggested=SUGGESTED[:1])

    def ask(days: int) -> ListOutcomes:
        return known_outcomes(first, store, list_id=number, days=days, now=NOW)

    known, begun, go_on = ask(30), threading.Event(), threading.Event()

    def slow(*given: Any, **told: Any) -> ListOutcomes:
        begun.set()
        assert go_on.wait(30)
        return outcomes_of(*given, **told)

    monkeypatch.setattr(outcomes_kept, "outcomes_of", slow)
    working = threading.Thread(target=ask, args=(60,))
    working.start()
    assert begun.wait(30)
    assert ask(30) is known
    with pytest.raises(BusyError, match="too many wait"):
        ask(90)
    go_on.set()
    working.join()
    assert ask(90).days == 90
