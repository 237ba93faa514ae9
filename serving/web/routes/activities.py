"""Activities that are sent as they happen.

Time rule: `known_at` is the second in which the store takes a row. Null rule: none of its own.
"""

from __future__ import annotations

from collections import Counter
from functools import partial

from sqlalchemy import Connection
from starlette.responses import Response

from features.errors import BundleError, EngineError, WorkspaceError
from serving import metrics
from serving.activities.requests import MOST_ACTIVITIES, activities_model, parse_activities
from serving.activities.taking import ActivitiesAnswer, Taken, activities_answer, check_rows, take
from serving.problems import NotReadyError
from serving.scoring import utc_now
from serving.store import activities
from serving.store.idempotency import Answered
from serving.store.turns import wait_for_erasing
from serving.web.bodies import json_body
from serving.web.endpoint import Call, Endpoint, Operation
from serving.web.keeping import api_key_id
from serving.web.repeats import answer_once

__all__ = ["ENDPOINTS"]


async def _send(call: Call) -> Response:
    body, desk = await json_body(call.request), call.services.answers.desk()
    rows = parse_activities(body)
    people = desk.snapshot.people
    listed = people.listed()
    checked = await call.compute(partial(check_rows, desk, rows, now=utc_now()))
    taken, counts = list[activities.Activity](), Counter[str]()

    def write(connection: Connection) -> Answered:
        activities.lock(connection)
        wait_for_erasing(connection)
        # Somebody may have been forgotten since; whoever looks for their rows has looked already.
        good = checked if people.listed() == listed else check_rows(desk, rows, now=utc_now())
        outcomes = take(connection, good, now=utc_now(), api_key_id=api_key_id(call))
        answer = activities_answer(outcomes, request_id=call.request_id)
        taken.extend(one.row for one in outcomes if isinstance(one, Taken))
        counts.update(result.status for result in answer.results)
        return Answered(200, answer.model_dump_json())

    response = await answer_once(call, body=body, write=write)
    # After the transaction: what is told here is in the store.
    desk.waiting.note(taken)
    metrics.count_activities(counts)
    return response


ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/activities",
        scope="activities",
        handle=_send,
        operation=Operation(
            name="sendActivities",
            summary="Send activities as they happen",
            description=f"Up to {MOST_ACTIVITIES:,} activities. Each is taken or refused for itself, and "
            "acknowledged once it is stored. An activity_id counts once: sent again with the same content it "
            "is repeated, with other content it is refused. An account that the tables do not know is set "
            "aside, as by ingest, until they do. Answers about an account count its activities from the "
            "second after known_at on; the next ingest moves them into the tables.",
            tag="activities",
            body=lambda _: activities_model(),
            body_description="The activities.",
            example={
                "activities": [
                    {
                        "activity_id": "visit-93f1",
                        "account_id": "acc-000042",
                        "channel": "web_visit",
                        "direction": "inbound",
                        "occurred_at": "2026-01-31T09:30:00Z",
                    }
                ]
            },
            answer=ActivitiesAnswer,
            answer_description="What became of each row.",
            repeatable=True,
            problems=(NotReadyError, WorkspaceError, BundleError, EngineError),
        ),
    ),
)
