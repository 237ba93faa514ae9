"""What became of the accounts on a list: the proof that comes later.

Time rule: what became of accounts is told as far as the tables reach, and not beyond now. Null rule: none of
its own.
"""

from __future__ import annotations

from starlette.responses import Response

from features.errors import EngineError, WorkspaceError
from serving.lists.outcome_answers import ListOutcomesAnswer, outcomes_answer
from serving.lists.outcomes import LONGEST, USUAL_DAYS
from serving.lists.outcomes_kept import known_outcomes
from serving.problems import NotReadyError
from serving.scoring import utc_now
from serving.store.lists import ListStateError, UnknownListError
from serving.subjects import SECOND
from serving.web.endpoint import Call, Endpoint, Operation, json_answer, parameter
from serving.web.list_queries import LIST_ID, integer, path_number

__all__ = ["ENDPOINTS"]


async def _outcomes(call: Call) -> Response:
    list_id = path_number(call)
    days = integer(call, "days", default=USUAL_DAYS, most=LONGEST) or USUAL_DAYS

    def work() -> ListOutcomesAnswer:
        # What was approved within this second counts as well.
        snapshot, store = call.services.answers.desk().snapshot, call.services.door.open()
        found = known_outcomes(snapshot, store, list_id=list_id, days=days, now=utc_now() + SECOND)
        return outcomes_answer(found, list_id=list_id)

    return json_answer(await call.compute(work))


ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/lists/{id}/outcomes",
        scope="lists",
        handle=_outcomes,
        operation=Operation(
            name="getListOutcomes",
            summary="What became of the accounts on a list, beside comparable accounts on none",
            description="Of suggestions that people accepted, accounts that they added, suggestions that "
            "they rejected, and comparable accounts of no list: how many opened a deal within `days` of "
            "their moment, and how many won it. The accepted are compared with accounts alike in moment, "
            "industry, country, size, activity and past deals. The difference tells of the list as a whole, "
            "who was chosen and that sales then worked them, not of the choice alone. Archived lists answer "
            "as well: what they brought is no less true.",
            tag="lists",
            parameters=(
                LIST_ID,
                parameter(
                    "days",
                    "query",
                    "How many days after its moment an account is followed.",
                    schema={"type": "integer", "minimum": 1, "maximum": LONGEST, "default": USUAL_DAYS},
                ),
            ),
            answer=ListOutcomesAnswer,
            answer_description="The groups with their outcomes, and the comparisons with 95 % intervals.",
            problems=(UnknownListError, ListStateError, NotReadyError, WorkspaceError, EngineError),
        ),
    ),
)
