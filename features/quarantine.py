"""The rows that are set aside: collected, carried over from earlier ingests, counted, shown and written.

Turns faults into the table `quarantine` and into `quarantine/<table>.parquet`. A file that is read again
replaces what it had set aside before; rows that are set aside because of other rows are judged anew by each
ingest. Time rule: none. Null rule: a fault of a whole line has no column.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from features.contract import TABLES
from features.engine import run_sql
from features.faults import FAULT_FIELDS
from features.locating import create_places
from features.privacy.masking import ABOUT_PEOPLE, without_addresses_sql
from features.report import Example
from features.validation import Reason, allowed_values, literal

__all__ = [
    "QUARANTINE_COLUMNS",
    "carry_over",
    "collect_faults",
    "create_quarantine",
    "examples",
    "quarantine_counts",
    "write_quarantine",
]

QUARANTINE_COLUMNS = ("table", *FAULT_FIELDS)
_LISTED = ", ".join(f'"{name}"' for name in QUARANTINE_COLUMNS)
_BY_OTHER_ROWS = (Reason.UNKNOWN_ACCOUNT, Reason.UNKNOWN_OPPORTUNITY, Reason.CONFLICTING_DUPLICATE)
_EXAMPLES = 5


def create_quarantine(connection: duckdb.DuckDBPyConnection) -> None:
    """Empty tables for rows that are set aside (fresh: by this ingest) and for what was read."""
    columns = ", ".join(f'"{name}" VARCHAR' for name in QUARANTINE_COLUMNS)
    run_sql(connection, f"CREATE TABLE quarantine ({columns}, fresh BOOLEAN)")
    run_sql(
        connection,
        "CREATE TABLE malformed (name VARCHAR, source VARCHAR, message VARCHAR, text VARCHAR, file VARCHAR,"
        " line VARCHAR)",
    )
    create_places(connection)
    run_sql(connection, 'CREATE TABLE files_read ("table" VARCHAR, source VARCHAR, file VARCHAR)')


def collect_faults(connection: duckdb.DuckDBPyConnection, *, name: str) -> None:
    """Set aside the staged rows of a table that are at fault by themselves."""
    fields = ", ".join(f'_fault."{field}"' for field in FAULT_FIELDS)
    faulty = f"staged_{name} WHERE _fault IS NOT NULL"
    if run_sql(connection, f"SELECT 1 FROM {faulty} LIMIT 1").fetchone():
        run_sql(connection, f"INSERT INTO quarantine SELECT '{name}', {fields}, true FROM {faulty}")
    if not run_sql(connection, f"SELECT 1 FROM malformed WHERE name = '{name}' LIMIT 1").fetchone():
        return
    run_sql(
        connection,
        f"INSERT INTO quarantine SELECT '{name}', source, {literal(Reason.MALFORMED_LINE)}, NULL,"
        f" {without_addresses_sql('message')}, {_line_sql(name)}, file, line,"
        f" {literal(allowed_values(None, reason=Reason.MALFORMED_LINE))}, true"
        f" FROM malformed WHERE name = '{name}'",
    )


def _line_sql(name: str) -> str:
    """What is kept of a line that is no row: nobody knows which cells of it tell of a person."""
    whole = "concat('[line of ', length(text), ' characters]')"
    return whole if name in ABOUT_PEOPLE else without_addresses_sql("text")


def carry_over(connection: duckdb.DuckDBPyConnection, *, name: str, folder: Path) -> None:
    """What earlier ingests set aside and this one has not read again. folder: the earlier snapshot's."""
    file = folder / "quarantine" / f"{name}.parquet"
    if not file.is_file():
        return
    judged_anew = ", ".join(map(literal, _BY_OTHER_ROWS))
    run_sql(
        connection,
        f"INSERT INTO quarantine SELECT {_LISTED}, false FROM read_parquet({literal(str(file))}) AS earlier"
        f" WHERE reason NOT IN ({judged_anew}) AND NOT EXISTS (SELECT 1 FROM files_read AS again"
        ' WHERE again."table" = earlier."table" AND (again.file = earlier.file'
        # A query reads all of its files again.
        " OR (earlier.file IS NULL OR again.file IS NULL) AND again.source = earlier.source))",
    )


def quarantine_counts(
    connection: duckdb.DuckDBPyConnection, *, fresh: bool = False
) -> dict[str, dict[str, int]]:
    """Rows set aside by table (in the contract's order) and reason, the most frequent first.

    fresh: count those only that this ingest has read.
    """
    counts: dict[str, dict[str, int]] = {name: {} for name in TABLES}
    rows = run_sql(
        connection,
        'SELECT "table", reason, count(*) AS rows FROM quarantine WHERE fresh OR NOT $1'
        " GROUP BY ALL ORDER BY rows DESC, reason",
        parameters=[fresh],
    ).fetchall()
    for name, reason, count in rows:
        counts[name][reason] = int(count)
    return {name: reasons for name, reasons in counts.items() if reasons}


def examples(connection: duckdb.DuckDBPyConnection, *, name: str) -> tuple[Example, ...]:
    """Up to five rows per reason, always the same ones."""
    rows = run_sql(
        connection,
        'SELECT source, reason, "column", got, row, parse_filename(file), TRY_CAST(line AS BIGINT), allowed'
        ' FROM quarantine WHERE fresh AND "table" = ?'
        " QUALIFY row_number() OVER (PARTITION BY reason"
        ' ORDER BY "column", got, row, source, file, line) <= ?'
        ' ORDER BY reason, "column", got, row, source, file, line',
        parameters=[name, _EXAMPLES],
    ).fetchall()
    return tuple(Example(*row) for row in rows)


def write_quarantine(connection: duckdb.DuckDBPyConnection, *, name: str, folder: Path) -> None:
    """The rows of one table that were set aside, as `folder`/<name>.parquet."""
    folder.mkdir(exist_ok=True)
    run_sql(
        connection,
        f"COPY (SELECT {_LISTED} FROM quarantine WHERE \"table\" = '{name}'"
        ' ORDER BY source, reason, "column", got, row, file)'
        f" TO {literal(str(folder / f'{name}.parquet'))} (FORMAT parquet, COMPRESSION zstd)",
    )
