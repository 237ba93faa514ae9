"""Requests that must not be done twice: what was answered is kept beside what was written.

Turns a write into its answer, the first time by doing it, later by looking the answer up. The answer is
written in the transaction of the write itself, so that sudden death leaves both or neither. Time rule:
answers are kept for a day. Null rule: none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, text

from features.errors import InputError
from serving.store import schema

__all__ = ["KEPT_FOR", "Answered", "RequestInProgressError", "RequestReusedError", "once"]

KEPT_FOR = timedelta(hours=24)


class RequestReusedError(InputError):
    """The name of an earlier request came with another body."""


class RequestInProgressError(InputError):
    """The same request is being worked on."""

    http_status = 409


@dataclass(frozen=True)
class Answered:
    """The answer to a write, as JSON. replayed: whether it is the one to an earlier request."""

    status: int
    answer: str
    replayed: bool = False


def once(
    connection: Connection, *, name: str, body: str, now: datetime, write: Callable[[Connection], Answered]
) -> Answered:
    """Do the write, unless a request of this name was answered within the last day.

    name, body: SHA-256 in hexadecimal. write: works on the connection it is given, and only there; what it
    raises undoes it and keeps no answer, so that the request may be tried again.
    Raises RequestReusedError, RequestInProgressError.
    """
    _require_alone(connection, name=name)
    table = schema.finished_requests
    connection.execute(delete(table).where(table.c.at <= now - KEPT_FOR))
    found = connection.execute(select(table).where(table.c.name == name)).one_or_none()
    if found is None:
        made = write(connection)
        row = {"name": name, "body": body, "status": made.status, "answer": made.answer, "at": now}
        connection.execute(insert(table).values(row))
        return made
    if found.body != body:
        raise RequestReusedError(
            "this Idempotency-Key came with another body before",
            allowed="the same body, or another key",
            fix="make a new key for a new request",
        )
    return Answered(found.status, found.answer, replayed=True)


def _require_alone(connection: Connection, *, name: str) -> None:
    """Refuse where another transaction works on the same request; SQLite lets writers in one by one."""
    if connection.dialect.name != "postgresql":
        return
    number = int.from_bytes(bytes.fromhex(name[:16]), signed=True)
    query = text("SELECT pg_try_advisory_xact_lock(:number)")
    if not connection.execute(query, {"number": number}).scalar():
        raise RequestInProgressError(
            "the same request is being worked on", fix="send it again in a second; it will not be done twice"
        )
