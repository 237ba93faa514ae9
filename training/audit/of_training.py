"""The audit of a model: of the rows that it learned from, and of the tables that they came from.

Turns a training into an audit. Time rule: everything that the training read was known before its cutoff; the
time proof checks it row by row. Null rule: a workspace whose accounts have no versions has no fact that is
filled in later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import pandas as pd

from features.mapping import Config
from features.tables import Tables
from models.bundle import Kind
from training.audit.columns import AuditTable, rows_table
from training.audit.finding import Audit, Finding, FindingKind
from training.audit.identifiers import identifiers
from training.audit.marked import MarkedColumn, column_name, marked_columns
from training.audit.near_outcome import event_moments, near_outcome
from training.audit.overlap import shared_rows
from training.audit.running import found_in_columns, in_order
from training.audit.time_proof import PROVED_ROWS, time_proof
from training.labels import first_events
from training.learning.learn import Rows
from training.learning.splits import Fold

__all__ = ["audit_rows"]


def audit_rows(
    tables: Tables,
    *,
    rows: Rows,
    folds: Sequence[Fold],
    kind: Kind,
    cutoff: datetime,
    config: Config,
) -> Audit:
    """The audit of what a model learned from.

    tables: those of the training. folds: those that its figures and its calibration rest on.
    """
    table = rows_table(rows)
    names = list(identifiers(table))
    rest = table.without({one.column for one in names if one.severity == "blocks"})
    columns = _account_columns(tables, table)
    events = _events(tables, kind=kind, cutoff=cutoff, config=config)
    settings, features = config.labels.of(kind), rows.catalogue
    marked = list(
        marked_columns(
            features, settings=settings, marked=tables.current_value_only, attributes=tables.attributes
        )
    )
    findings = [
        *time_proof(tables, rows=rows),
        *near_outcome(tables, events=events, columns=columns, cutoff=cutoff),
        *names,
        *_by_source(found_in_columns(rest), marked),
        *shared_rows(rows.frame, folds=folds),
    ]
    told = {finding.column for finding in findings if finding.kind == "current_value_only"}
    findings += [
        one.finding(among=len(features.features)) for one in marked if column_name(one.name) not in told
    ]
    return Audit(
        rows=len(rows.frame),
        events=int(rows.label.sum()),
        columns=len(table.columns),
        checked=_checked(table, rows=rows, folds=folds, columns=columns, events=len(events))
        | _checked_marks(table, marked),
        findings=in_order(findings),
    )


def _events(tables: Tables, *, kind: Kind, cutoff: datetime, config: Config) -> pd.DataFrame:
    """The first event of each account, as known at the cutoff: account_id, moment."""
    settings = config.labels.intent
    if kind == "fit" or settings.event in ("won", "opportunity_created"):
        event = "won" if kind == "fit" else settings.event
        return event_moments(tables, event=event, cutoff=cutoff)
    found = first_events(tables, since=None, until=cutoff, settings=settings, known_before=cutoff)
    return found.rename(columns={"happened_at": "moment"})


def _checked(
    table: AuditTable, *, rows: Rows, folds: Sequence[Fold], columns: Sequence[str], events: int
) -> dict[FindingKind, str]:
    count = f"{len(table.columns):,} features of {table.rows:,} rows"
    proved = min(PROVED_ROWS, len(rows.frame))
    return {
        "time_proof": f"{len(table.columns):,} features of {proved:,} rows, computed again to the last bit",
        "near_outcome": f"{len(columns):,} columns of accounts around {events:,} events",
        "identifier": count,
        "ranks_too_well": count,
        "one_class": count,
        "overlap": f"{len(rows.frame):,} rows in {len(folds):,} splits by time",
    }


def _checked_marks(table: AuditTable, marked: Sequence[MarkedColumn]) -> dict[FindingKind, str]:
    features = sum(column.marked for column in table.columns)
    ruled = sum(bool(one.rules) for one in marked)
    told = f"{features:,} features are marked so; {len(marked):,} marked columns are read"
    return {"current_value_only": f"{told}, {ruled:,} of them by the rules of the labels"}


def _account_columns(tables: Tables, table: AuditTable) -> list[str]:
    """The columns of accounts that features are made of."""
    stored = set(tables.schema("accounts").names) - {"account_id", "known_at", "withdrawn_at"}
    return sorted({column.source for column in table.columns} & stored)


def _by_source(findings: Iterable[Finding], marked: Sequence[MarkedColumn]) -> Iterator[Finding]:
    """Of today's values, one finding per column of the source, the most telling one."""
    sources = {name: column_name(one.name) for one in reversed(marked) for name in one.features}
    seen: set[str] = set()
    for finding in findings:
        source = sources.get(finding.column, "")
        if finding.kind != "current_value_only" or not source:
            yield finding
        elif source not in seen:
            seen.add(source)
            why = finding.why if source == finding.column else f"{finding.column}: {finding.why}"
            yield replace(finding, column=source, why=why)
