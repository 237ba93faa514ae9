"""Questions that come while another one is computed are computed together.

Turns questions of many threads, one each, into groups, and a group into its answers. Most of an answer is
what each statement costs, however few rows it reads: eight answers at once cost hardly more than one. So the
busier a worker is, the less an answer costs, and a single question waits for nobody. Time rule: none of its
own; the moment is part of what makes questions alike. Null rule: none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

__all__ = ["MOST_TOGETHER", "Together"]

Kind = TypeVar("Kind", bound=Hashable)
Question = TypeVar("Question")
Answer = TypeVar("Answer")

MOST_TOGETHER = 32
"""Questions of a group; more would let each of them wait longer."""


class _Asked(Generic[Kind, Question, Answer]):
    def __init__(self, question: Question, kind: Kind) -> None:
        self.question, self.kind = question, kind
        self.answer: Answer | None = None
        self.in_company = False


class Together(Generic[Kind, Question, Answer]):
    """Answers the questions of any thread, in one thread of its own.

    compute: the answers to questions of one kind, in their order.
    """

    def __init__(self, compute: Callable[[Kind, Sequence[Question]], Sequence[Answer]]) -> None:
        self._compute = compute
        self._waiting: deque[_Asked[Kind, Question, Answer]] = deque()
        self.hands = ThreadPoolExecutor(1, thread_name_prefix="compute")

    def answer(self, question: Question, *, kind: Kind) -> Answer:
        """The answer to a question. kind: only questions that have it in common are computed together.

        Raises what computing it alone raises: one that fails takes no others along.
        """
        asked: _Asked[Kind, Question, Answer] = _Asked(question, kind)
        self._waiting.append(asked)
        done = self.hands.submit(self._work, asked)
        if done.exception() is not None and asked.in_company:
            done = self.hands.submit(self._compute_all, [asked])
        done.result()
        assert asked.answer is not None
        return asked.answer

    @property
    def waiting(self) -> int:
        """Questions that nobody has begun to compute."""
        return len(self._waiting)

    def stop(self) -> None:
        """End once every question has its answer."""
        self.hands.shutdown()

    def _work(self, asked: _Asked[Kind, Question, Answer]) -> None:
        """Answer a question, unless it was answered with another one."""
        if asked.answer is None:
            group = [asked, *self._alike(asked)]
            asked.in_company = len(group) > 1
            self._compute_all(group)

    def _compute_all(self, group: Sequence[_Asked[Kind, Question, Answer]]) -> None:
        answers = self._compute(group[0].kind, [one.question for one in group])
        for one, answer in zip(group, answers, strict=True):
            one.answer = answer

    def _alike(self, asked: _Asked[Kind, Question, Answer]) -> list[_Asked[Kind, Question, Answer]]:
        """Those that wait and are of the same kind; they no longer wait then. The others go on waiting."""
        waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
        alike = [one for one in waiting if one.kind == asked.kind and one is not asked][: MOST_TOGETHER - 1]
        self._waiting.extend(one for one in waiting if one is not asked and one not in alike)
        return alike
