"""The release that answers, read from the store and made ready to score.

Turns the store's pointer into checked scorers and the settings that travel with them. Time rule: a release
answers from its `activate_at` on. Null rule: a release may hold one model; the other is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from features.errors import WorkspaceError
from features.settings import LabelSettings
from models.bundle import Bundle
from models.fire import PriorityTable
from models.scoring import Scorer
from serving.problems import NotReadyError
from serving.store import Store
from serving.store.releases import Release

__all__ = ["LoadedRelease", "load_current", "load_release"]


@dataclass(frozen=True)
class LoadedRelease:
    """A release whose bundles reproduced their golden rows."""

    release: Release
    fit: Scorer | None
    intent: Scorer | None
    labels: LabelSettings
    priorities: PriorityTable
    time_zone: str | None

    @property
    def scorers(self) -> tuple[Scorer, ...]:
        return tuple(scorer for scorer in (self.fit, self.intent) if scorer is not None)


def load_current(store: Store, *, now: datetime) -> LoadedRelease:
    """The release that answers at `now`. Raises NotReadyError when nothing was promoted yet."""
    release = store.current(now=now)
    if release is None:
        raise NotReadyError(
            "no release is current", fix="train the models, then run `spearfish promote --config FILE`"
        )
    return load_release(store, release=release)


def load_release(store: Store, *, release: Release) -> LoadedRelease:
    """A release, checked. Raises BundleError when a bundle cannot be trusted."""
    scorers = {
        kind: _scorer(store, fingerprint=fingerprint) for kind, fingerprint in release.fingerprints.items()
    }
    settings = release.settings
    return LoadedRelease(
        release=release,
        fit=scorers.get("fit"),
        intent=scorers.get("intent"),
        labels=_labels(settings),
        priorities=PriorityTable(settings.get("serving", {}).get("priority", {})),
        time_zone=settings.get("time_zone"),
    )


def _scorer(store: Store, *, fingerprint: str) -> Scorer:
    bundle = Bundle.from_bytes(store.bundle_bytes(fingerprint))
    bundle.verify()
    # One thread: a request is one row, and workers share the machine.
    return Scorer(bundle, threads=1)


def _labels(settings: Mapping[str, Any]) -> LabelSettings:
    try:
        return LabelSettings.model_validate(settings.get("labels", {}))
    except ValidationError as error:
        raise WorkspaceError(
            "the release's settings hold a wrong labels section",
            got=error.errors()[0]["msg"],
            fix="run `spearfish promote` again",
        ) from error
