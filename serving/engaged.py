"""What an account did with us, by week and channel: for the panel that shows it.

Turns an account's own activities into counts. Time rule: the weeks end with the one in which the newest
activity became known; an activity counts that was known by then, was not withdrawn, and is neither of a
machine nor of somebody who has opted out. Null rule: an account without activities has no weeks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from features.queries import consent_periods, permitted_activities
from serving.accounts import Account
from serving.answers import AccountName, Answer, Moment
from serving.charts import EngagedWeek
from serving.charts.engagement import WEEK, monday
from serving.desk import Desk
from serving.subjects import SECOND

__all__ = ["WEEKS", "EngagedWeekAnswer", "EngagementAnswer", "engaged_weeks", "engagement_answer"]

WEEKS = 26
"""Half a year: as far back as the longest window of a feature reaches."""

_BY_WEEK = f"""
    WITH consent_periods AS ({consent_periods()}), permitted AS ({permitted_activities()})
    SELECT CAST(date_trunc('week', occurred_at) AS DATE) AS week, channel, CAST(sum(quantity) AS BIGINT)
    FROM permitted
    WHERE known_at < $1 AND occurred_at < $1 AND (withdrawn_at IS NULL OR withdrawn_at >= $1)
      AND occurred_at >= $2 AND traffic IS NULL
    GROUP BY week, channel
    ORDER BY week, channel
"""
_NEWEST = "SELECT max(greatest(known_at, occurred_at)) FROM activities"


class EngagedWeekAnswer(Answer):
    """Activities of one channel in one week."""

    week: str = Field(description="The Monday that it begins with, as 2026-01-05.")
    channel: str
    activities: int


class EngagementAnswer(Answer):
    """What an account did in half a year, up to its newest activity."""

    account: AccountName
    as_of: Moment = Field(description="What was known before this moment counts.")
    weeks: list[EngagedWeekAnswer] = Field(description="By week and channel; weeks of nothing are left out.")


def engaged_weeks(desk: Desk, account: Account, *, now: datetime) -> tuple[datetime, list[EngagedWeek]]:
    """The moment up to which activities count, and what was done in the `WEEKS` up to it. now: naive UTC."""
    account_id = account.account_id or ""
    tables = desk.snapshot.own_rows.tables([account_id], newer=desk.newer(account_id))
    with tables.connect(threads=1) as connection:
        ((newest,),) = connection.execute(_NEWEST).fetchall()
        as_of = now if newest is None else min(now, newest + SECOND)
        rows = connection.execute(_BY_WEEK, [as_of, monday(as_of) - (WEEKS - 1) * WEEK]).fetchall()
    return as_of, [EngagedWeek(week, channel, activities) for week, channel, activities in rows]


def engagement_answer(account: Account, weeks: Sequence[EngagedWeek], *, as_of: datetime) -> EngagementAnswer:
    """As the interface tells it."""
    return EngagementAnswer(
        account=AccountName(account_id=account.account_id, name=account.name, domain=account.domain),
        as_of=as_of,
        weeks=[
            EngagedWeekAnswer(week=one.week.isoformat(), channel=one.channel, activities=one.activities)
            for one in weeks
        ],
    )
