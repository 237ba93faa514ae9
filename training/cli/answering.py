"""Answers and rankings of a workspace without a server, computed by the service's own code.

Turns an account or a whole workspace into scores. Time rule: `now` decides which release answers; without
`as_of` the service's default holds. Null rule: what is not given is left out of the request.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from features.workspace import Workspace
    from models.planning import Goal, Plan
    from training.changes import ChangeReport

__all__ = ["answer_one", "change_of", "plan_of", "rank_all"]


def answer_one(
    workspace: Workspace,
    *,
    account: str | None = None,
    domain: str | None = None,
    as_of: datetime | None = None,
    language: str = "en",
    now: datetime | None = None,
) -> dict[str, Any]:
    """The service's answer, as the JSON document that it would send; `now` decides which release answers."""
    from serving.scoring import score_once

    given = {
        "account_id": account,
        "domain": domain,
        "as_of": None if as_of is None else f"{as_of.isoformat()}Z",
    }
    request = {name: value for name, value in given.items() if value is not None}
    answer = score_once(workspace, request=request, language="zh" if language == "zh" else "en", now=now)
    return answer.model_dump(mode="json")


def rank_all(
    workspace: Workspace, *, as_of: datetime | None = None, now: datetime | None = None
) -> pd.DataFrame:
    """Every account, ranked; without `as_of` each at the moment of its single answer."""
    from serving.desk import open_desk
    from serving.ranking import rank_accounts
    from serving.scoring import utc_now

    now = now or utc_now()
    with open_desk(workspace, now=now) as desk:
        return rank_accounts(desk, now=now, as_of=as_of)


def change_of(
    workspace: Workspace,
    *,
    account: str | None,
    domain: str | None,
    start: datetime,
    end: datetime,
    releases: tuple[int | None, int | None] = (None, None),
    now: datetime | None = None,
) -> ChangeReport:
    """Why the scores of an account changed; the account is looked up as the service does."""
    from serving.accounts import AccountIndex
    from serving.scoring import utc_now
    from training.changes import explain_change

    index = AccountIndex(workspace.tables())
    found = index.by_domain(domain) if account is None and domain is not None else index.by_id(account or "")
    index.close()
    old, new = releases
    return explain_change(
        workspace,
        account_id=found.account_id or "",
        start=start,
        end=end,
        now=now or utc_now(),
        old_release=old,
        new_release=new,
    )


def plan_of(workspace: Workspace, *, goal: Goal, until: datetime | None = None) -> Plan:
    """The plan of a goal, with what each account brings by the release that answers now."""
    from functools import partial

    from models.planning import plan
    from serving.desk import open_desk
    from serving.planning import planned_accounts
    from serving.ranking import rank_accounts
    from serving.scoring import utc_now
    from serving.store import Store

    now = utc_now()
    with Store.open(workspace.store_url) as store:
        answers = store.current(now) is not None
    if not answers:
        newest = workspace.manifest().data_through
        tables = workspace.tables()
        return plan(tables, goal=goal, now=now, newest=newest, accounts=lambda *_: None, until=until)
    with open_desk(workspace, now=now) as desk:
        snapshot = desk.snapshot
        newest = snapshot.manifest.data_through
        bring = partial(planned_accounts, desk, rank_accounts(desk, now=now), days=goal.days)
        return plan(snapshot.tables, goal=goal, now=now, newest=newest, accounts=bring, until=until)
