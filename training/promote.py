"""Promotion: trained bundles become what is served; rollback: what was served before is served again.

Turns versions of the registered models into a release in the store. Order: the bundles are checked, copied
into the BentoML store and crowned in MLflow, and the store's pointer is written last, so that a failure
before it changes nothing that is served; aliases and copies are derived and repaired by `spearfish doctor`.
A rollback writes the pointer first, because it must work while MLflow is down. One promotion or rollback
runs at a time in a workspace; the next one waits. Time rule: a release answers seconds after it was chosen,
so that every worker has loaded it by then, or at once when nothing is served yet. Null rule: a model that
was never trained is left out; at least one is needed.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from features.errors import InputError, SpearfishError, WorkspaceError
from features.mapping import Config
from features.workspace import Manifest, Workspace
from models.bundle import NAMES, Bundle, Kind
from serving.store import Draft, Published, Release, Store, StoredBundle
from training.audit.waivers import require_answered
from training.bento_models import import_bundle
from training.registered import Known, RegisteredModels, Version, champions, choose, holders
from training.release_settings import release_settings

__all__ = ["HEAD_START", "Promotion", "Rollback", "promote", "rollback"]

HEAD_START = timedelta(seconds=3)
"""What workers get to load a release before it answers; moments are cut to seconds, so at least two."""


@dataclass(frozen=True)
class Promotion:
    """What `promote` did.

    changed: False when the same models with the same settings were already chosen; nothing was done then.
    versions: the version of each registered model in the release, by name.
    """

    release: Release
    activate_at: datetime
    changed: bool
    versions: Mapping[str, int]

    @property
    def sentence(self) -> str:
        models = " and ".join(f"{name} version {number}" for name, number in self.versions.items())
        if not self.changed:
            return f"release {self.release.id} already holds {models}; nothing was changed"
        return f"release {self.release.id} holds {models} and answers from {_iso(self.activate_at)} on"

    def to_json(self) -> dict[str, Any]:
        return {
            "release": self.release.to_json(),
            "activate_at": _iso(self.activate_at),
            "changed": self.changed,
            "versions": dict(self.versions),
            "sentence": self.sentence,
        }


@dataclass(frozen=True)
class Rollback:
    """What `rollback` did. problem: why the aliases in MLflow could not follow; None when they did."""

    release: Release
    left: Release
    activate_at: datetime
    problem: str | None

    @property
    def sentence(self) -> str:
        done = f"back from release {self.left.id} to {self.release.id}, from {_iso(self.activate_at)} on"
        if self.problem is None:
            return done
        return f"{done}; the aliases in MLflow could not follow ({self.problem}); `spearfish doctor` mends it"

    def to_json(self) -> dict[str, Any]:
        return {
            "release": self.release.to_json(),
            "left": self.left.to_json(),
            "activate_at": _iso(self.activate_at),
            "problem": self.problem,
            "sentence": self.sentence,
        }


def promote(
    workspace: Workspace,
    *,
    who: str,
    why: str,
    config: Config | None = None,
    fit: str | None = None,
    intent: str | None = None,
    waive: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> Promotion:
    """Serve these models from now on; the release that answered before is one `rollback` away.

    fit, intent: a version's number, an alias, or the start of a bundle's fingerprint; "none" leaves the
        model out; None takes the challenger, or the newest version when no challenger is named.
    config: whose [serving] (priorities, grade cuts) the server answers with; None takes what the models were
        trained with. Labels are always those of the training.
    waive: a reason for each column that the leakage audit of a model blocks for; the release keeps it with
        who gave it and when.
    now: naive UTC, for tests; the clock otherwise.
    Raises InputError (nothing trained here, no such version, columns that the workspace lacks, settings that
    contradict each other, an audit that blocks or was never made), BundleError (a bundle that does not
    reproduce its golden rows), WorkspaceError (no tables, no store, no MLflow).
    """
    manifest = workspace.manifest()
    registered = RegisteredModels(workspace)
    with _one_at_a_time(workspace):
        known = registered.known()
        versions = _chosen(registered, known, {"fit": fit, "intent": intent})
        bundles = [_checked(registered, version, manifest=manifest) for version in versions.values()]
        settings = release_settings(bundles, manifest=manifest, config=config)
        moment = now or _now()
        # Refused before a store is made.
        require_answered(bundles, reasons=waive or {}, who=who, at=moment)
        with Store.open(workspace.store_url) as store:
            settings |= _waived(store, bundles, reasons=waive or {}, who=who, at=moment)
            draft = Draft(tuple(map(_stored, bundles)), created_by=who, reason=why, settings=settings)
            for bundle in bundles:
                import_bundle(bundle, workspace=workspace)
            registered.crown(versions, present=champions(known))
            try:
                published = _publish(store, draft, now=moment)
            except SpearfishError:
                registered.crown(champions(known), present=versions)
                raise
    numbers = {NAMES[kind]: version.number for kind, version in versions.items()}
    return Promotion(published.release, published.activate_at, published.changed, numbers)


def rollback(workspace: Workspace, *, who: str, why: str, now: datetime | None = None) -> Rollback:
    """Serve the release before the present one again; repeated, it walks back further.

    Raises InputError when there is nothing to go back to, BundleError when a bundle of that release cannot
    be trusted; nothing changes then.
    """
    with _one_at_a_time(workspace), Store.open(workspace.store_url, create=False) as store:
        moment = now or _now()
        chosen = store.chosen()
        _require_trusted(store, release=None if chosen is None else store.previous(chosen.id))
        activate_at = _activation(store, now=moment)
        moved = store.step_back(activate_at=activate_at, who=who, why=why, now=moment)
        problem = _let_aliases_follow(workspace, moved.release)
    return Rollback(moved.release, moved.left, activate_at, problem)


def _waived(
    store: Store, bundles: Sequence[Bundle], *, reasons: Mapping[str, str], who: str, at: datetime
) -> dict[str, Any]:
    """The waivers of a release, where there are any; those of the present release keep their moment."""
    present = store.chosen()
    before = present.settings.get("waivers", ()) if present else ()
    waivers = require_answered(bundles, reasons=reasons, who=who, at=at, before=before)
    return {"waivers": waivers} if waivers else {}


def _require_trusted(store: Store, *, release: Release | None) -> None:
    for fingerprint in release.fingerprints.values() if release else ():
        Bundle.from_bytes(store.bundle_bytes(fingerprint)).verify()


def _chosen(
    registered: RegisteredModels, known: Known, wanted: Mapping[Kind, str | None]
) -> dict[Kind, Version]:
    if not any(known.values()):
        _require_none_elsewhere(registered)
    chosen = {kind: choose(known, kind, wanted=wanted[kind]) for kind in NAMES}
    found = {kind: version for kind, version in chosen.items() if version is not None}
    if not found:
        raise InputError(
            "there is no model to promote",
            got="neither a fit nor an intent model",
            allowed="one or both",
            fix="run `spearfish train` first",
        )
    return found


def _require_none_elsewhere(registered: RegisteredModels) -> None:
    """Say what is there, where an MLflow that several workspaces share holds none of this one's models."""
    others = registered.others()
    if others:
        raise InputError(
            "this workspace has no model to promote: every version in MLflow is another workspace's",
            got="; ".join(f"{count} of {owner}" for owner, count in others.items()),
            allowed=f"versions that {registered.workspace.home} trained",
            fix="run `spearfish train` here, or promote in the workspace that trained them; "
            "a restored workspace needs its file `identity` too",
        )


def _checked(registered: RegisteredModels, version: Version, *, manifest: Manifest) -> Bundle:
    bundle = registered.bundle(version)
    _require_columns(bundle, manifest)
    return bundle


def _require_columns(bundle: Bundle, manifest: Manifest) -> None:
    """A model needs the further account columns that it was trained with."""
    present = {(attribute.name, attribute.type) for attribute in manifest.attributes}
    needed = {(attribute.name, attribute.type) for attribute in bundle.catalogue.attributes}
    if needed - present:
        raise InputError(
            f"{bundle.name} {bundle.version} was trained on account columns that the workspace lacks",
            got=", ".join(sorted(name for name, _ in needed - present)),
            allowed=", ".join(sorted(name for name, _ in present)) or "no further account columns",
            fix="train again on the tables of this workspace",
        )


def _stored(bundle: Bundle) -> StoredBundle:
    return StoredBundle(bundle.kind, bundle.name, bundle.fingerprint, bundle.to_bytes())


def _publish(store: Store, draft: Draft, *, now: datetime) -> Published:
    return store.publish(draft, activate_at=_activation(store, now=now), now=now)


def _activation(store: Store, *, now: datetime) -> datetime:
    return now if store.current(now) is None else now + HEAD_START


def _let_aliases_follow(workspace: Workspace, release: Release) -> str | None:
    registered = RegisteredModels(workspace)
    try:
        known = registered.known()
        registered.crown(holders(known, release.fingerprints), present=champions(known))
    except WorkspaceError as error:
        return error.sentence()
    return None


@contextmanager
def _one_at_a_time(workspace: Workspace) -> Iterator[None]:
    """Wait for another promotion in this workspace; the lock goes when its process goes."""
    try:
        workspace.home.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(workspace.home / ".promotion.lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise WorkspaceError(
            f"cannot write to the workspace {workspace.home}", got=error, fix="give this user write access"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def _iso(moment: datetime) -> str:
    return f"{moment.isoformat()}Z"
