"""The answers to the rows of a part: looked up, computed and told together.

Turns requests into a table of results with the numbers, sentences and problems that each row would get alone
from POST /v1/score: the same models speak of the same subjects with the same features. In two steps, so that
one part can be looked up while the one before is being told. Time rule: `now` is one moment for all rows of a
job. Null rule: see `serving.jobs.results`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, cast, get_args

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.errors import SpearfishError
from features.feature import Language
from models.card import Kind, ModelKey
from models.grades import Grade
from serving.answers import Priority, iso
from serving.desk import Desk
from serving.jobs.asking import Asked
from serving.jobs.results import result_table, with_columns
from serving.jobs.telling import HALF_COLUMNS, Teller
from serving.problems import DuplicateAccountError, problem_kind
from serving.releases import ServedModel
from serving.requests import ScoreRequest
from serving.rows import rows_of
from serving.scoring import absent, priority_of_grades, warnings_of
from serving.speaking import Speaker, speakers_of
from serving.subjects import SECOND, Subject, find_subjects
from serving.working import Working, mean_score, working

__all__ = ["Answerer", "Looked", "Seen"]

Matrix = NDArray[np.float64]
Places = NDArray[np.intp]

Seen = dict[tuple[str, datetime], int]
"""By account and moment, the row of the file that named it first."""

_KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Looked:
    """Rows that were looked up: what each is about or what is wrong with it, and what the models read.

    places: of the subjects among the rows. speakers: by kind, who speaks of each subject.
    matrices: by model, the places of its subjects among the subjects, and their features.
    """

    first_row: int
    asked: Sequence[Asked]
    found: Sequence[Subject | SpearfishError]
    places: Places
    subjects: Sequence[Subject]
    speakers: Mapping[Kind, Sequence[Speaker]]
    matrices: Mapping[ModelKey, tuple[Places, Matrix]]


class Answerer:
    """Answers the rows of one job. now: naive UTC, whole seconds. seen: what its earlier rows were about."""

    def __init__(self, desk: Desk, *, now: datetime, language: Language, seen: Seen | None = None) -> None:
        self._desk, self._now, self._language = desk, now, language
        self._seen: Seen = {} if seen is None else seen
        self._models: dict[ModelKey, ServedModel] = {model.key: model for model in desk.release.models}
        self._tellers = {key: Teller(model.scorer) for key, model in self._models.items()}
        self._priority = cache(self._priority_of)

    def look(self, asked: Sequence[Asked], *, first_row: int) -> Looked:
        """Look rows up and compute their features. Parts come in their order. Raises EngineError."""
        requests = [row for row in asked if isinstance(row, ScoreRequest)]
        subjects = iter(find_subjects(self._desk, requests=requests, now=self._now, language=self._language))
        found = [next(subjects) if isinstance(row, ScoreRequest) else row for row in asked]
        once = [
            self._once(one, asked=row, number=number)
            for number, (one, row) in enumerate(zip(found, asked, strict=True), start=first_row)
        ]
        places = [place for place, one in enumerate(once) if isinstance(one, Subject)]
        own = [one for one in once if isinstance(one, Subject)]
        speakers = {kind: self._speakers(own, kind=kind) for kind in _KINDS}
        matrices = self._matrices(own, speakers)
        return Looked(first_row, asked, once, np.array(places, dtype=np.intp), own, speakers, matrices)

    def _once(
        self, found: Subject | SpearfishError, *, asked: Asked, number: int
    ) -> Subject | SpearfishError:
        """An account that is named again at the same moment is refused, as in a batch."""
        if not isinstance(found, Subject) or not isinstance(asked, ScoreRequest):
            return found
        if not (asked.account_id or asked.domain):
            return found
        earlier = self._seen.setdefault((found.account.account_id or "", found.as_of), number)
        if earlier == number:
            return found
        return DuplicateAccountError(
            f"names the same account as row {earlier}",
            allowed="each account once for each as_of",
            fix=f"remove it; its answer is that of row {earlier}",
        )

    def _speakers(self, subjects: Sequence[Subject], *, kind: Kind) -> list[Speaker]:
        models = self._desk.release.of_kind(kind)
        return speakers_of(subjects, kind=kind, models=models, language=self._language)

    def _matrices(
        self, subjects: Sequence[Subject], speakers: Mapping[Kind, Sequence[Speaker]]
    ) -> dict[ModelKey, tuple[Places, Matrix]]:
        asked = [
            (subject, [one.model.key for one in speaking if one.model is not None])
            for subject, *speaking in zip(subjects, *speakers.values(), strict=True)
        ]
        spoken_of = [place for place, (_, models) in enumerate(asked) if models]
        rows = rows_of(self._desk, [asked[place] for place in spoken_of]) if spoken_of else []
        found: dict[ModelKey, tuple[Places, Matrix]] = {}
        for key in self._models:
            own = [(place, row[key]) for place, row in zip(spoken_of, rows, strict=True) if key in row]
            if own:
                places, features = zip(*own, strict=True)
                found[key] = np.array(places, dtype=np.intp), np.stack(features)
        return found

    def tell(self, looked: Looked) -> pa.Table:
        """The result of each row, `RESULT_SCHEMA`."""
        halves = {kind: self._half(looked, kind=kind) for kind in _KINDS}
        own = dict(self._about(looked)) | self._held(looked, halves)
        for kind, half in halves.items():
            own |= {f"{kind}_{name}": half.column(name) for name in half.column_names}
            own[f"{kind}_unavailable_reason"] = [
                self._silence(one, kind=kind) for one in looked.speakers[kind]
            ]
        answered = result_table(own, rows=len(looked.subjects))
        places = np.full(len(looked.found), -1, dtype=np.int64)
        places[looked.places] = np.arange(len(looked.places))
        return with_columns(answered.take(pa.array(places, mask=places < 0)), dict(_of_rows(looked)))

    def _half(self, looked: Looked, *, kind: Kind) -> pa.Table:
        """What the models of a kind say of each subject; nulls where none speaks."""
        told, order = [HALF_COLUMNS.empty_table()], np.full(len(looked.subjects), -1, dtype=np.int64)
        rows = 0
        for model in self._desk.release.of_kind(kind):
            if model.key in looked.matrices:
                places, features = looked.matrices[model.key]
                told.append(self._tellers[model.key].told(features, language=self._language))
                order[places] = np.arange(rows, rows + len(places))
                rows += len(places)
        return pa.concat_tables(told).combine_chunks().take(pa.array(order, mask=order < 0))

    def _silence(self, speaker: Speaker, *, kind: Kind) -> str | None:
        return None if speaker.model else speaker.silence or absent(kind, self._language)

    def _about(self, looked: Looked) -> Iterator[tuple[str, list[Any]]]:
        """Whom the answers are about."""
        subjects, release = looked.subjects, self._desk.release.release
        for name in ("account_id", "name", "domain"):
            yield name, [getattr(one.account, name) for one in subjects]
        moment = cache(iso)
        yield "as_of", [moment(one.as_of) for one in subjects]
        yield "data_through", [one.data_through and moment(one.data_through) for one in subjects]
        yield "release_id", [release.id] * len(subjects)
        yield "lead_matched", [one.lead and one.lead.account_matched for one in subjects]
        yield "lead_sentence", [one.lead and one.lead.sentence for one in subjects]
        warnings = [warnings_of(one, language=self._language) for one in subjects]
        yield "warnings", ["; ".join(told) or None for told in warnings]

    def _held(self, looked: Looked, halves: Mapping[Kind, pa.Table]) -> dict[str, list[Any]]:
        """Priorities and scores, before and after what sales said."""
        fits, intents = (halves[kind].column("score").to_pylist() for kind in ("fit", "intent"))
        grades = zip(*(halves[kind].column("grade").to_pylist() for kind in ("fit", "intent")), strict=True)
        priorities = [self._priority(*pair) for pair in grades]
        held = [
            self._working(subject, scores=scores, priority=priority)
            for subject, priority, *scores in zip(looked.subjects, priorities, fits, intents, strict=True)
        ]
        return {
            "priority": [one.action for one in priorities],
            "to_sales": [one.to_sales for one in priorities],
            "machine_score": [one.machine_score for one in held],
            "adjustment": [one.adjustment for one in held],
            "working_score": [one.working_score for one in held],
            "adjustment_reason": [one.reason for one in held],
            "working_priority": [one.priority.action for one in held],
        }

    def _working(self, subject: Subject, *, scores: Sequence[float | None], priority: Priority) -> Working:
        there = [score for score in scores if score is not None]
        rejection = self._desk.verdicts.rejection(
            subject.account.account_id or "", before=subject.request.as_of or self._now + SECOND
        )
        return working(mean_score(there), rejection=rejection, priority=priority, language=self._language)

    def _priority_of(self, fit: str | None, intent: str | None) -> Priority:
        grades = {"fit": cast("Grade | None", fit), "intent": cast("Grade | None", intent)}
        return priority_of_grades(self._desk.release, grades=grades, language=self._language)


def _of_rows(looked: Looked) -> Iterator[tuple[str, list[Any]]]:
    """What is said of every row, whether it is answered or not."""
    rows = len(looked.found)
    yield "row", list(range(looked.first_row, looked.first_row + rows))
    for name in ("account_id", "domain"):
        asked = [getattr(row, name) if isinstance(row, ScoreRequest) else None for row in looked.asked]
        yield f"asked_{name}", asked
    errors = [one if isinstance(one, SpearfishError) else None for one in looked.found]
    kinds = [None if error is None else problem_kind(error) for error in errors]
    yield "error", [kind and kind.slug for kind in kinds]
    yield "error_status", [kind and kind.status for kind in kinds]
    yield "error_detail", [error and error.sentence() for error in errors]
