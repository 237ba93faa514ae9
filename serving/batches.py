"""POST /v1/score/batch: up to a thousand accounts, each answered or refused for itself.

Turns the rows of a batch into answers and problems in the order of the rows. Rows are looked up, computed and
scored together; each gets the bits that it would get alone. Time rule: `now` is one moment for all rows.
Null rule: a row has an answer or a problem, never both.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from pydantic import Field

from features.errors import SpearfishError
from features.feature import Language
from serving.answers import Answer, ProblemDetails, ScoreAnswer
from serving.desk import Desk
from serving.problems import DuplicateAccountError, InvalidRequestError, problem
from serving.remembered import Remembered
from serving.requests import ScoreRequest
from serving.scoring import Scored, new_request_id, score_subjects
from serving.subjects import Subject, find_subjects

__all__ = ["BatchAnswer", "BatchRow", "batch_answer", "batch_text", "score_batch"]


class BatchRow(Answer):
    """What became of one row."""

    position: int = Field(ge=0, description="Place of the row in the request, from 0.")
    answer: ScoreAnswer | None = Field(description="As of POST /v1/score; null for a row that is refused.")
    problem: ProblemDetails | None = Field(description="Why the row is refused; null for one that is not.")


class BatchAnswer(Answer):
    """The answers to a batch, in the order of its rows."""

    request_id: str = Field(description="Names this batch in logs; each answer has a name of its own.")
    succeeded: int = Field(ge=0, description="Rows with an answer.")
    failed: int = Field(ge=0, description="Rows with a problem.")
    results: list[BatchRow]


def batch_answer(rows: Sequence[ScoreAnswer | SpearfishError], *, request_id: str) -> BatchAnswer:
    """The whole answer."""
    results = [_row(place, row, request_id=request_id) for place, row in enumerate(rows)]
    failed = sum(row.problem is not None for row in results)
    return BatchAnswer(request_id=request_id, succeeded=len(results) - failed, failed=failed, results=results)


def batch_text(rows: Sequence[str | SpearfishError], *, request_id: str) -> str:
    """As `batch_answer`, as JSON, of answers that are written already."""
    written = [
        f'{{"position":{place},"answer":{row},"problem":null}}'
        if isinstance(row, str)
        else _row(place, row, request_id=request_id).model_dump_json()
        for place, row in enumerate(rows)
    ]
    failed = sum(not isinstance(row, str) for row in rows)
    counts = f'"succeeded":{len(rows) - failed},"failed":{failed}'
    return f'{{"request_id":{json.dumps(request_id)},{counts},"results":[{",".join(written)}]}}'


def _row(place: int, row: ScoreAnswer | SpearfishError, *, request_id: str) -> BatchRow:
    if isinstance(row, ScoreAnswer):
        return BatchRow(position=place, answer=row, problem=None)
    details = ProblemDetails.model_validate(problem(row, request_id=request_id))
    return BatchRow(position=place, answer=None, problem=details)


def score_batch(
    desk: Desk,
    *,
    rows: Sequence[ScoreRequest | InvalidRequestError],
    now: datetime,
    language: Language,
    remembered: Remembered | None = None,
) -> list[Scored | SpearfishError]:
    """The answer to each row in full, or what is wrong with it. Raises EngineError.

    now: naive UTC, whole seconds; nothing may lie after it. remembered: of the same desk.
    """
    score = partial(score_subjects, desk) if remembered is None else remembered.score_subjects
    requests = [row for row in rows if isinstance(row, ScoreRequest)]
    subjects = iter(find_subjects(desk, requests=requests, now=now, language=language))
    found = [next(subjects) if isinstance(row, ScoreRequest) else row for row in rows]
    once = _each_once(found, rows=rows)
    own = [one for one in once if isinstance(one, Subject)]
    names = [new_request_id() for _ in own]
    scored = iter(score(own, request_ids=names, now=now, language=language) if own else ())
    return [next(scored) if isinstance(one, Subject) else one for one in once]


def _each_once(
    found: Sequence[Subject | SpearfishError], *, rows: Sequence[ScoreRequest | InvalidRequestError]
) -> list[Subject | SpearfishError]:
    """An account that is named again at the same moment is refused; two leads may speak of one account."""
    first: dict[tuple[str, datetime], int] = {}
    once: list[Subject | SpearfishError] = []
    for place, (one, row) in enumerate(zip(found, rows, strict=True)):
        earlier = place
        if isinstance(one, Subject) and isinstance(row, ScoreRequest) and (row.account_id or row.domain):
            earlier = first.setdefault((one.account.account_id or "", one.as_of), place)
        once.append(one if earlier == place else _repeated(place=place, earlier=earlier))
    return once


def _repeated(*, place: int, earlier: int) -> DuplicateAccountError:
    return DuplicateAccountError(
        f"accounts[{place}]: names the same account as accounts[{earlier}]",
        allowed="each account once for each as_of",
        fix=f"remove it; its answer is that of accounts[{earlier}]",
    )
