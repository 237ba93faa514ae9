"""Whom a request is about: the account that it names, or the one that it brings along.

Turns checked requests into subjects, one or a thousand. Time rule: only facts with `known_at < as_of` count;
without `as_of` it is the later of today's midnight in the workspace's time zone and one second after the
account's newest known fact, so that without new facts the answer stays. Null rule: an account that was sent
along has no identifier.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd
import pyarrow as pa

from features.errors import InputError, SpearfishError, UnknownAccountError, WorkspaceError
from features.feature import Language
from features.privacy.known_people import newest_opt_out
from features.tables import Attribute, Tables
from serving.accounts import Account
from serving.answers import LeadFound, iso
from serving.desk import Desk
from serving.kept_errors import kept
from serving.leads import read_lead
from serving.looking import Accounts, LookedUp
from serving.population import Deal
from serving.problems import FieldError, InvalidRequestError, NotReadyError
from serving.records import ALL_ALONG, RECORD_ID, read_record
from serving.requests import ScoreRequest
from serving.segments import Segments
from serving.store.activities import Activity

__all__ = ["SECOND", "Subject", "default_as_of", "default_moments", "find_subject", "find_subjects"]

Told = TypeVar("Told")

SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Subject:
    """The account that is scored: its moment, its newest fact, its deals, its segments and its tables.

    request: what is asked, as the log keeps it: the account or the record, without a word of a person.
    tables: of an account that was sent along; None for a known one. lead: how a lead led here, if one did.
    newer: activities of a known account that came after the tables were made.
    """

    request: ScoreRequest
    account: Account
    as_of: datetime
    data_through: datetime | None
    deals: tuple[Deal, ...]
    segments: Segments
    connect: Callable[[], duckdb.DuckDBPyConnection]
    tables: Tables | None = None
    lead: LeadFound | None = None
    newer: tuple[Activity, ...] = ()

    @property
    def is_unknown_company(self) -> bool:
        """Whether a lead alone tells of the company, so that nothing of its behaviour can be known."""
        return self.lead is not None and not self.lead.account_matched


def default_as_of(newest_known_at: datetime | None, *, now: datetime, time_zone: ZoneInfo) -> datetime:
    """The later of today's midnight in the zone and just after the newest known fact; naive UTC.

    >>> default_as_of(None, now=datetime(2026, 7, 1, 1, 30), time_zone=ZoneInfo("Europe/Berlin"))
    datetime.datetime(2026, 6, 30, 22, 0)
    """
    local = now.replace(tzinfo=UTC).astimezone(time_zone)
    midnight = local.replace(hour=0, minute=0, second=0).astimezone(UTC).replace(tzinfo=None)
    return midnight if newest_known_at is None else max(midnight, newest_known_at + SECOND)


def default_moments(newest_known_at: pd.Series[Any], *, now: datetime, time_zone: ZoneInfo) -> pd.Series[Any]:
    """As `default_as_of`, of many accounts at once."""
    midnight = pd.Timestamp(default_as_of(None, now=now, time_zone=time_zone))
    just_after: pd.Series[Any] = newest_known_at + SECOND
    return just_after.where(just_after > midnight, midnight)


def find_subject(
    desk: Desk,
    *,
    request: ScoreRequest,
    now: datetime,
    language: Language,
    accounts: Accounts | None = None,
    newer: Callable[[str], tuple[Activity, ...]] | None = None,
) -> Subject:
    """Whom a request is about.

    now: naive UTC, whole seconds; nothing may lie after it. accounts: where to look them up, by default one
    by one. newer: what came of an account after the tables, by default asked of the store. Raises
    UnknownAccountError, AmbiguousDomainError, InvalidRequestError or WorkspaceError.
    """
    if request.as_of is not None:
        _require_past("as_of", request.as_of, now=now)
    accounts, lead = accounts or desk.snapshot.accounts, None
    if request.lead is not None:
        request, lead = read_lead(desk, request, accounts=accounts, language=language)
    if request.record is not None:
        return replace(_sent_along(desk, request=request, now=now), lead=lead)
    if request.account_id is not None:
        account, asked = accounts.by_id(request.account_id), "account_id"
    else:
        account, asked = accounts.by_domain(request.domain or ""), "domain"
    own = (newer or desk.newer)(account.account_id or "")
    newest = max((row.known_at for row in own), default=account.newest_known_at)
    account = replace(account, newest_known_at=max(newest, account.newest_known_at))
    as_of = request.as_of or default_as_of(account.newest_known_at, now=now, time_zone=desk.time_zone)
    _require_known(account, as_of=as_of, asked="lead" if lead else asked)
    connect = desk.snapshot.accounts.cursor
    return Subject(
        request=request,
        account=account,
        as_of=as_of,
        data_through=_data_through(desk, own),
        deals=accounts.deals(account.account_id or ""),
        segments=_segments(desk, account.account_id or "", as_of, connect=connect),
        connect=connect,
        lead=lead,
        newer=own,
    )


def _data_through(desk: Desk, newer: Sequence[Activity]) -> datetime | None:
    """The newest fact of the tables and beside them."""
    told = [desk.snapshot.manifest.data_through, *(row.known_at for row in newer)]
    return max((moment for moment in told if moment is not None), default=None)


def find_subjects(
    desk: Desk,
    *,
    requests: Sequence[ScoreRequest],
    now: datetime,
    language: Language,
    apart: bool = False,
) -> list[Subject | SpearfishError]:
    """As `find_subject`, of many requests in their order; in place of a subject, what is wrong.

    Accounts are looked up together. apart: whether each request stands for itself, so that a store that does
    not answer fails those alone who must ask it. Raises EngineError, and WorkspaceError unless `apart`.
    """
    account_ids = [one.account_id for one in requests if one.account_id is not None]
    domains = [one.domain for one in requests if one.domain is not None]
    accounts, since = None, _Since(desk)
    if account_ids or domains:
        accounts = LookedUp(desk.snapshot.accounts, account_ids=account_ids, domains=domains)
        with suppress(*((WorkspaceError,) if apart else ())):
            since.ask_for(accounts.found)
    wrong: tuple[type[SpearfishError], ...] = (InputError, NotReadyError)
    if apart:
        wrong = (*wrong, WorkspaceError)

    def attempt(request: ScoreRequest) -> Subject | SpearfishError:
        try:
            return find_subject(
                desk, request=request, now=now, language=language, accounts=accounts, newer=since.of
            )
        except wrong as error:
            return kept(error)

    return [attempt(request) for request in requests]


class _Since:
    """What accounts have beside the tables. A store that did not answer is asked no more."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._found: Mapping[str, tuple[Activity, ...]] = {}
        self._fault: WorkspaceError | None = None

    def ask_for(self, account_ids: Sequence[str]) -> None:
        """Ask the store for many accounts at once. Raises WorkspaceError."""
        self._found = self._asked(lambda: self._desk.newer_of(account_ids))

    def of(self, account_id: str) -> tuple[Activity, ...]:
        """As `Desk.newer`."""
        known = self._found.get(account_id)
        if known is not None or not self._desk.has_newer(account_id):
            return known or ()
        return self._asked(lambda: self._desk.newer(account_id))

    def _asked(self, ask: Callable[[], Told]) -> Told:
        if self._fault is not None:
            raise self._fault
        try:
            return ask()
        except WorkspaceError as error:
            self._fault = error
            raise


def _segments(
    desk: Desk, account_id: str, as_of: datetime, *, connect: Callable[[], duckdb.DuckDBPyConnection]
) -> Segments:
    schema = _schema(tuple(desk.snapshot.tables.attributes))
    return Segments(account_id, as_of, desk.release.populations, schema, connect)


@lru_cache(maxsize=4)
def _schema(attributes: tuple[Attribute, ...]) -> pa.Schema:
    """Of the accounts: the same for every row of a file."""
    return Tables({}, attributes).schema("accounts")


def _require_past(name: str, moment: datetime, *, now: datetime) -> None:
    if moment > now:
        raise InvalidRequestError(
            [FieldError(name, "is in the future", iso(moment), f"up to {iso(now)}", "send an earlier moment")]
        )


def _require_known(account: Account, *, as_of: datetime, asked: str) -> None:
    if account.first_known_at >= as_of:
        raise UnknownAccountError(
            f"{asked}: the account was not known yet at as_of",
            got=iso(as_of),
            allowed=f"after {iso(account.first_known_at)}",
            fix="send a later as_of",
        )
    if account.withdrawn_at is not None and account.withdrawn_at < as_of:
        raise UnknownAccountError(
            f"{asked}: the account was deleted in its source",
            got=iso(as_of),
            allowed=f"up to {iso(account.withdrawn_at)}",
            fix="score another account, or this one as of an earlier moment",
        )


def _sent_along(desk: Desk, *, request: ScoreRequest, now: datetime) -> Subject:
    record = read_record(request.record, attributes=desk.snapshot.manifest.attributes, now=now)
    newest = record.account.newest_known_at
    tables = desk.snapshot.people.permitted(record.tables) if record.names_people else record.tables
    latest = max(newest, newest_opt_out(tables, now=now) or newest)
    as_of = request.as_of or default_as_of(latest, now=now, time_zone=desk.time_zone)
    if record.account.first_known_at >= as_of:
        what = "lies before anything is known of the account"
        raise InvalidRequestError([FieldError("as_of", what, iso(as_of), None, "send a later one")])
    return Subject(
        request=request,
        account=record.account,
        as_of=as_of,
        data_through=newest if newest > ALL_ALONG else None,
        deals=record.deals,
        segments=_segments(desk, RECORD_ID, as_of, connect=record.tables.connect),
        connect=record.tables.connect,
        tables=tables,
    )
