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
from features.privacy.opt_outs import nameless_opt_outs
from features.tables import OPT_OUTS
from features.validation import literal

__all__ = ["ConsentCounts", "assumed_sentences", "consent_counts"]


@dataclass(frozen=True)
class ConsentCounts:
    """contacts: people in the table. opted_out: those who have. untold: those of whom no row says anything.

    set_aside: rows read now that tell of an opt-out, and were set aside for another reason.
    nameless: those of them without a readable identifier or address: nobody can tell who has opted out.
    """

    contacts: int = 0
    opted_out: int = 0
    untold: int = 0
    set_aside: int = 0
    nameless: int = 0

    def sentences(self) -> Iterator[str]:
        """The counts in words; none without contacts."""
        if self.contacts:
            yield f"contacts: {self.contacts:,}; opted out: {self.opted_out:,}; nothing told: {self.untold:,}"
        if self.set_aside:
            yield f"opt-outs in rows that were set aside: {self.set_aside:,}; they hold all the same"
        if self.nameless:
            yield (
                f"opt-outs in rows without a readable contact_id or email: {self.nameless:,}; the activities"
                " of these people still count until the rows are mended"
            )


def assumed_sentences(assumed: Mapping[str, str]) -> list[str]:
    """What a mapping assumes of consent, one sentence per source. assumed: by the source's label."""
    return [f"consent assumed for {source}, not told by the data: {text}" for source, text in assumed.items()]


def consent_counts(connection: duckdb.DuckDBPyConnection, *, folder: Path) -> ConsentCounts:
    """The counts of the snapshot in `folder`, after its contacts were settled."""
    file = folder / "contacts.parquet"
    if not file.is_file():
        return ConsentCounts()
    columns = "contact_id, known_at, opted_out_at"
    rows = f"SELECT {columns}, consent_basis, true AS listed FROM read_parquet({literal(str(file))})"
    if (folder / OPT_OUTS).is_file():
        lost = f"SELECT {columns}, NULL, false FROM read_parquet({literal(str(folder / OPT_OUTS))})"
        rows = f"{rows} UNION ALL {lost}"
    told = "(consent_basis IS NOT NULL OR opted_out_at IS NOT NULL)"
    counted = run_sql(
        connection,
        "SELECT count(*), count_if(out), count_if(out IS NULL) FROM (SELECT"
        " arg_max(opted_out_at IS NOT NULL, (coalesce(known_at, TIMESTAMP '0001-01-01'),"
        f" opted_out_at IS NOT NULL)) FILTER ({told}) AS out"
        f" FROM ({rows}) GROUP BY contact_id HAVING bool_or(listed))",
    ).fetchone()
    set_aside, nameless = nameless_opt_outs(connection)
    # Over nothing, count_if says nothing.
    contacts, out, untold = (int(count or 0) for count in counted or (0, 0, 0))
    return ConsentCounts(contacts, out, untold, set_aside, nameless)
