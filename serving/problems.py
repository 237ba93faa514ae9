"""Problem details (RFC 9457): every error as one JSON shape, by one table.

Turns an exception into `application/problem+json`. Time rule: none. Null rule: members that are not known
are absent. Errors that only HTTP can have hang on the project's tree:

InputError (features.errors)
├── RequestError                 the request itself is wrong
│   ├── MalformedHttpError       400  not HTTP
│   ├── MalformedJsonError       400  not JSON
│   ├── UnauthorizedError        401  no key and no session, or none that is valid
│   ├── NotAllowedError          403  the key lacks the scope, or the role does not allow it
│   │   ├── NotLocalError        403  without keys, only this machine may ask
│   │   └── ForeignRequestError  403  another site made a browser send it
│   ├── RouteNotFoundError       404  no such path
│   ├── UnknownPredictionError   404  the log holds no such answer
│   ├── MethodNotAllowedError    405  the path knows other methods
│   ├── SlowRequestError         408  the body did not arrive in time
│   ├── AmbiguousDomainError     409  several accounts share the domain
│   ├── DuplicateAccountError    409  a row of a batch names an account again
│   ├── BodyTooLargeError        413  over the limit
│   ├── PathTooLongError         414  over the limit
│   ├── MediaTypeError           415  not of a type that is read
│   ├── InvalidRequestError      422  fields are wrong; lists each of them
│   ├── TooManyRequestsError     429  the key or the person has used up the limit for now
│   └── HeadersTooLargeError     431  over the limit
├── LinkError                    (serving.store.people) a sign-in link lets nobody in
│   ├── UnknownLinkError         404  there was never such a link
│   ├── UsedLinkError            410  somebody has signed in by it
│   ├── WithdrawnLinkError       410  a newer one was made, or the person was disabled
│   └── ExpiredLinkError         410  it was not used in time
├── UnknownListError             404  (serving.store.lists) no such list
├── UnknownOverrideError         404  (serving.store.list_overrides) no such decision on the list
├── UnknownExportError           404  (serving.store.list_exports) no such export of the list
├── ListChangedError             409  (serving.store.lists) somebody else was there before
├── ListStateError               409  (serving.store.lists) a list in this state does not allow that
├── UnknownJobError              404  (serving.store.jobs) no such job, or not one's own
├── JobUnfinishedError           409  (serving.store.jobs) it has no result
├── JobOverError                 409  (serving.store.jobs) it has ended
├── RequestInProgressError       409  (serving.store.idempotency) the same request is being worked on
└── RequestReusedError           422  (serving.store.idempotency) its name came with another body before
SpearfishError
├── NotReadyError                503  no release is loaded, or there are no data yet
├── BusyError                    503  too much is asked at once
├── WorkerBrokenError            503  a worker must be replaced; /livez alone says so
└── AccessUnknownError           503  whose key it is cannot be known now
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import ceil
from typing import NamedTuple

from features.errors import (
    BundleError,
    EngineError,
    InputError,
    SpearfishError,
    UnknownAccountError,
    WorkspaceError,
)
from features.feature import Language
from serving.problem_words import clause_in, sentence_in, title_in
from serving.store.idempotency import RequestInProgressError, RequestReusedError
from serving.store.jobs import JobOverError, JobUnfinishedError, UnknownJobError
from serving.store.list_exports import UnknownExportError
from serving.store.list_overrides import UnknownOverrideError
from serving.store.lists import ListChangedError, ListStateError, UnknownListError
from serving.store.people import ExpiredLinkError, UnknownLinkError, UsedLinkError, WithdrawnLinkError

__all__ = [
    "PROBLEMS",
    "AccessUnknownError",
    "AmbiguousDomainError",
    "BodyTooLargeError",
    "BusyError",
    "DuplicateAccountError",
    "FieldError",
    "ForeignRequestError",
    "HeadersTooLargeError",
    "InvalidRequestError",
    "MalformedHttpError",
    "MalformedJsonError",
    "MediaTypeError",
    "MethodNotAllowedError",
    "NotAllowedError",
    "NotLocalError",
    "NotReadyError",
    "PathTooLongError",
    "ProblemKind",
    "RequestError",
    "RouteNotFoundError",
    "SlowRequestError",
    "TooManyRequestsError",
    "UnauthorizedError",
    "UnknownPredictionError",
    "WorkerBrokenError",
    "headers_of",
    "problem",
    "problem_kind",
    "problem_kind_of",
]


_WORDS = re.compile(r"(?:[A-Za-z0-9 ,;`()'-]|\.(?= |$))+")
"""Plain text: no path, no name of a host, and nothing behind a colon or in quotation marks."""


class RequestError(InputError):
    """The HTTP request is wrong."""


class MalformedHttpError(RequestError):
    """What was sent is no HTTP request."""


class MalformedJsonError(RequestError):
    """The body is not one JSON value."""


class RouteNotFoundError(RequestError):
    """Nothing answers at this path."""


class UnknownPredictionError(RequestError):
    """The log holds no answer to this request."""


class MethodNotAllowedError(RequestError):
    """The path exists, but not with this method. `methods` are the allowed ones."""

    def __init__(self, what: str, *, methods: Sequence[str]) -> None:
        self.methods = tuple(methods)
        super().__init__(what, allowed=", ".join(methods))


class SlowRequestError(RequestError):
    """The body did not arrive in time."""


class AmbiguousDomainError(RequestError):
    """Several accounts have this domain."""


class DuplicateAccountError(RequestError):
    """A row of a batch names an account that an earlier row has named."""


class BodyTooLargeError(RequestError):
    """The body is over the limit."""


class MediaTypeError(RequestError):
    """The body is not announced as what is read here."""


class PathTooLongError(RequestError):
    """The path and the query are over the limit."""


class HeadersTooLargeError(RequestError):
    """The path and the headers are over the limit."""


class UnauthorizedError(RequestError):
    """The request brings no key and no session, or none that is valid."""


class NotAllowedError(RequestError):
    """The key or the session is valid, but this is not for it."""


class NotLocalError(NotAllowedError):
    """Without a key the service answers only the machine that it runs on."""


class ForeignRequestError(NotAllowedError):
    """A browser was made to send this by another site than the page's own."""


class TooManyRequestsError(RequestError):
    """A key or person has used up the limit. `wait`: seconds until the next request will be answered."""

    def __init__(self, what: str, *, wait: float, allowed: str) -> None:
        self.wait = wait
        super().__init__(what, allowed=allowed, fix="wait as long as Retry-After says")


class AccessUnknownError(SpearfishError):
    """Whether a key is valid cannot be known: the store has not answered for a while."""

    exit_code = 2
    http_status = 503


class NotReadyError(SpearfishError):
    """Nothing to answer with yet: no release is current, or the workspace holds no data."""

    exit_code = 2
    http_status = 503


class BusyError(SpearfishError):
    """The request waited too long for its turn; nothing was done for it."""

    exit_code = 2
    http_status = 503


class WorkerBrokenError(SpearfishError):
    """The worker has lost a thread that it needs: whoever watches over it starts another one."""

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
    MalformedHttpError: ProblemKind("malformed-http", 400, "This is no HTTP request"),
    MalformedJsonError: ProblemKind("malformed-json", 400, "The body is not valid JSON"),
    UnauthorizedError: ProblemKind("unauthorized", 401, "A valid API key or session is needed"),
    NotAllowedError: ProblemKind("missing-scope", 403, "The API key lacks a scope, or the person a role"),
    ForeignRequestError: ProblemKind("cross-site", 403, "Another site sent this"),
    NotLocalError: ProblemKind("not-local", 403, "Without API keys only this machine may ask"),
    RouteNotFoundError: ProblemKind("not-found", 404, "Nothing answers at this path"),
    UnknownAccountError: ProblemKind("unknown-account", 404, "No such account"),
    UnknownPredictionError: ProblemKind("unknown-prediction", 404, "No such answer in the log"),
    UnknownJobError: ProblemKind("unknown-job", 404, "No such job"),
    UnknownLinkError: ProblemKind("unknown-link", 404, "No such sign-in link"),
    UnknownListError: ProblemKind("unknown-list", 404, "No such list"),
    UnknownOverrideError: ProblemKind("unknown-decision", 404, "No such decision on the list"),
    UnknownExportError: ProblemKind("unknown-export", 404, "No such export of the list"),
    MethodNotAllowedError: ProblemKind("method-not-allowed", 405, "The path knows other methods"),
    SlowRequestError: ProblemKind("request-timeout", 408, "The body did not arrive in time"),
    AmbiguousDomainError: ProblemKind("ambiguous-domain", 409, "Several accounts have this domain"),
    DuplicateAccountError: ProblemKind("duplicate-account", 409, "The account is named twice"),
    JobUnfinishedError: ProblemKind("job-unfinished", 409, "The job has no result", 5),
    JobOverError: ProblemKind("job-over", 409, "The job has ended"),
    ListChangedError: ProblemKind("list-changed", 409, "Somebody else changed it meanwhile"),
    ListStateError: ProblemKind("list-state", 409, "A list in this state does not allow that"),
    RequestInProgressError: ProblemKind("request-in-progress", 409, "The same request is in progress", 1),
    UsedLinkError: ProblemKind("used-link", 410, "The sign-in link was used before"),
    WithdrawnLinkError: ProblemKind("withdrawn-link", 410, "The sign-in link was withdrawn"),
    ExpiredLinkError: ProblemKind("expired-link", 410, "The sign-in link has expired"),
    BodyTooLargeError: ProblemKind("body-too-large", 413, "The body is too large"),
    PathTooLongError: ProblemKind("path-too-long", 414, "The path is too long"),
    MediaTypeError: ProblemKind("unsupported-media-type", 415, "The body is of a type that is not read"),
    InputError: ProblemKind("invalid-request", 422, "The request is not valid"),
    RequestReusedError: ProblemKind("idempotency-key-reused", 422, "The Idempotency-Key had another body"),
    TooManyRequestsError: ProblemKind("too-many-requests", 429, "The key or person has used up the limit", 1),
    HeadersTooLargeError: ProblemKind("headers-too-large", 431, "The path and headers are too large"),
    Exception: ProblemKind("internal-error", 500, "The work failed"),
    AccessUnknownError: ProblemKind("access-unknown", 503, "API keys cannot be checked now", 2),
    NotReadyError: ProblemKind("not-ready", 503, "Nothing to answer with yet", 5),
    BusyError: ProblemKind("busy", 503, "Too much is asked at once", 2),
    WorkerBrokenError: ProblemKind("worker-broken", 503, "The worker must be replaced", 5),
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


def headers_of(error: Exception) -> Mapping[str, str]:
    """The headers that belong to a problem: when to try again, which methods there are, how to sign in."""
    headers = {}
    retry_after = problem_kind(error).retry_after
    if isinstance(error, TooManyRequestsError):
        retry_after = max(1, ceil(error.wait))
    if retry_after:
        headers["Retry-After"] = str(retry_after)
    if isinstance(error, MethodNotAllowedError):
        headers["Allow"] = ", ".join(error.methods)
    if isinstance(error, UnauthorizedError):
        headers["WWW-Authenticate"] = 'Bearer realm="spearfish"'
    return headers


def problem(error: Exception, *, request_id: str, language: Language = "en") -> dict[str, object]:
    """The problem document of an error. Unforeseen errors say nothing of what happened inside.

    language: of the title, and of what is told where its words are known in it; fields and values stay as
    they are called.
    """
    kind = problem_kind(error)
    document: dict[str, object] = {
        "type": f"urn:spearfish:problem:{kind.slug}",
        "title": title_in(kind.slug, kind.title, language=language),
        "status": kind.status,
        "detail": _detail(error, language=language),
        "request_id": request_id,
    }
    if kind.status < 500 and isinstance(error, SpearfishError):
        document["errors"] = [_present(_spoken(each, language)) for each in _field_errors(error)]
    return document


def _detail(error: Exception, *, language: Language) -> str:
    kind = problem_kind(error)
    if kind.status < 500 and isinstance(error, SpearfishError):
        first = _field_errors(error)[0]
        told = sentence_in(
            first.what,
            got=first.got,
            allowed=first.allowed,
            fix=first.fix,
            language=language,
            field=first.field if isinstance(error, InvalidRequestError) else None,
        )
        return told or error.sentence()
    if isinstance(error, SpearfishError):
        told = _for_callers(error, language=language)
        return told or _ours(title_in(kind.slug, kind.title, language=language), language=language)
    unforeseen = "an unforeseen error; the server's log has it under this request_id"
    return clause_in(unforeseen, language=language) or unforeseen


def _ours(title: str, *, language: Language) -> str:
    if language == "zh":
        return f"{title}；原因见服务器日志"
    return f"{title[0].lower()}{title[1:]}; the server's log says why"


def _for_callers(error: SpearfishError, *, language: Language) -> str:
    """What a fault of ours is and what to do, as far as words tell it.

    Paths, addresses, statements and what libraries say are for the log alone.
    """
    told = [part for part in (error.what, error.fix) if part and _WORDS.fullmatch(part)]
    spoken = [clause_in(part, language=language) for part in told]
    if language == "zh" and all(spoken):
        return "；".join(filter(None, spoken))
    return "; ".join(told)


def _spoken(error: FieldError, language: Language) -> FieldError:
    """As it is told in a language, where the words of its fault are known."""
    what = clause_in(error.what, language=language)
    if what is None or error.fix is None:
        return error if what is None else replace(error, what=what)
    return replace(error, what=what, fix=clause_in(error.fix, language=language) or error.fix)


def _field_errors(error: SpearfishError) -> Sequence[FieldError]:
    if isinstance(error, InvalidRequestError):
        return error.errors
    given = (None if value is None else str(value) for value in (error.got, error.allowed, error.fix))
    return [FieldError("(request)", error.what, *given)]


def _present(error: FieldError) -> dict[str, str]:
    return {name: value for name, value in asdict(error).items() if value is not None}
