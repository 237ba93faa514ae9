"""What the endpoints work with: one object with a part for each idea.

A group of endpoints that needs something new adds a part here and takes it from `call.services`. Time rule:
none. Null rule: none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from starlette.requests import Request

from features.errors import SpearfishError
from features.feature import Language
from features.tables import Attribute
from serving.access.callers import Caller
from serving.access.guesses import Guesses
from serving.access.scopes import Scope
from serving.answering import Question
from serving.desk import Desk
from serving.log.entries import Answered
from serving.log.writer import PredictionLog
from serving.model_cards import ModelAnswer
from serving.profile import ProfileAnswer
from serving.store.door import StoreDoor
from serving.web.gathering import Gathering

__all__ = ["Admission", "Answers", "Services"]


class Answers(Protocol):
    """Scores, and what the models learned."""

    @property
    def executor(self) -> Executor:
        """The threads that requests compute in."""

    @property
    def log(self) -> PredictionLog:
        """Where answers are kept."""

    def desk(self) -> Desk:
        """The desk that answers now. Raises the reason when there is none."""

    def answer(
        self, body: bytes, *, request_id: str, language: Language, api_key_id: int | None = None
    ) -> Answered:
        """The answer to the body of POST /v1/score, on its way into the log."""

    @property
    def hands(self) -> Executor:
        """The thread that computes answers."""

    def answer_each(self, questions: Sequence[Question]) -> list[Answered | Exception]:
        """As `answer`, of many, in that thread; what is raised stands in the place of an answer."""

    def answer_at_once(
        self, body: bytes, *, request_id: str, language: Language, api_key_id: int | None = None
    ) -> Answered | None:
        """As `answer`, when nothing must be computed for it; None when something must."""

    def answer_batch(
        self, body: bytes, *, language: Language, api_key_id: int | None = None
    ) -> list[Answered | SpearfishError]:
        """The answers to the rows of POST /v1/score/batch, or what is wrong with them."""

    def profile(self, *, language: Language, model: str | None = None) -> ProfileAnswer:
        """The answer of GET /v1/profile. model: as it was asked for."""

    def model(self, *, language: Language) -> ModelAnswer:
        """The answer of GET /v1/model."""

    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes that requests may carry."""

    def overview(self) -> Mapping[str, object]:
        """What the page shows before anything is asked."""

    def count_problem(self, slug: str) -> None:
        """Count an answer that is a problem."""


class Admission(Protocol):
    """Who may pass: see `serving.access`."""

    async def admit(self, request: Request, *, needs: Scope | None, here: bool = False) -> Caller:
        """The caller of a request to an endpoint that needs a scope. Raises the refusal.

        here: whether this machine needs no key.
        """


def _writers() -> Executor:
    return ThreadPoolExecutor(4, thread_name_prefix="write")


@dataclass(frozen=True)
class Services:
    """The parts of one worker.

    door: the way to the store. running: see `serving.web.repeats`. writers: the threads that requests write
    in, which wait for each other at the store. gathering: of questions that are answered together. guesses:
    of sign-in links.
    """

    answers: Answers
    access: Admission
    door: StoreDoor
    running: set[str] = field(default_factory=set)
    writers: Executor = field(default_factory=_writers)
    gathering: Gathering = field(default_factory=Gathering)
    guesses: Guesses = field(default_factory=partial(Guesses, None))
