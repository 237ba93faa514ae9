"""The release that answers, read from the store and made ready to score.

Turns the store's pointer into checked scorers and the settings that travel with them. Time rule: a release
answers from its `activate_at` on. Null rule: a release may hold one model; the other is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from pydantic import ValidationError

from features.errors import WorkspaceError
from features.settings import LabelSettings, Section, ServingSettings
from models.bundle import Bundle
from models.fire import PriorityTable
from models.grades import GradeCuts
from models.scoring import Scorer
from serving.problems import NotReadyError
from serving.store import Store
from serving.store.releases import Release

__all__ = ["LoadedRelease", "load_current", "load_release"]

_Settings = TypeVar("_Settings", bound=Section)


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
        raise NotReadyError("no release is current", fix="train the models, then run `spearfish promote`")
    return load_release(store, release=release)


def load_release(store: Store, *, release: Release) -> LoadedRelease:
    """A release, checked. Raises BundleError when a bundle cannot be trusted."""
    settings = release.settings
    serving = _section("serving", ServingSettings, settings=settings)
    cuts = GradeCuts(serving.grade_cuts) if "grade_cuts" in serving.model_fields_set else None
    scorers = {
        kind: _scorer(store, fingerprint=fingerprint, cuts=cuts)
        for kind, fingerprint in release.fingerprints.items()
    }
    return LoadedRelease(
        release=release,
        fit=scorers.get("fit"),
        intent=scorers.get("intent"),
        labels=_section("labels", LabelSettings, settings=settings),
        priorities=PriorityTable(serving.model_dump()["priority"]),
        time_zone=settings.get("time_zone"),
    )


def _scorer(store: Store, *, fingerprint: str, cuts: GradeCuts | None) -> Scorer:
    bundle = Bundle.from_bytes(store.bundle_bytes(fingerprint))
    bundle.verify()
    # One thread: a request is one row, and workers share the machine.
    return Scorer(bundle, threads=1, cuts=cuts)


def _section(name: str, section: type[_Settings], *, settings: Mapping[str, Any]) -> _Settings:
    try:
        return section.model_validate(settings.get(name, {}))
    except ValidationError as error:
        raise WorkspaceError(
            f"the release's settings hold a wrong {name} section",
            got=error.errors()[0]["msg"],
            fix="run `spearfish promote` again",
        ) from error
