"""Cutoffs: where what is known ends.

Turns tables into the first second at which everything in them is known. Time rule: what follows a cutoff is
unknown, not negative. Null rule: tables without facts have no cutoff.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from features.errors import InputError
from features.tables import Tables

__all__ = ["next_cutoff", "require_past"]


def next_cutoff(tables: Tables) -> datetime:
    """The first second at which everything in the tables is known: just after the newest fact or deletion.

    Raises InputError when the tables are empty.
    """
    names = ("accounts", "activities", "intent_topics", "opportunities")
    union = " UNION ALL ".join(
        f"SELECT max(greatest(known_at, withdrawn_at)) AS moment FROM {name}" for name in names
    )
    with tables.connect() as connection:
        row = connection.execute(f"SELECT max(moment) FROM ({union})").fetchone()
    if row is None or row[0] is None:
        raise InputError("the workspace holds no facts", fix="ingest tables first")
    newest: datetime = row[0]
    return newest + timedelta(seconds=1)


def require_past(*cutoffs: datetime, tables: Tables, name: str = "cutoff") -> None:
    """InputError for a cutoff after the newest known fact: what follows it is unknown, not negative."""
    end = next_cutoff(tables)
    later = [cutoff for cutoff in cutoffs if cutoff > end]
    if later:
        raise InputError(
            f"{name}: the tables end before it",
            got=f"{later[0].isoformat()}Z",
            allowed=f"up to {end.isoformat()}Z",
            fix="choose an earlier one, or ingest newer tables",
        )
