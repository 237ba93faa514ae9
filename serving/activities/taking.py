"""POST /v1/activities: rows taken once each, acknowledged when the store has them.

Turns checked rows into rows of the store and into an answer for each. Time rule: `known_at` is the server's
second in which the store takes a row; an activity counts for every `as_of` after that second. Null rule: a
row of an account that the tables do not know is kept, and counts once an ingest has brought the account.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args

from pydantic import Field
from sqlalchemy import Connection

from features.errors import SpearfishError, UnknownAccountError
from features.privacy.identifiers import person_identifier
from serving.answers import Answer, Moment, ProblemDetails, iso
from serving.desk import Desk
from serving.fields import StrictModel
from serving.problems import FieldError, InvalidRequestError, problem
from serving.store import activities
from serving.store.activities import Activity

__all__ = ["ActivitiesAnswer", "ActivityRow", "Checked", "Taken", "activities_answer", "check_rows", "take"]

Status = Literal["accepted", "repeated", "set_aside", "refused"]


class ActivityRow(Answer):
    """What became of one row."""

    position: int = Field(ge=0, description="Place of the row in the request, from 0.")
    status: Status = Field(
        description="accepted: it counts from the next second on. repeated: it was there already, with the "
        "same content. set_aside: it is kept, and counts once an ingest has brought its account. refused: "
        "see problem; nothing of it is kept."
    )
    activity_id: str | None = Field(
        description="As it is kept: a hash in place of one with an e-mail address in it; null for one that "
        "is refused."
    )
    known_at: Moment | None = Field(description="When the service took it; null for one that is refused.")
    problem: ProblemDetails | None = Field(description="Why it is refused; null for one that is not.")


class ActivitiesAnswer(Answer):
    """What became of each row, in the order of the request."""

    request_id: str = Field(description="Names this request in logs.")
    accepted: int = Field(ge=0)
    repeated: int = Field(ge=0)
    set_aside: int = Field(ge=0)
    refused: int = Field(ge=0)
    results: list[ActivityRow]


@dataclass(frozen=True)
class Checked:
    """A row that may be stored. known: whether its account is."""

    row: Activity
    known: bool


@dataclass(frozen=True)
class Taken:
    """A row that the store has."""

    row: Activity
    status: Status


Outcome = Taken | SpearfishError


def check_rows(
    desk: Desk, rows: Sequence[StrictModel | InvalidRequestError], *, now: datetime
) -> list[Checked | SpearfishError]:
    """Each row as it would be stored, or what is wrong with it."""
    told = [None if isinstance(row, InvalidRequestError) else row.model_dump() for row in rows]
    spellings = _spellings(desk, {row["account_id"] for row in told if row})
    return [
        _discreet(one)
        if isinstance(one, InvalidRequestError)
        else _checked(desk, row or {}, spellings, place, now=now)
        for place, (one, row) in enumerate(zip(rows, told, strict=True))
    ]


def _checked(
    desk: Desk, told: dict[str, Any], spellings: Mapping[str, str], place: int, *, now: datetime
) -> Checked | SpearfishError:
    people, account_id = desk.snapshot.people, told["account_id"]
    contact_id = person_identifier(told["contact_id"]) if told["contact_id"] else None
    if contact_id and people.forgets(contact_id):
        return _forgotten(place, "contact_id")
    if people.forgets(account_id, kind="account"):
        return _forgotten(place, "account_id")
    kept = {
        "activity_id": people.key(told["activity_id"]),
        "account_id": spellings.get(account_id, account_id),
        "contact_id": people.pseudonym(contact_id) if contact_id else None,
    }
    return Checked(Activity(**told | kept, known_at=now), account_id in spellings)


def _discreet(refused: InvalidRequestError) -> InvalidRequestError:
    """Without addresses: an answer is kept where its request may come again."""
    told = [replace(one, got=None) if "@" in (one.got or "") else one for one in refused.errors]
    return InvalidRequestError(told)


def _spellings(desk: Desk, account_ids: Collection[str]) -> dict[str, str]:
    """How the tables spell these accounts; those that they do not know are left out."""
    accounts = desk.snapshot.accounts
    found = {one.account_id or "" for one in accounts.among(account_ids=list(account_ids), domains=[])}
    spelled = dict(zip(found, found, strict=True))
    for name in set(account_ids) - found:
        with suppress(UnknownAccountError):
            identity = accounts.by_id(name).account_id or ""
            stands_for_it = name in desk.snapshot.own_rows.members(identity)
            spelled[name] = name if stands_for_it else identity
    return spelled


def take(
    connection: Connection,
    rows: Sequence[Checked | SpearfishError],
    *,
    now: datetime,
    api_key_id: int | None = None,
) -> list[Outcome]:
    """Store what is new; what became of each row. now: this second, read after `activities.lock`."""
    asked = [one.row.activity_id for one in rows if isinstance(one, Checked)]
    stored, fresh = activities.known(connection, activity_ids=set(asked)), dict[str, Activity]()
    outcomes = [
        _outcome(one, place, stored=stored, fresh=fresh, now=now) if isinstance(one, Checked) else one
        for place, one in enumerate(rows)
    ]
    placed = {
        row.activity_id: row for row in activities.add(connection, [*fresh.values()], api_key_id=api_key_id)
    }
    return [
        replace(one, row=placed.get(one.row.activity_id, one.row)) if isinstance(one, Taken) else one
        for one in outcomes
    ]


def _outcome(
    one: Checked, place: int, *, stored: Mapping[str, Activity], fresh: dict[str, Activity], now: datetime
) -> Outcome:
    row = replace(one.row, known_at=now)
    if row.occurred_at > now:
        error = FieldError("", "is in the future", iso(row.occurred_at), f"up to {iso(now)}", "correct it")
        return _refused(place, "occurred_at", error)
    before = stored.get(row.activity_id) or fresh.get(row.activity_id)
    if before is None:
        fresh[row.activity_id] = row
        return Taken(row, "accepted" if one.known else "set_aside")
    if before.content == row.content:
        return Taken(before, "repeated")
    what = "came before with other content, which stays as it is"
    return _refused(
        place, "activity_id", FieldError("", what, row.activity_id, None, "send a new activity_id")
    )


def _forgotten(place: int, column: str) -> InvalidRequestError:
    what, fix = "is of somebody who asked to be forgotten", "send nothing about them"
    return _refused(place, column, FieldError("", what, fix=fix))


def _refused(place: int, column: str, error: FieldError) -> InvalidRequestError:
    return InvalidRequestError([replace(error, field=f"activities[{place}].{column}")])


def activities_answer(outcomes: Sequence[Outcome], *, request_id: str) -> ActivitiesAnswer:
    """The whole answer."""
    results = [_result(place, one, request_id=request_id) for place, one in enumerate(outcomes)]
    counts = Counter(result.status for result in results)
    return ActivitiesAnswer(
        request_id=request_id, results=results, **{status: counts[status] for status in get_args(Status)}
    )


def _result(place: int, one: Outcome, *, request_id: str) -> ActivityRow:
    if isinstance(one, Taken):
        return ActivityRow(
            position=place,
            status=one.status,
            activity_id=one.row.activity_id,
            known_at=one.row.known_at,
            problem=None,
        )
    details = ProblemDetails.model_validate(problem(one, request_id=request_id))
    return ActivityRow(position=place, status="refused", activity_id=None, known_at=None, problem=details)
