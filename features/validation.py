"""The checks that every row passes, from a file or from a request, in the order in which they apply.

Turns the contract's columns into SQL conditions (for whole tables) and into Python checks (for one record
of a request); both name the same reasons. Time rule: a row may not be known before it happened, and
nothing may lie after `now`. Null rule: an empty cell is a fault only where the contract says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from features.contract import Column, ColumnType, Table

__all__ = ["Check", "Problem", "Reason", "allowed_values", "literal", "record_problems", "row_checks"]


_NOTHING: Mapping[str, Sequence[str]] = {}


class Reason(StrEnum):
    """Why a row was set aside."""

    MALFORMED_LINE = "malformed line"
    FORMULA = "formula or error of a spreadsheet"
    WRONG_TYPE = "wrong type"
    TIME_WITHOUT_ZONE = "time without a zone"
    TELLS_OF_A_PERSON = "tells of a person"
    MISSING_VALUE = "missing value"
    OUT_OF_BOUNDS = "out of bounds"
    NOT_ALLOWED = "value not allowed"
    WRONG_PATTERN = "wrong pattern"
    WRONG_CHECK_LETTERS = "wrong check letters"
    IN_THE_FUTURE = "in the future"
    KNOWN_TOO_EARLY = "known before it happened"
    CLOSED_TOO_EARLY = "closed before it was opened"
    HALF_CLOSED = "outcome and closing time disagree"
    UNKNOWN_ACCOUNT = "unknown account"
    UNKNOWN_OPPORTUNITY = "unknown opportunity"
    CONFLICTING_DUPLICATE = "conflicting duplicate"


@dataclass(frozen=True)
class Check:
    """A row is at fault where the SQL condition `fails` is true. `column` is what the report names."""

    reason: Reason
    column: str
    fails: str


@dataclass(frozen=True)
class Problem:
    """One fault of one record: the column, what it held, and what it may hold."""

    reason: Reason
    column: str
    got: object
    allowed: str | None = None


def literal(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def row_checks(
    table: Table,
    *,
    now: datetime,
    undated: bool = False,
    usual: Mapping[str, Sequence[str]] = _NOTHING,
) -> list[Check]:
    """The checks of typed rows, as SQL over the canonical column names; the first that fails counts.

    undated: the rows have no times, and none of them is asked for. usual: by column with a pattern, a few
    texts that most rows hold: comparing a cell with them takes a fraction of the time of the pattern.
    """
    times = _times(table) if undated else []
    checks = [
        check
        for column in table.columns
        if column.name not in times
        for check in _column_checks(column, usual=usual.get(column.name, ()))
    ]
    for column in _times(table):
        checks.append(
            Check(Reason.IN_THE_FUTURE, column, f'"{column}" > TIMESTAMP {literal(now.isoformat(" "))}')
        )
    for column in _happened(table):
        if column != "known_at":
            checks.append(Check(Reason.KNOWN_TOO_EARLY, "known_at", f'known_at < "{column}"'))
    if table.name == "opportunities" and not undated:
        checks.append(Check(Reason.CLOSED_TOO_EARLY, "closed_at", "closed_at < created_at"))
        checks.append(Check(Reason.HALF_CLOSED, "outcome", "(closed_at IS NULL) <> (outcome IS NULL)"))
    return checks


_ALLOWED = {
    Reason.MALFORMED_LINE: "as many cells as the header has, in UTF-8",
    Reason.FORMULA: "a value",
    Reason.TIME_WITHOUT_ZONE: "a time with a zone, or time_zone beside the table",
    Reason.TELLS_OF_A_PERSON: "a text without an e-mail address or a telephone number",
    Reason.MISSING_VALUE: "a value",
    Reason.WRONG_CHECK_LETTERS: "an id of 15 characters, or of 18 whose last three fit the others",
    Reason.IN_THE_FUTURE: "a time that has passed",
    Reason.KNOWN_TOO_EARLY: "not before it happened",
    Reason.CLOSED_TOO_EARLY: "not before created_at",
    Reason.HALF_CLOSED: "both closed_at and outcome, or neither",
    Reason.UNKNOWN_ACCOUNT: "an account_id of accounts",
    Reason.UNKNOWN_OPPORTUNITY: "an opportunity_id of opportunities",
    Reason.CONFLICTING_DUPLICATE: "one row under a key",
}
_KINDS: dict[ColumnType, str] = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "yes or no",
    "timestamp": "a time such as 2026-01-31 or 2026-01-31T12:00:00Z",
    "set": "a list",
}


def allowed_values(
    table: Table | None,
    *,
    reason: Reason,
    column: str = "",
    kind: ColumnType = "string",
    layouts: Iterable[str] = (),
    normalise: str | None = None,
) -> str:
    """What a column may hold where a row was set aside for `reason`, in words.

    kind: the type of an attribute or column. layouts: how the mapping says that times are written.
    normalise: the reader of cells that the mapping declares; it takes nothing out of bounds either.
    """
    if reason in _ALLOWED:
        return _ALLOWED[reason]
    declared = {one.name: one for one in table.columns}.get(column) if table is not None else None
    if reason is Reason.WRONG_TYPE:
        written, bounds = ", ".join(layouts), _bounds(declared)
        if normalise is not None:
            return (
                f"{_KINDS[kind]}{f' from {bounds}' if bounds else ''}, as normalise = {normalise!r} reads it"
            )
        return f"a time written as {written}" if written else _KINDS[kind]
    if declared is None:
        return _KINDS[kind]
    if reason is Reason.OUT_OF_BOUNDS:
        return _bounds(declared)
    return declared.pattern or ", ".join(declared.allowed or ())


def _bounds(column: Column | None) -> str:
    if column is None or column.minimum is None or column.maximum is None:
        return ""
    return f"{column.minimum:,.15g} to {column.maximum:,.15g}"


def _times(table: Table) -> list[str]:
    return [column.name for column in table.columns if column.type == "timestamp"]


def _happened(table: Table) -> list[str]:
    """The times that lie in the past once the row is known."""
    return [column.name for column in table.columns if column.type == "timestamp" and not column.takes_effect]


def _column_checks(column: Column, *, usual: Sequence[str]) -> list[Check]:
    name = f'"{column.name}"'
    checks = []
    if not column.nullable:
        checks.append(Check(Reason.MISSING_VALUE, column.name, f"{name} IS NULL"))
    bounds = [
        f"{name} {sign} {bound:.17g}"
        for sign, bound in (("<", column.minimum), (">", column.maximum))
        if bound is not None
    ]
    if bounds:
        checks.append(Check(Reason.OUT_OF_BOUNDS, column.name, " OR ".join(bounds)))
    if column.allowed is not None:
        members = ", ".join(literal(member) for member in column.allowed)
        checks.append(Check(Reason.NOT_ALLOWED, column.name, f"{name} NOT IN ({members})"))
    if column.pattern is not None:
        checks.append(Check(Reason.WRONG_PATTERN, column.name, _mismatch(name, column.pattern, usual=usual)))
    return checks


def _mismatch(name: str, pattern: str, *, usual: Sequence[str]) -> str:
    fails = f"NOT regexp_full_match({name}, {literal(pattern)})"
    fitting = ", ".join(literal(text) for text in usual if re.fullmatch(pattern, text))
    return f"CASE WHEN list_contains([{fitting}], {name}) THEN false ELSE {fails} END" if fitting else fails


def record_problems(table: Table, record: Mapping[str, object], *, now: datetime) -> list[Problem]:
    """What is wrong with one record of a request; empty when nothing is.

    record: canonical column -> typed value (str, int, float, datetime naive UTC, list of str) or None;
        a column that is not there is empty. Keys beyond the contract are not looked at.
    """
    problems = [problem for column in table.columns for problem in _cell_problems(column, record)]
    found = {name: value for name in _times(table) if isinstance(value := record.get(name), datetime)}
    problems += [
        Problem(Reason.IN_THE_FUTURE, name, value, f"not after {now.isoformat()}")
        for name, value in found.items()
        if value > now
    ]
    known_at = found.get("known_at")
    if known_at is not None and any(found.get(name, known_at) > known_at for name in _happened(table)):
        problems.append(Problem(Reason.KNOWN_TOO_EARLY, "known_at", known_at))
    if table.name == "opportunities":
        problems += _deal_problems(record, found)
    return problems


def _deal_problems(record: Mapping[str, object], times: Mapping[str, datetime]) -> list[Problem]:
    created_at, closed_at, outcome = times.get("created_at"), times.get("closed_at"), record.get("outcome")
    problems = []
    if created_at is not None and closed_at is not None and closed_at < created_at:
        problems.append(Problem(Reason.CLOSED_TOO_EARLY, "closed_at", closed_at))
    if (record.get("closed_at") is None) != (outcome is None):
        problems.append(Problem(Reason.HALF_CLOSED, "outcome", outcome))
    return problems


def _cell_problems(column: Column, record: Mapping[str, object]) -> list[Problem]:
    value = record.get(column.name)
    if value is None:
        if column.nullable or column.default is not None:
            return []
        return [Problem(Reason.MISSING_VALUE, column.name, None)]
    if not _has_type(column, value):
        return [Problem(Reason.WRONG_TYPE, column.name, value, column.type)]
    faults = []
    if not _within(column, value):
        bounds = f"{column.minimum:g} to {column.maximum:g}"
        faults.append(Problem(Reason.OUT_OF_BOUNDS, column.name, value, bounds))
    if column.allowed is not None and value not in column.allowed:
        faults.append(Problem(Reason.NOT_ALLOWED, column.name, value, ", ".join(column.allowed)))
    if column.pattern is not None and not re.fullmatch(column.pattern, str(value)):
        faults.append(Problem(Reason.WRONG_PATTERN, column.name, value, column.pattern))
    return faults


def _has_type(column: Column, value: object) -> bool:
    match column.type:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        case "timestamp":
            return isinstance(value, datetime)
        case "set":
            return isinstance(value, list | tuple | set | frozenset) and all(
                isinstance(member, str) for member in value
            )


def _within(column: Column, value: object) -> bool:
    if not isinstance(value, int | float):
        return True
    lowest = -math.inf if column.minimum is None else column.minimum
    highest = math.inf if column.maximum is None else column.maximum
    return lowest <= value <= highest
