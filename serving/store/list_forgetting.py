"""Takes forgotten accounts out of target account lists.

Turns whether an identifier is that of somebody who was forgotten into deleted rows: on the list, among what
was suggested, decided, changed, exported and excluded. The other accounts keep their rows and their counts;
a list says how many of its accounts were erased. Of what the machine said of others, the forgotten leave the
nearest seeds. Time rule: none. Null rule: a change that is about no account stays.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from sqlalchemy import Column, Connection, Table, delete, select, update

from serving.store import schema

__all__ = ["OF_ACCOUNTS", "forget"]

Gone = Callable[[Literal["account", "contact"], str], bool]

_COLUMNS: dict[Table, str] = {
    schema.list_members: "account_id",
    schema.list_suggestions: "account_id",
    schema.list_drops: "account_id",
    schema.list_overrides: "account_id",
    schema.list_changes: "account_id",
    schema.list_flags: "account_id",
    schema.list_exclusions: "entry",
}

OF_ACCOUNTS: tuple[Table, ...] = tuple(_COLUMNS)
"""The tables whose rows are about single accounts."""

_ROWS_AT_ONCE = 500


def forget(connection: Connection, *, clean: Callable[[str], str], gone: Gone) -> dict[str, int]:
    """Delete what is known of them; rows changed, by table.

    clean: from a text to one that names none of them. gone: whether an identifier is one of theirs.
    """
    _count_erased(connection, gone=gone)
    changed = {
        table.name: _delete(connection, table.c[column], table=table, clean=clean, gone=gone)
        for table, column in _COLUMNS.items()
    }
    changed[schema.list_suggestions.name] += _clean_details(connection, clean=clean, gone=gone)
    return changed


def _count_erased(connection: Connection, *, gone: Gone) -> None:
    """A list says how many of its accounts are no longer told of."""
    table = schema.list_members
    pairs = connection.execute(select(table.c.list_id, table.c.account_id).distinct())
    lost = Counter(list_id for list_id, account_id in pairs.all() if gone("account", account_id))
    lists = schema.target_lists
    for list_id, count in sorted(lost.items()):
        raised = {"erased": lists.c.erased + count}
        connection.execute(update(lists).where(lists.c.id == list_id).values(raised))


def _delete(
    connection: Connection, column: Column[Any], *, table: Table, clean: Callable[[str], str], gone: Gone
) -> int:
    known: Sequence[str] = (
        connection.execute(select(column).where(column.is_not(None)).distinct()).scalars().all()
    )
    # An excluded domain names an account as well as its identifier does.
    lost = [name for name in known if gone("account", name) or clean(name) != name]
    return sum(
        connection.execute(delete(table).where(column.in_(some))).rowcount
        for some in _parts(lost, size=_ROWS_AT_ONCE)
    )


def _parts(names: Sequence[str], *, size: int) -> Iterable[Sequence[str]]:
    return (names[start : start + size] for start in range(0, len(names), size))


def _clean_details(connection: Connection, *, clean: Callable[[str], str], gone: Gone) -> int:
    """Take them out of what was said of others."""
    table, changed = schema.list_suggestions, 0
    for list_id, draw in connection.execute(select(table.c.list_id, table.c.draw).distinct()).all():
        last = ""
        own = (table.c.list_id == list_id) & (table.c.draw == draw)
        query = select(table.c.account_id, table.c.detail).order_by(table.c.account_id).limit(_ROWS_AT_ONCE)
        while rows := connection.execute(query.where(own, table.c.account_id > last)).all():
            for row in rows:
                left = clean(_without(row.detail, gone=gone))
                if left != row.detail:
                    one = own & (table.c.account_id == row.account_id)
                    connection.execute(update(table).where(one).values(detail=left))
                    changed += 1
            last = rows[-1].account_id
    return changed


def _without(detail: str, *, gone: Gone) -> str:
    """What was said, without the forgotten among the nearest seeds; the same text when none is."""
    told: dict[str, Any] = json.loads(detail)
    nearest = told.get("nearest") or []
    kept = [seed for seed in nearest if not gone("account", str(seed.get("account_id", "")))]
    return detail if kept == nearest else json.dumps({**told, "nearest": kept}, ensure_ascii=False)
