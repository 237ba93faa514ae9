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

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from features.errors import SpearfishError, WorkspaceError
from features.mapping import Config
from features.privacy.masking import without_addresses
from features.workspace import Workspace
from models.bundle import Bundle
from models.card import ModelKey, registered_name
from serving.store import Draft, Published, Release, Store, StoredBundle
from training.audit.waivers import require_answered
from training.choosing import Chosen, choose_release
from training.gate.judging import forced, require_passed, require_reason
from training.gate.verdict import Verdict
from training.locking import only_one
from training.tracking.bento_models import import_bundle
from training.tracking.registered import RegisteredModels
from training.tracking.registration import registering, settle
from training.tracking.versions import champions, holders

__all__ = ["HEAD_START", "Promotion", "Rollback", "promote", "rollback"]

HEAD_START = timedelta(seconds=3)
"""What workers get to load a release before it answers; moments are cut to seconds, so at least two."""


@dataclass(frozen=True)
class Promotion:
    """What `promote` did.

    changed: False when the same models with the same settings were already chosen; nothing was done then.
    versions: the version of each registered model in the release, by name; one that stays as it is served and
    that MLflow lost has none.
    verdicts: the gate's, of the models that were not served before.
    """

    release: Release
    activate_at: datetime
    changed: bool
    versions: Mapping[str, int]
    verdicts: tuple[Verdict, ...] = ()

    @property
    def sentence(self) -> str:
        told = {name: f"version {number}" for name, number in self.versions.items()}
        names = map(registered_name, self.release.fingerprints)
        told |= {name: "as it was served" for name in names if name not in told}
        models = " and ".join(f"{name} {what}" for name, what in told.items())
        if not self.changed:
            return f"release {self.release.id} already holds {models}; nothing was changed"
        return f"release {self.release.id} holds {models} and answers from {_iso(self.activate_at)} on"

    def to_json(self) -> dict[str, Any]:
        return {
            "release": self.release.to_json(),
            "activate_at": _iso(self.activate_at),
            "changed": self.changed,
            "versions": dict(self.versions),
            "gate": [verdict.to_json() for verdict in self.verdicts],
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
    named: Mapping[ModelKey, str] | None = None,
    waive: Mapping[str, str] | None = None,
    force: str | None = None,
    keep: Collection[ModelKey] = (),
    now: datetime | None = None,
) -> Promotion:
    """Serve these models from now on; the release that answered before is one `rollback` away.

    Each model passes the gate first: it is not worse than the served one on rows that neither learned from,
    it is calibrated, its audit blocks nothing, and it reproduces its golden rows. The verdict is kept with
    the release and in MLflow, whether it passed or not.

    fit, intent: a version's number, an alias, or the start of a bundle's fingerprint; "none" leaves the
        model out; None takes the challenger, or the newest version when no challenger is named.
    named: the same for named models, by key, such as fit.emea; None for those that are not in it.
    config: whose [serving] (priorities, grade cuts) the server answers with, and whose [gate] says what is
        enough; None takes what the models were trained with. Labels are always those of the training.
    why: the reason, kept in the log of releases; addresses and telephone numbers in it are masked.
    waive: a reason for each column that the leakage audit of a model blocks for; the release keeps it with
        who gave it and when.
    force: a reason that answers for all that the gate refuses, but for the audit; kept in the same way.
    keep: served models that stay as they are, whatever the config says of them by now.
    now: naive UTC, for tests; the clock otherwise.
    Raises RefusedError (a gate that refuses, an audit that blocks), InputError (nothing trained here, no such
    version, columns that the workspace lacks, settings that contradict each other, an audit that was never
    made), BundleError (a bundle that does not reproduce its golden rows), WorkspaceError (no tables, no
    store, no MLflow).
    """
    require_reason(force)
    # Before MLflow, which takes seconds to import.
    workspace.manifest()
    registered = RegisteredModels(workspace)
    with only_one(workspace, "promotion"):
        moment = now or _now()
        with registering(workspace):
            left = settle(registered)
        chosen = choose_release(
            workspace,
            registered,
            # To ask MLflow takes as long as all the rest: only again where something was settled.
            known=registered.known() if left.any else left.known,
            config=config,
            fit=fit,
            intent=intent,
            named=named,
            keep=keep,
        )
        bundles = list(chosen.bundles.values())
        audited = [one for one in bundles if one.key not in keep]
        # Refused before the gate takes its time, and before a store is made.
        require_answered(audited, reasons=waive or {}, who=who, at=moment)
        verdicts = chosen.judged(workspace, registered, config=config, at=moment)
        for key, verdict in verdicts.items():
            registered.note(chosen.versions[key], verdict, forced=force is not None)
        require_passed(verdicts, force=force)
        answered = forced(list(verdicts.values()), why=force, who=who, at=moment)
        with Store.open(workspace.store_url) as store:
            waivers = _waived(store, audited, reasons=waive or {}, who=who, at=moment)
            settings = chosen.settings_with(verdicts, waivers=waivers, forced=answered)
            draft = Draft(
                tuple(map(_stored, bundles)), created_by=who, reason=without_addresses(why), settings=settings
            )
            published = _served(workspace, store, draft, chosen=chosen, registered=registered, now=moment)
    numbers = {version.name: version.number for version in chosen.versions.values()}
    return Promotion(
        published.release, published.activate_at, published.changed, numbers, tuple(verdicts.values())
    )


def _served(
    workspace: Workspace,
    store: Store,
    draft: Draft,
    *,
    chosen: Chosen,
    registered: RegisteredModels,
    now: datetime,
) -> Published:
    """Copies and aliases first, the store's pointer last."""
    for bundle in chosen.bundles.values():
        import_bundle(bundle, workspace=workspace)
    before = champions(chosen.known)
    registered.crown(chosen.versions, present=before)
    try:
        return _publish(store, draft, now=now)
    except SpearfishError:
        registered.crown(before, present=chosen.versions)
        raise


def rollback(workspace: Workspace, *, who: str, why: str, now: datetime | None = None) -> Rollback:
    """Serve the release before the present one again; repeated, it walks back further.

    why: the reason, kept in the log of releases; addresses and telephone numbers in it are masked.
    Raises InputError when there is nothing to go back to, BundleError when a bundle of that release cannot
    be trusted; nothing changes then.
    """
    with only_one(workspace, "promotion"), Store.open(workspace.store_url, create=False) as store:
        moment = now or _now()
        chosen = store.chosen()
        _require_trusted(store, release=None if chosen is None else store.previous(chosen.id))
        activate_at = _activation(store, now=moment)
        moved = store.step_back(activate_at=activate_at, who=who, why=without_addresses(why), now=moment)
        problem = _let_aliases_follow(workspace, moved.release)
    return Rollback(moved.release, moved.left, activate_at, problem)


def _waived(
    store: Store, bundles: Sequence[Bundle], *, reasons: Mapping[str, str], who: str, at: datetime
) -> list[dict[str, str]]:
    """The audit's waivers of a release; those of the present release keep their moment."""
    present = store.chosen()
    before = present.settings.get("waivers", ()) if present else ()
    return require_answered(bundles, reasons=reasons, who=who, at=at, before=before)


def _require_trusted(store: Store, *, release: Release | None) -> None:
    for fingerprint in release.fingerprints.values() if release else ():
        Bundle.from_bytes(store.bundle_bytes(fingerprint)).verify()


def _stored(bundle: Bundle) -> StoredBundle:
    return StoredBundle(bundle.key, bundle.name, bundle.fingerprint, bundle.to_bytes())


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


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def _iso(moment: datetime) -> str:
    return f"{moment.isoformat()}Z"
