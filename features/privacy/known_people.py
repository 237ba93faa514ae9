"""What a workspace knows of people who come with a request: who has opted out, and who was forgotten.

Turns the tables of a request into ones without the doings of people on the list of the forgotten, beside
which stands what the workspace's contacts say of consent: the features weigh both. Time rule: the latest of
what is known before `as_of` counts, whoever says it. Null rule: of people of whom the workspace knows
nothing, what the request says counts.
"""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property

import pyarrow as pa

from features.privacy.addresses import SECRET_FILE, keyed_digest, workspace_secret
from features.privacy.in_sql import kept_key
from features.privacy.suppression import FORGOTTEN_FILE, Forgotten, Kind
from features.tables import OPT_OUT_SCHEMA, Tables
from features.workspace import Manifest, Workspace

__all__ = ["KnownPeople", "newest_opt_out"]

Consent = tuple[datetime, datetime | None]
"""When something was said of consent, and since when the person has opted out; None for one who has not."""

_TOLD = """
    WITH out AS (SELECT DISTINCT contact_id FROM consent_told WHERE opted_out_at IS NOT NULL),
    names AS (
        SELECT contact_id, contact_id AS key FROM out
        UNION SELECT contact_id, email FROM contacts JOIN out USING (contact_id) WHERE email IS NOT NULL
    )
    SELECT DISTINCT key, known_at, opted_out_at FROM names JOIN consent_told USING (contact_id)
    WHERE known_at IS NOT NULL
"""


class KnownPeople:
    """The people of one snapshot who ever opted out, by identifier and by address; and the forgotten."""

    def __init__(self, workspace: Workspace, *, manifest: Manifest, tables: Tables) -> None:
        self._workspace, self._hashed = workspace, manifest.emails == "hashed"
        self._told: Mapping[str, list[Consent]] = _told(tables) if "contacts" in tables.sources else {}
        self._read: tuple[object, Forgotten | None] = (None, None)

    def permitted(self, tables: Tables) -> Tables:
        """The tables of a request, in memory, as the workspace lets them be used."""
        gone = self._forgotten()
        people = self._people(tables)
        if gone is not None:
            forgotten = {name for name in people if gone.holds("contact", name)}
            tables = _without(tables, forgotten) if forgotten else tables
        rows = [
            {"contact_id": name, "known_at": known_at, "opted_out_at": out}
            for name in people
            for known_at, out in self._told.get(self._kept(name), ())
        ]
        return replace(tables, opt_outs=pa.Table.from_pylist(rows, schema=OPT_OUT_SCHEMA)) if rows else tables

    def forgets(self, name: str, *, kind: Kind = "contact") -> bool:
        """Whether an identifier is that of somebody who asked to be forgotten."""
        gone = self._forgotten()
        return gone is not None and gone.holds(kind, name)

    def key(self, text: str) -> str:
        """What the tables keep of the key of a row: in place of one with an address in it, a hash."""
        if "@" not in text or not self._hashed:
            return text
        return kept_key(text, secret=workspace_secret(self._workspace))

    def pseudonym(self, name: str) -> str:
        """What a log keeps of an identifier: in place of an address the hash that the tables keep of it."""
        if "@" not in name or not self._hashed:
            return name
        secret = workspace_secret(self._workspace)
        return keyed_digest(secret, name) or hmac.digest(secret, name.encode(), "sha256").hex()

    def _people(self, tables: Tables) -> list[str]:
        """Who did something in these tables."""
        activities = tables.sources.get("activities")
        if not isinstance(activities, pa.Table):
            return []
        return sorted(filter(None, activities.column("contact_id").unique().to_pylist()))

    def _kept(self, name: str) -> str:
        """What the tables of the workspace keep of an identifier."""
        if "@" not in name or not self._hashed or self._secret is None:
            return name
        return keyed_digest(self._secret, name) or name

    @cached_property
    def _secret(self) -> bytes | None:
        there = (self._workspace.home / SECRET_FILE).exists()
        return workspace_secret(self._workspace) if there else None

    def listed(self) -> object:
        """What is another one once somebody was put on the list of the forgotten; None without a list."""
        try:
            status = (self._workspace.home / FORGOTTEN_FILE).stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    def _forgotten(self) -> Forgotten | None:
        """The list as it is now: somebody may have been put on it who is in no table."""
        seen = self.listed()
        if seen is None:
            return None
        if self._read[0] != seen:
            self._read = (seen, Forgotten.read(self._workspace))
        return self._read[1]


def newest_opt_out(tables: Tables, *, now: datetime) -> datetime | None:
    """When the newest opt-out beside these tables was known and in force, up to `now`."""
    if not isinstance(tables.opt_outs, pa.Table):
        return None
    moments = (
        max(row["known_at"], row["opted_out_at"])
        for row in tables.opt_outs.to_pylist()
        if row["opted_out_at"] is not None
    )
    return max((moment for moment in moments if moment <= now), default=None)


def _told(tables: Tables) -> Mapping[str, list[Consent]]:
    found: defaultdict[str, list[Consent]] = defaultdict(list)
    with tables.connect() as connection:
        for key, known_at, out in connection.execute(_TOLD).fetchall():
            found[key].append((known_at, out))
    return found


def _without(tables: Tables, people: Iterable[str]) -> Tables:
    """The tables without rows of these people."""
    gone = set(people)
    kept = {
        name: table.filter(
            pa.array([person not in gone for person in table.column("contact_id").to_pylist()])
        )
        if isinstance(table, pa.Table) and "contact_id" in table.column_names
        else table
        for name, table in tables.sources.items()
    }
    return replace(tables, sources=kept)
