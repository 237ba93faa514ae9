"""The desk: everything that an answer is made from, warm and in memory.

Turns a workspace into its leased tables, an index of accounts, the current release and one feature engine per
catalogue. A desk never changes; a new snapshot or release makes a new desk. Time rule: none of its own. Null
rule: a release with one model has one engine.
"""

from __future__ import annotations

import weakref
from contextlib import ExitStack
from datetime import datetime
from typing import Self
from zoneinfo import ZoneInfo

from features.catalogue import Catalogue
from features.point_in_time import FeatureEngine
from features.workspace import Manifest, Workspace
from serving.accounts import AccountIndex
from serving.releases import LoadedRelease, load_current
from serving.store import Store

__all__ = ["Desk", "Snapshot", "open_desk"]


class Snapshot:
    """The current tables under a lease, and their account index. The lease ends with the object."""

    def __init__(self, workspace: Workspace) -> None:
        stack = ExitStack()
        self.close = weakref.finalize(self, stack.close)
        self.manifest: Manifest = stack.enter_context(workspace.lease())
        self.tables = workspace.tables(self.manifest)
        self.accounts = AccountIndex(self.tables)


class Desk:
    """A snapshot and a release that answer together. Safe to share between threads."""

    def __init__(self, snapshot: Snapshot, *, release: LoadedRelease) -> None:
        self.snapshot, self.release = snapshot, release
        self.time_zone = ZoneInfo(release.time_zone or snapshot.manifest.time_zone)
        catalogues = {scorer.bundle.catalogue for scorer in release.scorers}
        self._engines = {
            catalogue.fingerprint: FeatureEngine(snapshot.tables, catalogue, threads=1)
            for catalogue in catalogues
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def engine(self, catalogue: Catalogue) -> FeatureEngine:
        """The warm engine of a model's catalogue."""
        return self._engines[catalogue.fingerprint]

    def levels(self) -> dict[str, list[str]]:
        """The values that the models know, by category feature."""
        return {
            feature.subject: list(feature.levels)
            for scorer in self.release.scorers
            for feature in scorer.bundle.catalogue.features
            if feature.kind == "category"
        }

    def close(self) -> None:
        """Let go of the engines and of the snapshot's lease; for a desk that nobody shares."""
        for engine in self._engines.values():
            engine.close()
        self.snapshot.accounts.close()
        self.snapshot.close()


def open_desk(workspace: Workspace, *, now: datetime) -> Desk:
    """The desk as of now. Raises WorkspaceError, NotReadyError, BundleError or ContractError."""
    snapshot = Snapshot(workspace)
    with Store.open(workspace.store_url) as store:
        return Desk(snapshot, release=load_current(store, now=now))
