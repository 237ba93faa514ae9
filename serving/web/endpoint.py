"""One endpoint: its path, the scope that it needs, its part of the OpenAPI document, and what answers.

A module of `serving.web.routes` holds a group of them as its `ENDPOINTS`. Time rule: none. Null rule: an
operation without a body model reads none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from features.errors import InputError, WorkspaceError
from features.feature import Language
from features.tables import Attribute
from serving import metrics
from serving.access.callers import Caller
from serving.access.scopes import Scope
from serving.problems import (
    AccessUnknownError,
    BodyTooLargeError,
    BusyError,
    ForeignRequestError,
    HeadersTooLargeError,
    MalformedJsonError,
    MediaTypeError,
    NotAllowedError,
    NotLocalError,
    PathTooLongError,
    SlowRequestError,
    TooManyRequestsError,
    UnauthorizedError,
)
from serving.store.idempotency import RequestInProgressError, RequestReusedError
from serving.web.envelope import request_id_of
from serving.web.languages import language_of
from serving.web.services import Services

__all__ = ["LANGUAGE", "BodyModel", "Call", "Endpoint", "Json", "Operation", "json_answer", "parameter"]

Json = dict[str, Any]
Result = TypeVar("Result")
_PATIENCE = 20.0
"""Seconds that a request waits for a thread."""

BodyModel = Callable[[tuple[Attribute, ...]], type[BaseModel]]


def parameter(name: str, place: str, description: str, *, schema: Json, required: bool = False) -> Json:
    """A parameter of an endpoint in the document. place: path, query or header."""
    return {
        "name": name,
        "in": place,
        "required": required,
        "description": description,
        "schema": schema,
    }


LANGUAGE = parameter(
    "Accept-Language",
    "header",
    "Language of the sentences: en (default) or zh.",
    schema={"type": "string"},
)
"""The parameter of an endpoint whose answer holds sentences."""

_ALWAYS: tuple[type[Exception], ...] = (
    *(NotLocalError, ForeignRequestError, PathTooLongError, HeadersTooLargeError),
    # Of the query.
    InputError,
    *(Exception, BusyError),
)
_OF_CALLERS = (UnauthorizedError, NotAllowedError, TooManyRequestsError, AccessUnknownError)
_WITH_BODY = (MalformedJsonError, SlowRequestError, BodyTooLargeError, MediaTypeError)

_REPEATABLE = (RequestReusedError, RequestInProgressError, WorkspaceError)


@dataclass(frozen=True)
class Call:
    """A request on its way through an endpoint."""

    request: Request
    services: Services
    caller: Caller

    @property
    def request_id(self) -> str:
        return request_id_of(self.request.scope)

    @property
    def language(self) -> Language:
        return language_of(self.request.headers.get("accept-language", ""))

    async def compute(self, work: Callable[[], Result]) -> Result:
        """The result of work that takes a while, done in a thread. Raises BusyError when none is free."""
        return await _in_turn(self.services.answers.executor, work)

    async def store(self, work: Callable[[], Result]) -> Result:
        """As `compute`, for work that writes: while the store is locked, those who read are answered."""
        return await _in_turn(self.services.writers, work)


async def _in_turn(threads: Executor, work: Callable[[], Result]) -> Result:
    with metrics.in_threads():
        begun = threads.submit(work)
        waiting = asyncio.wrap_future(begun)
        await asyncio.wait((waiting,), timeout=_PATIENCE)
        # What a thread has taken up comes to an end.
        if not waiting.done() and begun.cancel():
            raise BusyError("too much is asked at once: nothing was done", fix="try again in a few seconds")
        return await waiting


@dataclass(frozen=True, eq=False)
class Operation:
    """What the OpenAPI document says of an endpoint.

    name: the operationId. answer: the model of the answer, whose status is `status`.
    body: the model of the request's JSON, given the attributes that the workspace declares.
    files: media types of a file that comes in place of JSON, and `form` the model of a form with it.
    answer_files: media types of the answer, where it is a file; `answer` is the model of a row.
    public: whether nobody needs a key or a session, as what is sent says enough.
    repeatable: whether it writes and honours Idempotency-Key, by `serving.web.repeats`.
    problems: the errors of `serving.problems` that the work itself may end in; those of the frame (bodies,
        keys, limits) are added.
    """

    name: str
    summary: str
    description: str
    tag: str
    answer: type[BaseModel]
    answer_description: str
    status: int = 200
    body: BodyModel | None = None
    body_description: str = ""
    files: tuple[str, ...] = ()
    form: type[BaseModel] | None = None
    answer_files: tuple[str, ...] = ()
    example: Json | None = None
    parameters: tuple[Json, ...] = ()
    problems: tuple[type[Exception], ...] = ()
    repeatable: bool = False
    public: bool = False

    @property
    def all_problems(self) -> tuple[type[Exception], ...]:
        """Every error that the endpoint may end in."""
        of_body = _WITH_BODY if self.body else ()
        of_callers = () if self.public else _OF_CALLERS
        return (*_ALWAYS, *of_callers, *of_body, *(_REPEATABLE if self.repeatable else ()), *self.problems)


@dataclass(frozen=True, eq=False)
class Endpoint:
    """A path of /v1 and what answers there. path: as Starlette and OpenAPI write it: /v1/jobs/{id}.

    signed: whether a request is let in without a key, because it is signed; `handle` checks the signature.
    slashes: whether the last parameter of the path may hold some.
    """

    method: Literal["DELETE", "GET", "PATCH", "POST", "PUT"]
    path: str
    scope: Scope
    operation: Operation
    handle: Callable[[Call], Awaitable[Response]]
    signed: Callable[[Request], bool] | None = None
    slashes: bool = False

    @property
    def needs(self) -> Scope | None:
        """The scope that a caller must have; None where anybody may ask."""
        return None if self.operation.public else self.scope


def json_answer(answer: BaseModel, *, status: int = 200) -> Response:
    """A model as the body of an answer."""
    return Response(answer.model_dump_json(), status_code=status, media_type="application/json")
