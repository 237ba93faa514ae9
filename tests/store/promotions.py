"""Promotions and rollbacks by hand, hours apart, and what is served then."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from store_processes import NOON

from features.workspace import Workspace
from serving.store import Store
from training.releasing.promote import Promotion, Rollback, promote, rollback

HOUR = timedelta(hours=1)


def promoted(workspace: Workspace, *, hour: int = 0, **wanted: Any) -> Promotion:
    """Ada's, of models that were made by hand: the gate has nothing to judge them by."""
    asked = {"who": "Ada", "why": "better", "force": "made by hand", **wanted}
    return promote(workspace, now=NOON + hour * HOUR, **asked)


def rolled_back(workspace: Workspace, *, hour: int) -> Rollback:
    return rollback(workspace, who="Bob", why="worse", now=NOON + hour * HOUR)


def served(workspace: Workspace, *, hour: float = 100) -> dict[str, str]:
    """The fingerprints of the release of that hour, by model."""
    with Store.open(workspace.store_url) as store:
        release = store.current(NOON + hour * HOUR)
        return {} if release is None else dict(release.fingerprints)
