"""Questions that come while another one is computed are computed with each other, and none is forgotten."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from serving.together import MOST_TOGETHER, Together


class Slow:
    """Doubles numbers, the first group once it may; remembers what came together, and fails on a negative."""

    def __init__(self) -> None:
        self.groups: list[tuple[str, list[int]]] = []
        self.may, self.started = threading.Event(), threading.Event()

    def __call__(self, kind: str, numbers: Sequence[int]) -> list[int]:
        self.groups.append((kind, list(numbers)))
        self.started.set()
        assert self.may.wait(10)
        if min(numbers) < 0:
            raise ValueError(str(min(numbers)))
        return [2 * number for number in numbers]


def asked(slow: Slow, questions: Sequence[tuple[str, int]]) -> list[int | BaseException]:
    """The first question, and all others while it is being computed."""
    together = Together(slow)
    with ThreadPoolExecutor(len(questions)) as threads:
        found = [threads.submit(together.answer, questions[0][1], kind=questions[0][0])]
        assert slow.started.wait(10)
        for kind, number in questions[1:]:
            waiting = together.waiting
            found.append(threads.submit(together.answer, number, kind=kind))
            while together.waiting == waiting:
                threading.Event().wait(0.001)
        slow.may.set()
        told = [one.exception() or one.result() for one in found]
    together.stop()
    return told


def test_those_of_one_kind_are_computed_together() -> None:
    slow = Slow()
    assert asked(slow, [("en", 0), ("en", 1), ("zh", 2), ("en", 3), ("zh", 4)]) == [0, 2, 4, 6, 8]
    first, *others = slow.groups
    assert first == ("en", [0])
    # Of two threads that ask at once either may come first.
    assert sorted((kind, sorted(numbers)) for kind, numbers in others) == [("en", [1, 3]), ("zh", [2, 4])]


def test_a_group_holds_so_many() -> None:
    slow = Slow()
    questions = [("en", number) for number in range(MOST_TOGETHER + 5)]
    assert asked(slow, questions) == [2 * number for _, number in questions]
    assert [len(numbers) for _, numbers in slow.groups] == [1, MOST_TOGETHER, 4]


def test_one_that_fails_fails_alone() -> None:
    told = asked(Slow(), [("en", 0), ("en", 1), ("en", -1), ("en", 2), ("en", 3)])
    assert [type(one) for one in told] == [int, int, ValueError, int, int]
    assert [*told[:2], *told[3:]] == [0, 2, 4, 6]


def times(kind: int, numbers: Sequence[int]) -> list[int]:
    return [kind * number for number in numbers]


@pytest.mark.parametrize("clients", [1, 12])
def test_each_gets_its_own_answer(clients: int) -> None:
    together = Together(times)
    with ThreadPoolExecutor(clients) as threads:
        found = list(threads.map(lambda number: together.answer(number, kind=number % 3), range(300)))
    together.stop()
    assert found == [number % 3 * number for number in range(300)]
