"""The desk: everything that an answer is made from, warm and in memory.

Turns a workspace into its leased tables, an index of accounts, the current release and one feature engine for
what its models share. A desk never changes; a new snapshot or release makes a new desk, which takes over the
engines that compute the same. Time rule: none of its own. Null rule: a release with one model has one engine.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from typing import Self, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.catalogue import Catalogue
from features.point_in_time import FeatureEngine
from features.privacy.known_people import KnownPeople
from features.tables import Tables
from features.workspace import Manifest, Workspace
from models.card import ModelKey
from serving.accounts import AccountIndex
from serving.activities.own_rows import OwnRows
from serving.activities.waiting import Waiting
from serving.company_names import CompanyNames
from serving.known_engine import ReadyFeatureEngine
from serving.record_engine import ReadyRecordEngine
from serving.releases import LoadedRelease, load_current
from serving.shared_features import shared_features
from serving.store import Store
from serving.store.activities import Activity
from serving.store.door import StoreDoor
from serving.store.moving import moved_through
from serving.working import Verdicts, VerdictsOfIdentities

__all__ = ["Desk", "Snapshot", "open_desk"]

Row = NDArray[np.float64]
Engine = TypeVar("Engine", ReadyFeatureEngine, ReadyRecordEngine)

_MOST_RESIDENT_ACTIVITIES = 10_000_000
"""Rows; some 1.3 GB in each worker."""

_COPIED = 300_000
"""Activities that are copied into memory in a second while requests are answered on the same cores."""

_SOME = 200
"""Accounts that stand for all of them."""


class Snapshot:
    """The current tables under a lease, and their account index. The lease ends with the object.

    patient, before: see `CompanyNames`.
    """

    def __init__(self, workspace: Workspace, *, patient: bool = True, before: Snapshot | None = None) -> None:
        stack = ExitStack()
        self.close = weakref.finalize(self, stack.close)
        self.manifest: Manifest = stack.enter_context(workspace.lease())
        self.tables = workspace.tables(self.manifest)
        self.accounts = AccountIndex(self.tables)
        earlier = None if before is None else before.names
        self.names: CompanyNames = CompanyNames(self.accounts, patient=patient, before=earlier)
        self.people = KnownPeople(workspace, manifest=self.manifest, tables=self.tables)
        self.own_rows = OwnRows(self.tables)
        self.moved_through = moved_through(workspace, snapshot=self.manifest.snapshot)

    @property
    def activities(self) -> int:
        """Rows of that table."""
        table = self.manifest.tables.get("activities")
        return table.rows if table else 0

    def is_copied_in(self, seconds: float) -> bool:
        """Whether so long is enough to copy the tables into memory."""
        return self.activities <= _COPIED * seconds


class Desk:
    """A snapshot and a release that answer together. Safe to share between threads.

    verdicts: what sales said of accounts; goes on learning while the desk answers. waiting: likewise, which
        accounts have activities that the snapshot does not hold.
    resident: whether many questions are to come, so that copying the tables into memory pays. Tables with
        more than ten million activities stay in their files, some ten milliseconds a question further away.
    before: a desk whose engines are taken over where they compute the same features of the same snapshot,
        with what they computed ahead; where they count alike, others share the rows that are in memory.
    is_quick: whether everything is in memory that should be.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        release: LoadedRelease,
        verdicts: Verdicts | None = None,
        waiting: Waiting | None = None,
        resident: bool = False,
        before: Desk | None = None,
    ) -> None:
        self.snapshot, self.release = snapshot, release
        self.verdicts = VerdictsOfIdentities(verdicts or Verdicts(), members=snapshot.own_rows.members)
        self.waiting = waiting or Waiting()
        self.time_zone = ZoneInfo(release.time_zone or snapshot.manifest.time_zone)
        fits = snapshot.activities <= _MOST_RESIDENT_ACTIVITIES
        self._shared = shared_features({one.bundle.key: one.bundle.catalogue for one in release.scorers})
        earlier = before._engines if before is not None and before.snapshot is snapshot else []
        self._engines: list[ReadyFeatureEngine] = [
            _feature_engine(snapshot.tables, one.catalogue, resident=resident and fits, earlier=earlier)
            for one in self._shared
        ]
        self.is_quick = self.is_resident or not fits
        self._wide_engines: dict[str, FeatureEngine] = {}
        self._some: dict[ModelKey, Row] = {}
        sent_along = before._record_engines if before is not None else []
        self._record_engines: list[ReadyRecordEngine] = [
            _of_catalogue(one.catalogue, sent_along) or ReadyRecordEngine(one.catalogue)
            for one in self._shared
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def engine(self, catalogue: Catalogue) -> FeatureEngine:
        """An engine for many accounts at once, on every core; made when it is first asked for."""
        if catalogue.fingerprint not in self._wide_engines:
            self._wide_engines[catalogue.fingerprint] = FeatureEngine(self.snapshot.tables, catalogue)
        return self._wide_engines[catalogue.fingerprint]

    def rows(
        self, account_id: str, models: Collection[ModelKey] | None = None, *, as_of: datetime
    ) -> dict[ModelKey, Row]:
        """Features of a known account for each of these models, float64 (k,) in the order of its catalogue.

        models: None for all of the release. What several of them read is computed once.
        """
        engines = [partial(engine.build_one, account_id, as_of) for engine in self._engines]
        return self._by_model(engines, models)

    def record_rows(
        self,
        tables: Tables,
        account_id: str,
        models: Collection[ModelKey] | None = None,
        *,
        as_of: datetime,
    ) -> dict[ModelKey, Row]:
        """As `rows`, for an account that was sent along with its tables."""
        engines = [partial(engine.build_one, tables, account_id, as_of) for engine in self._record_engines]
        return self._by_model(engines, models)

    def plan(self, *, as_of: datetime) -> None:
        """Plan the queries of one account, by asking about nobody: a plan is a thread's own."""
        self.rows("", as_of=as_of)
        nobody = pd.DataFrame({"account_id": [""], "as_of": np.array([as_of], dtype="datetime64[us]")})
        for engine in self._engines:
            engine.build_some(nobody)
        self.record_rows(Tables({}, self.snapshot.manifest.attributes), "", as_of=as_of)

    @property
    def is_resident(self) -> bool:
        """Whether every engine has the tables in memory."""
        return all(engine.is_resident for engine in self._engines)

    def compute_ahead(self, keys: pd.DataFrame) -> None:
        """Have the features of these accounts at hand, each for its moment. keys: as of `matrices`."""
        for engine in self._engines:
            engine.compute_ahead(keys)

    def _by_model(
        self, engines: Sequence[Callable[[], Row]], models: Collection[ModelKey] | None
    ) -> dict[ModelKey, Row]:
        rows: dict[ModelKey, Row] = {}
        for shared, build in zip(self._shared, engines, strict=True):
            asked = [key for key in shared.positions if models is None or key in models]
            if asked:
                row = build()
                rows |= {key: np.take(row, shared.positions[key], axis=-1) for key in asked}
        return rows

    def newer(self, account_id: str) -> tuple[Activity, ...]:
        """The activities of an account that the snapshot does not hold. Raises WorkspaceError."""
        members = self.snapshot.own_rows.members(account_id)
        return self.waiting.of(members, after=self.snapshot.moved_through)

    def newer_of(self, account_ids: Iterable[str]) -> dict[str, tuple[Activity, ...]]:
        """As `newer`, of those of many accounts that have any: one question to the store."""
        members = {name: self.snapshot.own_rows.members(name) for name in account_ids if self.has_newer(name)}
        found = self.waiting.of_each(members, after=self.snapshot.moved_through)
        return {name: rows for name, rows in found.items() if rows}

    def has_newer(self, account_id: str) -> bool:
        """As `newer`, without looking them up: whether there may be any."""
        members = self.snapshot.own_rows.members(account_id)
        return self.waiting.has(members, after=self.snapshot.moved_through)

    def matrices(self, keys: pd.DataFrame, models: Collection[ModelKey]) -> dict[ModelKey, Row]:
        """As `rows`, of many accounts by one pass of the SQL: float64 (n, k), each row the same bits.

        keys: account_id and as_of (datetime64, naive, UTC), one row for each.
        """
        engines = [partial(engine.build_some, keys) for engine in self._engines]
        return self._by_model(engines, models)

    def record_matrices(
        self,
        tables: Tables,
        account_ids: Sequence[str],
        models: Collection[ModelKey],
        *,
        moments: NDArray[np.datetime64],
    ) -> dict[ModelKey, Row]:
        """As `matrices`, of accounts that were sent along with their tables, which are in memory.

        moments: datetime64 (n,), the `as_of` of each account, naive UTC.
        """
        build = [partial(one.build, tables, account_ids, moments=moments) for one in self._record_engines]
        return self._by_model(build, models)

    def some_rows(self, model: ModelKey) -> Row:
        """Features of a few hundred accounts, evenly chosen, each just after its newest fact."""
        if model not in self._some:
            everyone = self.snapshot.accounts.everyone()
            chosen = everyone.iloc[:: max(1, len(everyone) // _SOME)]
            moments = (chosen["newest_known_at"] + pd.Timedelta(seconds=1)).astype("datetime64[us]")
            keys = pd.DataFrame({"account_id": chosen["account_id"], "as_of": moments})
            self._some[model] = self.matrices(keys, [model])[model]
        return self._some[model]

    def levels(self) -> dict[str, list[str]]:
        """The values that the models know, by category feature."""
        return {
            feature.subject: list(feature.levels)
            for scorer in self.release.scorers
            for feature in scorer.bundle.catalogue.features
            if feature.kind == "category"
        }

    def close(self) -> None:
        """Let go of the engines and of the snapshot's lease; for a desk that nobody shares or takes over."""
        for engine in (*self._engines, *self._wide_engines.values()):
            engine.close()
        for record_engine in self._record_engines:
            record_engine.close()
        self.snapshot.accounts.close()
        self.snapshot.own_rows.close()
        self.waiting.close()
        self.snapshot.close()


def _feature_engine(
    tables: Tables, catalogue: Catalogue, *, resident: bool, earlier: Sequence[ReadyFeatureEngine]
) -> ReadyFeatureEngine:
    """One of the earlier engines over these tables, or a new one that shares the rows of such a one."""
    quick = [one for one in earlier if one.is_resident]
    found = _of_catalogue(catalogue, quick if resident else earlier)
    if found is not None:
        return found
    rows = next(filter(None, (one.rows_for(catalogue) for one in quick)), None)
    return ReadyFeatureEngine(tables, catalogue, threads=1, resident=resident, rows=rows)


def _of_catalogue(catalogue: Catalogue, engines: Iterable[Engine]) -> Engine | None:
    """The engine whose rows mean the same, if there is one."""
    return next((one for one in engines if one.catalogue.fingerprint == catalogue.fingerprint), None)


def open_desk(workspace: Workspace, *, now: datetime) -> Desk:
    """The desk as of now. Raises WorkspaceError, NotReadyError, BundleError or ContractError."""
    snapshot, verdicts = Snapshot(workspace), Verdicts()
    waiting = Waiting(StoreDoor(workspace.store_url))
    waiting.cover(snapshot.moved_through)
    with Store.open(workspace.store_url) as store:
        verdicts.refresh(store)
        release = load_current(store, now=now)
        return Desk(snapshot, release=release, verdicts=verdicts, waiting=waiting)
