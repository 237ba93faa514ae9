"""Pages of the members of a list, and what has changed between two versions of it.

Turns filters, an order and the place where the page before ended into rows. Time rule: none; versions have
their moments. Null rule: what is not known is sorted as an empty text, or below every number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)

from serving.store import schema
from serving.store.list_members import Member, Status, holds_at, member_of
from serving.store.list_tables import UNSCORED

__all__ = [
    "CHANGES",
    "SORTS",
    "ChangeKind",
    "Changed",
    "Filter",
    "Page",
    "Sort",
    "diff",
    "diff_counts",
    "page",
]

_TABLE = schema.list_members

Sort = Literal["score", "probability", "name", "segment", "industry", "country", "owner"]
ChangeKind = Literal["added", "dropped", "moved"]
CHANGES: tuple[ChangeKind, ...] = ("added", "dropped", "moved")

_ORDERS: dict[Sort, tuple[ColumnElement[Any], ...]] = {
    "score": (_TABLE.c.score,),
    "probability": (func.coalesce(_TABLE.c.probability, -1.0),),
    "name": (_TABLE.c.name_key,),
    "segment": (_TABLE.c.segment, _TABLE.c.score),
    "industry": (_TABLE.c.industry,),
    "country": (_TABLE.c.country,),
    "owner": (_TABLE.c.account_owner,),
}
SORTS: tuple[Sort, ...] = tuple(_ORDERS)
"""What members are sorted by; of equal ones by identifier, in the same direction."""


@dataclass(frozen=True)
class Filter:
    """Which members are wanted. status: None for both. decided: whether people decided anything of them; None
    for all. search: a part of the name, the domain or the identifier."""

    status: Status | None = "target"
    segment: str | None = None
    industry: str | None = None
    country: str | None = None
    owner: str | None = None
    decided: bool | None = None
    minimum_score: float | None = None
    search: str | None = None


@dataclass(frozen=True)
class Page:
    """Members in the order asked for. after: where the next page begins; None at the end. total: of all
    pages."""

    members: tuple[Member, ...]
    after: tuple[Any, ...] | None
    total: int


def page(
    connection: Connection,
    *,
    list_id: int,
    version: int,
    newest: int,
    wanted: Filter,
    sort: Sort = "score",
    descending: bool = True,
    after: Sequence[Any] | None = None,
    limit: int = 50,
) -> Page:
    """A page of the members of a version. after: what the page before said."""
    matches = and_(_TABLE.c.list_id == list_id, holds_at(version, newest=newest), *_conditions(wanted))
    order = (*_ORDERS[sort], _TABLE.c.account_id)
    query = select(_TABLE, *(column.label(f"order_{n}") for n, column in enumerate(order))).where(matches)
    if after is not None:
        place = tuple_(*order)
        query = query.where(place < tuple(after) if descending else place > tuple(after))
    ordered = query.order_by(*(column.desc() if descending else column.asc() for column in order))
    rows = connection.execute(ordered.limit(limit + 1)).mappings().all()
    shown = rows[:limit]
    last = tuple(shown[-1][f"order_{n}"] for n in range(len(order))) if len(rows) > limit else None
    total = connection.execute(select(func.count()).select_from(_TABLE).where(matches)).scalar_one()
    return Page(tuple(map(member_of, shown)), last, total)


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.status is not None:
        found.append(_TABLE.c.status == wanted.status)
    for column, value in (
        (_TABLE.c.segment, wanted.segment),
        (_TABLE.c.industry, wanted.industry),
        (_TABLE.c.country, wanted.country),
        (_TABLE.c.account_owner, wanted.owner),
    ):
        if value is not None:
            found.append(column == value)
    if wanted.decided is not None:
        decided = or_(_TABLE.c.override_id.is_not(None), _TABLE.c.move_id.is_not(None))
        found.append(decided if wanted.decided else ~decided)
    if wanted.minimum_score is not None:
        found.append(_TABLE.c.score >= wanted.minimum_score)
    if wanted.search is not None:
        text = wanted.search.casefold()
        places = (_TABLE.c.name_key, _TABLE.c.domain, func.lower(_TABLE.c.account_id))
        found.append(or_(*(place.contains(text, autoescape=True) for place in places)))
    return found


@dataclass(frozen=True, slots=True)
class Changed:
    """One account that a version has and an earlier one has not, or elsewhere, or the other way round.

    why: what put it there, or why it left. decision: the one that did; None where no person did. score: of
    the later version, or the last one of an account that left.
    """

    account_id: str
    change: ChangeKind
    name: str | None
    before_segment: str | None
    after_segment: str | None
    score: float | None
    why: str
    decision: int | None


def diff(
    connection: Connection,
    *,
    list_id: int,
    earlier: int,
    later: int,
    change: ChangeKind | None = None,
    after: str | None = None,
    limit: int | None = None,
) -> tuple[Changed, ...]:
    """What changed from one version to a later one, by account. after: where the page before ended."""
    found = union_all(*_changes(list_id, earlier=earlier, later=later)).subquery()
    query = select(found).order_by(found.c.account_id).limit(limit)
    if change is not None:
        query = query.where(found.c.change == change)
    if after is not None:
        query = query.where(found.c.account_id > after)
    return tuple(_changed(row) for row in connection.execute(query).mappings())


def diff_counts(connection: Connection, *, list_id: int, earlier: int, later: int) -> dict[ChangeKind, int]:
    """How many accounts were added, dropped and moved."""
    found = union_all(*_changes(list_id, earlier=earlier, later=later)).subquery()
    query = select(found.c.change, func.count().label("accounts")).group_by(found.c.change)
    counts = {row.change: row.accounts for row in connection.execute(query)}
    return {change: counts.get(change, 0) for change in CHANGES}


def _changed(row: Any) -> Changed:
    told = dict(row)
    for name in ("name", "before_segment", "after_segment"):
        told[name] = told[name] or None
    told["score"] = None if told["score"] == UNSCORED else told["score"]
    return Changed(**told)


def _changes(list_id: int, *, earlier: int, later: int) -> list[Select[Any]]:
    """The three kinds of change, each a SELECT of the columns of `Changed`."""
    was, now, last = (_TABLE.alias(name) for name in ("was", "now", "last"))

    def at(rows: Any, version: int) -> ColumnElement[bool]:
        # A sum, so that SQLite joins by the account: by the version each row would meet all others.
        return and_(rows.c.list_id == list_id, rows.c.since <= version, rows.c.until + 0 > version)

    def target(rows: Any, version: int) -> ColumnElement[bool]:
        return and_(at(rows, version), rows.c.status == "target")

    def of_last(column: ColumnElement[Any]) -> Any:
        """Of the last row that an account had before the later version."""
        own = (last.c.list_id == list_id) & (last.c.account_id == was.c.account_id)
        rows = select(column).where(own, last.c.since <= later).order_by(last.c.since.desc()).limit(1)
        return rows.scalar_subquery()

    same = was.c.account_id == now.c.account_id
    decision = func.coalesce(now.c.override_id, now.c.move_id)
    added = (
        select(
            now.c.account_id,
            literal("added").label("change"),
            now.c.name,
            literal("").label("before_segment"),
            now.c.segment.label("after_segment"),
            now.c.score,
            now.c.why,
            decision.label("decision"),
        )
        .select_from(now.outerjoin(was, and_(same, target(was, earlier))))
        .where(target(now, later), was.c.account_id.is_(None))
    )
    dropped = (
        select(
            was.c.account_id,
            literal("dropped").label("change"),
            was.c.name,
            was.c.segment.label("before_segment"),
            literal("").label("after_segment"),
            was.c.score,
            func.coalesce(now.c.why, of_last(last.c.left_why), "left").label("why"),
            func.coalesce(now.c.override_id, of_last(last.c.left_override_id)).label("decision"),
        )
        .select_from(was.outerjoin(now, and_(same, at(now, later))))
        .where(target(was, earlier), or_(now.c.account_id.is_(None), now.c.status == "dropped"))
    )
    moved = (
        select(
            now.c.account_id,
            literal("moved").label("change"),
            now.c.name,
            was.c.segment.label("before_segment"),
            now.c.segment.label("after_segment"),
            now.c.score,
            now.c.why,
            func.coalesce(now.c.move_id, now.c.override_id).label("decision"),
        )
        .select_from(now.join(was, and_(same, target(was, earlier))))
        .where(target(now, later), was.c.segment != now.c.segment)
    )
    return [added, dropped, moved]
