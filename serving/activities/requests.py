"""The request of POST /v1/activities, made from the data contract.

Turns a JSON body into strict rows, each right or wrong for itself. Time rule: `occurred_at` carries a zone;
`known_at` is the server's, and refused as a field. Null rule: that of the contract; `quantity` is 1 where
nothing is said.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, create_model

from features.contract import TABLES
from serving.fields import StrictModel, field_of
from serving.problems import InvalidRequestError
from serving.reading import parse_rows

__all__ = ["MOST_ACTIVITIES", "ActivitiesRequest", "SentActivity", "activities_model", "parse_activities"]

MOST_ACTIVITIES = 1_000
"""The most rows of one request."""

_COLUMNS: dict[str, Any] = {
    column.name: field_of(column, optional=False)
    for column in TABLES["activities"].columns
    if column.name != "known_at"
}

SentActivity: type[StrictModel] = create_model(
    "SentActivity",
    __base__=StrictModel,
    __doc__="One activity, or one row for many (quantity). known_at is the server's.",
    **_COLUMNS,
)

Rows = Annotated[list[Any], Field(min_length=1, max_length=MOST_ACTIVITIES)]


class ActivitiesRequest(StrictModel):
    """Activities of accounts, each of which is checked for itself."""

    activities: Rows = Field(description="Rows of the data contract's table of activities.")


def activities_model() -> type[ActivitiesRequest]:
    """The request model for those who read what it may hold; `parse_activities` is more lenient."""
    row: Any = SentActivity
    rows: Any = Annotated[list[row], Field(min_length=1, max_length=MOST_ACTIVITIES)]
    return create_model(
        "ActivitiesRequest",
        __base__=ActivitiesRequest,
        __doc__=f"Up to {MOST_ACTIVITIES:,} activities, each taken or refused for itself.",
        activities=(rows, Field(description=ActivitiesRequest.model_fields["activities"].description)),
    )


def parse_activities(body: bytes) -> list[StrictModel | InvalidRequestError]:
    """The rows in their order; in place of a row, what is wrong with it.

    Raises MalformedJsonError or InvalidRequestError for what is wrong with the whole.
    """
    return parse_rows(body, whole=ActivitiesRequest, rows="activities", model=SentActivity)[1]
