"""What was deleted in its source, and when that could have been known.

Turns rows marked as deleted, and what a complete extract no longer holds, into the tables `deleted_<name>`
(source, key, deleted_at). What earlier ingests found is added, so that order does not matter: which extracts
there were and what each held is kept, and absence is judged anew. Time rule: a deletion is known at the time
that the mapping names, else with the row; one by absence at the time of the first extract without it. Null
rule: a row whose key cannot be read makes its extract incomplete, and nothing is missed in that one.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb

from features.contract import Table
from features.engine import run_sql
from features.errors import ContractError
from features.privacy.leaving_out import drop_forgotten
from features.unnamed import identified
from features.validation import Reason, literal

__all__ = ["entity", "find_deletions", "hold_extract"]

_EXTRACTS = "extracts"


def entity(table: Table) -> list[str]:
    """The columns that say what a row is about, whenever it was known."""
    return [name for name in table.key if name != "known_at"]


def hold_extract(
    connection: duckdb.DuckDBPyConnection,
    *,
    table: Table,
    source: str,
    moment: datetime,
    whole: bool,
    place: str,
) -> None:
    """Note what a complete extract held. whole: whether every line of it was a row.

    Faulty rows count as well: what they are about was there. Raises ContractError for an empty extract.
    """
    name, keys = table.name, entity(table)
    listed, at = ", ".join(keys), f"TIMESTAMP {literal(moment.isoformat())}"
    rows = f"{identified(f'staged_{name}', name=name)} WHERE _source = {literal(source)}"
    unread = " OR ".join(f"{key} IS NULL" for key in keys)
    _create(connection, table=table)
    found = run_sql(connection, f"SELECT count(*), count_if({unread}) FROM {rows}").fetchone()
    if found is None or not found[0]:
        raise ContractError(
            f"{place}: the extract is empty, and as `complete` it would delete everything",
            got="0 rows",
            fix="export it again, or remove `complete`",
        )
    run_sql(
        connection,
        f"INSERT INTO held_{name} SELECT DISTINCT _source, {at}, {listed} FROM {rows} AND NOT ({unread})",
    )
    judged = "true" if whole and not found[1] else "false"
    run_sql(connection, f"INSERT INTO {_EXTRACTS} VALUES ('{name}', {literal(source)}, {at}, {judged})")


def _create(connection: duckdb.DuckDBPyConnection, *, table: Table) -> None:
    """Empty tables, in the shape in which they are kept."""
    keys = ", ".join(f"{key} {'TIMESTAMP' if key.endswith('_at') else 'VARCHAR'}" for key in entity(table))
    for sql in (
        f"{_EXTRACTS} (name VARCHAR, _source VARCHAR, extracted_at TIMESTAMP, whole BOOLEAN)",
        f"held_{table.name} (_source VARCHAR, extracted_at TIMESTAMP, {keys})",
        f"marked_{table.name} (_source VARCHAR, {keys}, deleted_at TIMESTAMP)",
    ):
        run_sql(connection, f"CREATE TABLE IF NOT EXISTS {sql}")


def find_deletions(
    connection: duckdb.DuckDBPyConnection,
    *,
    table: Table,
    earlier: Path | None,
    folder: Path,
    forgetting: bool = False,
) -> bool:
    """Make the table `deleted_<name>`, and keep in `folder` what later ingests need for theirs.

    earlier: the folder kept by the ingest before. forgetting: whether it may tell of forgotten people.
    Returns whether there is any deletion.
    """
    name, keys = table.name, ", ".join(entity(table))
    known, future = " AND ".join(f"{key} IS NOT NULL" for key in entity(table)), Reason.IN_THE_FUTURE
    _create(connection, table=table)
    run_sql(
        connection,
        # A deleted row may come with its key alone: what is missing else takes nothing from the message.
        f"INSERT INTO marked_{name} SELECT _source, {keys}, _deleted_at"
        f" FROM {identified(f'staged_{name}', name=name)}"
        f" WHERE _deleted_at IS NOT NULL AND {known} AND coalesce(_fault.reason, '') <> {literal(future)}",
    )
    for kept in (f"marked_{name}", f"held_{name}", f"{_EXTRACTS}_{name}"):
        _add_earlier(connection, kept=kept, earlier=earlier)
    if forgetting:
        drop_forgotten(connection, name=name)
    run_sql(
        connection,
        f"CREATE TABLE deleted_{name} AS SELECT * FROM marked_{name} UNION {_absences(table)}",
    )
    _keep(connection, name=f"marked_{name}", rows=f"SELECT DISTINCT * FROM marked_{name}", folder=folder)
    _keep(connection, name=f"held_{name}", rows=f"SELECT DISTINCT * FROM held_{name}", folder=folder)
    _keep(connection, name=f"{_EXTRACTS}_{name}", rows=_extracts(name), folder=folder)
    return _any(connection, f"deleted_{name}")


def _any(connection: duckdb.DuckDBPyConnection, relation: str) -> bool:
    return run_sql(connection, f"SELECT 1 FROM {relation} LIMIT 1").fetchone() is not None


def _add_earlier(connection: duckdb.DuckDBPyConnection, *, kept: str, earlier: Path | None) -> None:
    file = earlier / f"{kept}.parquet" if earlier is not None else None
    if file is not None and file.is_file():
        target = _EXTRACTS if kept.startswith(_EXTRACTS) else kept
        run_sql(connection, f"INSERT INTO {target} BY NAME FROM read_parquet({literal(str(file))})")


def _keep(connection: duckdb.DuckDBPyConnection, *, name: str, rows: str, folder: Path) -> None:
    if _any(connection, f"({rows})"):
        folder.mkdir(exist_ok=True)
        target = literal(str(folder / f"{name}.parquet"))
        run_sql(connection, f"COPY ({rows} ORDER BY ALL) TO {target} (FORMAT parquet, COMPRESSION zstd)")


def _extracts(name: str) -> str:
    """The complete extracts of a table. One in several parts is whole when each of them is."""
    return (
        f"SELECT name, _source, extracted_at, bool_and(whole) AS whole FROM {_EXTRACTS}"
        f" WHERE name = '{name}' GROUP BY ALL"
    )


def _absences(table: Table) -> str:
    """What an extract held and the next whole one of the same source did not."""
    name, keys = table.name, entity(table)
    same = " AND ".join(f"later.{key} = held.{key}" for key in keys)
    following = (
        "SELECT this._source, this.extracted_at, min(next.extracted_at) AS next_at"
        f" FROM ({_extracts(name)}) AS this JOIN ({_extracts(name)}) AS next"
        " ON next._source = this._source AND next.whole AND next.extracted_at > this.extracted_at"
        " GROUP BY ALL"
    )
    return (
        f"SELECT held._source, {', '.join(f'held.{key}' for key in keys)}, following.next_at"
        f" FROM held_{name} AS held JOIN ({following}) AS following USING (_source, extracted_at)"
        f" ANTI JOIN held_{name} AS later ON later._source = held._source"
        f" AND later.extracted_at = following.next_at AND {same}"
    )
