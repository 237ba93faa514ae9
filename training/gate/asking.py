"""What a promotion asks of the gate: verdicts on the models that it is to serve.

Turns chosen versions and what is served into one verdict per model. Time rule: see the checks. Null rule: a
workspace without a store serves nothing; a model that is served already keeps the verdict of its release,
and is not judged against itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from features.errors import BundleError, InputError
from features.model_keys import ModelKey
from features.settings import GateSettings
from features.workspace import Manifest, Workspace
from models.bundle import Bundle
from models.choice import labels_of
from serving.store import Release, Store
from training.gate.comparing import Champion, cutoff_of
from training.gate.judging import GATE_WAIVER, judge
from training.gate.verdict import Verdict
from training.tracking.registered import RegisteredModels
from training.tracking.versions import Known, Version

__all__ = [
    "Served",
    "ask",
    "has_store",
    "kept",
    "oldest_cutoff",
    "replaced_cutoff",
    "require_columns",
    "served",
]


@dataclass(frozen=True)
class Served:
    """The release that was chosen last, and the bytes of its bundles by model."""

    release: Release
    contents: Mapping[ModelKey, bytes]

    def holds(self, bundle: Bundle) -> bool:
        return self.release.fingerprints.get(bundle.key) == bundle.fingerprint

    def bundle(self, key: ModelKey) -> Bundle:
        """Raises BundleError where this version of spearfish cannot read it."""
        return Bundle.from_bytes(self.contents[key])

    def replaced_by(self, bundle: Bundle) -> ModelKey | None:
        """The model whose answers a bundle would replace: its own, else the one without a name.

        None where neither is served, and where that one is about another product.
        """
        if bundle.key in self.contents:
            return bundle.key
        if bundle.kind not in self.contents:
            return None
        labels = labels_of(self.release.settings, key=bundle.kind)
        product = labels.fit.product if bundle.kind == "fit" else labels.intent.product
        own = bundle.card["trained_with"]["labels"] if "trained_with" in bundle.card else {}
        return bundle.kind if own.get("product") == product else None


def served(workspace: Workspace) -> Served | None:
    """What is served, without making a store where there is none."""
    if not has_store(workspace):
        return None
    with Store.open(workspace.store_url) as store:
        release = store.chosen()
        if release is None:
            return None
        found = release.fingerprints.items()
        return Served(release, {key: store.bundle_bytes(fingerprint) for key, fingerprint in found})


def replaced_cutoff(workspace: Workspace, *, bundle: Bundle) -> datetime | None:
    """Up to when the served model that a bundle would replace has learned; None where that is not known."""
    present = served(workspace)
    key = None if present is None else present.replaced_by(bundle)
    return None if present is None or key is None else _cutoff(present, key)


def oldest_cutoff(workspace: Workspace) -> datetime | None:
    """Up to when the oldest of the served models has learned; None where none is, or none can be read."""
    present = served(workspace)
    cutoffs = [_cutoff(present, key) for key in present.contents] if present else []
    return min((one for one in cutoffs if one is not None), default=None)


def _cutoff(present: Served, key: ModelKey) -> datetime | None:
    try:
        return cutoff_of(present.bundle(key))
    except BundleError:
        return None


def has_store(workspace: Workspace) -> bool:
    """Whether there is a store to open; one that is not a file of SQLite's always is."""
    url = make_url(workspace.store_url)
    is_file = url.get_backend_name() == "sqlite" and not str(url.database).startswith("file:")
    return not is_file or Path(str(url.database)).exists()


def ask(
    workspace: Workspace,
    bundles: Mapping[ModelKey, Bundle],
    *,
    registered: RegisteredModels,
    known: Known,
    versions: Mapping[ModelKey, Version],
    present: Served | None,
    at: datetime,
    settings: GateSettings | None = None,
) -> dict[ModelKey, Verdict]:
    """The verdict on each model that is not served yet; all but the last argument as promotion has them."""
    fresh = {key: one for key, one in bundles.items() if not (present and present.holds(one))}
    with workspace.lease() as manifest:
        tables = workspace.tables(manifest)
        return {
            key: judge(
                bundle,
                held=registered.held_out(versions[key]),
                champion=_champion(bundle, present, registered=registered, known=known, manifest=manifest),
                tables=tables,
                at=at,
                settings=settings,
            )
            for key, bundle in fresh.items()
        }


def kept(
    present: Served | None, bundles: Mapping[ModelKey, Bundle]
) -> tuple[dict[str, Any], Sequence[Mapping[str, str]]]:
    """Of models that stay: their verdicts by model, and what somebody answered for then."""
    if present is None:
        return {}, ()
    stay = {key: bundle.fingerprint for key, bundle in bundles.items() if present.holds(bundle)}
    settings = present.release.settings
    verdicts = {key: told for key, told in settings.get("gate", {}).items() if key in stay}
    waivers = [
        dict(one)
        for one in settings.get("waivers", ())
        if one["kind"].startswith(GATE_WAIVER) and one["model"] in stay.values()
    ]
    return verdicts, waivers


def require_columns(bundle: Bundle, manifest: Manifest) -> None:
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


def _champion(
    challenger: Bundle,
    present: Served | None,
    *,
    registered: RegisteredModels,
    known: Known,
    manifest: Manifest,
) -> Champion | None:
    key = None if present is None else present.replaced_by(challenger)
    if present is None or key is None:
        return None
    fingerprint = present.release.fingerprints[key]
    version = next((one for one in known.get(key, ()) if one.fingerprint == fingerprint), None)
    held = None if version is None else registered.held_out(version)
    try:
        bundle = present.bundle(key)
        require_columns(bundle, manifest)
    except (BundleError, InputError) as error:
        return Champion(fingerprint, None, held, fault=error.sentence())
    return Champion(fingerprint, bundle, held)
