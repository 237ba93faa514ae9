"""Ingests a mapping's sources together with the activities that were sent to the service.

Turns what the store has taken since the last ingest into files of the workspace, and all sources into the
next snapshot: see `serving.store.moving` for why each activity is counted exactly once. Time rule: activities
carry the server's time. Null rule: without a store there are none.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from features.ingest import Progress, ingest
from features.mapping import Config
from features.privacy.suppression import Forgotten
from features.report import IngestReport
from features.workspace import Workspace
from serving.store import Store, activities
from serving.store.engine import database_exists
from serving.store.moving import activity_source, export_activities

__all__ = ["ingest_all"]


def ingest_all(
    config: Config, *, workspace: Workspace, rebuild: bool = False, progress: Progress | None = None
) -> IngestReport:
    """As `features.ingest.ingest`, the activities of the store included."""
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    if database_exists(workspace.store_url):
        with Store.open(workspace.store_url) as store:
            # What was being sent while somebody was forgotten may have come after the store was cleaned.
            people = Forgotten.read(workspace)
            gone = partial(activities.is_of, gone=people.holds) if people else None
            export_activities(workspace, store, now=now, gone=gone)
    source = activity_source(workspace)
    if source is not None:
        config = config.model_copy(update={"sources": (*config.sources, source)})
    return ingest(config, workspace=workspace, rebuild=rebuild, progress=progress)
