"""What is asked in the measurements of the service.

Turns a workspace into requests: accounts by identifier, and accounts that are sent along with a hundred
activities. Time rule: the activities are those that the tables know. Null rule: an account with fewer than a
hundred gets those of others beside its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from features.tables import Tables

__all__ = ["by_id", "record_of"]

_LEFT_OUT = ("account_id", "activity_id", "contact_id", "withdrawn_at", "opportunity_id", "email")
_TABLES = ("contacts", "activities", "intent_topics", "opportunities")
_ACTIVITIES = """
SELECT * FROM activities WHERE withdrawn_at IS NULL AND known_at <= current_date
ORDER BY account_id <> $1, known_at DESC, activity_id LIMIT $2
"""


def by_id(names: list[str]) -> list[dict[str, Any]]:
    """A request for each account."""
    return [{"account_id": name} for name in names]


def record_of(tables: Tables, account_id: str, *, activities: int) -> dict[str, Any]:
    """A request that brings an account along, as JSON."""
    with tables.connect() as connection:

        def rows(sql: str, *values: object) -> list[dict[str, Any]]:
            found = connection.execute(sql, list(values)).to_arrow_table().to_pylist()
            return [_as_json(row) for row in found]

        of_account = "SELECT * FROM {} WHERE account_id = $1 ORDER BY known_at"
        versions = [_nested(row, tables) for row in rows(of_account.format("accounts"), account_id)]
        told = {
            "intent_topics": rows(of_account.format("intent_topics"), account_id),
            "activities": rows(_ACTIVITIES, account_id, activities),
        }
    return {"record": {"account": versions[-1], "earlier_versions": versions[:-1], **told}}


def _as_json(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: f"{value.isoformat()}Z" if isinstance(value, datetime) else value
        for name, value in row.items()
        if value is not None and name not in _LEFT_OUT
    }


def _nested(row: dict[str, Any], tables: Tables) -> dict[str, Any]:
    own = {attribute.name for attribute in tables.attributes}
    facts = {name: value for name, value in row.items() if name not in own}
    return facts | {"attributes": {name: value for name, value in row.items() if name in own}}
