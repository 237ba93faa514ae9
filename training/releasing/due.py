"""Which of the served models are to be trained again, each by what it knows itself.

Turns what each served model learned, what was tried for it since, and what drifted, into the models that an
unattended training is for. A model that was refused, or could not be trained, stays as it is served and grows
old; it is tried again once `every_days` of new facts have come since that try, and does not make the others
be trained anew, nor does its drift, which the try was for. Time rule: days are counted between the newest
facts that trainings learned from, never by the clock. Null rule: a served model that does not say what it
learned from is due; one that is declared and not served goes along with the next that is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from features.errors import BundleError, WorkspaceError
from features.settings import RetrainSettings
from features.workspace import Workspace
from models.card import ModelKey
from training.gate.asking import Served, served
from training.gate.contest import cutoff_of
from training.tracking.registered import TRIED_TAG, RegisteredModels
from training.tracking.versions import Known, Version, holder

__all__ = ["Standing", "due_models", "note_tried", "standings"]


@dataclass(frozen=True)
class Standing:
    """One served model.

    learned: up to when it has learned; None where it cannot be read. tried: up to when the newest training
    that was to replace it had learned; None where none was, since it is served.
    """

    learned: datetime | None
    tried: datetime | None = None

    def is_due(self, cutoff: datetime, *, settings: RetrainSettings, drifted: bool) -> bool:
        """cutoff: what a training would learn up to now."""
        newest = max((one for one in (self.learned, self.tried) if one is not None), default=None)
        if self.learned is None or newest is None:
            return True
        answered = self.tried is not None and self.tried > self.learned
        waited = cutoff - newest >= timedelta(days=settings.every_days)
        return waited or (settings.on_drift and drifted and not answered)


def due_models(
    standings: Mapping[ModelKey, Standing],
    *,
    wanted: Iterable[ModelKey],
    drifted: Iterable[ModelKey],
    cutoff: datetime,
    settings: RetrainSettings,
) -> tuple[ModelKey, ...]:
    """The models to train, in the order of `wanted`, which the config declares; none where none is due.

    standings: of what is served.
    """
    declared, moved = tuple(wanted), set(drifted)
    due = {
        key
        for key, one in standings.items()
        if key in declared and one.is_due(cutoff, settings=settings, drifted=key in moved)
    }
    if not due and set(declared) & standings.keys():
        return ()
    return tuple(key for key in declared if key in due or key not in standings)


def standings(workspace: Workspace) -> dict[ModelKey, Standing]:
    """Of every served model; empty where nothing is served."""
    present = served(workspace)
    if present is None:
        return {}
    known = _known(RegisteredModels(workspace))
    return {key: Standing(_learned(present, key), _tried(present, key, known)) for key in present.contents}


def note_tried(workspace: Workspace, keys: Iterable[ModelKey], *, cutoff: datetime) -> None:
    """Note with the served versions of these models that a training up to this cutoff replaced none."""
    present, registered = served(workspace), RegisteredModels(workspace)
    known, told = _known(registered), cutoff.isoformat()
    for key in keys:
        version = None if present is None else _version(present, key, known)
        if version is not None and version.tags.get(TRIED_TAG) != told:
            registered.tag(version, TRIED_TAG, told)


def _known(registered: RegisteredModels) -> Known:
    """What MLflow knows; nothing where it does not answer."""
    try:
        return registered.known()
    except WorkspaceError:
        return {}


def _learned(present: Served, key: ModelKey) -> datetime | None:
    try:
        return cutoff_of(present.bundle(key))
    except BundleError:
        return None


def _tried(present: Served, key: ModelKey, known: Known) -> datetime | None:
    version = _version(present, key, known)
    noted = None if version is None else version.tags.get(TRIED_TAG)
    return None if noted is None else datetime.fromisoformat(noted)


def _version(present: Served, key: ModelKey, known: Known) -> Version | None:
    fingerprint = present.release.fingerprints.get(key)
    return None if fingerprint is None else holder(known, key, fingerprint=fingerprint)
