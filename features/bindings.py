"""How a mapping binds a source to a canonical table: where rows come from, and what each cell means.

Turns a table [[sources]] of the TOML file into a frozen, checked `Source`. Time rule: every source says how
`known_at` follows from its data, or that it is `undated`; nothing is taken from the clock. Null rule: a
cell is empty when it is blank or listed in `empty`; what a source does not bind stays empty.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from features.binding_values import (
    read_codec,
    read_delay,
    read_normaliser,
    read_text,
    read_zone,
    with_zone,
)
from features.contract import TABLES, AttributeType, Table
from features.errors import suggestion
from features.origins import CRM
from features.settings import Section
from features.traffic import TrafficColumns

__all__ = [
    "EVENT_TIME",
    "UNDATED_TABLES",
    "AttributeBinding",
    "Binding",
    "Consent",
    "FileInput",
    "Source",
    "Zone",
]

EVENT_TIME = {
    "activities": ("occurred_at",),
    "intent_topics": ("occurred_at",),
    "stage_changes": ("occurred_at",),
    "opportunities": ("closed_at", "created_at"),
}
"""Columns that say when a row happened, first the one that counts when it is filled."""

UNDATED_TABLES = ("accounts", "contacts", "opportunities")
"""Those that tell something even without their times."""

_DERIVED = {"activities": {"activity_id"}}

_TAKEN = re.compile("files|quarantine|malformed|(staged|known|good|ranked|repeated|rejects)_.*")
"""Names of the ingest's own tables."""

Text = Annotated[str, BeforeValidator(read_text)]
Zone = Annotated[str, AfterValidator(read_zone)]


class Binding(Section):
    """Where a canonical column comes from: a source column or a constant, and how cells are read.

    Cells are trimmed; then `empty` says which of them hold nothing; then `case` and `values` apply.
    column: the source's own name.             value: a constant, the same for every row.
    case: "lower", "upper" or "words" (REAL_ESTATE becomes real estate).
    values: canonical value by source value, looked up after `case`; a value not listed stays as it is.
    normalise: the reader of a kind of cell (`features.normalisation.normalisers`): "employees" takes ranges
        and "2k", "country" gives ISO codes; after `values`. What it cannot read is empty in a text column,
        and a row set aside in any other.
    thousands: what parts the thousands of a number, as the comma in 1,250,000.
    scale: what a number is multiplied with (60 turns minutes into seconds).
    separator: what parts the members of a set.
    format: how a date is written, as in strptime ("%d/%m/%Y"), or a list of ways; without it, ISO 8601.
    """

    column: str | None = None
    value: Text | None = None
    empty: tuple[Text, ...] = ()
    case: Literal["lower", "upper", "words"] | None = None
    values: dict[str, Text] = Field(default_factory=dict)
    normalise: Annotated[str, AfterValidator(read_normaliser)] | None = None
    scale: float | None = Field(default=None, gt=0)
    thousands: str | None = Field(default=None, min_length=1, max_length=1)
    separator: str = Field(default=";", min_length=1)
    format: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Binding:
        if (self.column is None) == (self.value is None):
            raise ValueError("give exactly one of 'column' (a source column) and 'value' (a constant)")
        return self


class AttributeBinding(Binding):
    """A further account column: it becomes a versioned fact and a feature under its own name."""

    type: AttributeType
    label: str | None = None
    label_zh: str | None = None
    unit: str | None = None


class FileInput(Section):
    """[sources.files.NAME]: a file that the query reads as the view NAME.

    path: as the `path` of a source.
    columns: what the view holds, as text; a column that the file lacks is empty in an optional source.
    optional: without the file the view has no rows.
    """

    path: tuple[str, ...] = Field(min_length=1)
    columns: tuple[str, ...] = Field(min_length=1)
    optional: bool = False


class Consent(Section):
    """[sources.consent]: why the people of a source of contacts may be addressed, and who has opted out.

    assume: an assumption in words, where no column says why; every report that uses the data prints it.
    opted_out: a yes/no column; yes opts the person out, from the bound opted_out_at on where that is filled,
        else from when the row was known.
    told_by: the name of another source of contacts, which tells of the same people.
    """

    assume: str | None = Field(default=None, pattern=r"\S")
    opted_out: Binding | None = None
    told_by: str | None = None


class Source(Section):
    """[[sources]]: rows of one canonical table, from files, from a SQL query, or from a query on files.

    path: a file, a folder, a pattern such as "usage/*.csv", or a list of them; CSV, Excel or Parquet.
    query: a SELECT in DuckDB's SQL. When `path` is given too, its rows are the view `files`.
    files: further files, each a view of its own for the query.
    database: postgresql://..., mysql://... or sqlite:///file, which the query reads as `db.TABLE`.
    format: what the files are, where their names do not say it.
    delimiter: what parts the cells of CSV; without it, the likeliest of , ; tab and | in the first line.
    encoding: that of CSV, as "gb18030" or "latin-1"; without it, UTF-8 (UTF-16 with a byte-order mark).
    sheet: that of a workbook; without it, the first one.
    system: "salesforce" where its ids are those of Salesforce, so that one written with 15 characters and
        one with 18 are one (`salesforce_ids`): in columns that are bound to an identifier or called id,
        account_id, AccountId, "Account ID" and the like. Ids of other systems are texts like any other.
    optional: without its files the source is left out; a column that is not there is empty.
    time_zone: the zone of times that are written without one.
    deleted: a yes/no column; a row that says yes takes back what the source said of its key.
    deleted_at: a column with the time of that; alone, a row with a time is one that was deleted then. Without
        it the deletion was known when the row was.
    complete: each extract holds everything there is, so that what the next one lacks was deleted by then.
    current_value_only: the source knows today's value only, so that its past is not to be trusted.
    changed_at: of such a source, a column with the time of the last change of the record. The state with the
        earliest one counts as known when `known_at` or `known` says; each later state is a version of its
        own, known from its change on. A day without a time is over at its last second. Without this key,
        states that differ cannot be told apart in time: one stays, the others are set aside.
    Exactly one of these says when a row could be known:
    known_at: a source column with that time.
    known_immediately: the moment it happened (occurred_at; closed_at or else created_at of a deal).
    known_at_delay: so long after it happened.
    extracted_at: the time of the extract that the files came from.
    known = "start_of_time": undated facts, known since ever.
    undated: nobody knows when. Its times stay empty; what needs time refuses the table.
    origin: of accounts, where they come from: "crm", which sales works, or another name for a universe of
        companies that nobody has worked with (`[origins]`).
    consent: of contacts, why they may be addressed, unless consent_basis or opted_out_at is bound.
    traffic: of activities, the columns that tell our own people and machines from visitors.
    within: folders that its files have to lie in; set by `load_config`.
    """

    table: str
    name: str | None = None
    path: tuple[str, ...] = ()
    query: str | None = None
    files: dict[str, FileInput] = Field(default_factory=dict)
    database: str | None = None
    format: Literal["csv", "excel", "parquet"] | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    encoding: Annotated[str | None, AfterValidator(read_codec)] = None
    sheet: str | None = None
    system: Literal["salesforce"] | None = None
    optional: bool = False
    time_zone: Zone | None = None
    deleted: Binding | None = None
    deleted_at: Binding | None = None
    complete: bool = False
    known_at: Binding | None = None
    known_immediately: Literal[True] | None = None
    known_at_delay: Annotated[timedelta | None, BeforeValidator(read_delay)] = None
    extracted_at: Annotated[datetime | None, AfterValidator(with_zone)] = None
    known: Literal["start_of_time"] | None = None
    undated: Literal[True] | None = None
    origin: str = Field(default=CRM, pattern="^[a-z][a-z0-9_]{0,39}$")
    current_value_only: bool = False
    changed_at: Binding | None = None
    columns: dict[str, Binding]
    attributes: dict[str, AttributeBinding] = Field(default_factory=dict)
    traffic: TrafficColumns | None = None
    consent: Consent | None = None
    within: tuple[str, ...] = Field(default=(), exclude=True)

    @property
    def label(self) -> str:
        """What reports call the source: its name, else the names of its files, else 'query'."""
        return self.name or ", ".join(Path(path).name for path in self.path) or "query"

    @property
    def bindings(self) -> dict[str, Binding]:
        """Every binding by the name of what it fills, `known_at` included."""
        bound: dict[str, Binding] = {**self.columns, **self.attributes}
        return bound | ({"known_at": self.known_at} if self.known_at is not None else {})

    @property
    def marks(self) -> dict[str, Binding]:
        """The bindings that tell of deletions."""
        marks = {"deleted": self.deleted, "deleted_at": self.deleted_at}
        return {name: binding for name, binding in marks.items() if binding is not None}

    @property
    def flags(self) -> dict[str, Binding]:
        """The bindings that fill no column themselves, and change what one says."""
        flag = self.consent.opted_out if self.consent is not None else None
        return {} if flag is None else {"opted_out": flag}

    @property
    def beside(self) -> dict[str, Binding]:
        """The bindings that fill no column of the table: of deletions, of flags, of the last change."""
        changed = {} if self.changed_at is None else {"changed_at": self.changed_at}
        return self.marks | self.flags | changed

    @property
    def read(self) -> dict[str, Binding]:
        """Every binding of the source."""
        return self.bindings | self.beside

    @property
    def deletes(self) -> bool:
        """Whether the source may take back what it said."""
        return bool(self.marks) or self.complete

    @model_validator(mode="after")
    def _check(self) -> Source:
        if self.table not in TABLES:
            raise ValueError(_unknown("table", self.table, tuple(TABLES)))
        _check_origin(self)
        _check_columns(self, TABLES[self.table])
        _check_known(self)
        _check_deletions(self)
        _check_attributes(self)
        _check_traffic(self)
        _check_consent(self)
        if self.origin != CRM and self.table != "accounts":
            raise ValueError(f"origin belongs to accounts, not to {self.table}")
        return self


def _check_consent(source: Source) -> None:
    """The law asks on what basis people are addressed: a mapping cannot leave it open."""
    given = source.consent or Consent()
    if source.table != "contacts":
        if source.consent is not None:
            raise ValueError(f"consent belongs to contacts, not to {source.table}")
        return
    told = "consent_basis" in source.columns or "opted_out_at" in source.columns
    if not told and given == Consent():
        raise ValueError(
            "say on what basis these people may be addressed: bind a column (consent_basis or opted_out_at"
            ' among the columns, or consent = { opted_out = "YES/NO COLUMN" }), or name the assumption:'
            ' consent = { assume = "legitimate interest: existing business contacts" }'
        )
    if given.told_by is not None and (told or given != Consent(told_by=given.told_by)):
        raise ValueError("consent is told twice: by the source itself, and by the one in told_by")


def _check_traffic(source: Source) -> None:
    if source.traffic is not None and source.table != "activities":
        raise ValueError(f"traffic belongs to activities, not to {source.table}")
    if source.traffic is not None and "traffic" in source.columns:
        raise ValueError("traffic is bound twice: give [sources.traffic] or columns.traffic")


def _check_origin(source: Source) -> None:
    if not source.path and source.query is None:
        raise ValueError("give 'path' (files), 'query' (SQL), or both: then the query reads `files`")
    for key, given in (("files", bool(source.files)), ("database", source.database is not None)):
        if given and source.query is None:
            raise ValueError(f"'{key}' is read by a query; give 'query' too")
    if source.files and source.path:
        raise ValueError("give 'path' or [sources.files.NAME], not both")
    for name in source.files:
        if not re.fullmatch("[a-z][a-z0-9_]*", name) or _TAKEN.fullmatch(name):
            raise ValueError(f"file {name!r}: use other lower case letters, digits and _ only")


def _unknown(kind: str, got: str, allowed: tuple[str, ...]) -> str:
    hint = suggestion(got, allowed)
    return f"unknown {kind} {got!r}; allowed: {', '.join(allowed)}" + (f"; {hint}" if hint else "")


def _check_columns(source: Source, table: Table) -> None:
    names = tuple(name for name in table.column_names if name != "known_at")
    for name in source.columns:
        if name == "known_at":
            raise ValueError("write known_at = \"COLUMN\" beside 'table', not among the columns")
        if name not in names:
            raise ValueError(_unknown(f"column of {table.name}", name, names))
    if source.undated and table.name not in UNDATED_TABLES:
        raise ValueError(f"rows of {table.name} say nothing without a time; they cannot be undated")
    times = tuple(column.name for column in table.columns if column.type == "timestamp")
    if source.undated and (bound := [name for name in times if name in source.columns]):
        raise ValueError(f"an undated source has no times, but {bound[0]!r} is bound")
    for column in table.columns:
        if source.undated and column.name in times:
            continue
        given = column.name in source.columns or column.name in _DERIVED.get(table.name, set())
        if not (given or column.nullable or column.default is not None or column.name == "known_at"):
            allowed = f" ({', '.join(column.allowed)})" if column.allowed else ""
            raise ValueError(
                f"nothing is bound to the required column {column.name!r} of {table.name}; write"
                f' {column.name} = "COLUMN" under [sources.columns], or {{ value = "..." }} for the same'
                f" in every row{allowed}"
            )


def _check_known(source: Source) -> None:
    ways = ("known_at", "known_immediately", "known_at_delay", "extracted_at", "known", "undated")
    given = [way for way in ways if getattr(source, way) is not None]
    if len(given) != 1:
        raise ValueError(
            f"say when its rows could be known with exactly one of {', '.join(ways)}"
            f" (got {', '.join(given) or 'none'})"
        )
    if given[0] in ("known_immediately", "known_at_delay") and source.table not in EVENT_TIME:
        raise ValueError(
            f"rows of {source.table} do not happen at a time; use known_at, extracted_at or known"
        )
    if source.changed_at is not None and (
        "known_at" not in TABLES[source.table].key or given[0] in ("extracted_at", "undated")
    ):
        raise ValueError(
            "changed_at makes versions of what a source tells of its records today: of accounts, contacts and"
            " opportunities that have no other times than known_at, known or a delay"
        )


def _check_deletions(source: Source) -> None:
    if source.complete and source.extracted_at is None:
        raise ValueError(
            "complete says that what a later extract lacks was deleted by then; give the time of the extract"
            " with extracted_at"
        )
    if source.undated and source.deleted_at is not None:
        raise ValueError("an undated source has no times, but 'deleted_at' is bound")


def _check_attributes(source: Source) -> None:
    if source.attributes and source.table != "accounts":
        raise ValueError(f"attributes belong to accounts, not to {source.table}")
    for name in source.attributes:
        if not re.fullmatch("[a-z][a-z0-9_]{0,59}", name):
            raise ValueError(f"attribute {name!r}: use lower case letters, digits and _ only")
        if name in (*TABLES["accounts"].column_names, "withdrawn_at", "deleted", "deleted_at", "changed_at"):
            raise ValueError(f"attribute {name!r} is a column of the contract; bind it under columns")
