"""Writes that may be sent twice: the header Idempotency-Key, for every POST that writes.

Turns a write into its answer; the first time by doing it, again by sending the stored answer with
Idempotency-Replayed. The key counts for one caller, one path and one day. Time rule: the server's clock.
Null rule: a request without the header is done each time that it comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256

from sqlalchemy import Connection
from starlette.responses import Response

from serving.access.callers import mark_of
from serving.problems import FieldError, InvalidRequestError
from serving.scoring import utc_now
from serving.store.idempotency import Answered, RequestInProgressError, once
from serving.web.endpoint import Call

__all__ = ["answer_once"]

_LONGEST = 255


async def answer_once(call: Call, *, body: bytes, write: Callable[[Connection], Answered]) -> Response:
    """The answer to a request that writes.

    body: as it was read. write: works on the connection that it is given, and only there: what it wrote and
    its answer are committed together. What it raises undoes everything, and the request may come again.
    Raises RequestReusedError, RequestInProgressError, InvalidRequestError.
    """
    given = call.request.headers.get("idempotency-key")
    if given is None:
        return _response(await call.store(partial(_do, call, write)))
    _require_key(given)
    name = _name(call, given=given)
    work = partial(_do, call, partial(_do_once, name=name, body=_digest(call, body=body), write=write))
    with _alone(call, name=name):
        return _response(await call.store(work))


@contextmanager
def _alone(call: Call, *, name: str) -> Iterator[None]:
    """Refuse what this worker is working on: SQLite would let it wait."""
    running = call.services.running
    if name in running:
        raise RequestInProgressError(
            "the same request is being worked on", fix="send it again in a second; it will not be done twice"
        )
    running.add(name)
    try:
        yield
    finally:
        running.discard(name)


def _do(call: Call, write: Callable[[Connection], Answered]) -> Answered:
    with call.services.door.open().writing() as connection:
        return write(connection)


def _do_once(
    connection: Connection, *, name: str, body: str, write: Callable[[Connection], Answered]
) -> Answered:
    return once(connection, name=name, body=body, now=utc_now(), write=write)


def _response(answered: Answered) -> Response:
    headers = {"Idempotency-Replayed": "true"} if answered.replayed else {}
    return Response(
        answered.answer, status_code=answered.status, headers=headers, media_type="application/json"
    )


def _require_key(given: str) -> None:
    if 1 <= len(given) <= _LONGEST and given.isascii() and given.isprintable():
        return
    raise InvalidRequestError(
        [
            FieldError(
                "Idempotency-Key",
                "cannot be used",
                got=f"{len(given)} characters",
                allowed=f"1 to {_LONGEST} printable ASCII characters",
                fix="send a new UUID with each new request",
            )
        ]
    )


def _name(call: Call, *, given: str) -> str:
    parts = (mark_of(call.caller), call.request.method, call.request.url.path, given)
    return sha256("\n".join(parts).encode()).hexdigest()


def _digest(call: Call, *, body: bytes) -> str:
    return sha256(call.request.scope["query_string"] + b"\n" + body).hexdigest()
