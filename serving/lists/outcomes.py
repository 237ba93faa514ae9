"""What became of the accounts on lists, beside comparable ones that were on none.

Turns the store's lists and the tables into groups of accounts with their outcomes: suggestions that people
accepted, accounts that people added, suggestions that they rejected, and comparable accounts. Of each account
the first moment counts at which an approved version said so. Whoever was on a list in use by a moment, or was
suggested for it and rejected, is not comparable then; whom a list takes up later is: to leave these out would
be to look ahead. Time rule: as of `features.cohorts`; versions count that were approved before now. Null
rule: an account whose window has not ended is too early, and has no outcome yet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlalchemy import Connection

from features.cohorts import CUSTOMER, FREE, NOBODY, OPEN_DEAL, UNKNOWN, Cohort, CohortRows, read_cohorts
from features.engine import run_sql
from features.errors import InputError
from features.tables import Tables
from models.list_outcomes import Compared, Matched, Matching, plain
from serving.store import Store, lists
from serving.store.list_outcomes import ListsTold, read_lists
from serving.store.lists import ListStateError, TargetList
from serving.subjects import SECOND

__all__ = [
    "GROUPS",
    "LONGEST",
    "USUAL_DAYS",
    "Comparable",
    "Group",
    "ListOutcomes",
    "approved_list",
    "list_outcomes",
    "outcomes_of",
]

USUAL_DAYS, LONGEST = 365, 3_660
"""Days that accounts are followed: by default, and at most."""

GROUPS = ACCEPTED, ADDED, REJECTED = ("accepted", "added", "rejected")

_LEFT_OUT = {"unknown": UNKNOWN, "customers": CUSTOMER, "open_deals": OPEN_DEAL}
_MEMORY = "1GB"
"""What the engine takes; what is more waits in a file."""

_APPROVED = """
CREATE TEMP TABLE said AS
WITH approved AS (SELECT * FROM versions WHERE approved_at < $1),
-- A row that begins with a version is approved with the first that is, if it still holds there.
next AS (
    SELECT v.list_id, v.number AS since, min(a.number) AS number
    FROM versions AS v LEFT JOIN approved AS a ON a.list_id = v.list_id AND a.number >= v.number
    GROUP BY v.list_id, v.number
)
SELECT m.list_id, coalesce(s.identity, m.account_id) AS account_id, m.target, m.suggested, a.approved_at,
       a.product
FROM members AS m JOIN next AS n USING (list_id, since)
JOIN approved AS a ON a.list_id = m.list_id AND a.number = n.number AND n.number < m.until
LEFT JOIN merged_accounts AS s ON s.account_id = m.account_id
"""
"""Every row of a list that was approved, and when first."""

_GROUPED = """
CREATE TEMP TABLE grouped AS
WITH own AS (
    SELECT account_id, target, suggested, approved_at AS moment, coalesce(product, '') AS product
    FROM said WHERE $1 IS NULL OR list_id = $1
),
came AS (
    SELECT account_id, min({'moment': moment, 'by_hand': NOT suggested, 'product': product}) AS told
    FROM own WHERE target GROUP BY account_id
),
went AS (
    SELECT account_id, min({'moment': moment, 'product': product}) AS told
    FROM own WHERE NOT target AND suggested GROUP BY account_id
)
SELECT account_id, CAST(told.by_hand AS INTEGER) AS "group", told.moment AS moment, told.product AS product
FROM came
UNION ALL
SELECT w.account_id, 2, w.told.moment, w.told.product
FROM went AS w LEFT JOIN came AS c USING (account_id)
WHERE c.told IS NULL OR c.told.moment > w.told.moment
"""
"""group: its place in GROUPS. Of several that are one account by now the first counts, a suggestion first."""

_COHORTS = """
SELECT moment, NULLIF(product, '') AS product, bool_or("group" = 0) AS compared,
       row_number() OVER (ORDER BY moment, product) - 1 AS cohort
FROM grouped GROUP BY moment, product ORDER BY cohort
"""

_MEMBERS = """
SELECT c.cohort, g.account_id, g."group"
FROM grouped AS g JOIN cohorts AS c ON c.moment = g.moment AND coalesce(c.product, '') = g.product
"""

_REACHED = """
SELECT account_id, min(approved_at) AS reached_at, min(approved_at) FILTER (target) AS taken_up_at
FROM said WHERE target OR suggested GROUP BY account_id
"""
"""Of all lists: since when an account was on one in use, or was suggested for it and taken off by people. Not
of candidates that found no place, nor of proposals: nobody was told to work them, and these come and go."""


_NEWEST = """
SELECT max(known_at) FROM (SELECT known_at FROM accounts UNION ALL SELECT known_at FROM opportunities)
"""
"""Not of activities, which may come by the hour while deals come by the week: a win would be missed."""


@dataclass
class Group:
    """Accounts of one kind. left_out: by what they were at their moment. first_ripe_at: when the first of
    those that are too early has had its days. ended, ended_won: deals opened within the days that ended
    within them, and were won: of accounts that opened any, so that a list which opens more deals may win a
    smaller share of them; won of ripe is not conditioned on that. taken_up_later: ripe accounts that a list
    took up within the days."""

    accounts: int = 0
    left_out: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_LEFT_OUT, 0))
    too_early: int = 0
    first_ripe_at: datetime | None = None
    ripe: int = 0
    opened: int = 0
    won: int = 0
    ended: int = 0
    ended_won: int = 0
    taken_up_later: int = 0

    def add(self, rows: CohortRows, *, ripe_at: datetime | None) -> None:
        """rows: of one moment. ripe_at: when their days are over; None where they are."""
        self.accounts += len(rows.number)
        for name, was in _LEFT_OUT.items():
            self.left_out[name] += _count(rows.was == was)
        free = rows.of(rows.was == FREE)
        if ripe_at is not None:
            self.too_early += len(free.number)
            if len(free.number):
                self.first_ripe_at = min(ripe_at, self.first_ripe_at or ripe_at)
            return
        self.ripe += len(free.number)
        self.opened += _count(free.opened)
        self.won += _count(free.won)
        self.ended += int(free.ended.sum())
        self.ended_won += int(free.ended_won.sum())
        self.taken_up_later += _count(free.later)


@dataclass
class Comparable(Group):
    """Accounts of no list at the moments when suggestions were accepted: each counts at every moment.

    accounts: that the tables knew then, of which `on_lists` were on a list in use or rejected for one.
    """

    on_lists: int = 0


@dataclass(frozen=True)
class ListOutcomes:
    """until: what was known before it tells what became of the accounts. moments: at which something was
    first approved, each line of products for itself; ripe: of these, those whose days are over. forgotten:
    places on lists of accounts that were erased, of which nothing can be told. matched: the accepted beside
    comparable accounts. rejected_opened, rejected_won: the accepted beside the rejected, as they are."""

    days: int
    until: datetime
    moments: int
    ripe_moments: int
    groups: dict[str, Group]
    comparable: Comparable
    forgotten: int
    matched: Matched
    rejected_opened: Compared
    rejected_won: Compared


def outcomes_of(
    tables: Tables,
    store: Store,
    *,
    list_id: int | None,
    days: int,
    now: datetime,
    threads: int | None = None,
) -> ListOutcomes:
    """What became of the accounts of a list, or of all lists together.

    now: naive, UTC; versions and facts of before it count. What the tables tell ends with the newest that
    they know of accounts and deals. Raises UnknownListError, ListStateError while no version is approved,
    InputError for days other than 1 to LONGEST, EngineError.
    """
    if not 1 <= days <= LONGEST:
        raise InputError(
            "accounts cannot be followed for so many days",
            got=days,
            allowed=f"1 to {LONGEST:,}",
            fix="ask for others",
        )
    with store.reading() as connection:
        if list_id is not None:
            approved_list(connection, list_id=list_id)
        told = read_lists(connection)
    with tables.connect(threads=threads) as connection:
        ((newest,),) = run_sql(connection, _NEWEST).fetchall()
    until = now if newest is None else min(now, newest + SECOND)
    return list_outcomes(tables, told, list_id=list_id, days=days, now=now, until=until, threads=threads)


def approved_list(connection: Connection, *, list_id: int) -> TargetList:
    """The list. Raises UnknownListError, and ListStateError while no version of it is approved."""
    found = lists.find(connection, list_id=list_id)
    if found.approved_version is None:
        raise ListStateError(
            "no version of the list was approved yet",
            got=found.state,
            allowed="approved",
            fix="have both sides approve it: from then on its accounts are followed",
        )
    return found


def list_outcomes(
    tables: Tables,
    told: ListsTold,
    *,
    list_id: int | None,
    days: int,
    now: datetime,
    until: datetime,
    threads: int | None = None,
) -> ListOutcomes:
    """What became of the accounts of a list, or of all lists together.

    An account counts once in a group: one that was rejected first and accepted later is in both, each time
    from its own moment on. days: of the window. now, until: naive, UTC; versions count that were approved
    before now, and facts that were known before until, as far as the tables tell. Raises EngineError.
    """
    with TemporaryDirectory() as folder, tables.connect(threads=threads) as connection:
        run_sql(connection, "SET memory_limit = ?", parameters=[_MEMORY])
        run_sql(connection, "SET temp_directory = ?", parameters=[folder])
        cohorts, members, reached = _asked(connection, told, list_id=list_id, now=now)
        ends = [one.moment + timedelta(days=days) for one in cohorts]
        ripe = [end <= until for end in ends]
        wanted = [
            Cohort(one.moment, one.product, one.compared and is_ripe)
            for one, is_ripe in zip(cohorts, ripe, strict=True)
        ]
        groups, comparable = {name: Group() for name in GROUPS}, Comparable()
        matching = Matching()
        found = read_cohorts(
            connection,
            wanted,
            members=members,
            reached=reached,
            origins=tables.origins,
            days=days,
            until=until,
        )
        for rows, cohort, end, is_ripe in zip(found, wanted, ends, ripe, strict=True):
            for place, name in enumerate(GROUPS):
                groups[name].add(rows.of(rows.group == place), ripe_at=None if is_ripe else end)
            if cohort.compared:
                _compare(rows, comparable=comparable, matching=matching)
    accepted, rejected = groups[ACCEPTED], groups[REJECTED]
    others = {
        name: plain(
            getattr(accepted, name),
            accepted.ripe,
            other_hits=getattr(rejected, name),
            other_of=rejected.ripe,
        )
        for name in ("opened", "won")
    }
    erased = told.forgotten
    return ListOutcomes(
        days=days,
        until=until,
        moments=len(cohorts),
        ripe_moments=sum(ripe),
        groups=groups,
        comparable=comparable,
        forgotten=sum(erased.values()) if list_id is None else erased.get(list_id, 0),
        matched=matching.matched(),
        rejected_opened=others["opened"],
        rejected_won=others["won"],
    )


def _asked(
    connection: duckdb.DuckDBPyConnection, told: ListsTold, *, list_id: int | None, now: datetime
) -> tuple[list[Cohort], pa.Table, pa.Table]:
    """The cohorts, who is in which, and whom any list had reached."""
    connection.register("versions", told.versions)
    connection.register("members", told.members)
    run_sql(connection, _APPROVED, parameters=[now])
    connection.unregister("members")
    run_sql(connection, _GROUPED, parameters=[list_id])
    run_sql(connection, f"CREATE TEMP TABLE cohorts AS {_COHORTS}")
    rows = run_sql(connection, "SELECT moment, product, compared FROM cohorts ORDER BY cohort").fetchall()
    members = run_sql(connection, _MEMBERS).to_arrow_table()
    reached = run_sql(connection, _REACHED).to_arrow_table()
    return [Cohort(*row) for row in rows], members, reached


def _compare(rows: CohortRows, *, comparable: Comparable, matching: Matching) -> None:
    """Take the accounts of a moment into the comparison."""
    other = (rows.group == NOBODY) & (rows.was != UNKNOWN)
    untouched = other & ~rows.reached
    comparable.add(rows.of(untouched), ripe_at=None)
    # Whoever was decided of at this moment is on a list, or was just taken off it.
    on_lists = _count((rows.was != UNKNOWN) & ~untouched)
    comparable.accounts += on_lists
    comparable.on_lists += on_lists
    accepted = (rows.group == 0) & (rows.was == FREE)
    chosen = rows.of(accepted | (untouched & (rows.was == FREE)))
    matching.add(
        chosen.facts,
        number=chosen.number,
        accepted=chosen.group == 0,
        opened=chosen.opened,
        won=chosen.won,
    )


def _count(flags: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(flags))
