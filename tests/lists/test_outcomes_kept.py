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
        self.tables, self.manifest = tables_of(accounts), SimpleNamespace(data_through=NOW)


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
