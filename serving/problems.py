"""Problem details (RFC 9457): every error as one JSON shape, by one table.

Turns an exception into `application/problem+json`. Time rule: none. Null rule: members that are not known
are absent. Errors that only HTTP can have hang on the project's tree:

InputError (features.errors)
├── RequestError                 the request itself is wrong
│   ├── MalformedJsonError       400  not JSON
│   ├── RouteNotFoundError       404  no such path
│   ├── MethodNotAllowedError    405  the path knows other methods
│   ├── SlowRequestError         408  the body did not arrive in time
│   ├── AmbiguousDomainError     409  several accounts share the domain
│   ├── BodyTooLargeError        413  over the limit
│   ├── MediaTypeError           415  not application/json
│   └── InvalidRequestError      422  fields are wrong; lists each of them
SpearfishError
└── NotReadyError                503  no release is loaded, or there are no data yet
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

from features.errors import (
    BundleError,
    EngineError,
    InputError,
    SpearfishError,
    UnknownAccountError,
    WorkspaceError,
)

__all__ = [
    "PROBLEMS",
    "AmbiguousDomainError",
    "BodyTooLargeError",
    "FieldError",
    "InvalidRequestError",
    "MalformedJsonError",
    "MediaTypeError",
    "MethodNotAllowedError",
    "NotReadyError",
    "ProblemKind",
    "RequestError",
    "RouteNotFoundError",
    "SlowRequestError",
    "problem",
    "problem_kind",
    "problem_kind_of",
]


class RequestError(InputError):
    """The HTTP request is wrong."""


class MalformedJsonError(RequestError):
    """The body is not one JSON value."""


class RouteNotFoundError(RequestError):
    """Nothing answers at this path."""


class MethodNotAllowedError(RequestError):
    """The path exists, but not with this method. `methods` are the allowed ones."""

    def __init__(self, what: str, *, methods: Sequence[str]) -> None:
        self.methods = tuple(methods)
        super().__init__(what, allowed=", ".join(methods))


class SlowRequestError(RequestError):
    """The body did not arrive in time."""


class AmbiguousDomainError(RequestError):
    """Several accounts have this domain."""


class BodyTooLargeError(RequestError):
    """The body is over the limit."""


class MediaTypeError(RequestError):
    """The body is not announced as JSON."""


class NotReadyError(SpearfishError):
    """Nothing to answer with yet: no release is current, or the workspace holds no data."""

    exit_code = 2
    http_status = 503


@dataclass(frozen=True)
class FieldError:
    """One wrong field. `field` is its path, such as record.activities[3].channel."""

    field: str
    what: str
    got: str | None = None
    allowed: str | None = None
    fix: str | None = None


class InvalidRequestError(RequestError):
    """One or more fields are wrong; `errors` lists them."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(errors)
        first = self.errors[0]
        super().__init__(f"{first.field}: {first.what}", got=first.got, allowed=first.allowed, fix=first.fix)


class ProblemKind(NamedTuple):
    """How a class of errors looks over HTTP. `retry_after` is in seconds."""

    slug: str
    status: int
    title: str
    retry_after: int | None = None


PROBLEMS: dict[type[Exception], ProblemKind] = {
    MalformedJsonError: ProblemKind("malformed-json", 400, "The body is not valid JSON"),
    RouteNotFoundError: ProblemKind("not-found", 404, "Nothing answers at this path"),
    UnknownAccountError: ProblemKind("unknown-account", 404, "No such account"),
    MethodNotAllowedError: ProblemKind("method-not-allowed", 405, "The path knows other methods"),
    SlowRequestError: ProblemKind("request-timeout", 408, "The body did not arrive in time"),
    AmbiguousDomainError: ProblemKind("ambiguous-domain", 409, "Several accounts have this domain"),
    BodyTooLargeError: ProblemKind("body-too-large", 413, "The body is too large"),
    MediaTypeError: ProblemKind("unsupported-media-type", 415, "The body must be JSON"),
    InputError: ProblemKind("invalid-request", 422, "The request is not valid"),
    Exception: ProblemKind("internal-error", 500, "The work failed"),
    NotReadyError: ProblemKind("not-ready", 503, "Nothing to answer with yet", 5),
    WorkspaceError: ProblemKind("workspace-unavailable", 503, "The workspace cannot be read", 5),
    BundleError: ProblemKind("model-unavailable", 503, "The model cannot be used", 5),
    EngineError: ProblemKind("engine-restarted", 503, "The SQL engine failed and was restarted", 1),
}
"""The one table from exceptions to HTTP; the nearest class in the tree counts."""


def problem_kind(error: Exception) -> ProblemKind:
    """The entry of the nearest class."""
    return problem_kind_of(type(error))


def problem_kind_of(error: type[Exception]) -> ProblemKind:
    """The entry of the nearest class of a class."""
    return next(PROBLEMS[ancestor] for ancestor in error.__mro__ if ancestor in PROBLEMS)


def problem(error: Exception, *, request_id: str) -> dict[str, object]:
    """The problem document of an error. Unforeseen errors say nothing of what happened inside."""
    kind = problem_kind(error)
    document: dict[str, object] = {
        "type": f"urn:spearfish:problem:{kind.slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": _detail(error),
        "request_id": request_id,
    }
    if kind.status < 500 and isinstance(error, SpearfishError):
        document["errors"] = [_present(each) for each in _field_errors(error)]
    return document


def _detail(error: Exception) -> str:
    if isinstance(error, SpearfishError):
        return error.sentence()
    return "an unforeseen error; the server's log has it under this request_id"


def _field_errors(error: SpearfishError) -> Sequence[FieldError]:
    if isinstance(error, InvalidRequestError):
        return error.errors
    given = (None if value is None else str(value) for value in (error.got, error.allowed, error.fix))
    return [FieldError("(request)", error.what, *given)]


def _present(error: FieldError) -> dict[str, str]:
    return {name: value for name, value in asdict(error).items() if value is not None}
