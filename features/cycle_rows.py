"""Where the rows stand that make accounts their own ancestors, or merge records in a ring.

Turns cycles of parents into the same with the file and the row of each step. Good rows are kept without their
place; so the sources of accounts are read once more, in the rare case that there is a cycle. Time rule: of
several rows that name the same parent, the last one is told. Null rule: a row that a query made, or whose
file is gone, stands nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from features.cells import raw_name, read_cells
from features.engine import run_sql
from features.errors import InputError
from features.identity.counts import Cycle, Step
from features.mapping import Config, Source
from features.privacy.in_sql import add_kept_address
from features.sources import FILE_COLUMN, ROW_COLUMN, Relation, identifier, open_source, prepare_queries
from features.staging import number_gaps, source_cell
from features.tables import open_engine

__all__ = ["located_cycles"]

_Places = dict[tuple[str, str], tuple[str, int]]


def located_cycles(cycles: Sequence[Cycle], *, config: Config, folder: Path) -> tuple[Cycle, ...]:
    """The cycles with files and rows. folder: for what does not fit into memory."""
    if not cycles:
        return ()
    accounts = sorted({step.account for cycle in cycles for step in cycle.steps})
    places: dict[str, _Places] = {column: {} for column in sorted({cycle.column for cycle in cycles})}
    with open_engine() as connection:
        run_sql(connection, "SET temp_directory = ?", parameters=[str(folder)])
        add_kept_address(connection, secret=b"")
        prepare_queries(connection, config.sources, own=(folder,))
        for position, source in enumerate(config.sources, start=1):
            for column in places if source.table == "accounts" else ():
                if column in source.attributes:
                    places[column] |= _places(
                        connection, source, position=position, accounts=accounts, column=column
                    )
    return tuple(replace(cycle, steps=tuple(_located(cycle.steps, places[cycle.column]))) for cycle in cycles)


def _located(steps: Sequence[Step], places: _Places) -> Iterator[Step]:
    for step in steps:
        file, line = places.get((step.account, step.parent), (None, None))
        yield replace(step, file=file, line=line)


def _places(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    *,
    position: int,
    accounts: Sequence[str],
    column: str,
) -> _Places:
    """By account and parent, file and row."""
    try:
        relation = open_source(connection, source=source, position=position)
    except InputError:
        # It was read before; that it is gone by now is no fault of this ingest.
        return {}
    if relation is None or relation.numbered is None:
        return {}
    run_sql(connection, f"SELECT count(*) FROM {relation.sql}")
    number_gaps(connection, relation=relation)
    sql = _rows_sql(source, relation=relation, column=column)
    rows = run_sql(
        connection,
        f"SELECT account, parent, parse_filename(file), line FROM ({sql})"
        " WHERE account IN (SELECT unnest(?::VARCHAR[])) AND parent IS NOT NULL ORDER BY file, line",
        parameters=[list(accounts)],
    ).fetchall()
    return {(account, parent): (file, int(line)) for account, parent, file, line in rows}


def _rows_sql(source: Source, *, relation: Relation, column: str) -> str:
    cells = {
        name: source_cell(of, binding=source.bindings[of], source=source, relation=relation)
        for name, of in (("account", "account_id"), ("parent", column))
    }
    bound = [source.bindings[of].column for of in ("account_id", column)]
    raw = [f"{identifier(name)} AS {raw_name(name)}" for name in dict.fromkeys(filter(None, bound))]
    read = ", ".join([*raw, f"{FILE_COLUMN} AS file", f"{ROW_COLUMN} AS line"])
    rows = read_cells(cells.values(), rows=f"SELECT {read} FROM {relation.numbered}")
    values = ", ".join(f"{cell.value} AS {name}" for name, cell in cells.items())
    return f"SELECT {values}, file, line FROM ({rows})"
