"""What the store tells of who was on which list, and since when: what became of them rests on it.

Turns the rows of all lists into tables for SQL: members with the versions that they hold for, and when these
versions were approved. Time rule: none of its own; versions have their moments. Null rule: a version that
nobody approved has no `approved_at`; one whose rules name no product is of any.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Select, and_, func, or_, select

from serving.store import schema
from serving.store.list_tables import UNSCORED

__all__ = ["ListsTold", "lists_state", "read_lists"]

_ROWS_AT_ONCE = 50_000

_MEMBERS = pa.schema(
    [
        ("list_id", pa.int32()),
        ("account_id", pa.string()),
        ("since", pa.int32()),
        ("until", pa.int32()),
        ("target", pa.bool_()),
        ("suggested", pa.bool_()),
    ]
)
_VERSIONS = pa.schema(
    [
        ("list_id", pa.int32()),
        ("number", pa.int32()),
        ("approved_at", pa.timestamp("us")),
        ("product", pa.string()),
    ]
)


@dataclass(frozen=True)
class ListsTold:
    """members: list_id, account_id, since, until, target (false: a person took it off) and suggested.
    versions: list_id, number, approved_at and product, whose customers the rules kept off when it was drawn.
    forgotten: by list, how many of its accounts were erased."""

    members: pa.Table
    versions: pa.Table
    forgotten: Mapping[int, int]


def read_lists(connection: Connection) -> ListsTold:
    """Everybody who is or was on any list, archived ones included: who was worked once is not comparable."""
    members = schema.list_members
    who = select(
        members.c.list_id,
        members.c.account_id,
        members.c.since,
        members.c.until,
        members.c.status == "target",
        # A later draw says of whom people took off that it does not suggest it: the score says that one did.
        or_(members.c.suggested, and_(members.c.status == "dropped", members.c.score > UNSCORED)),
    )
    lists = schema.target_lists
    erased = connection.execute(select(lists.c.id, lists.c.erased))
    return ListsTold(
        _table(connection, who, _MEMBERS),
        _versions(connection),
        {one.id: one.erased for one in erased},
    )


def lists_state(connection: Connection) -> tuple[object, ...]:
    """What is another one once any list was changed, or any of their accounts forgotten."""
    changes, lists = schema.list_changes.c, schema.target_lists.c
    noted = connection.execute(select(func.max(changes.id), func.count(changes.id))).one()
    return (*noted, connection.execute(select(func.sum(lists.erased))).scalar())


def _table(connection: Connection, query: Select[Any], kinds: pa.Schema) -> pa.Table:
    batches, streamed = [], {"yield_per": _ROWS_AT_ONCE}
    for rows in connection.execute(query, execution_options=streamed).partitions():
        columns = zip(*rows, strict=True)
        told = [pa.array(column, kind.type) for column, kind in zip(columns, kinds, strict=True)]
        batches.append(pa.record_batch(told, schema=kinds))
    return pa.Table.from_batches(batches, schema=kinds)


def _versions(connection: Connection) -> pa.Table:
    table, lists = schema.list_versions, schema.target_lists
    query = (
        select(
            table.c.list_id,
            table.c.number,
            table.c.approved_at,
            table.c.source,
            lists.c.rules,
        )
        .join(lists, lists.c.id == table.c.list_id)
        .order_by(table.c.list_id, table.c.number)
    )
    rows = connection.execute(query).all()
    # Each draw says what the rules were; of a list drawn before draws did, the first that does tells.
    product = {one.list_id: one.rules.get("product") for one in rows}
    for one in reversed(rows):
        product[one.list_id] = _product(one.source, "before", product[one.list_id])
    told = []
    for one in rows:
        product[one.list_id] = _product(one.source, "set", product[one.list_id])
        told.append({**dict(zip(_VERSIONS.names, one, strict=False)), "product": product[one.list_id]})
    return pa.Table.from_pylist(told, schema=_VERSIONS)


def _product(source: Mapping[str, Any], name: str, product: str | None) -> str | None:
    """That of the rules which a draw remembers (see `serving.lists.proposing`); else as it was."""
    rules: Mapping[str, Any] | None = source.get(name, {}).get("rules")
    return product if rules is None else rules.get("product")
