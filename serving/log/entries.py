"""What the log keeps of an answer.

Turns a scored request into a row of the store. Of people in a request, their identifiers stay (addresses as
the hashes that the tables keep) and what their titles say; the titles go, as do the rows of those who asked
to be forgotten. Time rule: `at` is when the answer was given. Null rule: what was not sent is not kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol

from features.model_keys import ModelKey
from features.privacy.identifiers import person_identifier
from features.titles.filling import fill_contact_rows
from features.titles.roles import TitleSettings
from serving.answers import ScoreAnswer, iso
from serving.log.evidence import Evidence, versions_here
from serving.plain_rows import PlainRows
from serving.requests import ScoreRequest
from serving.scoring import Scored
from serving.store.predictions import Prediction

__all__ = ["Answered", "Entry", "People", "kept_request"]

_OF_PEOPLE = ("contacts", "activities")


class Answered(NamedTuple):
    """An answer, and whether the log keeps it: to be waited for before it is sent (`serving.web.keeping`)."""

    answer: ScoreAnswer
    text: str
    kept: Future[bool]


class People(Protocol):
    """What a workspace knows of people: see `features.privacy.known_people`."""

    def forgets(self, name: str, *, kind: Literal["account", "contact"] = "contact") -> bool:
        """Whether somebody, or an account, was forgotten."""

    def pseudonym(self, name: str) -> str:
        """What is kept of an identifier."""

    def listed(self) -> object:
        """What is another one once somebody else was forgotten."""


@dataclass(frozen=True)
class Entry:
    """An answer on its way into the log. Making its row is left to the thread that writes.

    fingerprints: by model of the release that answered. snapshot: the tables that were read.
    """

    scored: Scored
    at: datetime
    snapshot: str
    fingerprints: Mapping[ModelKey, str]
    people: People = field(repr=False)
    api_key_id: int | None = None

    def row(self) -> Prediction:
        """What the store keeps: of an account that was forgotten meanwhile, not which one it is."""
        account_id = self.scored.answer.account.account_id
        forgotten = account_id is not None and self.people.forgets(account_id, kind="account")
        return self._row().without_account() if forgotten else self._row()

    def _row(self) -> Prediction:
        answer = self.scored.answer
        fit, intent = answer.fit, answer.intent
        return Prediction(
            request_id=answer.request_id,
            at=self.at,
            as_of=answer.as_of,
            account_id=answer.account.account_id,
            api_key_id=self.api_key_id,
            release_id=answer.release.id,
            fit_probability=fit.probability if fit else None,
            fit_grade=fit.grade if fit else None,
            intent_probability=intent.probability if intent else None,
            intent_grade=intent.grade if intent else None,
            machine_score=answer.machine_score,
            working_score=answer.working_score,
            inputs=kept_request(self.scored.request, people=self.people),
            answer=self.scored.text(),
            evidence=self.scored.once("evidence", self._evidence().to_bytes),
        )

    def _evidence(self) -> Evidence:
        newer = self.scored.newer
        return Evidence(
            language=self.scored.language,
            snapshot=self.snapshot,
            fingerprints=self.fingerprints,
            versions=versions_here(),
            rows=self.scored.rows,
            contributions=self.scored.contributions,
            newer=(len(newer), newer[-1].sequence) if newer else (0, 0),
        )


def kept_request(request: ScoreRequest, *, people: People) -> str:
    """The request as it is kept; one that names no people is kept as it was sent."""
    if request.as_sent is not None and not _names_people(request.record):
        return request.as_sent
    return _as_json(_inputs(request, people=people))


def _names_people(record: Any) -> bool:
    rows = record.activities
    return bool(record.contacts) or (rows.names_people if isinstance(rows, PlainRows) else bool(rows))


def _told(row: Any) -> dict[str, Any]:
    """The columns of a row that was sent: a model, or what `serving.plain_rows` leaves as it was."""
    return row if isinstance(row, dict) else vars(row)


def _inputs(request: ScoreRequest, *, people: People) -> dict[str, Any]:
    apart: Any = {"record": set(_OF_PEOPLE)}
    told: dict[str, Any] = _present(
        request.model_dump(exclude_none=True, exclude_defaults=True, exclude=apart)
    )
    if request.record is not None:
        kept = {name: list(_of_people(getattr(request.record, name), people=people)) for name in _OF_PEOPLE}
        # What the titles say in place of the titles.
        filled = fill_contact_rows(kept["contacts"], settings=TitleSettings())
        kept["contacts"] = [{**row, "title": None} for row in filled]
        told["record"] |= {name: [_present(row) for row in rows] for name, rows in kept.items()}
    return told


def _of_people(rows: Iterable[Any], *, people: People) -> Iterator[dict[str, Any]]:
    """Rows with the kept identifier of who each is about, without those of somebody who was forgotten.

    They are flat, and a record has hundreds: to dump the models would take six times as long.
    """
    for row in rows:
        told = _told(row)
        if told.get("contact_id"):
            name = person_identifier(told["contact_id"])
            if people.forgets(name):
                continue
            told = {**told, "contact_id": people.pseudonym(name)}
        yield told


def _as_json(told: Mapping[str, Any]) -> str:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), default=iso)


def _present(told: Mapping[str, Any]) -> dict[str, Any]:
    """Without members that are null: they were not sent."""
    return {
        name: _present(value) if isinstance(value, dict) else value
        for name, value in told.items()
        if value is not None
    }
