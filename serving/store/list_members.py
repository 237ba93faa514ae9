"""Who is on a target account list, in any version of it.

Turns members into rows that hold for an interval of versions, and back. Of one account the rows of a list
never overlap: in a version it has one row or none. An older version is never changed, but to forget an
account. Time rule: none; versions have their moments. Null rule: a fact that is not known is None here and an
empty text in the table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from operator import attrgetter
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    RowMapping,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.engine.default import DefaultDialect

from serving.store import schema
from serving.store.columns import CompressedText
from serving.store.list_tables import OPEN, UNSCORED

__all__ = [
    "Drop",
    "Left",
    "Member",
    "Rewriting",
    "Status",
    "counts",
    "details",
    "drops",
    "find",
    "holds_at",
    "last_known",
    "member_of",
    "members",
    "packed",
    "rewrite",
    "rewriting",
    "rows_of",
    "set_details",
    "set_drops",
    "stream",
    "take_back",
    "write",
]

Status = Literal["target", "dropped"]

_TABLE = schema.list_members
_AS_STORED, _ANY = CompressedText(), DefaultDialect()
_TEXTS = ("segment", "machine_segment", "name", "domain", "industry", "country", "account_owner")
_ROWS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Member:
    """An account in a version of a list.

    status: dropped where a person took it off. why: what put it there; override_id, move_id: the decisions
    that did. suggested: whether the machine wants it there, and machine_segment where; draw: the version in
    which the machine said so. score, probability, low, high: of the machine; the interval is the
    probability's.
    """

    account_id: str
    status: Status
    why: str
    suggested: bool
    draw: int
    segment: str | None = None
    machine_segment: str | None = None
    override_id: int | None = None
    move_id: int | None = None
    score: float | None = None
    probability: float | None = None
    low: float | None = None
    high: float | None = None
    name: str | None = None
    domain: str | None = None
    industry: str | None = None
    country: str | None = None
    account_owner: str | None = None


_FIELDS = tuple(Member.__dataclass_fields__)
_COLUMNS = [_TABLE.c[name] for name in _FIELDS]
_TEXT_PLACES, _SCORE_PLACE = tuple(map(_FIELDS.index, _TEXTS)), _FIELDS.index("score")
_of_member = attrgetter(*_FIELDS)


@dataclass(frozen=True, slots=True)
class Left:
    """Why an account is no longer on a list. override_id: the decision that ended its place."""

    why: str
    override_id: int | None = None


def holds_at(version: int, *, newest: int) -> ColumnElement[bool]:
    """The condition that a row holds in a version. newest: the list's; its rows are found by an index."""
    if version == newest:
        return _TABLE.c.until == OPEN
    return and_(_TABLE.c.since <= version, _TABLE.c.until > version)


def member_of(row: RowMapping) -> Member:
    """A row of the table, or one with its columns, as a member."""
    return _member([row[name] for name in _FIELDS])


def _member(values: Iterable[Any]) -> Member:
    """values: of the columns, in their order, as a hundred thousand names would take their time."""
    told = list(values)
    for place in _TEXT_PLACES:
        told[place] = told[place] or None
    if told[_SCORE_PLACE] == UNSCORED:
        told[_SCORE_PLACE] = None
    return Member(*told)


def _values(member: Member) -> dict[str, Any]:
    told = dict(zip(_FIELDS, _of_member(member), strict=True))
    for name in _TEXTS:
        told[name] = told[name] or ""
    if told["score"] is None:
        told["score"] = UNSCORED
    told["name_key"] = told["name"].casefold()
    return told


def members(connection: Connection, *, list_id: int, version: int, newest: int) -> dict[str, Member]:
    """Everybody in a version, by identifier."""
    return {
        one.account_id: one for one in stream(connection, list_id=list_id, version=version, newest=newest)
    }


def stream(
    connection: Connection, *, list_id: int, version: int, newest: int, status: Status | None = None
) -> Iterator[Member]:
    """Everybody in a version, the best first; of equal scores the last by identifier."""
    query = select(*_COLUMNS).where(_TABLE.c.list_id == list_id, holds_at(version, newest=newest))
    if status is not None:
        query = query.where(_TABLE.c.status == status)
    rows = connection.execute(query.order_by(_TABLE.c.score.desc(), _TABLE.c.account_id.desc()))
    for row in rows:
        yield _member(row)


def find(
    connection: Connection, *, list_id: int, account_ids: Sequence[str], version: int, newest: int
) -> Member | None:
    """The first of `rows_of`; None where the account is not on the list."""
    at = {"list_id": list_id, "version": version, "newest": newest}
    return next(iter(rows_of(connection, account_ids=account_ids, **at)), None)


def rows_of(
    connection: Connection, *, list_id: int, account_ids: Sequence[str], version: int, newest: int
) -> tuple[Member, ...]:
    """What a version holds of one account, in the order of its identifiers: where several accounts became
    one, each may have a row."""
    own = (_TABLE.c.list_id == list_id) & _TABLE.c.account_id.in_(account_ids)
    rows = connection.execute(select(*_COLUMNS).where(own, holds_at(version, newest=newest))).mappings()
    places = {name: place for place, name in enumerate(account_ids)}
    return tuple(sorted(map(member_of, rows), key=lambda one: places[one.account_id]))


def counts(connection: Connection, *, list_id: int, version: int, newest: int) -> dict[tuple[str, str], int]:
    """How many a version has, by status and segment; of no segment: empty."""
    columns = (_TABLE.c.status, _TABLE.c.segment)
    query = select(*columns, func.count()).where(
        _TABLE.c.list_id == list_id, holds_at(version, newest=newest)
    )
    return {
        (status, segment): count for status, segment, count in connection.execute(query.group_by(*columns))
    }


@dataclass(frozen=True)
class Rewriting:
    """What is to be written of a list, worked out before anybody has to wait for it. ended: accounts whose
    rows end; rows: those that begin; left: why accounts go."""

    list_id: int
    version: int
    ended: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    left: Mapping[str, Left]


def rewriting(
    *,
    list_id: int,
    version: int,
    before: Mapping[str, Member],
    after: Mapping[str, Member],
    left: Mapping[str, Left],
) -> Rewriting:
    """What makes `after` what the newest version of a list holds.

    before: what it holds now, of the accounts that may change. left: why those go that are not in `after`.
    """
    gone = [name for name in before if name not in after]
    different = [after[name] for name in sorted(after) if before.get(name) != after[name]]
    replaced = [one.account_id for one in different if one.account_id in before]
    return Rewriting(
        list_id,
        version,
        # In the order of the table's key, so that neighbours are written together.
        ended=sorted([*gone, *replaced]),
        rows=[{"list_id": list_id, "since": version, "until": OPEN, **_values(one)} for one in different],
        left={name: left[name] for name in gone if name in left},
    )


def rewrite(connection: Connection, told: Rewriting) -> None:
    """Write it, to a list that is as it was when that was worked out."""
    at = {"list_id": told.list_id, "version": told.version}
    _take_out(connection, **at, account_ids=told.ended)
    for some in _parts(told.rows):
        connection.execute(insert(_TABLE), some)
    _say_why(connection, **at, left=told.left)


def write(
    connection: Connection,
    *,
    list_id: int,
    version: int,
    before: Mapping[str, Member],
    after: Mapping[str, Member],
    left: Mapping[str, Left],
) -> None:
    """As `rewriting` and `rewrite`, at once."""
    rewrite(connection, rewriting(list_id=list_id, version=version, before=before, after=after, left=left))


def _take_out(connection: Connection, *, list_id: int, version: int, account_ids: Sequence[str]) -> None:
    """End the rows of accounts in the newest version; those that began with it were never told."""
    began = select(_TABLE.c.since).where(_TABLE.c.list_id == list_id, _TABLE.c.since == version).limit(1)
    # None has in a version that was opened just now, which need not be asked account by account.
    any_began = connection.execute(began).first() is not None
    for some in _parts(account_ids):
        own = (_TABLE.c.list_id == list_id) & _TABLE.c.account_id.in_(some) & (_TABLE.c.until + 0 == OPEN)
        if any_began:
            connection.execute(delete(_TABLE).where(own, _TABLE.c.since == version))
        connection.execute(update(_TABLE).where(own).values(until=version))


def take_back(connection: Connection, *, list_id: int, version: int) -> None:
    """Make what the version before held what the newest one holds: as if this one had never been begun."""
    own = _TABLE.c.list_id == list_id
    connection.execute(delete(_TABLE).where(own, _TABLE.c.since == version))
    again = {"until": OPEN, "left_why": None, "left_override_id": None}
    connection.execute(update(_TABLE).where(own, _TABLE.c.until == version).values(again))
    drops = schema.list_drops
    connection.execute(delete(drops).where(drops.c.list_id == list_id, drops.c.version == version))


def _say_why(connection: Connection, *, list_id: int, version: int, left: Mapping[str, Left]) -> None:
    """On the rows that held before, why the account is not in this version."""
    statement = (
        update(_TABLE)
        .where(
            _TABLE.c.list_id == list_id,
            _TABLE.c.account_id == bindparam("gone"),
            # A sum, so that SQLite finds the row by its account: by the version it finds thousands.
            _TABLE.c.until + 0 == version,
        )
        .values(left_why=bindparam("told"), left_override_id=bindparam("by"))
    )
    rows = [{"gone": name, "told": one.why, "by": one.override_id} for name, one in left.items()]
    for some in _parts(rows):
        connection.execute(statement, list(some))


def _parts(rows: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (rows[start : start + _ROWS_AT_ONCE] for start in range(0, len(rows), _ROWS_AT_ONCE))


def packed(text: str) -> bytes:
    """A text as its column keeps it, for whoever packs many before a transaction begins."""
    return _AS_STORED.process_bind_param(text, _ANY) or b""


def set_details(connection: Connection, *, list_id: int, draw: int, details: Mapping[str, bytes]) -> None:
    """Keep what the machine said of accounts in a draw, in place of what it said of them in it before.

    details: JSON as `packed` packs it."""
    table = schema.list_suggestions
    own = (table.c.list_id == list_id) & (table.c.draw == draw)
    any_said = connection.execute(select(table.c.draw).where(own).limit(1)).first() is not None
    statement = insert(table).values(detail=bindparam("packed", type_=LargeBinary))
    for some in _parts(sorted(details)):
        if any_said:
            connection.execute(delete(table).where(own, table.c.account_id.in_(some)))
        rows = [
            {"list_id": list_id, "draw": draw, "account_id": name, "packed": details[name]} for name in some
        ]
        connection.execute(statement, rows)


def details(connection: Connection, *, list_id: int, some: Sequence[Member]) -> dict[str, str]:
    """What the machine said of members, as JSON by identifier; of some it may have said nothing."""
    table, found = schema.list_suggestions, dict[str, str]()
    for draw in sorted({one.draw for one in some}):
        names = [one.account_id for one in some if one.draw == draw]
        for part in _parts(names):
            own = (table.c.list_id == list_id) & (table.c.draw == draw) & table.c.account_id.in_(part)
            rows = connection.execute(select(table.c.account_id, table.c.detail).where(own))
            found |= {row.account_id: row.detail for row in rows}
    return found


def last_known(
    connection: Connection, *, list_id: int, account_ids: Collection[str], version: int
) -> dict[str, Member]:
    """Accounts that are or were on a list, as it last knew them up to a version."""
    found: dict[str, Member] = {}
    for part in _parts(sorted(account_ids)):
        own = (_TABLE.c.list_id == list_id) & _TABLE.c.account_id.in_(part) & (_TABLE.c.since <= version)
        rows = connection.execute(select(*_COLUMNS).where(own).order_by(_TABLE.c.since)).mappings()
        found |= {row["account_id"]: member_of(row) for row in rows}
    return found


@dataclass(frozen=True, slots=True)
class Drop:
    """A candidate that a rule left out of a version."""

    account_id: str
    rule: str
    detail: str
    score: float | None


def set_drops(connection: Connection, *, list_id: int, version: int, drops: Iterable[Drop]) -> None:
    """Keep whom the rules left out of a version, in place of those of an earlier draw of it."""
    table = schema.list_drops
    connection.execute(delete(table).where(table.c.list_id == list_id, table.c.version == version))
    for some in _parts([asdict(one) for one in drops]):
        connection.execute(insert(table), [{"list_id": list_id, "version": version, **one} for one in some])


def drops(
    connection: Connection, *, list_id: int, version: int, rule: str | None = None, limit: int | None = None
) -> tuple[Drop, ...]:
    """Whom the rules left out of a version, by rule, the best first."""
    table = schema.list_drops
    columns = [table.c[name] for name in Drop.__dataclass_fields__]
    query = select(*columns).where(table.c.list_id == list_id, table.c.version == version)
    if rule is not None:
        query = query.where(table.c.rule == rule)
    best = func.coalesce(table.c.score, UNSCORED).desc()
    rows = connection.execute(query.order_by(table.c.rule, best, table.c.account_id).limit(limit))
    return tuple(Drop(**row._asdict()) for row in rows)
