"""A list as most answers about it have it.

Turns a list into its answer, with what is on it in numbers, who approved it, and the proposal that waits.
Time rule: what is due is due now. Null rule: none.
"""

from __future__ import annotations

from sqlalchemy import Connection

from serving.lists.answers import ListDetail, list_detail
from serving.lists.proposing import open_proposal
from serving.scoring import utc_now
from serving.store import list_approvals, list_members
from serving.store.lists import TargetList

__all__ = ["detail_of"]


def detail_of(connection: Connection, found: TargetList) -> ListDetail:
    """The list with its numbers, of its newest version."""
    newest = found.version
    return list_detail(
        found,
        counts=list_members.counts(connection, list_id=found.id, version=newest, newest=newest),
        approvals=list_approvals.of_list(connection, list_id=found.id, version=newest),
        proposal=open_proposal(connection, found),
        now=utc_now(),
    )
