"""Waits for the log, where it is durable, before an answer is sent.

Turns an answer on its way into the log into the one that is sent. Time rule: a durable answer waits a few
seconds for the store at most. Null rule: where the log was full and is not durable, the answer says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from features.errors import SpearfishError
from serving.access.callers import number_of
from serving.answer_text import answer_text
from serving.answers import ScoreAnswer
from serving.log.entries import Answered
from serving.log.writer import LogUnavailableError
from serving.phrases import phrase
from serving.problems import problem_kind
from serving.web.endpoint import Call

__all__ = ["api_key_id", "kept", "kept_text", "require_some"]


def api_key_id(call: Call) -> int | None:
    """Who asks, as the log and the store name them: a key, or below zero a person."""
    return number_of(call.caller)


async def kept(call: Call, answered: Answered) -> ScoreAnswer:
    """The answer, once it may be sent. Raises LogUnavailableError: 503, to be tried again."""
    if await _is_kept(call, answered):
        return answered.answer
    warning = phrase("not_kept", language=call.language)
    return answered.answer.model_copy(update={"warnings": [*answered.answer.warnings, warning]})


async def kept_text(call: Call, answered: Answered) -> str:
    """As `kept`, written as JSON."""
    answer = await kept(call, answered)
    return answered.text if answer is answered.answer else answer_text(answer)


def require_some(rows: Sequence[object | SpearfishError]) -> None:
    """Refuse a batch without a single answer where that is our fault: who sends it again may get some.

    Raises the first such fault. A batch that is wrong in every row is answered row by row.
    """
    wrong = [row for row in rows if isinstance(row, SpearfishError)]
    ours = [row for row in wrong if problem_kind(row).status >= 500]
    if ours and len(wrong) == len(rows):
        raise ours[0]


async def _is_kept(call: Call, answered: Answered) -> bool:
    if answered.kept.done():
        return answered.kept.result()
    patience = call.services.answers.log.settings.patience
    try:
        # What others wait for as well must not be given up with this one.
        return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(answered.kept)), patience)
    except TimeoutError as error:
        raise LogUnavailableError(
            "the answer cannot be kept: the store does not write",
            allowed=f"an answer of the store within {patience} seconds",
            fix="try again in a few seconds",
        ) from error
