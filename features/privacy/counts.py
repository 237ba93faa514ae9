"""What the contacts of a snapshot say of consent, in numbers.

Turns a finished table of contacts and the rows read now into counts. Time rule: the latest version of each
contact counts. Null rule: a contact of whom no version says anything is counted as such.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from features.engine import run_sql
from features.validation import literal

__all__ = ["ConsentCounts", "assumed_sentences", "consent_counts"]


@dataclass(frozen=True)
class ConsentCounts:
    """contacts: people in the table. opted_out: those who have. untold: those of whom no row says anything.

    set_aside: rows read now that tell of an opt-out and were set aside, so that it does not count.
    """

    contacts: int = 0
    opted_out: int = 0
    untold: int = 0
    set_aside: int = 0

    def sentences(self) -> Iterator[str]:
        """The counts in words; none without contacts."""
        if self.contacts:
            yield f"contacts: {self.contacts:,}; opted out: {self.opted_out:,}; nothing told: {self.untold:,}"
        if self.set_aside:
            yield (
                f"opt-outs in rows that were set aside: {self.set_aside:,}; the activities of these people"
                " still count until the rows are mended"
            )


def assumed_sentences(assumed: Mapping[str, str]) -> list[str]:
    """What a mapping assumes of consent, one sentence per source. assumed: by the source's label."""
    return [f"consent assumed for {source}, not told by the data: {text}" for source, text in assumed.items()]


def consent_counts(connection: duckdb.DuckDBPyConnection, *, folder: Path) -> ConsentCounts:
    """The counts of the snapshot in `folder`, after its contacts were settled."""
    file = folder / "contacts.parquet"
    if not file.is_file():
        return ConsentCounts()
    told = "(consent_basis IS NOT NULL OR opted_out_at IS NOT NULL)"
    counted = run_sql(
        connection,
        "SELECT count(*), count_if(out), count_if(out IS NULL) FROM (SELECT"
        " arg_max(opted_out_at IS NOT NULL, (coalesce(known_at, TIMESTAMP '0001-01-01'),"
        f" opted_out_at IS NOT NULL)) FILTER ({told}) AS out"
        f" FROM read_parquet({literal(str(file))}) GROUP BY contact_id)",
    ).fetchone()
    lost = run_sql(
        connection,
        "SELECT (SELECT count(*) FROM staged_contacts WHERE _fault IS NOT NULL AND opted_out_at IS NOT NULL)"
        " + (SELECT count(*) FROM stray_contacts WHERE _fresh AND opted_out_at IS NOT NULL)",
    ).fetchone()
    # Over nothing, count_if says nothing.
    return ConsentCounts(*(int(count or 0) for count in (*(counted or ()), *(lost or ()))))
