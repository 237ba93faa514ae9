"""Questions that arrive at about the same time are answered in one go.

Turns the bodies of requests into groups, and a group into the answers of its requests. Most of an answer is
what each statement costs, however few rows it reads: eight answers at once cost less than three alone. So a
group is handed over only when the one before is done and nothing more has come in for two turns of the event
loop; on a server that has nothing else to do that takes microseconds. Time rule: none of its own. Null rule:
none; a request that is cancelled while it waits is not begun.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakKeyDictionary

from serving import metrics
from serving.answering import Question
from serving.log.entries import Answered
from serving.problems import BusyError

__all__ = ["PATIENCE", "Gathering"]

PATIENCE = 20.0
"""Seconds that a request waits for its turn."""

_MOST, _MOST_BYTES = 32, 1024 * 1024
"""Requests of a group, and what they weigh together; more would let each of them wait longer."""

_AGAIN = 0.2
"""Of the time that a group took: how long the next one waits for those who got their answers from it."""

_QUIET = 2
"""Turns of the event loop without a new question. A body that has arrived becomes a question in one."""


class Answers(Protocol):
    """Who answers a group: see `DeskHolder`."""

    @property
    def hands(self) -> Executor:
        """The thread that computes answers."""

    def answer_each(self, questions: Sequence[Question]) -> list[Answered | Exception]:
        """The answer to each question, or what it raises."""


@dataclass(eq=False)
class _Asked:
    question: Question
    told: asyncio.Future[Answered]


class Gathering:
    """Answers the questions of any event loop, those of each in groups of its own."""

    def __init__(self) -> None:
        self._of: WeakKeyDictionary[asyncio.AbstractEventLoop, _Loop] = WeakKeyDictionary()

    async def answer(self, answers: Answers, question: Question) -> Answered:
        """The answer to a question. Raises what `DeskHolder.answer` does, and BusyError."""
        loop = asyncio.get_running_loop()
        if loop not in self._of:
            self._of[loop] = _Loop(loop)
        with metrics.in_threads():
            return await self._of[loop].answer(answers, question)


def _ended(error: RuntimeError) -> BusyError:
    return BusyError(f"nothing is computed any more: {error}", fix="try again in a few seconds")


class _Loop:
    """Of one event loop, in whose thread all of it runs but `_work`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[_Asked] = []
        self._computing = self._looking = False
        self._held: asyncio.TimerHandle | None = None
        self._expected, self._began, self._until = 0, 0.0, 0.0

    async def answer(self, answers: Answers, question: Question) -> Answered:
        asked = _Asked(question, self._loop.create_future())
        self._waiting.append(asked)
        self._look_soon(answers)
        try:
            await asyncio.wait((asked.told,), timeout=PATIENCE)
            # What was handed over comes to an end.
            if asked in self._waiting:
                raise BusyError(
                    "too much is asked at once: nothing was done", fix="try again in a few seconds"
                )
            return await asked.told
        finally:
            if asked in self._waiting:
                self._waiting.remove(asked)

    def _look_soon(self, answers: Answers) -> None:
        if self._held is not None and len(self._waiting) >= min(self._expected, _MOST):
            self._held.cancel()
            self._held, self._looking = None, False
        if not (self._computing or self._looking):
            self._looking = True
            self._loop.call_soon(self._look, answers, 0, 0)

    def _look(self, answers: Answers, seen: int, quiet: int) -> None:
        """Hand over what waits, once nothing more comes."""
        self._held = None
        quiet = quiet + 1 if len(self._waiting) == seen else 0
        if quiet < _QUIET and len(self._waiting) < _MOST:
            self._loop.call_soon(self._look, answers, len(self._waiting), quiet)
            return
        if 0 < len(self._waiting) < min(self._expected, _MOST) and self._loop.time() < self._until:
            self._held = self._loop.call_at(self._until, self._look, answers, len(self._waiting), _QUIET)
            return
        self._looking = False
        if self._waiting:
            self._began, group = self._loop.time(), self._next()
            try:
                answers.hands.submit(self._work, answers, group)
            except RuntimeError as error:
                # The server is ending.
                self._tell(answers, group, [_ended(error)] * len(group))
            else:
                self._computing = True

    def _next(self) -> list[_Asked]:
        """As many as make a group, those that wait longest."""
        weight = count = 0
        for asked in self._waiting[:_MOST]:
            weight += len(asked.question.body)
            if count and weight > _MOST_BYTES:
                break
            count += 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group

    def _work(self, answers: Answers, group: Sequence[_Asked]) -> None:
        found: Sequence[Answered | Exception]
        try:
            found = answers.answer_each([asked.question for asked in group])
        except BaseException as error:
            found = [error if isinstance(error, Exception) else RuntimeError(repr(error))] * len(group)
        # Where nobody listens any more the loop is closed.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._tell, answers, group, found)

    def _tell(self, answers: Answers, group: Sequence[_Asked], found: Sequence[Answered | Exception]) -> None:
        for asked, answer in zip(group, found, strict=True):
            if asked.told.done():
                continue
            if isinstance(answer, Exception):
                asked.told.set_exception(answer)
            else:
                asked.told.set_result(answer)
        self._computing = False
        now = self._loop.time()
        self._expected, self._until = len(group) + len(self._waiting), now + _AGAIN * (now - self._began)
        if self._waiting:
            self._look_soon(answers)
