"""All kinds of findings, one after the other.

Turns a table, or labelled rows and the tables that they came from, into an audit. Time rule: rows that have
dates are held to them; the audit of rows without says that nothing proves their times. Null rule: a kind that
cannot be looked for says why.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from training.audit.beyond import DEFAULT, FEWEST, Limits, beyond_creation
from training.audit.columns import AuditTable, equal_rows
from training.audit.finding import Audit, Finding, FindingKind
from training.audit.identifiers import identifiers
from training.audit.one_class import one_class
from training.audit.overlap import equal_records
from training.audit.ranking import ranks_too_well

__all__ = ["audit_table", "found_in_columns"]

_NO_DATES = "the rows have no dates: nothing proves when a value was known"


def audit_table(table: AuditTable, *, limits: Limits = DEFAULT) -> Audit:
    """The audit of a list without dates, whose every value is that of today."""
    names = list(identifiers(table))
    rest = table.without({one.column for one in names if one.severity == "blocks"})
    rest = replace(rest, groups=equal_rows(rest.columns, rest.label))
    findings = [*names, *found_in_columns(rest, limits=limits), *equal_records(rest)]
    blocked = {one.column for one in findings if one.severity == "blocks"}
    checked: dict[FindingKind, str] = {
        "time_proof": _NO_DATES,
        "near_outcome": "no dates: emptiness is held against the outcome instead, as today's value",
        **_looked(table),
        "overlap": f"{table.rows:,} rows compared with each other",
    }
    return Audit(
        table.rows,
        table.events,
        len(table.columns),
        checked,
        in_order([*findings, _undated(table, blocked=blocked)]),
    )


def found_in_columns(table: AuditTable, *, limits: Limits = DEFAULT) -> list[Finding]:
    """What the columns themselves tell; table: without identifiers."""
    own = [*ranks_too_well(table), *one_class(table)]
    late = {finding.column for finding in own if finding.severity == "blocks"}
    return [*own, *beyond_creation(table, late=late, limits=limits)]


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """What blocks first, each column together."""
    first: dict[str, int] = {}
    ranked = sorted(findings, key=lambda one: one.severity)
    for position, finding in enumerate(ranked):
        first.setdefault(finding.column, position)
    return tuple(sorted(ranked, key=lambda one: (one.severity, first[one.column])))


def _looked(table: AuditTable) -> dict[FindingKind, str]:
    count = f"{len(table.columns):,} columns of {table.rows:,} rows"
    fewer = min(table.events, table.rows - table.events)
    beyond = (
        count if fewer >= FEWEST else f"not looked at: {fewer:,} rows of the rarer class, {FEWEST} needed"
    )
    return {"identifier": count, "ranks_too_well": count, "one_class": count, "current_value_only": beyond}


def _undated(table: AuditTable, *, blocked: Collection[str]) -> Finding:
    """That nothing proves the columns, with the names of those that nothing else speaks against."""
    passed = [column.name for column in table.columns if column.name not in blocked]
    named = f"; that these stood so when the rows were made is taken on trust: {', '.join(passed)}"
    return Finding(
        "current_value_only",
        "warns",
        "",
        f"{_NO_DATES}, so all {len(table.columns):,} columns count as today's value{named if passed else ''}",
        "export the history of the fields, or the values as they stood when each record was made",
        {"columns": len(table.columns)},
    )
