"""Erases people and accounts from the tables of a workspace, and keeps them out of it.

Turns addresses and identifiers into entries on the list of the forgotten, and the current snapshot into one
without them: the new one first, then the manifest, then every older file that held them goes as soon as
nobody reads it. The tables are settled anew from every row that is left, so that they are what an ingest of
sources without these people would have made. An address means every contact that has or had it. A contact
means that one record, whatever other records have its address. An account means every account that is the
same company by [identity], with all that is known of it, and the contacts and deals known at no other; what
contacts did elsewhere stays with those who are known elsewhere. Models hold features of accounts and no
person's data; they stay as they are. Time rule: every version goes, whenever it was known. Null rule: who is
in no table is on the list all the same, and is left out when a later export brings them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from features.contract import TABLES
from features.engine import run_sql
from features.errors import InputError, WorkspaceError
from features.history import Earlier, History, read_earlier
from features.identity.decided import copy_merging, merge_again, same_companies
from features.origins import told_files
from features.privacy.leaving_out import find_forgotten
from features.privacy.mentions import Mentions
from features.privacy.purging import mentions_in_quarantine, purge_quarantine
from features.privacy.suppression import KINDS, Forgotten, Kind
from features.quarantine import carry_over, create_quarantine, quarantine_counts, write_quarantine
from features.settling import Settled, settle
from features.snapshot import describe_again
from features.staging import canonical_columns, create_staging
from features.tables import open_engine
from features.validation import literal
from features.workspace import Manifest, Workspace

__all__ = ["Plan", "Request", "erase", "plan", "remember", "take_off"]


_REFERENCE = 12
"""Digits of a hash that tell one request from another."""


@dataclass(frozen=True)
class Request:
    """Who is to be forgotten: e-mail addresses, identifiers of contacts, identifiers of accounts."""

    emails: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        given = (*self.emails, *self.contacts, *self.accounts)
        if not given or not all(text.strip() for text in given):
            raise InputError(
                "nobody to forget was named",
                allowed="an e-mail address, or the identifier of a contact or an account",
                fix="name at least one",
            )

    @property
    def named(self) -> Mapping[str, int]:
        """How many were named, by the way they were named."""
        counts = {"email": len(self.emails), "contact": len(self.contacts), "account": len(self.accounts)}
        return {kind: count for kind, count in counts.items() if count}


@dataclass(frozen=True)
class Plan:
    """What forgetting would take from the tables.

    people: those who were named, and who follows from them. rows, quarantined: by table. contacts, accounts,
    opportunities: how many there are in the tables. unknown: how many of those named are in no table.
    references: what the audit calls those who were named: the beginnings of their hashes on the list.
    same_address: contacts that stay though one who goes has their address. without_addresses: whether an
    address was named and the tables hold none. mentions: how texts name those who go.
    """

    people: Forgotten
    mentions: Mentions
    rows: Mapping[str, int] = field(default_factory=dict)
    quarantined: Mapping[str, int] = field(default_factory=dict)
    contacts: int = 0
    accounts: int = 0
    opportunities: int = 0
    unknown: int = 0
    same_address: int = 0
    without_addresses: bool = False
    references: tuple[str, ...] = ()


def plan(workspace: Workspace, request: Request, *, memory_limit: str = "2GB") -> Plan:
    """Look what there is of those who are named. Changes nothing.

    Raises InputError for an address that is none; WorkspaceError for a folder that is not there, for tables
    that cannot be read, and while somebody else writes.
    """
    _require_folder(workspace)
    people = _named(Forgotten.of(workspace), request)
    references = _references(people, request)
    if not workspace.manifest_path.exists():
        unknown = sum(request.named.values())
        return Plan(people, Mentions(people), unknown=unknown, references=references)
    with workspace.scratch() as folder, _engine(folder, memory_limit=memory_limit) as connection:
        found = _planned(connection, people, request, earlier=read_earlier(workspace), scratch=folder)
    return replace(found, references=references)


def take_off(workspace: Workspace, request: Request) -> tuple[Plan, int]:
    """Take those who are named off the workspace's list: later files may bring them again.

    Whoever was found by them when they were forgotten stays on it until he or she is named as well: the list
    does not say who found whom. Returns who was asked for (unknown: not on the list), and how many are left.
    Raises InputError for an address that is none, WorkspaceError for a folder that is not there.
    """
    _require_folder(workspace)
    with workspace.writing():
        listed = Forgotten.of(workspace)
        people = _named(listed, request)
        left = listed.without(people)
        if len(left) < len(listed):
            left.write(workspace)
    unknown = sum(not _on_list(listed, kinds, text) for kinds, text in _asked(request))
    return Plan(people, Mentions(people), unknown=unknown, references=_references(people, request)), len(left)


def _on_list(listed: Forgotten, kinds: tuple[Kind, ...], text: str) -> bool:
    return any(listed.holds(kind, text) for kind in kinds)


def _asked(request: Request) -> list[tuple[tuple[Kind, ...], str]]:
    """Every text of a request, with what it may be."""
    named: list[tuple[tuple[Kind, ...], str]] = [(("email", "contact"), text) for text in request.emails]
    named += [(("contact",), text) for text in request.contacts]
    return named + [(("account",), text) for text in request.accounts]


def remember(workspace: Workspace, people: Forgotten) -> None:
    """Put people on the workspace's list, for good."""
    with workspace.writing():
        Forgotten.of(workspace).joined(people).write(workspace)


def erase(workspace: Workspace, *, memory_limit: str = "2GB") -> bool:
    """Take everybody on the list out of the tables. Returns whether anything of them was there.

    Older snapshots go unless somebody reads them: `Workspace.sweep` removes these later. Killed at any
    moment, it leaves the old tables or the new; doing it again, or an ingest, brings it to its end.
    """
    if not workspace.manifest_path.exists():
        with workspace.writing():
            return False
    found: list[bool] = []

    def fill(folder: Path) -> Manifest:
        earlier = read_earlier(workspace)
        engine = folder / "engine"
        engine.mkdir()
        try:
            with _engine(engine, memory_limit=memory_limit) as connection:
                manifest = _without(connection, workspace, earlier=earlier, folder=folder)
        finally:
            shutil.rmtree(engine)
        found.append(manifest is not earlier.manifest)
        return manifest

    workspace.replace(fill)
    Forgotten.of(workspace).note_applied(workspace)
    return found[0]


def _require_folder(workspace: Workspace) -> None:
    if not workspace.home.is_dir():
        raise WorkspaceError(
            f"there is no workspace {workspace.home}",
            fix="point SPEARFISH_HOME or --workspace at one; for one that is to be, make the folder first",
        )


def _named(listed: Forgotten, request: Request) -> Forgotten:
    """The people of a request alone, under the workspace's secret."""
    for email in request.emails:
        if listed.digest("email", email) is None:
            raise InputError(
                "this is no e-mail address", allowed="one address such as ann@example.com", fix="correct it"
            )
    people = replace(listed, digests=dict.fromkeys(KINDS, frozenset[str]()), applied_to="")
    # Some systems take the address for the identifier.
    people = people.adding("email", request.emails).adding("contact", (*request.emails, *request.contacts))
    return people.adding("account", request.accounts)


def _references(people: Forgotten, request: Request) -> tuple[str, ...]:
    given: Mapping[Kind, tuple[str, ...]] = {
        "email": request.emails,
        "contact": request.contacts,
        "account": request.accounts,
    }
    digests = (people.digest(kind, text) or "" for kind, texts in given.items() for text in texts)
    return tuple(digest[:_REFERENCE] for digest in digests)


@contextmanager
def _engine(folder: Path, *, memory_limit: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine that spills into a folder."""
    connection = open_engine()
    try:
        run_sql(connection, "SET memory_limit = ?", parameters=[memory_limit])
        run_sql(connection, "SET temp_directory = ?", parameters=[str(folder / "spill")])
        yield connection
    finally:
        connection.close()


def _prepare(connection: duckdb.DuckDBPyConnection, earlier: Earlier) -> list[str]:
    """Empty tables in place of what an ingest has read. Returns the names of the canonical ones."""
    create_quarantine(connection)
    names = [name for name in TABLES if name in earlier.manifest.tables]
    for name in names:
        create_staging(connection, table=TABLES[name], attributes=earlier.attributes)
    return names


def _planned(
    connection: duckdb.DuckDBPyConnection,
    people: Forgotten,
    request: Request,
    *,
    earlier: Earlier,
    scratch: Path,
) -> Plan:
    names = _prepare(connection, earlier)
    asked = people
    if request.accounts:
        people = people.adding("account", _companies(connection, people, earlier=earlier, scratch=scratch))
    leaving = find_forgotten(connection, people=people, names=names, earlier=earlier.folder)
    quarantined = mentions_in_quarantine(connection, folder=earlier.folder, people=leaving.people)
    addresses = leaving.people.adding("email", _own_addresses(connection, earlier))
    return Plan(
        leaving.people,
        Mentions(addresses, _names(connection, earlier)),
        rows=leaving.earlier,
        quarantined=quarantined,
        contacts=_distinct(connection, "contact"),
        accounts=_distinct(connection, "account"),
        opportunities=_distinct(connection, "opportunity"),
        unknown=_unknown(connection, asked, request),
        same_address=_same_address(connection, earlier),
        without_addresses=bool(request.emails) and not _addresses(connection, earlier),
    )


def _companies(
    connection: duckdb.DuckDBPyConnection, people: Forgotten, *, earlier: Earlier, scratch: Path
) -> set[str]:
    """The accounts that were named as the tables write them, and those that are one company with them."""
    # A record that was gone as soon as it was known is in no table, and may be one with an account that is.
    told = ", ".join(literal(str(file)) for file in told_files(earlier.folder))
    rows = run_sql(connection, f"SELECT DISTINCT account_id FROM read_parquet([{told}])").fetchall()
    named = {account for (account,) in rows if people.holds("account", account)}
    return same_companies(
        connection,
        named,
        snapshot=earlier.folder,
        scratch=scratch,
        sources=_sources_of_accounts(earlier.history),
        attributes=[attribute.name for attribute in earlier.attributes],
    )


def _sources_of_accounts(history: History) -> dict[str, str]:
    return {one: history.sources[one][1] for one in history.ranks}


def _stored(earlier: Earlier, name: str) -> str:
    """The rows of a table that count, as a relation."""
    file = str(earlier.folder / f"{name}.parquet").replace("'", "''")
    return f"read_parquet('{file}')"


def _distinct(connection: duckdb.DuckDBPyConnection, kind: Kind) -> int:
    found = run_sql(connection, f"SELECT count(DISTINCT id) FROM forgotten_{kind}").fetchone()
    return int(found[0]) if found else 0


def _unknown(connection: duckdb.DuckDBPyConnection, people: Forgotten, request: Request) -> int:
    """How many of those named are in no table."""
    known: dict[Kind, set[str | None]] = {}
    for kind in KINDS:
        rows = run_sql(connection, f"SELECT id FROM forgotten_{kind}").fetchall()
        known[kind] = {people.digest(kind, text) for (text,) in rows}
    asked = _asked(request)
    return sum(not any(people.digest(kind, text) in known[kind] for kind in kinds) for kinds, text in asked)


def _same_address(connection: duckdb.DuckDBPyConnection, earlier: Earlier) -> int:
    """Contacts that stay though one of those who go has their address."""
    if "contacts" not in earlier.manifest.tables:
        return 0
    rows, gone = _stored(earlier, "contacts"), "contact_id IN (SELECT id FROM forgotten_contact)"
    found = run_sql(
        connection,
        f"SELECT count(DISTINCT contact_id) FROM {rows} WHERE NOT {gone}"
        f" AND email IN (SELECT email FROM {rows} WHERE {gone} AND email IS NOT NULL)",
    ).fetchone()
    return int(found[0]) if found else 0


def _own_addresses(connection: duckdb.DuckDBPyConnection, earlier: Earlier) -> list[str]:
    """What the tables keep of the addresses of contacts who go, and that nobody who stays has."""
    if "contacts" not in earlier.manifest.tables:
        return []
    rows, gone = _stored(earlier, "contacts"), "contact_id IN (SELECT id FROM forgotten_contact)"
    sql = f"SELECT email FROM {rows} WHERE email IS NOT NULL GROUP BY email HAVING bool_and({gone})"
    return [str(email) for (email,) in run_sql(connection, sql).fetchall()]


def _addresses(connection: duckdb.DuckDBPyConnection, earlier: Earlier) -> bool:
    """Whether the tables tell anybody's address."""
    if "contacts" not in earlier.manifest.tables:
        return False
    sql = f"SELECT 1 FROM {_stored(earlier, 'contacts')} WHERE email IS NOT NULL LIMIT 1"
    return run_sql(connection, sql).fetchone() is not None


def _names(connection: duckdb.DuckDBPyConnection, earlier: Earlier) -> tuple[str, ...]:
    """What accounts that go are or were called, and their domains."""
    gone = "account_id IN (SELECT id FROM forgotten_account)"
    rows = run_sql(
        connection,
        f"SELECT DISTINCT unnest([name, domain]) AS told FROM {_stored(earlier, 'accounts')} WHERE {gone}",
    ).fetchall()
    return tuple(sorted(told for (told,) in rows if told))


def _without(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, *, earlier: Earlier, folder: Path
) -> Manifest:
    """Write the snapshot without everybody on the list; the manifest as it is when they are not in it."""
    people, names = Forgotten.of(workspace), _prepare(connection, earlier)
    leaving = find_forgotten(connection, people=people, names=names, earlier=earlier.folder)
    if leaving.people is not people:
        leaving.people.write(workspace)
    if not leaving.earlier and not mentions_in_quarantine(
        connection, folder=earlier.folder, people=leaving.people
    ):
        return earlier.manifest
    for name in names:
        carry_over(connection, name=name, folder=earlier.folder)
    settled = {name: _settle(connection, name, earlier=earlier, folder=folder) for name in names}
    purge_quarantine(connection, people=leaving.people)
    quarantined = quarantine_counts(connection)
    for name in quarantined:
        write_quarantine(connection, name=name, folder=folder / "quarantine")
    history = replace(earlier.history, kept={name: one.kept for name, one in settled.items() if one.kept})
    _merge(connection, earlier=earlier, folder=folder, changed="accounts" in leaving.earlier)
    manifest = describe_again(
        connection,
        replace(earlier.manifest, quarantine=quarantined),
        folder=folder,
        rows={name: one.rows for name, one in settled.items()},
        history=history,
    )
    history.write(folder)
    return manifest


def _settle(connection: duckdb.DuckDBPyConnection, name: str, *, earlier: Earlier, folder: Path) -> Settled:
    return settle(
        connection,
        table=TABLES[name],
        columns=canonical_columns(TABLES[name], attributes=earlier.attributes),
        folder=folder,
        earlier=earlier.folder,
        labels={source: label for source, (_, label) in earlier.history.sources.items()},
        deleting=earlier.history.deleting,
        forgetting=True,
    )


def _merge(connection: duckdb.DuckDBPyConnection, *, earlier: Earlier, folder: Path, changed: bool) -> None:
    """Who stands for whom. changed: whether an account is gone."""
    if not changed:
        copy_merging(folder=folder, earlier=earlier.folder)
        return
    merge_again(
        connection,
        folder=folder,
        earlier=earlier.folder,
        sources=_sources_of_accounts(earlier.history),
        attributes=[attribute.name for attribute in earlier.attributes],
    )
