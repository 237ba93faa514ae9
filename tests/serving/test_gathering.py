"""Questions that arrive at about the same time are answered in one go, and each gets its own answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from serving.answering import Question
from serving.problems import BusyError
from serving.web import gathering
from serving.web.gathering import Gathering


class Slow:
    """Answers a body with itself, once it may; remembers what came together, and fails where it says so."""

    def __init__(self) -> None:
        self.hands = ThreadPoolExecutor(1)
        self.groups: list[list[str]] = []
        self.may = threading.Event()
        self.may.set()

    def answer_each(self, questions: Sequence[Question]) -> list[Any]:
        bodies = [one.body.decode() for one in questions]
        self.groups.append(bodies)
        assert self.may.wait(10)
        if "all" in bodies:
            raise RuntimeError("nobody is answered")
        return [ValueError(body) if body == "wrong" else body for body in bodies]


async def asked(gathered: Gathering, slow: Slow, bodies: Sequence[str]) -> list[Any]:
    questions = [Question(body.encode(), "", "en") for body in bodies]
    waiting = [gathered.answer(slow, one) for one in questions]
    return await asyncio.gather(*waiting, return_exceptions=True)


def together(slow: Slow, *rounds: Sequence[str]) -> list[list[Any]]:
    """The answers to each round, sent when the round before is answered."""
    gathered = Gathering()

    async def all_rounds() -> list[list[Any]]:
        return [await asked(gathered, slow, bodies) for bodies in rounds]

    return asyncio.run(all_rounds())


def test_those_that_come_at_once_are_one_group() -> None:
    slow = Slow()
    names = [f"q{place}" for place in range(8)]
    assert together(slow, names, names[:3]) == [names, names[:3]]
    assert slow.groups == [names, names[:3]]


def test_a_group_holds_so_many_and_weighs_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow()
    names = [f"q{place:02}" for place in range(40)]
    assert together(slow, names) == [names]
    assert [len(group) for group in slow.groups] == [32, 8]
    monkeypatch.setattr(gathering, "_MOST_BYTES", 7)
    together(slow, ["three", "a", "heavier than all may be", "b", "c"])
    assert slow.groups[2:] == [["three", "a"], ["heavier than all may be"], ["b", "c"]]


def test_what_fails_fails_alone() -> None:
    (told,) = together(Slow(), ["a", "wrong", "b"])
    assert (told[0], type(told[1]), told[2]) == ("a", ValueError, "b")


def test_where_nobody_can_be_answered_everybody_is_told() -> None:
    first, second = together(Slow(), ["a", "all"], ["b"])
    assert [type(one) for one in first] == [RuntimeError, RuntimeError]
    assert second == ["b"], "the next ones are"


class Panic(BaseException):
    """As pyo3's: no Exception."""


def test_a_panic_ends_nobody_elses_request() -> None:
    class Panicking(Slow):
        def answer_each(self, questions: Sequence[Question]) -> list[Any]:
            if questions[0].body == b"panic":
                raise Panic("of a library")
            return super().answer_each(questions)

    first, second = together(Panicking(), ["panic"], ["b"])
    assert [str(one) for one in first] == ["Panic('of a library')"]
    assert second == ["b"]


def test_where_nothing_is_computed_any_more_everybody_is_told() -> None:
    slow = Slow()
    slow.hands.shutdown()
    (told,) = together(slow, ["a", "b"])
    assert [type(one) for one in told] == [BusyError, BusyError]


def test_a_full_group_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "_AGAIN", 1e9)
    monkeypatch.setattr(gathering, "_MOST", 4)
    slow, gathered = Slow(), Gathering()

    async def six_and_two() -> list[list[Any]]:
        first = asyncio.ensure_future(asked(gathered, slow, list("abcdef")))
        while not slow.groups:
            await asyncio.sleep(0.001)
        # Six are expected again, of whom four are a whole group.
        more = asyncio.ensure_future(asked(gathered, slow, list("gh")))
        return await asyncio.wait_for(asyncio.gather(first, more), 5)

    assert asyncio.run(six_and_two()) == [list("abcdef"), list("gh")]
    assert slow.groups == [list("abcd"), list("efgh")]


def test_those_who_come_while_others_are_answered_wait_for_each_other() -> None:
    slow, gathered = Slow(), Gathering()
    slow.may.clear()

    async def late() -> list[Any]:
        first = asyncio.ensure_future(asked(gathered, slow, ["a"]))
        while not slow.groups:
            await asyncio.sleep(0.001)
        others = [asyncio.ensure_future(asked(gathered, slow, [name])) for name in "bcd"]
        await asyncio.sleep(0.01)
        slow.may.set()
        return [await one for one in (first, *others)]

    assert asyncio.run(late()) == [["a"], ["b"], ["c"], ["d"]]
    assert slow.groups == [["a"], ["b", "c", "d"]]


def test_who_waits_too_long_is_told_so_and_nothing_is_done_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "PATIENCE", 0.05)
    slow, gathered = Slow(), Gathering()
    slow.may.clear()

    async def late() -> tuple[list[Any], list[Any]]:
        first = asyncio.ensure_future(asked(gathered, slow, ["a"]))
        while not slow.groups:
            await asyncio.sleep(0.001)
        refused = await asked(gathered, slow, ["b"])
        slow.may.set()
        return await first, refused

    first, refused = asyncio.run(late())
    assert first == ["a"], "what was begun comes to an end"
    assert [type(one) for one in refused] == [BusyError]
    assert slow.groups == [["a"]]


def test_who_went_away_is_forgotten() -> None:
    slow, gathered = Slow(), Gathering()
    slow.may.clear()

    async def gone() -> list[Any]:
        first = asyncio.ensure_future(asked(gathered, slow, ["a"]))
        while not slow.groups:
            await asyncio.sleep(0.001)
        second = asyncio.ensure_future(gathered.answer(slow, Question(b"b", "", "en")))
        await asyncio.sleep(0.01)
        second.cancel()
        await asyncio.wait((second,))
        slow.may.set()
        return await first

    assert asyncio.run(gone()) == ["a"]
    assert slow.groups == [["a"]]


def test_each_loop_has_groups_of_its_own() -> None:
    slow, gathered = Slow(), Gathering()

    def one(name: str) -> list[Any]:
        return asyncio.run(asked(gathered, slow, [name]))

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(one, "abcdefgh")) == [[name] for name in "abcdefgh"]
