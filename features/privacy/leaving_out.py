"""Leaves forgotten people and accounts out of what an ingest settles.

Turns the list of the forgotten, the rows read now (`staged_`) and those of the earlier snapshot into the
tables `forgotten_<kind>` of identifiers as the rows write them, and takes their rows away. Identifiers that
are learned on the way join the list: those of contacts with a forgotten address, and of contacts and deals
that are known at a forgotten account and at no other. Time rule: none; every version of a row goes. Null
rule: a row without an identifier is nobody's, and stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from features.engine import run_sql
from features.parts import hide_rows
from features.privacy.suppression import KINDS, Forgotten, Kind
from features.unnamed import beside, completed, identified
from features.validation import literal

__all__ = ["KEPT_OPT_OUTS", "Leaving", "drop_forgotten", "find_forgotten", "leave_out", "remaining_sql"]

_IDENTIFIERS: Mapping[str, Mapping[str, Kind]] = {
    "accounts": {"account_id": "account"},
    "contacts": {"contact_id": "contact", "account_id": "account", "email": "email"},
    "activities": {"contact_id": "contact", "account_id": "account"},
    "intent_topics": {"account_id": "account"},
    "opportunities": {"opportunity_id": "opportunity", "account_id": "account"},
    "stage_changes": {"opportunity_id": "opportunity"},
}
"""By table, the columns that say whom a row is about."""

KEPT_OPT_OUTS = "kept/opted_out.parquet"
"""What rows of contacts that were at fault told of opt-outs: they are read once, and kept nowhere else."""

_BESIDE = ("held", "marked")
"""What is kept of deletions: what complete extracts held, and what was marked. They hold keys alone."""


@dataclass(frozen=True)
class Leaving:
    """Who is left out of what. people: the list, with what was learned.

    earlier: by table, rows of the earlier snapshot and of what is kept beside it that are about them.
    """

    people: Forgotten
    earlier: Mapping[str, int]


@dataclass(frozen=True)
class _Rows:
    """SELECTs of the identifiers in rows of one table."""

    staged: tuple[str, ...]
    earlier: tuple[str, ...]
    keys: tuple[str, ...]

    @property
    def told(self) -> str:
        """Every row read now or earlier, with whether it is good."""
        return " UNION ALL ".join([*self.staged, *self.earlier])


def find_forgotten(
    connection: duckdb.DuckDBPyConnection, *, people: Forgotten, names: Sequence[str], earlier: Path | None
) -> Leaving:
    """Create the tables `forgotten_<kind>` and `forgotten_activity`, and count what was there before.

    names: of the tables that are staged. earlier: the folder of the snapshot before.
    """
    rows = {name: _rows(connection, name, earlier=earlier) for name in names}
    for kind in KINDS:
        listed = _listed(connection, rows, kind=kind, people=people)
        run_sql(
            connection,
            f"CREATE TABLE forgotten_{kind} AS SELECT unnest(?::VARCHAR[]) AS id",
            parameters=[listed],
        )
    people = _learn(connection, rows, people=people)
    run_sql(connection, "CREATE TABLE forgotten_activity (id VARCHAR)")
    if "activities" in rows:
        about = _about("activities")
        found = f"SELECT DISTINCT activity_id FROM ({rows['activities'].told}) AS said WHERE {about}"
        run_sql(connection, f"INSERT INTO forgotten_activity {found}")
    counts = {name: _count(connection, one.earlier, name=name) for name, one in rows.items()}
    return Leaving(people, {name: count for name, count in counts.items() if count})


def leave_out(connection: duckdb.DuckDBPyConnection, *, name: str) -> int:
    """Take the forgotten out of the rows of a table that were read now. Returns how many rows they were."""
    drop_forgotten(connection, name=name)
    gone = f"coalesce({_about(name)}, false)"
    if beside(name):
        return hide_rows(connection, name=name, hidden=gone)
    deleted = run_sql(connection, f"DELETE FROM staged_{name} AS said WHERE {gone}").fetchone()
    return int(deleted[0]) if deleted else 0


def drop_forgotten(connection: duckdb.DuckDBPyConnection, *, name: str) -> None:
    """Take the forgotten out of what is kept of the deletions of a table, as far as it is in the engine."""
    key = "activity_id" if name == "activities" else next(iter(_IDENTIFIERS[name]))
    for kept in _BESIDE:
        if _is_there(connection, f"{kept}_{name}"):
            kind = key.removesuffix("_id")
            run_sql(connection, f"DELETE FROM {kept}_{name} WHERE {key} IN (SELECT id FROM forgotten_{kind})")


def remaining_sql(rows: str, *, name: str) -> str:
    """SQL of the rows of `rows` (a SELECT of a table's columns) that are about nobody forgotten."""
    others = " AND ".join(
        f"NOT EXISTS (SELECT 1 FROM forgotten_{kind} AS gone WHERE gone.id = said.{column})"
        for column, kind in _IDENTIFIERS[name].items()
    )
    return f"SELECT * FROM ({rows}) AS said WHERE {others}"


def _rows(connection: duckdb.DuckDBPyConnection, name: str, *, earlier: Path | None) -> _Rows:
    asked = [*_IDENTIFIERS[name], *(["activity_id"] if name == "activities" else [])]
    named = identified(f"staged_{name}", name=name)
    staged = (f"SELECT {', '.join(asked)}, _fault IS NULL AS good FROM {named}",)
    keys = [f"SELECT * FROM {kept}_{name}" for kept in _BESIDE if _is_there(connection, f"{kept}_{name}")]
    if earlier is None:
        return _Rows(staged, (), tuple(keys))
    stored = [earlier / f"{name}.parquet", earlier / "kept" / f"{name}.parquet"]
    stored += [earlier / KEPT_OPT_OUTS] * (name == "contacts")
    beside = [earlier / "kept" / f"{kept}_{name}.parquet" for kept in _BESIDE]
    keys += [f"SELECT * FROM read_parquet({literal(str(file))})" for file in beside if file.is_file()]
    parts = tuple(_stored(file, name=name, asked=asked) for file in stored if file.is_file())
    return _Rows(staged, parts, tuple(keys))


def _stored(file: Path, *, name: str, asked: Sequence[str]) -> str:
    """The identifiers in a stored file; a column that was not there yet is empty."""
    present: Sequence[str] = pq.read_schema(file).names
    rows = f"read_parquet({literal(str(file))})"
    if beside(name):
        rows = identified(completed(rows, present=present), name=name)
        present = asked
    columns = [one if one in present else f"CAST(NULL AS VARCHAR) AS {one}" for one in asked]
    return f"SELECT {', '.join(columns)}, true AS good FROM {rows}"


def _is_there(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    sql = "SELECT 1 FROM duckdb_tables() WHERE table_name = ?"
    return run_sql(connection, sql, parameters=[table]).fetchone() is not None


def _about(name: str) -> str:
    """The condition that a row `said` is about somebody forgotten."""
    return " OR ".join(
        f"said.{column} IN (SELECT id FROM forgotten_{kind})" for column, kind in _IDENTIFIERS[name].items()
    )


def _listed(
    connection: duckdb.DuckDBPyConnection, rows: Mapping[str, _Rows], *, kind: Kind, people: Forgotten
) -> list[str]:
    """The identifiers of a kind, as rows write them, that are on the list."""
    selects = list(_identifiers(rows, kind=kind))
    if not (selects and people.digests[kind]):
        return []
    sql = f"SELECT DISTINCT id FROM ({' UNION ALL '.join(selects)}) WHERE id IS NOT NULL"
    found = run_sql(connection, sql).to_arrow_table().column("id")
    return [text for chunk in found.chunks for text in chunk.to_pylist() if people.holds(kind, text)]


def _identifiers(rows: Mapping[str, _Rows], *, kind: Kind) -> Iterator[str]:
    """SELECTs of every identifier of a kind."""
    for name, one in rows.items():
        for place, (column, what) in enumerate(_IDENTIFIERS[name].items()):
            if what == kind:
                # What is kept of deletions holds the key of the table, and no other identifier.
                keys = one.keys if place == 0 and name != "activities" else ()
                yield from (f"SELECT {column} AS id FROM ({part})" for part in (one.told, *keys))


def _learn(
    connection: duckdb.DuckDBPyConnection, rows: Mapping[str, _Rows], *, people: Forgotten
) -> Forgotten:
    """Contacts by their address, then contacts and deals of forgotten accounts; they join the list."""
    if "contacts" in rows:
        by_address = (
            f"SELECT contact_id AS id FROM ({rows['contacts'].told})"
            " WHERE email IN (SELECT id FROM forgotten_email)"
        )
        people = _add(connection, by_address, kind="contact", people=people)
        people = _add(connection, _of_accounts(rows["contacts"], "contact"), kind="contact", people=people)
    if "opportunities" in rows:
        deals = _of_accounts(rows["opportunities"], "opportunity")
        people = _add(connection, deals, kind="opportunity", people=people)
    return people


def _of_accounts(rows: _Rows, kind: Kind) -> str:
    """Those known at forgotten accounts alone. A row that breaks the contract tells of no other account."""
    gone = "account_id IN (SELECT id FROM forgotten_account)"
    return (
        f"SELECT {kind}_id AS id FROM ({rows.told}) WHERE account_id IS NOT NULL AND (good OR {gone})"
        f" GROUP BY id HAVING bool_and({gone})"
    )


def _add(connection: duckdb.DuckDBPyConnection, sql: str, *, kind: Kind, people: Forgotten) -> Forgotten:
    """Note the identifiers that `sql` finds. Returns the list with them."""
    known = f"SELECT id FROM forgotten_{kind}"
    new = f"SELECT DISTINCT id FROM ({sql}) WHERE id IS NOT NULL AND id NOT IN ({known})"
    found = [str(one) for (one,) in run_sql(connection, new).fetchall()]
    run_sql(connection, f"INSERT INTO forgotten_{kind} SELECT unnest(?::VARCHAR[])", parameters=[found])
    return people.adding(kind, found) if found else people


def _count(connection: duckdb.DuckDBPyConnection, parts: Sequence[str], *, name: str) -> int:
    counted = [
        run_sql(connection, f"SELECT count(*) FROM ({part}) AS said WHERE {_about(name)}").fetchone()
        for part in parts
    ]
    return sum(int(one[0]) for one in counted if one)
