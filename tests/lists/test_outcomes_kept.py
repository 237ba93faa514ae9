"""Outcomes are worked out once while neither tables nor lists change, however many ask at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
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
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        yield opened


@pytest.fixture
def worked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The days of whatever is worked out."""
    found: list[int] = []

    def counted(*given: Any, **told: Any) -> ListOutcomes:
        found.append(told["days"])
        time.sleep(0.05)
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


def test_nothing_is_worked_out_twice_while_nothing_changes(store: Store, worked: list[int]) -> None:
    number, first = new_list(store), snapshot()
    approved_at(store, number, "2024-03-01", suggested=SUGGESTED[:1])

    def ask(days: int = 30, *, of: Any = first) -> int:
        return known_outcomes(of, store, list_id=number, days=days, now=NOW).groups["accepted"].accounts

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    assert (ask(), worked) == (1, [30])
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
