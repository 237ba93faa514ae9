"""How long answers are kept: those given before a moment are deleted, a few hundred in a transaction.

Turns a moment into fewer rows. Time rule: what was given at the moment itself stays. Null rule: none. Other
writers get their turn between two transactions.
"""

from __future__ import annotations

from datetime import datetime

from serving.store import Store, predictions

__all__ = ["MOST_AT_ONCE", "prune_before", "prune_some"]

MOST_AT_ONCE = 500
"""Rows of one transaction."""


def prune_some(store: Store, *, before: datetime) -> int:
    """Delete the oldest answers given before a moment, as many as one transaction takes; how many went."""
    with store.writing() as connection:
        return predictions.prune(connection, before=before, limit=MOST_AT_ONCE)


def prune_before(store: Store, *, before: datetime) -> int:
    """Delete every answer given before a moment; how many went. Raises WorkspaceError."""
    gone = 0
    while some := prune_some(store, before=before):
        gone += some
    return gone
