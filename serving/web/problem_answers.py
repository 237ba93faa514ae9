"""A problem as an answer: its document, its status and its headers.

Turns an exception into a response. Time rule: none. Null rule: none.
"""

from __future__ import annotations

from starlette.responses import JSONResponse

from features.feature import Language
from serving.problems import headers_of, problem, problem_kind
from serving.web.envelope import add_headers

__all__ = ["problem_answer"]


def problem_answer(error: Exception, *, request_id: str, language: Language = "en") -> JSONResponse:
    """The answer, with what every answer carries. language: of what is told."""
    response = JSONResponse(
        problem(error, request_id=request_id, language=language),
        status_code=problem_kind(error).status,
        headers=headers_of(error),
        media_type="application/problem+json",
    )
    add_headers(response.headers, request_id=request_id)
    return response
