"""Charts as SVG: a probability as the sum that it is, what an account did with us, and what a list brings.

Time rule: `now` is read once per request. Null rule: none of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field
from starlette.responses import Response

from features.errors import (
    BundleError,
    EngineError,
    NotEnoughDataError,
    UnknownAccountError,
    WorkspaceError,
)
from features.feature import Language
from serving.charts import MEDIA_TYPE, Expected, Step, draw, engagement, waterfall, wins
from serving.charts.drawing import NARROWEST, WIDEST
from serving.charts.engagement import WEEK, monday
from serving.engaged import WEEKS, EngagementAnswer, engaged_weeks, engagement_answer
from serving.fields import StrictModel
from serving.phrases import listed, phrase
from serving.plan_answers import PlanAnswer
from serving.problems import FieldError, InvalidRequestError, NotReadyError
from serving.reading import parse_body
from serving.scoring import utc_now
from serving.web.bodies import json_body
from serving.web.endpoint import LANGUAGE, Call, Endpoint, Operation, json_answer, parameter
from serving.web.list_queries import integer
from serving.web.routes.plan import PARAMETERS, asked_plan

__all__ = ["ENDPOINTS"]

_MOST_STEPS = 40
_LONGEST = 1_000_000_000
_LARGEST = 1_000.0
_USUAL = 640
"""Pixels that a chart is wide where nothing is said."""

_JSON = "application/json"

_Label = Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Share = Annotated[float, Field(ge=-_LARGEST, le=_LARGEST)]


class SumStep(StrictModel):
    """One part of a sum."""

    label: _Label = Field(description="The reason, in one sentence.")
    share: _Share = Field(description="What it adds.")


class SumToDraw(StrictModel):
    """A sum as answers hold it: baseline, contributions and other."""

    title: _Label = Field(description="What the sum ends in.")
    axis: _Label = Field(description="What the axis tells.")
    baseline: SumStep = Field(description="Where the sum begins.")
    steps: list[SumStep] = Field(max_length=_MOST_STEPS, description="In the order in which they are added.")
    probabilities: bool = Field(
        default=True, description="Whether the sum is one of log-odds: its axis is marked in probabilities."
    )
    width: int = Field(default=_USUAL, ge=NARROWEST, le=WIDEST, description="Of the picture, in pixels.")


async def _waterfall(call: Call) -> Response:
    asked = parse_body(await json_body(call.request), model=SumToDraw)
    told = waterfall(
        [Step(one.label, one.share) for one in asked.steps],
        baseline=Step(asked.baseline.label, asked.baseline.share),
        total=asked.title,
        axis=asked.axis,
        width=asked.width,
        probabilities=asked.probabilities,
    )
    parts = "; ".join(row["words"] for row in told["data"]["values"])
    return await _drawn(call, told, width=asked.width, title=asked.title, words=parts)


async def _engagement(call: Call) -> Response:
    query, language = call.request.query_params, call.language
    account_id, width = _account_id(query.get("account_id")), _width(query.get("width"))
    desk, now = call.services.answers.desk(), utc_now()

    def work() -> tuple[EngagementAnswer, Mapping[str, Any]]:
        account = desk.snapshot.accounts.by_id(account_id)
        as_of, weeks = engaged_weeks(desk, account, now=now)
        last = monday(as_of)
        count = phrase("activities", language=language)
        told = engagement(weeks, first=last - (WEEKS - 1) * WEEK, last=last, count=count)
        return engagement_answer(account, weeks, as_of=as_of), told

    answer, chart = await call.compute(work)
    if MEDIA_TYPE not in call.request.headers.get("accept", ""):
        return json_answer(answer)
    return await _drawn(
        call, chart, width=width, title=_told(answer, language), words=_by_channel(answer, language)
    )


async def _wins(call: Call) -> Response:
    width = _width(call.request.query_params.get("width"))
    chosen = integer(call, "chosen", default=None, most=_LONGEST)
    answer = await call.compute(asked_plan(call))
    if not answer.curve:
        raise NotEnoughDataError(
            "there is no curve of expected wins to draw",
            got="no release that scores the accounts",
            fix="train and promote a release first",
        )
    last = answer.curve[-1].accounts
    # The curve begins with nothing, and a length beyond it is not on it.
    points = [Expected(0, 0.0, 0.0, 0.0)] + [
        Expected(one.accounts, one.wins, one.low, one.high) for one in answer.curve
    ]
    told = wins(
        points,
        chosen=chosen if chosen is not None and chosen <= last else None,
        accounts=phrase("accounts_of_list", language=call.language),
        expected=phrase("expected_wins", language=call.language),
    )
    title = phrase("curve_title", language=call.language)
    words = _curve_told(answer, chosen=chosen, language=call.language)
    return await _drawn(call, told, width=width, title=title, words=words)


def _curve_told(answer: PlanAnswer, *, chosen: int | None, language: Language) -> str:
    """What the chosen length brings, or all accounts: the point of the curve that is nearest to it."""
    wanted = answer.curve[-1].accounts if chosen is None else chosen
    point = min(answer.curve, key=lambda one: abs(one.accounts - wanted))
    return phrase("curve_of_wins", language=language, accounts=point.accounts, wins=point.wins)


def _told(answer: EngagementAnswer, language: Language) -> str:
    account = answer.account
    name = account.name or account.domain or account.account_id or ""
    total = sum(one.activities for one in answer.weeks)
    return phrase("engagement", language=language, name=name, count=total, weeks=WEEKS)


def _by_channel(answer: EngagementAnswer, language: Language) -> str:
    """How often in which channel, the most first."""
    counts: Counter[str] = Counter()
    for one in answer.weeks:
        counts[one.channel] += one.activities
    if not counts:
        return phrase("no_activities", language=language)
    told = [
        phrase("in_channel", language=language, channel=name, count=count)
        for name, count in counts.most_common()
    ]
    return listed(told, language=language)


async def _drawn(call: Call, chart: Mapping[str, Any], *, width: int, title: str, words: str) -> Response:
    text = await call.compute(lambda: draw(chart, width=width, title=title, words=words))
    return Response(text, media_type=MEDIA_TYPE)


def _account_id(text: str | None) -> str:
    if not text:
        error = FieldError("account_id", "is missing", "nothing", "an identifier", "name an account")
        raise InvalidRequestError([error])
    return text


def _width(text: str | None) -> int:
    if text is None:
        return _USUAL
    if not (text.isascii() and text.isdigit() and len(text) < 5 and NARROWEST <= int(text) <= WIDEST):
        allowed = f"{NARROWEST} to {WIDEST}"
        raise InvalidRequestError([FieldError("width", "is no width", text[:80], allowed, "correct it")])
    return int(text)


_WIDTH = parameter(
    "width",
    "query",
    "Of the picture, in pixels.",
    schema={"type": "integer", "minimum": NARROWEST, "maximum": WIDEST, "default": _USUAL},
)

ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/charts/waterfall",
        scope="score",
        handle=_waterfall,
        operation=Operation(
            name="drawWaterfall",
            summary="Draw a sum of reasons",
            description="A waterfall from the baseline over each contribution to the end, of the figures "
            "that an answer holds. Nothing is looked up or kept.",
            tag="charts",
            body=lambda _: SumToDraw,
            body_description="The sum.",
            example={
                "title": "Intent: 8.9 %",
                "axis": "probability",
                "baseline": {"label": "Before anything is known", "share": -3.2},
                "steps": [{"label": "12 visits of the pricing page", "share": 0.9}],
            },
            answer=SumToDraw,
            answer_description="The picture.",
            answer_files=(MEDIA_TYPE,),
        ),
    ),
    Endpoint(
        "GET",
        "/v1/charts/engagement",
        scope="score",
        handle=_engagement,
        operation=Operation(
            name="drawEngagement",
            summary="What an account did, week by week",
            description="Activities of a known account by week and channel, over the half year up to its "
            "newest one: figures, or with Accept: image/svg+xml a picture of them.",
            tag="charts",
            parameters=(
                LANGUAGE,
                parameter(
                    "account_id",
                    "query",
                    "Identifier of a known account.",
                    schema={"type": "string", "minLength": 1},
                    required=True,
                ),
                _WIDTH,
            ),
            answer=EngagementAnswer,
            answer_description="The figures, or the picture.",
            answer_files=(_JSON, MEDIA_TYPE),
            problems=(UnknownAccountError, NotReadyError, WorkspaceError, BundleError, EngineError),
        ),
    ),
    Endpoint(
        "GET",
        "/v1/charts/wins",
        scope="lists",
        handle=_wins,
        operation=Operation(
            name="drawWins",
            summary="Draw what each length of a list is expected to bring",
            description="The curve of GET /v1/plan with its bounds, asked for in the same words.",
            tag="charts",
            parameters=(
                LANGUAGE,
                *PARAMETERS,
                parameter(
                    "chosen",
                    "query",
                    "A length of the list to be marked.",
                    schema={"type": "integer", "minimum": 1, "maximum": _LONGEST},
                ),
                _WIDTH,
            ),
            answer=PlanAnswer,
            answer_description="The picture.",
            answer_files=(MEDIA_TYPE,),
            problems=(NotEnoughDataError, NotReadyError, WorkspaceError, BundleError, EngineError),
        ),
    ),
)
