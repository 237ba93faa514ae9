"""The bodies of requests that are answered in one go.

Turns bodies of POST /v1/score into answers: read one by one, computed together, a language at a time.
Time rule: `now` is one moment for all of them. Null rule: what is wrong with a body stands in the place of
its answer; one that fails takes no others along.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import duckdb

from features.errors import EngineError, SpearfishError
from features.feature import Language
from features.tables import Attribute
from serving.kept_errors import kept
from serving.log.entries import Answered
from serving.remembered import Remembered, score_together
from serving.requests import ScoreRequest, parse_request
from serving.scoring import Scored

__all__ = ["Question", "answer_each"]

Asked = tuple[ScoreRequest, str]


class Question(NamedTuple):
    """The body of a request, and what its answer is called and kept by."""

    body: bytes
    request_id: str
    language: Language
    api_key_id: int | None = None


def answer_each(
    questions: Sequence[Question],
    *,
    current: Remembered,
    now: datetime,
    keep: Callable[[Scored, Question], Answered],
    restarted: Callable[[Exception], Exception],
) -> list[Answered | Exception]:
    """The answer to each question, or what answering it alone raises.

    keep: puts an answer into the log. restarted: what to say after a fault of the SQL engine.
    """

    def ended(question: Question, scored: Scored | Exception) -> Answered | Exception:
        if isinstance(scored, duckdb.Error | EngineError):
            return restarted(scored)
        if isinstance(scored, Exception):
            return scored
        try:
            return keep(scored, question)
        except BaseException as error:
            # One that cannot be kept is no reason to answer nobody of the group.
            return _as_fault(error)

    found = _scored_each(questions, current=current, now=now)
    return [ended(question, scored) for question, scored in zip(questions, found, strict=True)]


def _scored_each(
    questions: Sequence[Question], *, current: Remembered, now: datetime
) -> list[Scored | Exception]:
    attributes = current.desk.snapshot.manifest.attributes
    read = [_read(one, attributes=attributes) for one in questions]
    found: dict[int, Scored | Exception] = {
        place: one for place, one in enumerate(read) if isinstance(one, Exception)
    }
    for language in {one.language for one in questions}:
        asked = {
            place: (request, question.request_id)
            for place, (question, request) in enumerate(zip(questions, read, strict=True))
            if question.language == language and not isinstance(request, Exception)
        }
        answers = _computed_each((current, now, language), list(asked.values()))
        found |= zip(asked, answers, strict=True)
    return [found[place] for place in range(len(questions))]


def _read(question: Question, *, attributes: tuple[Attribute, ...]) -> ScoreRequest | Exception:
    try:
        return parse_request(question.body, attributes=attributes)
    except BaseException as error:
        return _as_fault(error)


def _computed_each(
    kind: tuple[Remembered, datetime, Language], asked: Sequence[Asked]
) -> list[Scored | Exception]:
    if not asked:
        return []
    try:
        return list(score_together(kind, asked))
    except BaseException as error:
        if len(asked) == 1:
            return [_as_fault(error)]
    return [answer for one in asked for answer in _computed_each(kind, [one])]


def _as_fault(error: BaseException) -> Exception:
    """A panic of a library written in Rust is no Exception, and may end nobody's request but its own.

    What is no fault of ours is told without its frames; where one of ours happened goes into the log.
    """
    if isinstance(error, SpearfishError):
        return kept(error)
    return error if isinstance(error, Exception) else RuntimeError(repr(error))
