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

import numpy as np
from numpy.typing import NDArray

from features.catalogue import Catalogue
from features.point_in_time import FeatureEngine, RecordEngine
from features.privacy.known_people import KnownPeople
from features.tables import Tables
from features.workspace import Manifest, Workspace
from models.card import ModelKey
from serving.accounts import AccountIndex
from serving.releases import LoadedRelease, load_current
from serving.store import Store
from serving.working import Verdicts

__all__ = ["Desk", "Snapshot", "open_desk"]

Row = NDArray[np.float64]

_MOST_RESIDENT_ACTIVITIES = 10_000_000
"""Rows; some 1.3 GB in each worker."""


class Snapshot:
    """The current tables under a lease, and their account index. The lease ends with the object."""

    def __init__(self, workspace: Workspace) -> None:
        stack = ExitStack()
        self.close = weakref.finalize(self, stack.close)
        self.manifest: Manifest = stack.enter_context(workspace.lease())
        self.tables = workspace.tables(self.manifest)
        self.accounts = AccountIndex(self.tables)
        self.people = KnownPeople(workspace, manifest=self.manifest, tables=self.tables)


class Desk:
    """A snapshot and a release that answer together. Safe to share between threads.

    verdicts: what sales said of accounts; goes on learning while the desk answers.
    resident: whether many questions are to come, so that copying the tables into memory pays. Tables with
        more than ten million activities stay in their files, some ten milliseconds a question further away.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        release: LoadedRelease,
        verdicts: Verdicts | None = None,
        resident: bool = False,
    ) -> None:
        self.snapshot, self.release = snapshot, release
        self.verdicts = verdicts or Verdicts()
        self.time_zone = ZoneInfo(release.time_zone or snapshot.manifest.time_zone)
        fits = _activities(snapshot.manifest) <= _MOST_RESIDENT_ACTIVITIES
        self._engines: dict[str, FeatureEngine] = {}
        for catalogue in _widest_first(release):
            if self._covering(catalogue) is None:
                engine = FeatureEngine(snapshot.tables, catalogue, threads=1, resident=resident and fits)
                self._engines[catalogue.fingerprint] = engine
        self._wide_engines: dict[str, FeatureEngine] = {}
        self._record_engines = {
            fingerprint: RecordEngine(engine.catalogue) for fingerprint, engine in self._engines.items()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def engine(self, catalogue: Catalogue) -> FeatureEngine:
        """An engine for many accounts at once, on every core; made when it is first asked for."""
        if catalogue.fingerprint not in self._wide_engines:
            self._wide_engines[catalogue.fingerprint] = FeatureEngine(self.snapshot.tables, catalogue)
        return self._wide_engines[catalogue.fingerprint]

    def rows(self, account_id: str, *, as_of: datetime) -> dict[ModelKey, Row]:
        """Features of a known account for each model, float64 (k,) in the order of its catalogue.

        A model whose features another one has too (fit has none of its own) reads them from that row.
        """
        built = {key: engine.build_one(account_id, as_of) for key, engine in self._engines.items()}
        return self._by_model(built)

    def record_rows(self, tables: Tables, account_id: str, *, as_of: datetime) -> dict[ModelKey, Row]:
        """As `rows`, for an account that was sent along with its tables."""
        engines = self._record_engines.items()
        return self._by_model({key: engine.build_one(tables, account_id, as_of) for key, engine in engines})

    def _by_model(self, built: dict[str, Row]) -> dict[ModelKey, Row]:
        rows: dict[ModelKey, Row] = {}
        for scorer in self.release.scorers:
            catalogue = scorer.bundle.catalogue
            wider = self._covering(catalogue) or catalogue
            positions = [wider.index(name) for name in catalogue.names]
            rows[scorer.bundle.key] = built[wider.fingerprint][positions]
        return rows

    def _covering(self, catalogue: Catalogue) -> Catalogue | None:
        """The catalogue of an engine that computes all of these features in the same way."""
        for engine in self._engines.values():
            wider = engine.catalogue
            same_channels = (
                wider.engagement_channels == catalogue.engagement_channels
                and wider.outreach_channels == catalogue.outreach_channels
            )
            if same_channels and set(catalogue.features) <= set(wider.features):
                return wider
        return None

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
        for engine in (*self._engines.values(), *self._wide_engines.values()):
            engine.close()
        for record_engine in self._record_engines.values():
            record_engine.close()
        self.snapshot.accounts.close()
        self.snapshot.close()


def _activities(manifest: Manifest) -> int:
    table = manifest.tables.get("activities")
    return table.rows if table else 0


def _widest_first(release: LoadedRelease) -> list[Catalogue]:
    catalogues = [scorer.bundle.catalogue for scorer in release.scorers]
    return sorted(catalogues, key=lambda catalogue: -len(catalogue.features))


def open_desk(workspace: Workspace, *, now: datetime) -> Desk:
    """The desk as of now. Raises WorkspaceError, NotReadyError, BundleError or ContractError."""
    snapshot, verdicts = Snapshot(workspace), Verdicts()
    with Store.open(workspace.store_url) as store:
        verdicts.refresh(store)
        return Desk(snapshot, release=load_current(store, now=now), verdicts=verdicts)
