"""What a promotion would serve: versions chosen, loaded and checked, with the settings of their release.

Turns what was asked for (a version, an alias, a fingerprint, or nothing) into bundles that reproduce their
golden rows and fit the workspace's tables. What stays as it is served comes from the store, which holds it
whatever became of MLflow. Nothing is changed here. Time rule: none. Null rule: a model that was never trained
is left out; at least one is needed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from features.errors import InputError
from features.mapping import Config
from features.model_keys import require_key
from features.workspace import Workspace
from models.bundle import Bundle
from models.card import ModelKey
from training.gate.asking import Served, ask, kept, require_columns, served
from training.gate.verdict import Verdict
from training.releasing.release_settings import release_settings
from training.tracking.registered import RegisteredModels
from training.tracking.versions import Known, Version, choose, holder

__all__ = ["Chosen", "choose_release"]


@dataclass(frozen=True)
class Chosen:
    """A release that is to be.

    versions: of its bundles; one that stays and that MLflow lost has none. settings: time_zone, labels,
    serving and, where there are named models, named_labels and order. present: what is served now. keep: what
    of it stays, whatever the config says by now.
    """

    known: Known
    versions: Mapping[ModelKey, Version]
    bundles: Mapping[ModelKey, Bundle]
    settings: Mapping[str, Any]
    present: Served | None
    keep: Collection[ModelKey] = ()

    def judged(
        self, workspace: Workspace, registered: RegisteredModels, *, config: Config | None, at: datetime
    ) -> dict[ModelKey, Verdict]:
        """The gate's verdict on each model that is not served yet."""
        return ask(
            workspace,
            self.bundles,
            registered=registered,
            known=self.known,
            versions=self.versions,
            present=self.present,
            at=at,
            release_settings=self.settings,
            settings=None if config is None else config.gate,
        )

    def settings_with(
        self,
        verdicts: Mapping[ModelKey, Verdict],
        *,
        waivers: Sequence[Mapping[str, str]],
        forced: Sequence[Mapping[str, str]],
    ) -> dict[str, Any]:
        """The settings of the release: with the verdicts, those of models that stay included, and waivers.

        waivers: of the audit. forced: of the gate, for models that are new.
        """
        old_verdicts, old_waivers = kept(self.present, self.bundles, keep=self.keep)
        gate = old_verdicts | {key: verdict.to_json() for key, verdict in verdicts.items()}
        answered = [*waivers, *old_waivers, *forced]
        told = dict(self.settings) | ({"gate": gate} if gate else {})
        return told | ({"waivers": answered} if answered else {})


def choose_release(
    workspace: Workspace,
    registered: RegisteredModels,
    *,
    known: Known,
    config: Config | None,
    fit: str | None,
    intent: str | None,
    named: Mapping[ModelKey, str] | None = None,
    keep: Collection[ModelKey] = (),
) -> Chosen:
    """The models asked for.

    known: every version of `registered`. keep: served models that stay, whatever the config says of them by
    now. Raises what `promote` raises, but for the gate and the audit.
    """
    manifest = workspace.manifest()
    for key in named or {}:
        require_key(key, known=known, what="no such model was ever trained here")
    present = served(workspace)
    # What somebody took from the release in the meantime is not there to be kept.
    stay = {key: present.bundle(key) for key in keep if key in present.contents} if present else {}
    versions = _versions(registered, known, {"fit": fit, "intent": intent, **(named or {})}, stay=stay)
    bundles = {
        key: _verified(stay[key]) if key in stay else registered.bundle(versions[key])
        for key in dict.fromkeys((*versions, *stay))
    }
    for bundle in bundles.values():
        require_columns(bundle, manifest)
    settings = release_settings(list(bundles.values()), manifest=manifest, config=config, keep=list(stay))
    return Chosen(known, versions, bundles, settings, present, list(stay))


def _verified(bundle: Bundle) -> Bundle:
    bundle.verify()
    return bundle


def _versions(
    registered: RegisteredModels,
    known: Known,
    wanted: Mapping[ModelKey, str | None],
    *,
    stay: Mapping[ModelKey, Bundle],
) -> dict[ModelKey, Version]:
    """stay: served, and asked for whatever `wanted` says."""
    if not any(known.values()):
        _require_none_elsewhere(registered)
    chosen = {
        key: holder(known, key, fingerprint=stay[key].fingerprint)
        if key in stay
        else choose(known, key, wanted=wanted.get(key))
        for key in dict.fromkeys((*known, *wanted))
    }
    found = {key: version for key, version in chosen.items() if version is not None}
    if not found and not stay:
        raise InputError(
            "there is no model to promote",
            got="each is left out" if any(known.values()) else "none was trained",
            allowed="one or more",
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
