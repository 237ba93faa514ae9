"""Takes forgotten people out of the store: the one place that knows which table may tell of whom.

Turns a function that cleans texts into changed rows. Every table stands in `FREE_TEXT`, and a test holds it
to that: today's tables know no person by an identifier, but people write free text into them. What is
overwritten or deleted is gone from the file, too: SQLite zeroes what it frees, and the file is packed and its
journal emptied afterwards. PostgreSQL writes the tables anew, as cleaning them in place leaves what was
overwritten in pages of which nothing else has need; its archives and backups are its administrator's. Time
rule: none. Null rule: an empty text names nobody.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from sqlite3 import Connection as SQLiteConnection
from sqlite3 import Error as SQLiteError
from typing import Any, Literal, cast

from sqlalchemy import JSON, Connection, Engine, Table, select, text, update

from features.errors import WorkspaceError
from serving.store import activities, feedback, list_forgetting, predictions, schema
from serving.store.engine import store_faults, writing
from serving.store.turns import erase_alone

__all__ = ["FREE_TEXT", "Gone", "erase"]

FREE_TEXT: Mapping[Table, tuple[str, ...]] = {
    schema.bundles: (),
    schema.releases: ("created_by", "reason", "settings"),
    schema.release_models: (),
    schema.pointer: (),
    schema.release_events: ("who", "why"),
    schema.api_keys: ("owner", "created_by"),
    schema.key_changes: (),
    schema.refused_uses: (),
    schema.audit_log: ("who", "subject", "detail"),
    schema.finished_requests: ("answer",),
    schema.predictions: (),
    schema.feedback: ("reason", "given_by"),
    schema.activities: (),
    schema.jobs: ("problem",),
    schema.job_parts: (),
    schema.target_lists: (
        *("name", "owner", "purpose", "sub_industry", "segments", "goals", "rules"),
        *("created_by", "changed_by"),
    ),
    schema.list_versions: ("opened_by", "why", "source", "drops"),
    schema.list_members: (),
    schema.list_suggestions: (),
    schema.list_drops: (),
    schema.list_overrides: ("reason", "made_by", "ended_by", "ended_why"),
    schema.list_approvals: ("approver", "comment"),
    schema.list_changes: ("who", "detail"),
    schema.list_exports: ("who", "name", "others"),
    schema.list_flags: (),
    schema.list_exclusions: (),
    schema.users: ("name", "created_by"),
    schema.sign_in_links: ("created_by",),
    schema.sessions: (),
    schema.people_changes: (),
}
"""By table, the columns in which somebody may be named. Bundles hold numbers about many accounts at once; the
log of answers, the activities, the parts of jobs and the members of lists know whom their rows are about, and
are cleaned by that."""

Gone = Callable[[Literal["account", "contact"], str], bool]
"""Whether an identifier is that of an account or of a contact that was forgotten."""


def erase(engine: Engine, *, clean: Callable[[str], str], gone: Gone | None = None) -> dict[str, int]:
    """Overwrite whatever names somebody who was forgotten, and pack the database. Rows changed, by table.

    clean: from a text to one that names none of them. gone: who they are, for rows about them alone.
    Doing it again changes nothing. Raises WorkspaceError when the database is locked or cannot be written.
    """
    with writing(engine) as connection:
        erase_alone(connection)
        changed = {table.name: _overwrite(connection, table, clean=clean) for table in FREE_TEXT}
        if gone is not None:
            changed["predictions"] = _erase_in_log(connection, clean=clean, gone=gone)
            changed["feedback"] += feedback.forget(connection, gone=partial(gone, "account"))
            named = partial(activities.is_of, gone=gone, clean=clean)
            changed["activities"] = activities.forget(connection, gone=named)
            # It reads Parquet, which whoever only opens the store need not load.
            from serving.store import job_rows

            changed["job_parts"] = job_rows.forget(connection, clean=clean, gone=gone)
            for name, rows in list_forgetting.forget(connection, clean=clean, gone=gone).items():
                changed[name] += rows
    changed = {name: rows for name, rows in changed.items() if rows}
    _pack(engine, tables=changed)
    return changed


def _erase_in_log(connection: Connection, *, clean: Callable[[str], str], gone: Gone) -> int:
    """Answers that had to be changed."""
    about = [account for account in predictions.accounts(connection) if gone("account", account)]
    people = predictions.forget_people(connection, gone=partial(gone, "contact"), clean=clean)
    return predictions.forget_accounts(connection, about) + people


def _overwrite(connection: Connection, table: Table, *, clean: Callable[[str], str]) -> int:
    """Rows of a table that had to be changed."""
    columns = [table.c[name] for name in FREE_TEXT[table]]
    if not columns:
        return 0
    (key,) = table.primary_key.columns
    changed = 0
    for row in connection.execute(select(key, *columns)).all():
        told: Mapping[str, Any] = row._asdict()
        cleaned = {
            column.name: _cleaned(told[column.name], clean=clean, as_json=isinstance(column.type, JSON))
            for column in columns
        }
        different = {name: value for name, value in cleaned.items() if value != told[name]}
        if different:
            connection.execute(update(table).where(key == told[key.name]).values(different))
            changed += 1
    return changed


def _cleaned(value: Any, *, clean: Callable[[str], str], as_json: bool) -> Any:
    if as_json:
        return json.loads(clean(json.dumps(value, ensure_ascii=False)))
    return None if value is None else clean(value)


def _pack(engine: Engine, *, tables: Iterable[str]) -> None:
    """Leave nothing of what was overwritten in the database's files. tables: those that changed."""
    if engine.dialect.name != "sqlite":
        with store_faults(engine), engine.connect() as connection:
            outside = connection.execution_options(isolation_level="AUTOCOMMIT")
            # Whether they changed or not: an erasure may have been killed just before this.
            for table in (
                schema.predictions,
                schema.activities,
                schema.job_parts,
                *list_forgetting.OF_ACCOUNTS,
                *(table for table, columns in FREE_TEXT.items() if columns),
            ):
                outside.execute(text(f"VACUUM FULL {table.name}"))
        return
    raw = engine.raw_connection()
    try:
        _pack_sqlite(cast(SQLiteConnection, raw.driver_connection), changed=any(tables))
    except SQLiteError as error:
        raise WorkspaceError(
            f"the store cannot be packed: {error}",
            got=engine.url.render_as_string(hide_password=True),
            fix="end what holds it, or free some space, and forget them again",
        ) from error
    finally:
        raw.close()


def _pack_sqlite(connection: SQLiteConnection, *, changed: bool) -> None:
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    if changed or free:
        connection.execute("VACUUM")
    busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise SQLiteError("its journal is still being read")
