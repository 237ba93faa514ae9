"""An account that comes with the request: its rows as canonical tables.

Turns a checked record into the same tables that a workspace holds, so that the same SQL reads them. Time
rule: a row without known_at counts as known when it happened (account facts and people: all along; a deal:
when it was opened, and again when it was closed); nothing may lie in the future. Null rule: what was not
sent is empty.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import pyarrow as pa

from features.contract import NO_BASIS, START_OF_TIME, TABLES
from features.privacy.identifiers import person_identifier
from features.tables import Attribute, Tables
from features.titles.filling import fill_contact_rows
from features.titles.roles import TitleSettings
from features.validation import Problem, record_problems
from serving.accounts import Account
from serving.plain_rows import RECORD_ID, PlainRows
from serving.population import Deal
from serving.problems import FieldError, InvalidRequestError
from serving.requests import clean_domain
from serving.sent_tables import SentTables

__all__ = ["ALL_ALONG", "RECORD_ID", "Record", "read_record"]

ALL_ALONG = datetime.fromisoformat(START_OF_TIME).replace(tzinfo=None)
"""When facts without a date count as known."""

# Everything but times was checked when the request was read.
_TIMES = {
    name: replace(table, columns=tuple(column for column in table.columns if column.type == "timestamp"))
    for name, table in TABLES.items()
}
_KEYS = {
    name: tuple(column for column in table.key if column != "account_id") for name, table in TABLES.items()
}

_OTHER_TIMES = {
    name: tuple((column.name, column.nullable) for column in table.columns if column.name != "known_at")
    for name, table in _TIMES.items()
}

Row = dict[str, Any]


@dataclass(frozen=True)
class Record:
    """An account that was sent along: its tables, its deals and what is known of it beforehand.

    names_people: whether an activity says who it is about.
    """

    tables: Tables
    account: Account
    deals: tuple[Deal, ...]
    names_people: bool


def read_record(record: Any, *, attributes: tuple[Attribute, ...], now: datetime) -> Record:
    """The tables of a record.

    record: the `record` of a `ScoreRequest`. Raises InvalidRequestError for times after `now`, rows that
    were known before they happened, deals that are half closed, and keys that are there twice.
    """
    plain = {name: rows for name, rows in _plain(record) if rows.is_sound(TABLES[name], now=now)}
    rows = {name: list(found) for name, found in _rows(record, without=plain)}
    _require_sound(rows, now=now)
    kept = {name: [row for _, row in found] for name, found in rows.items()}
    kept["contacts"] = fill_contact_rows(kept["contacts"], settings=TitleSettings())
    kept["opportunities"] = [version for row in kept["opportunities"] for version in _versions(row)]
    tables = Tables(SentTables(kept | plain, schemas=_schemas(attributes)), attributes)
    facts = [row["known_at"] for row in kept["accounts"]]
    times = ("known_at", "opted_out_at")
    told = [row[name] for found in kept.values() for row in found for name in times if row.get(name)]
    newest = max(told + [rows.newest for rows in plain.values() if rows.newest])
    account = Account(None, record.account.name, kept["accounts"][-1]["domain"], min(facts), newest)
    deals = tuple(Deal(*(row[name] for name in Deal._fields if name in row)) for row in kept["opportunities"])
    plainly = plain.get("activities")
    names_people = plainly.names_people if plainly is not None else bool(record.activities)
    return Record(tables, account, deals, names_people)


@lru_cache(maxsize=4)
def _schemas(attributes: tuple[Attribute, ...]) -> Mapping[str, pa.Schema]:
    empty = Tables({}, attributes)
    return {name: empty.schema(name) for name in ("accounts", *_LISTS)}


_LISTS = ("contacts", "activities", "intent_topics", "opportunities")


def _plain(record: Any) -> Iterator[tuple[str, PlainRows]]:
    for name in _LISTS:
        rows = getattr(record, name)
        if isinstance(rows, PlainRows):
            yield name, rows


def _rows(record: Any, *, without: Collection[str]) -> Iterator[tuple[str, Iterator[tuple[str, Row]]]]:
    """Path and row of everything that was sent, by table."""
    yield "accounts", _accounts(record)
    for name in _LISTS:
        if name not in without:
            yield name, _listed(name, getattr(record, name))


def _accounts(record: Any) -> Iterator[tuple[str, Row]]:
    """The older versions, then the current one."""
    earlier = ((f"record.earlier_versions[{at}]", each) for at, each in enumerate(record.earlier_versions))
    for path, version in (*earlier, ("record.account", record.account)):
        row = vars(version).copy()
        told = row.pop("attributes")
        attributes = vars(told) if told else {}
        domain = clean_domain(row["domain"]) if row["domain"] else None
        known_at = row["known_at"] or ALL_ALONG
        yield path, row | attributes | {"account_id": RECORD_ID, "domain": domain, "known_at": known_at}


def _listed(name: str, sent: list[Any]) -> Iterator[tuple[str, Row]]:
    # Rows are flat: to dump the model would take six times as long, and give the same.
    rows = sent.full(TABLES[name]) if isinstance(sent, PlainRows) else (vars(each).copy() for each in sent)
    for position, row in enumerate(rows):
        row["account_id"] = RECORD_ID
        if row.get("contact_id"):
            row["contact_id"] = person_identifier(row["contact_id"])
        # Rows need an identifier each; one that was sent and reads the same is reported as a repetition.
        for key in ("activity_id", "opportunity_id"):
            if key in row and row[key] is None:
                row[key] = f"(row {position})"
        if name == "opportunities":
            row["versions"] = row["known_at"] is None
        row["known_at"] = row["known_at"] or _known_at(row)
        if row.get("consent_basis") == NO_BASIS:
            row["opted_out_at"] = row["opted_out_at"] or row["known_at"]
        yield f"record.{name}[{position}]", row


def _known_at(row: Row) -> datetime:
    happened = (row.get(name) for name in ("occurred_at", "created_at", "closed_at"))
    return max((moment for moment in happened if moment is not None), default=ALL_ALONG)


def _versions(row: Row) -> Iterator[Row]:
    """A deal as it became known: when it was opened, and again when it was closed."""
    if row.pop("versions") and row["closed_at"] is not None and row["closed_at"] > row["created_at"]:
        yield row | {"known_at": row["created_at"], "closed_at": None, "outcome": None}
    yield row


def _require_sound(rows: dict[str, list[tuple[str, Row]]], *, now: datetime) -> None:
    errors = [
        _field_error(path, problem)
        for name, found in rows.items()
        for path, row in found
        if name == "opportunities" or _is_questionable(row, times=_OTHER_TIMES[name], now=now)
        for problem in record_problems(_TIMES[name], row, now=now)
    ]
    errors += [error for name, found in rows.items() for error in _repeated(found, key=_KEYS[name])]
    if errors:
        raise InvalidRequestError(errors[:20])


def _is_questionable(row: Row, *, times: tuple[tuple[str, bool], ...], now: datetime) -> bool:
    """Whether a row may have a problem with its times; it is looked at closely then. Of most it is plain."""
    known_at = row["known_at"]
    if known_at is None or known_at > now:
        return True
    for name, nullable in times:
        moment = row.get(name)
        if (not nullable) if moment is None else moment > known_at:
            return True
    return False


def _field_error(path: str, problem: Problem) -> FieldError:
    return FieldError(
        f"{path}.{problem.column}",
        _WORDS.get(problem.reason, f"is {problem.reason}"),
        _words(problem.got),
        problem.allowed,
        "correct the value",
    )


_WORDS = {
    "known before it happened": "lies before the row happened",
    "closed before it was opened": "lies before created_at",
    "outcome and closing time disagree": "and closed_at must both be sent, or neither",
}


def _words(got: object) -> str | None:
    return f"{got.isoformat()}Z" if isinstance(got, datetime) else None if got is None else str(got)


def _repeated(rows: list[tuple[str, Row]], *, key: tuple[str, ...]) -> Iterator[FieldError]:
    """Keys that are there twice: which row counts would be anybody's guess."""
    seen: dict[tuple[object, ...], str] = {}
    values = [tuple([row[column] for column in key]) for _, row in rows]
    if len(set(values)) == len(values):
        return
    for (path, _), value in zip(rows, values, strict=True):
        if value in seen:
            yield FieldError(
                path,
                f"has the same {' and '.join(key)} as {seen[value]}",
                " and ".join(_words(part) or "null" for part in value),
                fix="remove one of them, or make them differ",
            )
        seen.setdefault(value, path)
