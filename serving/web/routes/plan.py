"""The plan: how many accounts a list should hold, and what each further one is expected to bring.

Time rule: rates are those of the last `days` that the tables tell of. Null rule: a rate that is left out is
counted.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.responses import Response

from features.errors import EngineError, NotEnoughDataError, WorkspaceError
from models.planning import LEAST_RATE, Goal, Market, plan
from serving.plan_answers import PlanAnswer, plan_answer
from serving.planning import planned_accounts, ranked_some
from serving.problems import FieldError, InvalidRequestError, NotReadyError
from serving.scoring import utc_now
from serving.web.endpoint import Call, Endpoint, Operation, json_answer, parameter
from serving.web.list_queries import SHORT_TEXT, integer, number, text

__all__ = ["ENDPOINTS", "PARAMETERS", "asked_plan"]

_MOST = 1_000_000_000
_LONGEST = 3_660


def _number(
    name: str, description: str, *, required: bool = False, least: float = 0, most: float = _MOST
) -> dict[str, Any]:
    schema = {"type": "number", "minimum": least, "maximum": most}
    return parameter(name, "query", description, schema=schema, required=required)


def _whole(
    name: str, description: str, *, most: int, default: int | None = None, required: bool = False
) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": most}
    given = schema if default is None else schema | {"default": default}
    return parameter(name, "query", description, schema=given, required=required)


async def _plan(call: Call) -> Response:
    return json_answer(await call.compute(asked_plan(call)))


def asked_plan(call: Call) -> Callable[[], PlanAnswer]:
    """What computes the plan that a request asks for, by PARAMETERS. Raises InvalidRequestError."""
    reps, wins = integer(call, "reps", default=None, most=_MOST), _positive(call, "wins_per_rep")
    if reps is None or wins is None:
        name = "reps" if reps is None else "wins_per_rep"
        raise InvalidRequestError([FieldError(name, "is missing", None, None, "say what is to be reached")])
    days = integer(call, "days", default=365, most=_LONGEST) or 365
    goal = Goal(
        reps,
        wins,
        days,
        text(call, "product"),
        _positive(call, "win_rate"),
        _positive(call, "account_to_opportunity"),
    )
    market = _market(call)

    def work() -> PlanAnswer:
        desk, now = call.services.answers.desk(), utc_now()
        scale = ranked_some(desk, now=now)
        found = plan(
            desk.snapshot.tables,
            goal=goal,
            now=now,
            newest=desk.snapshot.manifest.data_through,
            accounts=partial(planned_accounts, desk, scale.ranked, days=days),
        )
        return plan_answer(found, market=market, each=scale.each)

    return work


def _positive(call: Call, name: str) -> float | None:
    found = number(call, name)
    if found is not None and not 0 <= found <= _MOST:
        error = FieldError(name, "is not within its bounds", str(found), f"0 to {_MOST}", "correct it")
        raise InvalidRequestError([error])
    return found


def _market(call: Call) -> Market | None:
    users, units, price = (_positive(call, name) for name in ("users", "units_each", "unit_price"))
    if users is None:
        return None
    return Market(users, 1.0 if units is None else units, price or 0.0)


PARAMETERS = (
    _whole("reps", "Sales representatives who work the list.", most=_MOST, required=True),
    _number("wins_per_rep", "Deals that each is to win within `days`.", required=True),
    _whole("days", "The span of the goal and of the past.", most=_LONGEST, default=365),
    parameter("product", "query", "Count deals of this line alone.", schema=SHORT_TEXT),
    _number("win_rate", "Deals won of those that end; as counted by default.", least=LEAST_RATE, most=1),
    _number(
        "account_to_opportunity",
        "Accounts that open a deal within `days`; as counted by default.",
        least=LEAST_RATE,
        most=1,
    ),
    _number("users", "For the size of the market: its users."),
    _number("units_each", "Units that each user will buy; 1 by default."),
    _number("unit_price", "The price of a unit."),
)
"""What a plan may be asked by."""

ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/plan",
        scope="lists",
        handle=_plan,
        operation=Operation(
            name="getPlan",
            summary="How long a list should be, and what each further account brings",
            description="reps x wins per rep / win rate / account-to-opportunity rate, with intervals from "
            "the data, and the wins that the most promising accounts are expected to bring together.",
            tag="expansions",
            parameters=PARAMETERS,
            answer=PlanAnswer,
            answer_description="The plan, and the curve of expected wins.",
            problems=(NotEnoughDataError, NotReadyError, WorkspaceError, EngineError),
        ),
    ),
)
