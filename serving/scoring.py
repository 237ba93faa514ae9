"""The one way in which an account is scored: the service and the command line both call it.

Turns a checked request into features by the same SQL as training, then into the whole answer. Time rule: only
facts with `known_at < as_of` count; without `as_of` it is the later of today's midnight in the workspace's
time zone and one second after the account's newest known fact, so that without new facts the answer stays.
Null rule: a half that cannot be given is null, with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import UnknownAccountError
from features.feature import Language
from features.label_rules import rule_against
from features.label_settings import RowSettings
from features.privacy.known_people import newest_opt_out
from features.settings import SALES_PRIORITIES
from features.workspace import Workspace
from models.card import Kind, ModelKey
from models.choice import first_that_speaks
from models.explanation import Explained
from serving.accounts import Account
from serving.answers import (
    AccountName,
    FitScore,
    IntentScore,
    Priority,
    ReleaseName,
    ScoreAnswer,
    iso,
)
from serving.desk import Desk, open_desk
from serving.halves import fire_of, fit_score, intent_score
from serving.phrases import phrase
from serving.population import Deal, intent_obstacle
from serving.problems import FieldError, InvalidRequestError
from serving.records import ALL_ALONG, RECORD_ID, read_record
from serving.releases import LoadedRelease, ServedModel
from serving.requests import ScoreRequest, parse_request
from serving.working import machine_score, working

__all__ = [
    "Scored",
    "default_as_of",
    "default_moments",
    "new_request_id",
    "priority_of",
    "score_account",
    "score_in_full",
    "score_once",
    "utc_now",
]

_STALE = timedelta(days=30)
_SECOND = timedelta(seconds=1)

Row = NDArray[np.float64]


@dataclass(frozen=True)
class _Subject:
    """The account that is scored: its features for each model, its deals, its newest fact and its tables."""

    account: Account
    as_of: datetime
    data_through: datetime | None
    deals: tuple[Deal, ...]
    rows: Mapping[ModelKey, Row]
    connect: Callable[[], duckdb.DuckDBPyConnection]


@dataclass(frozen=True)
class Scored:
    """An answer with all that it was computed from, as the log keeps it.

    rows: by model of the release, features, float64 (k,) in the order of its catalogue. explained: what the
    models that answer say in full.
    """

    answer: ScoreAnswer
    language: Language
    rows: Mapping[ModelKey, Row]
    explained: Mapping[ModelKey, Explained]


def utc_now() -> datetime:
    """The current second, naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def new_request_id() -> str:
    """A name for one answer: 32 hexadecimal digits."""
    return uuid4().hex


def score_once(
    workspace: Workspace,
    *,
    request: Mapping[str, Any],
    now: datetime | None = None,
    language: Language = "en",
) -> ScoreAnswer:
    """The answer of the service to a request, without a service: for the command line.

    request: what would be the JSON body. Raises what the service turns into problem details.
    """
    now = now or utc_now()
    with open_desk(workspace, now=now) as desk:
        body = json.dumps(request, ensure_ascii=False).encode()
        checked = parse_request(body, attributes=desk.snapshot.manifest.attributes)
        return score_account(desk, request=checked, now=now, language=language)


def score_account(
    desk: Desk,
    *,
    request: ScoreRequest,
    now: datetime,
    language: Language = "en",
    request_id: str | None = None,
) -> ScoreAnswer:
    """Fit, intent and the reasons for both, for one account at one moment.

    now: naive UTC, whole seconds; nothing may lie after it. Raises UnknownAccountError,
    AmbiguousDomainError, InvalidRequestError or EngineError.
    """
    return score_in_full(desk, request=request, now=now, language=language, request_id=request_id).answer


def score_in_full(
    desk: Desk,
    *,
    request: ScoreRequest,
    now: datetime,
    language: Language = "en",
    request_id: str | None = None,
) -> Scored:
    """As `score_account`, with what the answer was computed from."""
    if request.as_of is not None:
        _require_past("as_of", request.as_of, now=now)
    subject = _subject(desk, request=request, now=now)
    return _scored(
        desk,
        subject=subject,
        said_before=request.as_of or now + _SECOND,
        language=language,
        request_id=request_id or new_request_id(),
    )


def default_as_of(newest_known_at: datetime | None, *, now: datetime, time_zone: ZoneInfo) -> datetime:
    """The later of today's midnight in the zone and just after the newest known fact; naive UTC.

    >>> default_as_of(None, now=datetime(2026, 7, 1, 1, 30), time_zone=ZoneInfo("Europe/Berlin"))
    datetime.datetime(2026, 6, 30, 22, 0)
    """
    local = now.replace(tzinfo=UTC).astimezone(time_zone)
    midnight = local.replace(hour=0, minute=0, second=0).astimezone(UTC).replace(tzinfo=None)
    return midnight if newest_known_at is None else max(midnight, newest_known_at + _SECOND)


def default_moments(newest_known_at: pd.Series[Any], *, now: datetime, time_zone: ZoneInfo) -> pd.Series[Any]:
    """As `default_as_of`, of many accounts at once."""
    midnight = pd.Timestamp(default_as_of(None, now=now, time_zone=time_zone))
    just_after: pd.Series[Any] = newest_known_at + _SECOND
    return just_after.where(just_after > midnight, midnight)


def _require_past(name: str, moment: datetime, *, now: datetime) -> None:
    if moment > now:
        raise InvalidRequestError(
            [FieldError(name, "is in the future", iso(moment), f"up to {iso(now)}", "send an earlier moment")]
        )


def _subject(desk: Desk, *, request: ScoreRequest, now: datetime) -> _Subject:
    if request.record is not None:
        return _sent_along(desk, request=request, now=now)
    accounts = desk.snapshot.accounts
    if request.account_id is not None:
        account, asked = accounts.by_id(request.account_id), "account_id"
    else:
        account, asked = accounts.by_domain(request.domain or ""), "domain"
    as_of = request.as_of or default_as_of(account.newest_known_at, now=now, time_zone=desk.time_zone)
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
    account_id = account.account_id or ""
    return _Subject(
        account=account,
        as_of=as_of,
        data_through=desk.snapshot.manifest.data_through,
        deals=accounts.deals(account_id),
        rows=desk.rows(account_id, as_of=as_of),
        connect=accounts.cursor,
    )


def _sent_along(desk: Desk, *, request: ScoreRequest, now: datetime) -> _Subject:
    record = read_record(request.record, attributes=desk.snapshot.manifest.attributes, now=now)
    newest = record.account.newest_known_at
    tables = desk.snapshot.people.permitted(record.tables)
    latest = max(newest, newest_opt_out(tables, now=now) or newest)
    as_of = request.as_of or default_as_of(latest, now=now, time_zone=desk.time_zone)
    if record.account.first_known_at >= as_of:
        raise InvalidRequestError(
            [
                FieldError(
                    "as_of",
                    "lies before anything is known of the account",
                    iso(as_of),
                    None,
                    "send a later one",
                )
            ]
        )
    rows = desk.record_rows(tables, RECORD_ID, as_of=as_of)
    dated = newest if newest > ALL_ALONG else None
    return _Subject(record.account, as_of, dated, record.deals, rows, record.tables.connect)


def _scored(
    desk: Desk, *, subject: _Subject, said_before: datetime, language: Language, request_id: str
) -> Scored:
    """said_before: feedback given from then on does not count."""
    rows = subject.rows
    fit_model, ruled_out = _answering(desk, "fit", subject=subject, language=language)
    intent_model, obstacle = _answering(desk, "intent", subject=subject, language=language)
    explained = {
        model.key: model.scorer.explain_row(rows[model.key]) for model in (fit_model, intent_model) if model
    }
    fit = intent = None
    if fit_model is not None:
        fit = fit_score(fit_model.scorer, explained=explained[fit_model.key], language=language)
    if intent_model is not None:
        intent = intent_score(intent_model.scorer, explained=explained[intent_model.key], language=language)
    priority = priority_of(desk.release, fit=fit, intent=intent, language=language)
    held = working(
        machine_score(fit, intent),
        rejection=desk.verdicts.rejection(subject.account.account_id or "", before=said_before),
        priority=priority,
        language=language,
    )
    answer = ScoreAnswer(
        request_id=request_id,
        account=AccountName(
            account_id=subject.account.account_id, name=subject.account.name, domain=subject.account.domain
        ),
        as_of=subject.as_of,
        data_through=subject.data_through,
        fit=fit,
        fit_unavailable_reason=None if fit else (ruled_out or _absent("fit", language)),
        intent=intent,
        intent_unavailable_reason=None if intent else (obstacle or _absent("intent", language)),
        fire=fire_of(desk.release.scorers, rows=rows, fit=fit, intent=intent),
        priority=priority,
        machine_score=held.machine_score,
        adjustment=held.adjustment,
        working_score=held.working_score,
        adjustment_reason=held.reason,
        working_priority=held.priority,
        unseen_categories=_unseen(desk.release.models, rows=rows),
        warnings=_warnings(subject, language=language),
        release=ReleaseName(id=desk.release.release.id, created_at=desk.release.release.created_at),
    )
    return Scored(answer, language, rows, explained)


def _answering(
    desk: Desk, kind: Kind, *, subject: _Subject, language: Language
) -> tuple[ServedModel | None, str | None]:
    """The model of a kind that answers for the account, or None and why none does."""

    def silence(model: ServedModel) -> str | None:
        return _obstacle(model, kind=kind, subject=subject, language=language)

    return first_that_speaks(desk.release.of_kind(kind), silence=silence)


def _absent(kind: str, language: Language) -> str:
    return phrase("no_model", language=language, kind=phrase(kind, language=language))


def _ruled_out(kind: Kind, *, subject: _Subject, settings: RowSettings, language: Language) -> str | None:
    """Why the labels of a model leave this account out, if they do."""
    rule = rule_against(
        subject.account.account_id or RECORD_ID,
        as_of=subject.as_of,
        first_known_at=subject.account.first_known_at,
        settings=settings,
        connect=subject.connect,
    )
    if rule is None:
        return None
    return phrase("ruled_out", language=language, kind=phrase(kind, language=language), rule=rule)


def _obstacle(model: ServedModel, *, kind: Kind, subject: _Subject, language: Language) -> str | None:
    """Why a model does not speak of this account, if it does not."""
    labels = model.labels.intent
    if kind == "fit":
        return _ruled_out("fit", subject=subject, settings=model.labels.fit, language=language)
    deal = intent_obstacle(
        subject.deals, as_of=subject.as_of, product=labels.product, population=labels.population
    )
    if deal is None:
        return _ruled_out("intent", subject=subject, settings=labels, language=language)
    if deal.outcome is None:
        return phrase("open_deal", language=language, date=deal.created_at.date())
    return phrase("owner", language=language, date=(deal.closed_at or deal.known_at).date())


def priority_of(
    release: LoadedRelease, *, fit: FitScore | None, intent: IntentScore | None, language: Language
) -> Priority:
    """What the release's table says of the two grades."""
    grades = {"fit": fit.grade if fit else None, "intent": intent.grade if intent else None}
    action = release.priorities.priority(fit=grades["fit"], intent=grades["intent"])
    given = [kind for kind, grade in grades.items() if grade]
    key = {2: "both_grades", 0: "no_grade"}.get(len(given)) or f"{given[0]}_grade"
    return Priority(
        action=action or phrase("nothing", language=language),
        to_sales=action in SALES_PRIORITIES,
        why=phrase(key, language=language, **grades),
    )


def _unseen(models: Iterable[ServedModel], *, rows: Mapping[ModelKey, Row]) -> list[str]:
    return sorted(
        {name for model in models for name in model.scorer.unseen_categories(rows[model.key][np.newaxis])}
    )


def _warnings(subject: _Subject, *, language: Language) -> list[str]:
    sent_along = subject.account.account_id is None
    if sent_along or subject.data_through is None or subject.as_of - subject.data_through <= _STALE:
        return []
    return [phrase("old_data", language=language, days=(subject.as_of - subject.data_through).days)]
