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
from features.settings import GateSettings
from features.workspace import Manifest, Workspace
from models.bundle import Bundle, Kind
from serving.store import Release, Store
from training.gate.comparing import Champion, cutoff_of
from training.gate.judging import GATE_WAIVER, judge
from training.gate.verdict import Verdict
from training.tracking.registered import Known, RegisteredModels, Version

__all__ = ["Served", "ask", "has_store", "kept", "require_columns", "served", "served_cutoff"]


@dataclass(frozen=True)
class Served:
    """The release that was chosen last, and the bytes of its bundles by kind."""

    release: Release
    contents: Mapping[str, bytes]

    def holds(self, kind: Kind, bundle: Bundle) -> bool:
        return self.release.fingerprints.get(kind) == bundle.fingerprint

    def bundle(self, kind: Kind) -> Bundle:
        """Raises BundleError where this version of spearfish cannot read it."""
        return Bundle.from_bytes(self.contents[kind])


def served(workspace: Workspace) -> Served | None:
    """What is served, without making a store where there is none."""
    if not has_store(workspace):
        return None
    with Store.open(workspace.store_url) as store:
        release = store.chosen()
        if release is None:
            return None
        found = release.fingerprints.items()
        return Served(release, {kind: store.bundle_bytes(fingerprint) for kind, fingerprint in found})


def served_cutoff(workspace: Workspace, *, kind: Kind) -> datetime | None:
    """Up to when the served model of a kind has learned; None where there is none, or it cannot be read."""
    present = served(workspace)
    if present is None or kind not in present.contents:
        return None
    try:
        return cutoff_of(present.bundle(kind))
    except BundleError:
        return None


def has_store(workspace: Workspace) -> bool:
    """Whether there is a store to open; one that is not a file of SQLite's always is."""
    url = make_url(workspace.store_url)
    is_file = url.get_backend_name() == "sqlite" and not str(url.database).startswith("file:")
    return not is_file or Path(str(url.database)).exists()


def ask(
    workspace: Workspace,
    bundles: Mapping[Kind, Bundle],
    *,
    registered: RegisteredModels,
    known: Known,
    versions: Mapping[Kind, Version],
    present: Served | None,
    at: datetime,
    settings: GateSettings | None = None,
) -> dict[Kind, Verdict]:
    """The verdict on each model that is not served yet; all but the last argument as promotion has them."""
    fresh = {kind: one for kind, one in bundles.items() if not (present and present.holds(kind, one))}
    with workspace.lease() as manifest:
        tables = workspace.tables(manifest)
        return {
            kind: judge(
                bundle,
                held=registered.held_out(versions[kind]),
                champion=_champion(kind, present, registered=registered, known=known, manifest=manifest),
                tables=tables,
                at=at,
                settings=settings,
            )
            for kind, bundle in fresh.items()
        }


def kept(
    present: Served | None, bundles: Mapping[Kind, Bundle]
) -> tuple[dict[str, Any], Sequence[Mapping[str, str]]]:
    """Of models that stay: their verdicts by kind, and what somebody answered for then."""
    if present is None:
        return {}, ()
    stay = {kind: bundle.fingerprint for kind, bundle in bundles.items() if present.holds(kind, bundle)}
    settings = present.release.settings
    verdicts = {kind: told for kind, told in settings.get("gate", {}).items() if kind in stay}
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
    kind: Kind,
    present: Served | None,
    *,
    registered: RegisteredModels,
    known: Known,
    manifest: Manifest,
) -> Champion | None:
    if present is None or kind not in present.contents:
        return None
    fingerprint = present.release.fingerprints[kind]
    version = next((one for one in known[kind] if one.fingerprint == fingerprint), None)
    held = None if version is None else registered.held_out(version)
    try:
        bundle = present.bundle(kind)
        require_columns(bundle, manifest)
    except (BundleError, InputError) as error:
        return Champion(fingerprint, None, held, fault=error.sentence())
    return Champion(fingerprint, bundle, held)
