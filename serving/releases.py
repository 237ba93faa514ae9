"""The release that answers, read from the store and made ready to score.

Turns the store's pointer into checked scorers and the settings that travel with them. Time rule: a release
answers from its `activate_at` on. Null rule: a release may hold models of one kind alone; the other has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from features.errors import WorkspaceError
from features.label_settings import LabelSettings, RowSettings
from features.settings import ServingSettings
from models.bundle import Bundle
from models.card import Kind, ModelKey, kind_of
from models.choice import in_order, labels_of
from models.fire import PriorityTable
from models.grades import GradeCuts
from models.scoring import Scorer
from serving.problems import NotReadyError
from serving.store import Store
from serving.store.releases import Release

__all__ = ["LoadedRelease", "ServedModel", "load_current", "load_release"]


@dataclass(frozen=True)
class ServedModel:
    """A model of a release. labels: [labels] as it was trained on, the section of its kind its own."""

    scorer: Scorer
    labels: LabelSettings

    @cached_property
    def key(self) -> ModelKey:
        """As of its bundle."""
        return self.scorer.bundle.key

    @property
    def rows(self) -> RowSettings:
        """Whom it is about."""
        return self.labels.of(kind_of(self.key))


@dataclass(frozen=True)
class LoadedRelease:
    """A release whose bundles reproduced their golden rows. models: in the order in which they are asked."""

    release: Release
    models: tuple[ServedModel, ...]
    priorities: PriorityTable
    time_zone: str | None

    def of_kind(self, kind: Kind) -> tuple[ServedModel, ...]:
        """The models of a kind, in the order in which they are asked."""
        return tuple(model for model in self.models if kind_of(model.key) == kind)

    @cached_property
    def populations(self) -> tuple[str, ...]:
        """The columns of accounts that say which segment each of its models is for."""
        return tuple(sorted({column for model in self.models for column in model.rows.where}))

    @property
    def scorers(self) -> tuple[Scorer, ...]:
        return tuple(model.scorer for model in self.models)


def load_current(store: Store, *, now: datetime) -> LoadedRelease:
    """The release that answers at `now`. Raises NotReadyError when nothing was promoted yet."""
    release = store.current(now=now)
    if release is None:
        raise NotReadyError("no release is current", fix="train the models, then run `spearfish promote`")
    return load_release(store, release=release)


def load_release(store: Store, *, release: Release) -> LoadedRelease:
    """A release, checked. Raises BundleError when a bundle cannot be trusted."""
    settings = release.settings
    serving = _serving(settings)
    cuts = GradeCuts.of_release(serving)
    bundles = in_order(
        (_checked(store, fingerprint=fingerprint) for fingerprint in release.fingerprints.values()),
        settings=settings,
    )
    return LoadedRelease(
        release=release,
        # Many rows of which no reasons are told wait half as long with two.
        models=tuple(
            ServedModel(Scorer(bundle, threads=2, cuts=cuts), labels_of(settings, key=bundle.key))
            for bundle in bundles
        ),
        priorities=PriorityTable(serving.model_dump()["priority"]),
        time_zone=settings.get("time_zone"),
    )


def _checked(store: Store, *, fingerprint: str) -> Bundle:
    bundle = Bundle.from_bytes(store.bundle_bytes(fingerprint))
    bundle.verify()
    return bundle


def _serving(settings: Mapping[str, Any]) -> ServingSettings:
    try:
        return ServingSettings.model_validate(settings.get("serving", {}))
    except ValidationError as error:
        raise WorkspaceError(
            "the release's settings hold a wrong serving section",
            got=error.errors()[0]["msg"],
            fix="run `spearfish promote` again",
        ) from error
