"""Lists of the past and what became of their accounts: made in a store and in tables, with moments given."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from features.tables import Tables
from serving.lists.constraints import CUSTOMER
from serving.lists.deciding import approve, decide, move_state
from serving.lists.drawing import Suggestion, draw
from serving.lists.facts import Facts
from serving.lists.outcomes import ListOutcomes, list_outcomes
from serving.lists.proposing import accept, open_proposal
from serving.lists.requests import ListRequest
from serving.store import Store, lists
from serving.store.list_outcomes import read_lists

__all__ = ["approved_at", "at", "new_list", "outcomes", "tables_of"]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def new_list(
    store: Store, name: str = "EMEA", *, size: int = 100, now: str = "2024-02-20", **told: Any
) -> int:
    asked = ListRequest.model_validate(
        {"name": name, "owner": "Ann", "purpose": "try it", "pilot": False, "size": size} | told
    )
    with store.writing() as connection:
        return lists.add(connection, asked.draft(), who="Ann", now=at(now)).id


def approved_at(
    store: Store,
    list_id: int,
    moment: str,
    *,
    suggested: Sequence[str],
    pinned: Collection[str] = (),
    dropped: Collection[str] = (),
    customers: Collection[str] = (),
    same: Mapping[str, str] | None = None,
    kind: Any = "first",
    draft: bool = False,
    **told: Any,
) -> None:
    """Draw the best first, an hour before the moment; let people decide; approve at the moment.

    customers: as the rules see them, who keep these off. draft: nobody approves it after all.
    """
    drawn = at(moment) - timedelta(hours=1)
    words: dict[str, Any] = {"list_id": list_id, "who": "Ann", "now": drawn}
    names = {*suggested, *pinned}
    with store.writing() as connection:
        draw(
            connection,
            suggestions=[Suggestion(name, -float(place)) for place, name in enumerate(suggested)],
            facts={
                name: Facts(name, name, relations=frozenset({CUSTOMER} if name in customers else ()))
                for name in names
            },
            kind=kind,
            why="due",
            same=same,
            **words,
            **told,
        )
        found = lists.find(connection, list_id=list_id)
        if open_proposal(connection, found) is not None:
            accept(connection, seen=found.revision, **words)
        for kinds, some in (("pin", pinned), ("drop", dropped)):
            for name in some:
                decide(
                    connection,
                    account_ids=[name],
                    kind="pin" if kinds == "pin" else "drop",
                    reason="known",
                    facts=Facts(name, name),
                    **words,
                )
        sides = () if draft else (("marketing", "Ann"), ("sales", "Ben"))
        for side, who in sides:
            found = lists.find(connection, list_id=list_id)
            if found.state == "draft":
                found = move_state(connection, action="submit", seen=found.revision, **words)
            approve(
                connection,
                list_id=list_id,
                side="marketing" if side == "marketing" else "sales",
                decision="approved",
                approver=who,
                comment="",
                seen=found.revision,
                now=at(moment),
            )


def tables_of(
    accounts: Sequence[tuple[Any, ...]],
    deals: Sequence[tuple[Any, ...]] = (),
    activities: Sequence[tuple[str, str]] = (),
) -> Tables:
    """accounts: identifier, known since, industry, country, employees. deals: id, account, created, closed,
    outcome, known at and product, where told. activities: account and day, known at once."""
    known = _frame(accounts, ("account_id", "known_at", "industry", "country", "employees"), ("known_at",))
    names = ("opportunity_id", "account_id", "created_at", "closed_at", "outcome", "known_at", "product")
    rows = [(*deal, *(None,) * (len(names) - len(deal))) for deal in deals]
    told = _frame(rows, names, ("created_at", "closed_at", "known_at"))
    acts = [
        (f"x-{n}", account, "web_visit", "inbound", day, day, 1)
        for n, (account, day) in enumerate(activities)
    ]
    columns = ("activity_id", "account_id", "channel", "direction", "occurred_at", "known_at", "quantity")
    done = _frame(acts, columns, ("occurred_at", "known_at"))
    return Tables.from_frames({"accounts": known, "opportunities": told, "activities": done})


def _frame(rows: Sequence[Any], columns: Sequence[str], times: Sequence[str]) -> pd.DataFrame:
    told = pd.DataFrame(list(rows), columns=list(columns))
    for name in times:
        told[name] = pd.to_datetime(told[name], format="ISO8601")
    return told


def outcomes(
    tables: Tables,
    store: Store,
    *,
    list_id: int | None,
    days: int = 100,
    until: str = "2024-12-01",
    now: str | None = None,
) -> ListOutcomes:
    with store.reading() as connection:
        told = read_lists(connection)
    return list_outcomes(
        tables, told, list_id=list_id, days=days, now=at(now or until), until=at(until), threads=1
    )
