"""Which of several rows about one thing stays, and what becomes of the others.

Turns `good_<name>` into `single_<name>`, rows about what no other row is about, and `ranked_<name>`, the
others with their outcome; `features.settling` says by which rules. Time rule: rows that differ in `known_at`
alone are one event, known at the earliest of these times. Null rule: an empty cell counts as less complete
than a filled one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import duckdb

from features.cells import content_sql
from features.contract import START_OF_TIME, ColumnType, Table
from features.deletions import entity
from features.engine import run_sql
from features.joined import PART
from features.relations import has_rows
from features.repeated import repeated_sql, seldom_repeated_sql
from features.sources import identifier
from features.tied import sure_columns, tied_sql, without_hash
from features.unnamed import beside, found_by, identified
from features.validation import literal

__all__ = ["Ranked", "as_given", "rank_rows"]


@dataclass(frozen=True)
class Ranked:
    """ranked: whether several rows may be about one thing. apart: whether no row of `single_` shares account
    and second with any other row."""

    ranked: bool
    apart: bool


def rank_rows(
    connection: duckdb.DuckDBPyConnection,
    *,
    table: Table,
    columns: Mapping[str, ColumnType],
    hidden: Collection[str],
    taken_back: bool,
) -> Ranked:
    """What becomes of rows about something that several rows are about (`ranked_`); others are `single_`."""
    name = table.name
    *seldom, key = found_by(table, keys=entity(table), exactly=taken_back)
    repeated = None
    for one in seldom:
        if repeated := seldom_repeated_sql(connection, f"SELECT {one} AS key FROM good_{name}"):
            key = one
            break
    apart = repeated is not None and not has_rows(connection, f"good_{name} WHERE activity_id IS NOT NULL")
    repeated = repeated or repeated_sql(connection, f"SELECT {key} AS key FROM good_{name}")
    deleted = f" UNION SELECT hash({', '.join(entity(table))}) FROM deleted_{name}" if taken_back else ""
    run_sql(connection, f"CREATE TABLE repeated_{name} AS {repeated}{deleted}")
    any_repeated = has_rows(connection, f"repeated_{name}")
    others = f" WHERE {key} NOT IN (FROM repeated_{name})" if any_repeated else ""
    run_sql(connection, f"CREATE TEMP VIEW single_{name} AS SELECT * FROM good_{name}{others}")
    if any_repeated:
        found = f"good_{name} WHERE {key} IN (FROM repeated_{name})"
        ranked = _ranked_sql(table, found, columns=columns, hidden=hidden, taken_back=taken_back)
    else:
        # Planning all of that for no row takes a small ingest more time than anything else.
        nothing = "CAST(NULL AS TIMESTAMP) AS withdrawn_at, true AS _own, '' AS _outcome"
        ranked = f"SELECT *, {nothing}, 0 AS {PART} FROM good_{name} LIMIT 0"
    run_sql(connection, f"CREATE TABLE ranked_{name} AS {ranked}")
    return Ranked(any_repeated, apart)


def _ranked_sql(
    table: Table,
    found: str,
    *,
    columns: Mapping[str, ColumnType],
    hidden: Collection[str],
    taken_back: bool,
) -> str:
    """The rows that were `found` under repeated keys, each with its `_outcome` and the time of its deletion.

    copy: the same row twice. never: deleted as soon as it was known. again: says what the row that stays
    says. joins: is of another source, and contradicts no row before it: both are read as one. conflict: says
    something else. unchanged: repeats what its source said last. stays: goes into the
    table. A deletion parts the rows of its source into those before, which it ends, and those after.
    Nothing follows from which of two hashes is the smaller one: another secret would have it otherwise. Of
    rows that differ in the hash of an address alone, none stays where the address says whose the row is; in
    a column beside, the address is no difference.
    """
    subject, versions = ", ".join(entity(table)), "known_at" in table.key
    told = {column: kind for column, kind in columns.items() if column != "known_at"}
    content, alike = content_sql(told), content_sql(without_hash(told, table=table))
    states = [column for column in hidden if column not in beside(table.name)]
    filled = " + ".join(f"CAST({identifier(column)} IS NOT NULL AS INTEGER)" for column in columns)
    rows = (
        f"SELECT *, {content} AS _content, {alike} AS _alike, {filled} AS _filled,"
        # A copy read before comes first, so that it is the one read now that is told as a copy.
        f" row_number() OVER (PARTITION BY {', '.join([content, 'known_at', '_source', *states])}"
        " ORDER BY _fresh) > 1 AS _copy"
        f" FROM ({_with_deletions(table, found, taken_back=taken_back)})"
    )
    rows = f"SELECT *, NOT _copy AND coalesce(withdrawn_at <= {_KNOWN}, false) AS _never FROM ({rows})"
    key = ", ".join(table.key if versions else (*table.key, "withdrawn_at"))
    same = f"PARTITION BY {key}, _copy, _never"
    rows = f"SELECT *, {tied_sql(table, same=same)} AS _tied FROM ({rows})"
    rows = f"SELECT *, CASE WHEN _tied THEN _alike ELSE _content END AS _says FROM ({rows})"
    order = (
        f" ORDER BY withdrawn_at DESC NULLS FIRST, {_FIRST.get(table.name, '')}_filled DESC, known_at,"
        " _alike, _source, _content"
    )
    fits = _fits(columns, best=f"({same}{order} {_WHOLE})", table=table) if versions else "false"
    rows = (
        "SELECT *, row_number() OVER best AS _place, first_value(_says) OVER best = _says AS _same,"
        f" first_value(_tied) OVER best AS _open,"
        f" {fits} AND row_number() OVER ({same}, _source{order}) = 1 AS _fits"
        f" FROM ({rows}) WINDOW best AS ({same}{order})"
    )
    outcome = (
        "WHEN _place = 1 THEN 'stays' WHEN _same THEN 'again' WHEN _fits THEN 'joins' ELSE 'conflict' END"
    )
    if versions:
        chain = f"{subject}, _source, withdrawn_at, _copy, _never, _place = 1"
        said = f"lag(_says) OVER (PARTITION BY {chain} ORDER BY known_at)"
        outcome = f"WHEN _place = 1 AND {said} = _says THEN 'unchanged' {outcome}"
    else:
        outcome = f"WHEN _open THEN 'conflict' {outcome}"
    outcome = f"CASE WHEN _copy THEN 'copy' WHEN _never THEN 'never' {outcome}"
    rows = f"SELECT *, {outcome} AS _outcome FROM ({rows})"
    part = (
        f"CASE WHEN _outcome IN ('stays', 'joins') AND bool_or(_outcome = 'joins') OVER ({same})"
        " THEN CAST(_place AS INTEGER) ELSE 0 END"
    )
    listed = ", ".join([*map(identifier, columns), "_source", *hidden, "_fresh", "withdrawn_at"])
    return f"SELECT {listed}, _own, _outcome, {part} AS {PART} FROM ({rows})"


def as_given(name: str) -> str:
    """The rows under repeated keys, without the identifiers that their source did not give."""
    if not beside(name):
        return f"ranked_{name}"
    return f"(SELECT * REPLACE (CASE WHEN _own THEN activity_id END AS activity_id) FROM ranked_{name})"


_WHOLE = "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"


def _fits(columns: Mapping[str, ColumnType], *, best: str, table: Table) -> str:
    """Whether a row contradicts none of those before it that are about the same at the same time."""
    cells = [
        f"coalesce({cell} = first_value({cell} IGNORE NULLS) OVER {best}, true)"
        for cell in sure_columns(columns, table=table)
    ]
    return " AND ".join([*cells, f"withdrawn_at IS NOT DISTINCT FROM first_value(withdrawn_at) OVER {best}"])


_FIRST = {"contacts": "opted_out_at NULLS LAST, "}
"""What goes before completeness: of two rows about a person at one time, the one that tells of an opt-out."""

_KNOWN = f"coalesce(known_at, TIMESTAMP {literal(START_OF_TIME.rstrip('Z'))})"


def _with_deletions(table: Table, found: str, *, taken_back: bool) -> str:
    """The rows under repeated keys; `withdrawn_at` is their source's first deletion since they were known."""
    name = table.name
    rows = f"SELECT * FROM {identified(found, name=name)}"
    if not taken_back:
        return f"SELECT *, CAST(NULL AS TIMESTAMP) AS withdrawn_at FROM ({rows})"
    same = " AND ".join(f"said.{column} = gone.{column}" for column in ("_source", *entity(table)))
    return (
        f"SELECT said.* EXCLUDE (_known), gone.deleted_at AS withdrawn_at"
        f" FROM (SELECT *, {_KNOWN} AS _known FROM ({rows})) AS said"
        f" ASOF LEFT JOIN deleted_{name} AS gone ON {same} AND said._known <= gone.deleted_at"
    )
