"""From rows read now and earlier to one canonical table: duplicates and versions settled, sorted, written.

Turns `staged_<name>` and what earlier ingests kept into `<name>.parquet`, and the rows that it does not
hold into `kept/<name>.parquet`: both together are every good row ever read, so that the result follows from
the set of rows, whatever their order and however they came in files. Of rows with one key that differ the
one with the most filled cells stays (then the earliest known, then the smallest text); an activity whose
rows differ in nothing but the address of the person is nobody's, and does not count; of other sources, rows
that do not contradict it stay beside it, and are read as one row with it. Time rule: rows that differ in
`known_at` alone are one event, known at the earliest of these times; of a fact with versions, a row that
repeats what its source said last is no version, and one that changes back is. Null rule: an empty cell
counts as less complete than a filled one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from features.changes import CHANGED_AT, GIVEN_AT, any_changed, has_versions, states_sql
from features.contract import TABLES, ColumnType, Table, sql_type
from features.deletions import entity, find_deletions
from features.engine import run_sql
from features.joined import PART
from features.privacy.leaving_out import remaining_sql
from features.privacy.masking import cell_sql, row_sql
from features.privacy.opt_outs import write_opt_outs
from features.ranking import as_given, rank_rows
from features.relations import count_rows, has_rows
from features.sorting import sorted_sql
from features.sources import identifier
from features.stored import MARKED, require_comparable, stored_sql
from features.unnamed import beside, identified
from features.validation import Reason, allowed_values, literal

__all__ = ["Settled", "settle"]

_REFERS_TO = {"accounts": None, "stage_changes": "opportunities"}
_ID = {"accounts": "account_id", "opportunities": "opportunity_id"}
_UNKNOWN = {"account_id": Reason.UNKNOWN_ACCOUNT, "opportunity_id": Reason.UNKNOWN_OPPORTUNITY}

_PARQUET = (
    "(FORMAT parquet, COMPRESSION lz4_raw, ROW_GROUP_SIZE 122880, DICTIONARY_SIZE_LIMIT 8192,"
    f" KV_METADATA {MARKED})"
)
"""Groups of the size in which the engine keeps rows: other ones are put together from copies, in a third
more time. A dictionary of more entries than this is seldom worth its making."""


@dataclass(frozen=True)
class Settled:
    """rows: in the table now. loaded: those read now. repeated: rows read now that told nothing new, or that
    are read as one with another source's. deleted: rows read now that their source had deleted as soon as
    they were known. kept: good rows that are not in the table, and may count later."""

    rows: int
    loaded: int
    repeated: int
    deleted: int
    kept: int


def settle(
    connection: duckdb.DuckDBPyConnection,
    *,
    table: Table,
    columns: Mapping[str, ColumnType],
    folder: Path,
    earlier: Path | None,
    labels: Mapping[str, str],
    deleting: Collection[str] = (),
    naming: Collection[str] = (),
    forgetting: bool = False,
) -> Settled:
    """Write the canonical table into `folder`.

    earlier: the snapshot to go on from. labels: what reports call a source, by its id.
    deleting: ids of sources that may take back what they said.
    naming: ids of sources that give every row an identifier.
    forgetting: whether rows of the earlier snapshot may be about those of `features.privacy.leaving_out`.
    Raises WorkspaceError when the earlier snapshot cannot be gone on from.
    """
    name = table.name
    if earlier is not None:
        require_comparable(connection, table=table, columns=columns, earlier=earlier, naming=naming)
    repeated = _gather(connection, table=table, columns=columns, earlier=earlier, forgetting=forgetting)
    hidden = _hidden(connection, table=table)
    listed = ", ".join([*map(identifier, columns), "_source", *hidden])
    repeated += _refer(connection, name=name, columns=listed)
    before = earlier / "kept" if earlier is not None else None
    taken_back = find_deletions(
        connection, table=table, earlier=before, folder=folder / "kept", forgetting=forgetting
    )
    told = rank_rows(connection, table=table, columns=columns, hidden=hidden, taken_back=taken_back)
    _set_aside(connection, table=table, columns=columns, labels=labels)
    if name == "contacts":
        write_opt_outs(connection, folder=folder, earlier=earlier, forgetting=forgetting)
    file = folder / f"{name}.parquet"
    single = f"SELECT {listed}, CAST(NULL AS TIMESTAMP) AS withdrawn_at, 0 AS {PART} FROM single_{name}"
    ranked = (
        f"SELECT {listed}, withdrawn_at, {PART} FROM {as_given(name)} WHERE _outcome IN ('stays', 'joins')"
    )
    joins = count_rows(connection, f"ranked_{name} WHERE _outcome = 'joins'") if told.ranked else 0
    types = {column: sql_type(kind) for column, kind in columns.items()} | {"_source": "VARCHAR"}
    types |= hidden | {"withdrawn_at": "TIMESTAMP"}
    types |= {PART: "INTEGER"} if joins else {}
    tied = ranked if told.ranked else ""
    written = sorted_sql(connection, single, tied=tied, apart=told.apart, table=table, types=types)
    run_sql(connection, f"COPY ({written}) TO {literal(str(file))} {_PARQUET}")
    kept = _keep(connection, name=name, columns=listed, folder=folder, deleting=deleting)
    stored = count_rows(connection, f"read_parquet({literal(str(file))})")
    loaded = stored - joins if earlier is None else _loaded(connection, name=name)
    count = stored - joins + (_only_joining(connection, table=table) if joins else 0)
    repeated += count_rows(
        connection, f"ranked_{name} WHERE _fresh AND _outcome NOT IN ('stays', 'conflict', 'never')"
    )
    deleted = count_rows(connection, f"ranked_{name} WHERE _fresh AND _outcome = 'never'")
    return Settled(rows=count, loaded=loaded, repeated=repeated, deleted=deleted, kept=kept)


def _only_joining(connection: duckdb.DuckDBPyConnection, *, table: Table) -> int:
    """Rows that several sources made, and of which the first repeats what its own had said before."""
    groups = f"SELECT 1 FROM ranked_{table.name} WHERE {PART} > 0 GROUP BY {', '.join(table.key)}"
    return count_rows(connection, f"({groups} HAVING count_if(_outcome = 'stays') = 0)")


def _loaded(connection: duckdb.DuckDBPyConnection, *, name: str) -> int:
    single = count_rows(connection, f"single_{name} WHERE _fresh")
    return single + count_rows(connection, f"ranked_{name} WHERE _fresh AND _outcome = 'stays'")


def _gather(
    connection: duckdb.DuckDBPyConnection,
    *,
    table: Table,
    columns: Mapping[str, ColumnType],
    earlier: Path | None,
    forgetting: bool,
) -> int:
    """Every good row, read now (`_fresh`) or before. Returns how many read now were there before."""
    name, changes = table.name, [CHANGED_AT] if has_versions(table) else []
    compared = [*map(identifier, columns), "_source", *changes, *beside(name)]
    staged = f"SELECT {', '.join(compared)} FROM staged_{name} WHERE _fault IS NULL"
    files = [] if earlier is None else [earlier / f"{name}.parquet", earlier / "kept" / f"{name}.parquet"]
    before = [stored_sql(file, name=name, columns=columns) for file in files if file.is_file()]
    if forgetting:
        before = [remaining_sql(rows, name=name) for rows in before]
    if not before:
        _observe(connection, f"SELECT *, true AS _fresh FROM ({staged})", table=table)
        return 0
    told = ", ".join(compared)
    earlier_rows = " UNION ALL ".join(f"SELECT {told} FROM ({rows})" for rows in before)
    run_sql(connection, f"CREATE TEMP VIEW before_{name} AS {earlier_rows}")
    same = " AND ".join(f"n.{column} IS NOT DISTINCT FROM b.{column}" for column in compared)
    run_sql(
        connection,
        f"CREATE TABLE new_{name} AS SELECT n.* FROM ({staged}) AS n ANTI JOIN before_{name} AS b ON {same}",
    )
    rows = f"SELECT {told}, true AS _fresh FROM new_{name} UNION ALL SELECT {told}, false FROM before_{name}"
    _observe(connection, rows, table=table)
    return count_rows(connection, f"({staged})") - count_rows(connection, f"new_{name}")


def _observe(connection: duckdb.DuckDBPyConnection, rows: str, *, table: Table) -> None:
    """Make `observed_`, each state of a record known from when it could be (`features.changes`)."""
    name = table.name
    if has_versions(table) and any_changed(connection, f"({rows})"):
        sql = states_sql(f"({rows})", about=entity(table))
        run_sql(connection, f"CREATE TABLE observed_{name} AS {sql}")
    else:
        run_sql(connection, f"CREATE TEMP VIEW observed_{name} AS {rows}")


def _hidden(connection: duckdb.DuckDBPyConnection, *, table: Table) -> dict[str, str]:
    """The columns that are stored beside those of the contract, with their types."""
    described = run_sql(connection, f"DESCRIBE observed_{table.name}").fetchall()
    changed = GIVEN_AT in {column for column, *_ in described}
    return dict.fromkeys(beside(table.name), "INTEGER") | (
        {CHANGED_AT: "TIMESTAMP", GIVEN_AT: "TIMESTAMP"} if changed else {}
    )


def _refer(connection: duckdb.DuckDBPyConnection, *, name: str, columns: str) -> int:
    """Part rows whose account or deal exists (`good_`) from others (`stray_`), each of these once.

    Returns how many strays told nothing new. Accounts refer to nothing, and come first.
    """
    referred = _REFERS_TO.get(name, "accounts")
    exists = "true" if referred is None else f"{_ID[referred]} IN (SELECT id FROM known_{referred})"
    strays = f"observed_{name} WHERE NOT ({exists})"
    # Looking at millions of rows takes time, at all of their columns twice: seldom is there a stray.
    any_stray = referred is not None and has_rows(connection, strays)
    told = f"SELECT DISTINCT {columns}, _fresh FROM {strays if any_stray else f'observed_{name} LIMIT 0'}"
    run_sql(connection, f"CREATE TABLE stray_{name} AS {told}")
    kept = f" WHERE {exists}" if any_stray else ""
    run_sql(connection, f"CREATE TEMP VIEW good_{name} AS SELECT * FROM observed_{name}{kept}")
    if name in _ID:
        run_sql(
            connection,
            f"CREATE TABLE known_{name} AS"
            f" SELECT id, CAST(row_number() OVER (ORDER BY id) AS UINTEGER) AS place"
            f" FROM (SELECT DISTINCT {_ID[name]} AS id FROM good_{name})",
        )
    return count_rows(connection, strays) - count_rows(connection, f"stray_{name}") if kept else 0


def _set_aside(
    connection: duckdb.DuckDBPyConnection,
    *,
    table: Table,
    columns: Mapping[str, ColumnType],
    labels: Mapping[str, str],
) -> None:
    """Into the quarantine: rows that refer to nothing, and rows that lost against another."""
    name, referred = table.name, _ID[_REFERS_TO.get(table.name) or "accounts"]
    cells = {column: identifier(column) for column in columns}
    held = row_sql(cells, table=name, fills={column: (column,) for column in columns})
    label = " ".join(f"WHEN {literal(source)} THEN {literal(text)}" for source, text in labels.items())
    for relation, reason, column in (
        (identified(f"stray_{name}", name=name), _UNKNOWN[referred], referred),
        (f"ranked_{name} WHERE _outcome = 'conflict'", Reason.CONFLICTING_DUPLICATE, table.key[0]),
    ):
        if not has_rows(connection, relation):
            continue
        run_sql(
            connection,
            f"INSERT INTO quarantine SELECT '{name}', CASE _source {label} END, {literal(reason)},"
            f" '{column}', {cell_sql(column, table=name, fills=(column,))}, {held}, NULL, NULL,"
            f" {literal(allowed_values(table, reason=reason))}, _fresh FROM {relation}",
        )


def _keep(
    connection: duckdb.DuckDBPyConnection,
    *,
    name: str,
    columns: str,
    folder: Path,
    deleting: Collection[str],
) -> int:
    """Write the good rows that are not in the table, but may count once others have been read."""
    lasting = "_outcome NOT IN ('stays', 'joins', 'copy')"
    if "known_at" not in TABLES[name].key:
        # An event known later than the row that stays can count only after a deletion.
        told = ", ".join(map(literal, deleting))
        lasting += (
            f" AND (_outcome <> 'again' OR _source IN ({told}))" if told else " AND _outcome <> 'again'"
        )
    ranked = f"SELECT {columns} FROM {as_given(name)} WHERE {lasting}"
    rows = f"{ranked} UNION ALL SELECT {columns} FROM stray_{name}"
    count = count_rows(connection, f"({rows})")
    if count:
        (folder / "kept").mkdir(exist_ok=True)
        file = folder / "kept" / f"{name}.parquet"
        run_sql(connection, f"COPY ({rows} ORDER BY ALL) TO {literal(str(file))} {_PARQUET}")
    return count
