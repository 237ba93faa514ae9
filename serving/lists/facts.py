"""What rules and pages read of accounts, from the tables.

Turns the current tables into what is known of each account: its name, domain, industry and the other facts
that rules ask for, and what it is to us: a customer, in an open opportunity, opted out. Time rule: all that
is known now; of each fact the latest value that was told. Null rule: a fact that nobody told is None; an
account without contacts has not opted out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb

from features.errors import suggestion
from features.tables import Tables
from serving.lists.constraints import (
    CUSTOMER,
    OPEN_OPPORTUNITY,
    OPTED_OUT,
    Candidate,
    where_relation,
)
from serving.lists.settings import Rules
from serving.problems import FieldError, InvalidRequestError

__all__ = ["Facts", "facts_of", "require_columns", "same_account", "unknown_columns"]

_ROWS_AT_ONCE = 50_000

_FACTS = """
    SELECT account_id, {facts}
    FROM accounts {among}
    GROUP BY account_id HAVING count(*) > count(withdrawn_at)
"""
_LATEST = 'arg_max({read}, (withdrawn_at IS NULL, known_at)) FILTER ("{column}" IS NOT NULL) AS fact_{place}'

_DEALS = """
    WITH latest AS (
        SELECT account_id, arg_max(outcome, known_at) FILTER (outcome IS NOT NULL) AS outcome,
               arg_max(product, known_at) FILTER (product IS NOT NULL) AS product,
               count(*) = count(withdrawn_at) AS withdrawn
        FROM opportunities GROUP BY account_id, opportunity_id
    )
    SELECT account_id, bool_or(outcome = 'won'), bool_or(outcome IS NULL)
    FROM latest WHERE NOT withdrawn AND ($1 IS NULL OR product = $1) GROUP BY account_id
"""

_OPTED_OUT = """
    WITH told AS (
        SELECT contact_id, arg_max(opted_out_at IS NOT NULL, (known_at, opted_out_at IS NOT NULL)) AS lost
        FROM consent_told GROUP BY contact_id
    )
    SELECT account_id FROM (
        SELECT DISTINCT account_id, contact_id FROM contacts
        WHERE withdrawn_at IS NULL AND account_id IS NOT NULL
    ) LEFT JOIN told USING (contact_id)
    GROUP BY account_id HAVING bool_and(coalesce(lost, FALSE))
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one account; see `serving.lists.constraints.Candidate`."""

    account_id: str
    name: str | None = None
    domain: str | None = None
    industry: str | None = None
    country: str | None = None
    employees: int | None = None
    technologies: tuple[str, ...] = ()
    territory: str | None = None
    owner: str | None = None
    parent: str | None = None
    relations: frozenset[str] = field(default_factory=frozenset)

    def candidate(self, *, score: float | None, segment: str | None) -> Candidate:
        """The account as the rules see it."""
        told = {name: getattr(self, name) for name in _SHARED}
        return Candidate(score=score, segment=segment, **told)


_SHARED = tuple(name for name in Candidate.__slots__ if name not in ("score", "segment"))
_OWN = ("name", "domain", "industry", "country", "employees", "technologies")


def facts_of(
    tables: Tables, *, rules: Rules, account_ids: Collection[str] | None = None, as_far: bool = False
) -> dict[str, Facts]:
    """What is known of accounts, by identifier. account_ids: None for all that are not deleted. as_far: a
    column that the accounts do not have says nothing of any.

    Unless as_far, raises InvalidRequestError for a column that the accounts do not have.
    """
    if not as_far:
        require_columns(tables, rules=rules)
    with tables.connect() as connection:
        relations = _relations(connection, rules=rules)
        known = frozenset(tables.schema("accounts").names)
        return {
            one.account_id: one
            for one in _facts(
                connection, rules=rules, known=known, relations=relations, account_ids=account_ids
            )
        }


def require_columns(tables: Tables, *, rules: Rules) -> None:
    """Raise InvalidRequestError where rules ask for columns that the accounts do not have."""
    known = tables.schema("accounts").names
    faults = [
        FieldError(
            f"rules.{field}",
            "the accounts have no such column",
            repr(column),
            ", ".join(known),
            suggestion(column, known) or "name one of these, or leave the rule out",
        )
        for field, column in unknown_columns(tables, rules=rules).items()
    ]
    if faults:
        raise InvalidRequestError(faults)


def unknown_columns(tables: Tables, *, rules: Rules) -> dict[str, str]:
    """By field of the rules, the columns that they ask for and the accounts do not have."""
    known = frozenset(tables.schema("accounts").names)
    names = ("territory_column", "owner_column", "parent_column")
    asked: dict[str, str | None] = {name: getattr(rules, name) for name in names}
    asked |= {f"where[{place}].attribute": one.attribute for place, one in enumerate(rules.where)}
    return {field: column for field, column in asked.items() if column is not None and column not in known}


def same_account(tables: Tables) -> dict[str, str]:
    """By account that another one stands for, that one: what was decided of it is decided of the other."""
    with tables.connect() as connection:
        rows = connection.execute("SELECT account_id, identity FROM merged_accounts").fetchall()
    return {account: identity for account, identity in rows if account != identity}


def _relations(connection: duckdb.DuckDBPyConnection, *, rules: Rules) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, won, is_open in connection.execute(_DEALS, [rules.product]).fetchall():
        told = {CUSTOMER} if won else set()
        found[name] = told | ({OPEN_OPPORTUNITY} if is_open else set())
    for (name,) in connection.execute(_OPTED_OUT).fetchall():
        found.setdefault(name, set()).add(OPTED_OUT)
    return found


def _facts(
    connection: duckdb.DuckDBPyConnection,
    *,
    rules: Rules,
    known: Collection[str],
    relations: Mapping[str, set[str]],
    account_ids: Collection[str] | None,
) -> Iterator[Facts]:
    asked = (rules.territory_column, rules.owner_column, rules.parent_column)
    further = [name if name in known else None for name in asked]
    where = {where_relation(one.name): one for one in rules.where if one.attribute in known}
    columns = [*_OWN, *(name for name in further if name), *(one.attribute for one in where.values())]
    told = ", ".join(_latest(place, column) for place, column in enumerate(columns))
    among = "" if account_ids is None else "WHERE account_id IN (SELECT unnest($1::VARCHAR[]))"
    given = [] if account_ids is None else [list(account_ids)]
    cursor = connection.execute(_FACTS.format(facts=told, among=among), given)
    wanted = {name: {value.casefold() for value in one.values} for name, one in where.items()}
    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
        for name, *values in rows:
            own, rest = values[: len(_OWN)], iter(values[len(_OWN) :])
            others = [next(rest) if column else None for column in further]
            met = {rule for rule, value in zip(where, rest, strict=True) if _is_one(value, wanted[rule])}
            facts: dict[str, Any] = dict(zip(_OWN, own, strict=True))
            facts["technologies"] = tuple(facts["technologies"] or ())
            texts = (None if value is None else str(value) for value in others)
            facts |= zip(("territory", "owner", "parent"), texts, strict=True)
            yield Facts(name, **facts, relations=frozenset(relations.get(name, set()) | met))


def _latest(place: int, column: str) -> str:
    quoted = column.replace('"', '""')
    return _LATEST.format(read=f'"{quoted}"', column=quoted, place=place)


def _is_one(value: object, wanted: set[str]) -> bool:
    """Whether a fact is one of these values; of several, any."""
    if isinstance(value, list):
        return any(str(each).casefold() in wanted for each in value)
    if isinstance(value, bool):
        return str(value).lower() in wanted
    return value is not None and str(value).casefold() in wanted
