"""Opt-outs that rows tell which are in no table: who says no is heard, whatever else is wrong with the row.

Turns rows of contacts that were set aside (an account that nobody knows, a cell that cannot be read) or that
were deleted as soon as they were known into `opt_outs.parquet`: who has opted out, by identifier, and by
address where that is all that the row tells. Such a row counts until the workspace is built anew; a later
row that tells of consent counts after it. Time rule: a row whose `known_at` cannot be read counts from the
opt-out on. Null rule: an opt-out that cannot be read is one since the row was known; without an identifier
and an address it is nobody's.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from features.contract import START_OF_TIME
from features.engine import run_sql
from features.privacy.leaving_out import KEPT_OPT_OUTS, remaining_sql
from features.tables import OPT_OUTS
from features.validation import literal

__all__ = ["nameless_opt_outs", "write_opt_outs"]

_FIELDS = "contact_id, account_id, email, known_at, opted_out_at"
_START = f"TIMESTAMP {literal(START_OF_TIME.rstrip('Z'))}"
_AT_FAULT = (
    "_fault IS NOT NULL AND (opted_out_at IS NOT NULL OR _fault.column IN ('opted_out', 'opted_out_at'))"
)
_SAID = f"""
    SELECT contact_id, account_id, email, coalesce(known_at, out) AS known_at, out AS opted_out_at
    FROM (
        SELECT *, coalesce(opted_out_at, known_at, {_START}) AS out FROM staged_contacts WHERE {_AT_FAULT}
    ) WHERE contact_id IS NOT NULL OR email IS NOT NULL"""
_LOST = f"""
    SELECT {_FIELDS} FROM kept_opt_outs
    UNION ALL
    SELECT contact_id, account_id, email, coalesce(known_at, opted_out_at), opted_out_at
    FROM stray_contacts WHERE opted_out_at IS NOT NULL
    UNION ALL
    SELECT contact_id, account_id, email, coalesce(known_at, opted_out_at), opted_out_at
    FROM ranked_contacts WHERE _outcome = 'never' AND opted_out_at IS NOT NULL"""
_PEOPLE = f"""
    WITH lost AS ({_LOST}),
    named AS (SELECT DISTINCT coalesce(contact_id, email) AS key, known_at, opted_out_at FROM lost)
    SELECT key AS contact_id, known_at, opted_out_at FROM named
    UNION
    SELECT people.contact_id, named.known_at, named.opted_out_at
    FROM named JOIN (SELECT DISTINCT contact_id, email FROM good_contacts) AS people
    ON people.email = named.key"""


def write_opt_outs(
    connection: duckdb.DuckDBPyConnection, *, folder: Path, earlier: Path | None, forgetting: bool
) -> None:
    """Write the files into `folder`, after its contacts were settled; none where nothing was lost.

    earlier: the snapshot to go on from. forgetting: whether it may hold anything of who was forgotten.
    """
    before = earlier / KEPT_OPT_OUTS if earlier is not None else None
    said = f"SELECT {_FIELDS} FROM ({_SAID})"
    if before is not None and before.is_file():
        told = f"SELECT {_FIELDS} FROM read_parquet({literal(str(before))})"
        said += f" UNION ALL {remaining_sql(told, name='contacts') if forgetting else told}"
    run_sql(connection, f"CREATE TABLE kept_opt_outs AS SELECT DISTINCT * FROM ({said})")
    _write(connection, f"SELECT {_FIELDS} FROM kept_opt_outs", file=folder / KEPT_OPT_OUTS)
    _write(connection, _PEOPLE, file=folder / OPT_OUTS)


def nameless_opt_outs(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """Rows read now that tell of an opt-out and were set aside; and those of them that name nobody."""
    counted = run_sql(
        connection,
        f"SELECT (SELECT count(*) FROM staged_contacts WHERE {_AT_FAULT})"
        " + (SELECT count(*) FROM stray_contacts WHERE _fresh AND opted_out_at IS NOT NULL),"
        f" (SELECT count(*) FROM staged_contacts WHERE {_AT_FAULT} AND contact_id IS NULL AND email IS NULL)",
    ).fetchone()
    rows, nameless = counted or (0, 0)
    return int(rows), int(nameless)


def _write(connection: duckdb.DuckDBPyConnection, rows: str, *, file: Path) -> None:
    if run_sql(connection, f"SELECT 1 FROM ({rows}) LIMIT 1").fetchone() is not None:
        file.parent.mkdir(exist_ok=True)
        target = f"{literal(str(file))} (FORMAT parquet, COMPRESSION zstd)"
        run_sql(connection, f"COPY (SELECT * FROM ({rows}) ORDER BY ALL) TO {target}")
