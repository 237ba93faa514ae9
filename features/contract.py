"""The data contract: every canonical table and column, declared once.

The declaration serves validation and casting at ingest, the documentation, the request schema of the
service and the views that the point-in-time SQL reads. Time rule: every table has `known_at`, the first
second at which a row could have been read by us; whole seconds, UTC. Null rule: a column says whether it
may be empty, and whether a source may leave it unbound; an empty cell in a bound column that may not be is a
quarantined row, never a default.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "ATTRIBUTE_TYPES",
    "BASIS_LENGTH",
    "BASIS_PATTERN",
    "CHANNEL_PATTERN",
    "CONTRACT_VERSION",
    "DIRECTIONS",
    "NO_BASIS",
    "OUTCOMES",
    "ROLES",
    "SENIOR",
    "SENIORITIES",
    "START_OF_TIME",
    "TABLES",
    "TRAFFIC",
    "UNKNOWN_BASIS",
    "WITHDRAWN_AT",
    "AttributeType",
    "Column",
    "ColumnType",
    "Table",
    "sql_type",
]

CONTRACT_VERSION = 4
START_OF_TIME = "1970-01-01T00:00:00Z"
CHANNEL_PATTERN = "[a-z][a-z0-9_]{0,39}"
BASIS_LENGTH = 40
BASIS_PATTERN = CHANNEL_PATTERN

NO_BASIS = "none"
"""A consent basis that counts as an opt-out: there is nothing on which the person's data may be used."""

UNKNOWN_BASIS = "unknown"
"""The consent basis where a source says who opted out, and not why the others may be addressed."""

ColumnType = Literal["string", "integer", "number", "boolean", "timestamp", "set"]
AttributeType = Literal["number", "category", "boolean", "date", "set", "text", "record"]
"""A "record" names another record of the source; it says who is who, and is never a feature."""

ATTRIBUTE_TYPES: dict[AttributeType, ColumnType] = {
    "number": "number",
    "category": "string",
    "boolean": "boolean",
    "date": "timestamp",
    "set": "set",
    "text": "string",
    "record": "string",
}

_SQL_TYPES: dict[ColumnType, str] = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "set": "VARCHAR[]",
}


def sql_type(column_type: ColumnType) -> str:
    """The DuckDB type that a canonical column of this type is stored as."""
    return _SQL_TYPES[column_type]


@dataclass(frozen=True)
class Column:
    """One column of a canonical table. Bounds are inclusive; `unit` is for people.

    personal: it tells of a person who they are; reports, examples and rows set aside never show its values.
    keyed: its values depend on the secret of the workspace, and the fingerprint of the data leaves them out.
    may_be_unbound: a source need not bind it, and then it is empty in the table; `nullable` tells of the
        rows of a source that does.
    takes_effect: a time from which on the row counts for what it says, and which may lie after `known_at`.
    made_from: columns of the same row, declared before it, from which ingest fills what its source leaves
        empty; what is true of their times is true of its own.
    """

    name: str
    type: ColumnType
    description: str
    nullable: bool = True
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] | None = None
    pattern: str | None = None
    default: int | None = None
    personal: bool = False
    takes_effect: bool = False
    keyed: bool = False
    may_be_unbound: bool = False
    made_from: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One canonical table. `key` identifies a row; `known_at` belongs to the key where facts change."""

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> frozenset[str]:
        """Names of the columns that may not be empty where they are bound."""
        return frozenset(column.name for column in self.columns if not column.nullable)

    @property
    def personal(self) -> frozenset[str]:
        """Names of the columns that hold personal data."""
        return frozenset(column.name for column in self.columns if column.personal)

    @property
    def keyed(self) -> frozenset[str]:
        """Names of the columns that depend on the secret of the workspace."""
        return frozenset(column.name for column in self.columns if column.keyed)

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def with_made(self, names: Iterable[str]) -> frozenset[str]:
        """The columns, and all that may be filled from any of them.

        >>> sorted(TABLES["contacts"].with_made(["title"]))
        ['department', 'role', 'seniority', 'title']
        """
        found = set(names)
        for column in self.columns:
            if found & set(column.made_from):
                found.add(column.name)
        return frozenset(found)


def _identifier(name: str, description: str) -> Column:
    return Column(name, "string", description, nullable=False)


_KNOWN_AT = Column(
    "known_at", "timestamp", "first second at which we could have read this row", nullable=False
)

WITHDRAWN_AT = Column(
    "withdrawn_at",
    "timestamp",
    "first second at which we could have known that the row had been deleted in its source",
)
"""Stored beside every table's own columns; sources do not bind it, ingest derives it. A row counts for
`as_of` when `known_at < as_of` and it is not the case that `withdrawn_at < as_of`."""

SENIORITIES = ("c_level", "vice_president", "director", "manager", "staff")
SENIOR = ("c_level", "vice_president")
"""Vice president or higher: the people whom the marketing qualified account rule asks for."""

ROLES = ("decision_maker", "influencer", "evaluator", "user")
DIRECTIONS = ("inbound", "outbound", "mutual")
OUTCOMES = ("won", "lost")
TRAFFIC = ("internal", "bot")
"""Why an activity is no engagement: our own people were at it, or a machine."""

_ACCOUNTS = Table(
    "accounts",
    "Versions of what is known of a company. As of a moment, the latest known non-empty value of each "
    "column counts; a later version with an empty cell does not make a fact unknown again.",
    ("account_id", "known_at"),
    (
        _identifier("account_id", "identifier of the company in the source"),
        _KNOWN_AT,
        Column("name", "string", "name of the company"),
        Column("domain", "string", "web domain, lower case, without www"),
        Column("industry", "string", "industry, as the source words it"),
        Column("country", "string", "country, as the source words it"),
        Column("region", "string", "state, province or sales region"),
        Column("city", "string", "city"),
        Column("employees", "integer", "employees", unit="people", minimum=0, maximum=5_000_000),
        Column("annual_revenue", "number", "annual revenue", unit="one currency", minimum=0, maximum=1e13),
        Column("founded_year", "integer", "year of foundation", unit="year", minimum=1000, maximum=2100),
        Column("technologies", "set", "technologies in use"),
    ),
)

_CONTACTS = Table(
    "contacts",
    "Versions of what is known of a person at an account, without a name. The latest version that tells of "
    "consent (a basis or an opt-out) says whether the person's activities may be used.",
    ("contact_id", "known_at"),
    (
        _identifier("contact_id", "identifier of the person in the source"),
        _identifier("account_id", "the company the person works for"),
        _KNOWN_AT,
        Column(
            "title",
            "string",
            "job title as the source words it; what the next three lack comes from it",
            personal=True,
        ),
        Column("seniority", "string", "level", allowed=SENIORITIES, made_from=("title",)),
        Column("department", "string", "department", made_from=("title",)),
        Column(
            "role",
            "string",
            "role in the buying group",
            allowed=ROLES,
            made_from=("seniority", "department"),
        ),
        Column(
            "consent_basis",
            "string",
            "what allows the use of the person's data, such as consent, legitimate_interest or contract; "
            f"{NO_BASIS} counts as an opt-out",
            pattern=BASIS_PATTERN,
        ),
        Column(
            "opted_out_at",
            "timestamp",
            "since when the person has opted out; empty for one who has not",
            takes_effect=True,
        ),
        # The last one: rows that differ in nothing else are told apart by it, and never otherwise.
        Column(
            "email",
            "string",
            "e-mail address as a hash keyed with the secret of the workspace; the address itself only where "
            "the mapping asks for it",
            personal=True,
            keyed=True,
        ),
    ),
)

_ACTIVITIES = Table(
    "activities",
    "Engagements, one row each or one row for many (`quantity`). Outbound rows are our own outreach and "
    "never count as engagement; mutual rows (a meeting, an answered call) are two-way contact.",
    ("activity_id",),
    (
        Column(
            "activity_id",
            "string",
            "identifier of the row; empty where the source has none: such a row is known by what it says",
            nullable=False,
            may_be_unbound=True,
        ),
        _identifier("account_id", "the company that acted"),
        Column("contact_id", "string", "the person who acted; empty for anonymous activity"),
        Column(
            "channel",
            "string",
            "kind of activity, such as web_visit",
            nullable=False,
            pattern=CHANNEL_PATTERN,
        ),
        Column("direction", "string", "who acted", nullable=False, allowed=DIRECTIONS),
        Column("occurred_at", "timestamp", "when it happened", nullable=False),
        _KNOWN_AT,
        Column(
            "quantity",
            "integer",
            "how many activities the row stands for",
            nullable=False,
            minimum=0,
            maximum=10_000_000,
            default=1,
        ),
        Column("seconds", "integer", "time spent", unit="seconds", minimum=0, maximum=100_000_000),
        Column(
            "people",
            "integer",
            "distinct people that the row stands for",
            unit="people",
            minimum=0,
            maximum=1_000_000,
        ),
        Column(
            "traffic",
            "string",
            "why the row is no engagement and is left out of every feature; empty for a genuine one",
            allowed=TRAFFIC,
        ),
    ),
)

_INTENT_TOPICS = Table(
    "intent_topics",
    "Third-party research signal per account, topic and week.",
    ("account_id", "topic", "occurred_at", "known_at"),
    (
        _identifier("account_id", "the company that researched"),
        _identifier("topic", "the topic"),
        Column("occurred_at", "timestamp", "first second of the week", nullable=False),
        _KNOWN_AT,
        Column(
            "score",
            "number",
            "strength of the research",
            nullable=False,
            unit="points",
            minimum=0,
            maximum=100,
        ),
    ),
)

_OPPORTUNITIES = Table(
    "opportunities",
    "Versions of a deal: one row when it was opened (no outcome), one when it was closed.",
    ("opportunity_id", "known_at"),
    (
        _identifier("opportunity_id", "identifier of the deal"),
        _identifier("account_id", "the company"),
        _KNOWN_AT,
        Column("product", "string", "the product line"),
        Column("type", "string", "kind of deal, such as new business or renewal, as the source words it"),
        Column("created_at", "timestamp", "when the deal was opened", nullable=False),
        Column("closed_at", "timestamp", "when the deal was won or lost; empty while open"),
        Column("outcome", "string", "how it ended; empty while open", allowed=OUTCOMES),
        Column("amount", "number", "value of the deal", unit="one currency", minimum=-1e12, maximum=1e12),
    ),
)

_STAGE_CHANGES = Table(
    "stage_changes",
    "Each move of a deal from stage to stage.",
    ("opportunity_id", "stage", "occurred_at"),
    (
        _identifier("opportunity_id", "the deal"),
        _identifier("stage", "the stage entered"),
        Column("occurred_at", "timestamp", "when it was entered", nullable=False),
        _KNOWN_AT,
    ),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (_ACCOUNTS, _CONTACTS, _ACTIVITIES, _INTENT_TOPICS, _OPPORTUNITIES, _STAGE_CHANGES)
}
"""Every canonical table by name, in the order in which they are ingested."""
