"""The log of answers: one row for each, written in batches and read by its request or by its account.

Turns answers, what they were asked with and what they were computed from into rows, and back. Time rule:
moments are naive UTC, whole seconds; `at` is when the answer was given, `as_of` what it speaks of. Null
rule: an account that came with its request has no identifier; what was erased is null, and `erased` says what
it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Select, and_, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from serving.store import schema

__all__ = [
    "Erased",
    "Place",
    "Prediction",
    "accounts",
    "find",
    "forget_accounts",
    "forget_people",
    "insert",
    "newest",
    "of_account",
    "prune",
]

Erased = Literal["account", "people"]
"""What was taken out of a row: which account it was about, or what people named in its request did."""

Place = tuple[datetime, str]
"""Where a page of a history ended: moment and request."""

_TABLE = schema.predictions
_ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class Prediction:
    """One answer as it is kept.

    inputs: the request as JSON, people in it by hashes and levels alone. answer: the whole answer as JSON.
    evidence: features and contributions as float64 bytes, and the versions of everything (`serving.log`).
    The scores stand beside the answer for those who read many rows.
    """

    request_id: str
    at: datetime
    as_of: datetime
    account_id: str | None
    api_key_id: int | None
    release_id: int
    fit_probability: float | None
    fit_grade: str | None
    intent_probability: float | None
    intent_grade: str | None
    machine_score: float | None
    working_score: float | None
    inputs: str | None = field(repr=False)
    answer: str = field(repr=False)
    evidence: bytes = field(repr=False)
    erased: Erased | None = None

    def without_account(self) -> Prediction:
        """The row without who it is about; features and scores stay."""
        answer = json.loads(self.answer)
        answer["account"] = {"account_id": None, "name": None, "domain": None}
        if answer.get("lead"):
            answer["lead"] |= {"sentence": "", "possible_account_ids": []}
        told = json.dumps(answer, ensure_ascii=False)
        return replace(self, account_id=None, inputs=None, erased="account", answer=told)


def insert(connection: Connection, rows: Sequence[Prediction]) -> None:
    """Keep answers. One that is kept already stays as it is, so that a batch may be tried again."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(make(_TABLE).on_conflict_do_nothing(), [dict(vars(row)) for row in rows])


def find(connection: Connection, *, request_id: str) -> Prediction | None:
    """The answer to a request; None when it is not kept."""
    row = connection.execute(select(_TABLE).where(_TABLE.c.request_id == request_id)).one_or_none()
    return None if row is None else Prediction(**row._asdict())


def of_account(
    connection: Connection, *, account_ids: Collection[str], limit: int, after: Place | None = None
) -> tuple[Prediction, ...]:
    """The answers about an account under any of its identifiers, the newest first.

    after: where the page before ended.
    """
    query = select(_TABLE).where(_TABLE.c.account_id.in_(account_ids))
    if after is not None:
        at, request_id = after
        query = query.where(or_(_TABLE.c.at < at, and_(_TABLE.c.at == at, _TABLE.c.request_id < request_id)))
    return _read(connection, query, limit=limit)


def newest(connection: Connection, *, limit: int) -> tuple[Prediction, ...]:
    """The answers given last, the newest first."""
    return _read(connection, select(_TABLE), limit=limit)


def _read(connection: Connection, query: Select[Any], *, limit: int) -> tuple[Prediction, ...]:
    ordered = query.order_by(_TABLE.c.at.desc(), _TABLE.c.request_id.desc()).limit(limit)
    return tuple(Prediction(**row._asdict()) for row in connection.execute(ordered))


def prune(connection: Connection, *, before: datetime, limit: int) -> int:
    """Delete the oldest answers given before a moment, at most `limit` of them; how many went."""
    old = select(_TABLE.c.request_id).where(_TABLE.c.at < before).order_by(_TABLE.c.at).limit(limit)
    return connection.execute(delete(_TABLE).where(_TABLE.c.request_id.in_(old))).rowcount


def accounts(connection: Connection) -> Iterator[str]:
    """The identifier of every account that an answer is about."""
    query = select(_TABLE.c.account_id).where(_TABLE.c.account_id.is_not(None)).distinct()
    yield from connection.execute(query).scalars()


def forget_accounts(connection: Connection, account_ids: Sequence[str]) -> int:
    """Make nobody's the answers about some accounts: who they were about goes, features and scores stay."""
    changed = 0
    for account_id in account_ids:
        # Each turn makes them fewer.
        while rows := of_account(connection, account_ids=[account_id], limit=_ROWS_AT_ONCE):
            for row in rows:
                left = row.without_account()
                values = {name: getattr(left, name) for name in ("account_id", "inputs", "answer", "erased")}
                connection.execute(update(_TABLE).where(_TABLE.c.request_id == row.request_id).values(values))
            changed += len(rows)
    return changed


def forget_people(connection: Connection, *, gone: Callable[[str], bool], clean: Callable[[str], str]) -> int:
    """Take what some people did out of requests that came with their rows. Returns rows changed.

    gone: whether an identifier of a contact is one of theirs. clean: overwrites them in running text.
    """
    changed, last = 0, ""
    columns = (_TABLE.c.request_id, _TABLE.c.inputs, _TABLE.c.answer, _TABLE.c.erased)
    sent_along = and_(_TABLE.c.account_id.is_(None), _TABLE.c.inputs.is_not(None))
    while rows := connection.execute(
        select(*columns)
        .where(sent_along, _TABLE.c.request_id > last)
        .order_by(_TABLE.c.request_id)
        .limit(_ROWS_AT_ONCE)
    ).all():
        for row in rows:
            left = _without(row.inputs, gone=gone, clean=clean), clean(row.answer)
            if left != (row.inputs, row.answer):
                inputs, answer = left
                values = {"inputs": inputs, "answer": answer, "erased": row.erased or "people"}
                connection.execute(update(_TABLE).where(_TABLE.c.request_id == row.request_id).values(values))
                changed += 1
        last = rows[-1].request_id
    return changed


def _without(inputs: str, *, gone: Callable[[str], bool], clean: Callable[[str], str]) -> str:
    """A request without the rows of these people; the same text when it holds none."""
    told: Mapping[str, Any] = json.loads(inputs)
    record = told.get("record") or {}
    kept = {
        name: [row for row in rows if not _of(row, gone)] if isinstance(rows, list) else rows
        for name, rows in record.items()
    }
    if kept != record:
        return clean(json.dumps({**told, "record": kept}, ensure_ascii=False))
    # Codes in place of letters would hide a name.
    plain = json.dumps(told, ensure_ascii=False) if "\\" in inputs else inputs
    cleaned = clean(plain)
    return inputs if cleaned == plain else cleaned


def _of(row: Mapping[str, Any], gone: Callable[[str], bool]) -> bool:
    return bool(row.get("contact_id")) and gone(str(row["contact_id"]))
