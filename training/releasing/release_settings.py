"""What the server needs beside the bundles: time zone, labels, and what to do with which grades.

Turns the cards of bundles that are promoted together, the workspace's manifest and perhaps a config into the
JSON that travels with a release. Labels belong to what was trained and come from the cards alone; [serving]
comes from them too unless a config is given, and so does the order in which named models are asked; the time
zone is the workspace's. Time rule: none. Null rule: a
model that is not in the release leaves its labels at their defaults, which nothing reads.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from features.errors import InputError
from features.mapping import Config
from features.settings import FitLabelSettings, IntentLabelSettings, LabelSettings, Section, ServingSettings
from features.workspace import Manifest
from models.bundle import Bundle
from models.card import ModelKey, TrainedWith, kind_of, name_of
from models.choice import NAMED_LABELS, ORDER, in_order
from models.grades import GradeCuts

__all__ = ["release_settings"]

_NO_LABELS: Mapping[str, object] = LabelSettings().model_dump(mode="json")

_Settings = TypeVar("_Settings", bound=Section)


def release_settings(
    bundles: Sequence[Bundle],
    *,
    manifest: Manifest,
    config: Config | None = None,
    keep: Collection[ModelKey] = (),
) -> dict[str, Any]:
    """The settings of a release of these bundles, as JSON: time_zone, labels, serving, named_labels, order.

    config: its [serving] and its order replace those trained with. keep: models that stay as they are served,
    so that it may say something else of their labels by now. Raises InputError where it says anything else
    than the models and the workspace do, and where two models were trained with different [serving].
    """
    trained = {one.key: _trained_with(one) for one in bundles}
    labels = {key: _labels(key, noted) for key, noted in trained.items()}
    if config is None:
        serving = _common_serving(trained)
    else:
        _require_own_workspace(config, manifest=manifest)
        _require_same_labels(config, labels={key: labels[key] for key in labels if key not in keep})
        serving = config.serving
    # Refused here, because the server could not load the release.
    GradeCuts(serving.grade_cuts)
    told = {key: settings.model_dump(mode="json") for key, settings in labels.items()}
    named = {key: one for key, one in told.items() if name_of(key) is not None}
    return {
        "time_zone": manifest.time_zone,
        "labels": {**_NO_LABELS, **{key: told[key] for key in told if name_of(key) is None}},
        "serving": serving.model_dump(mode="json"),
        **({NAMED_LABELS: named, ORDER: _order(bundles, config=config)} if named else {}),
    }


def _order(bundles: Sequence[Bundle], *, config: Config | None) -> list[ModelKey]:
    """The named models as the config has them, behind them what it does not declare, as the cards have it."""
    named = [one.key for one in in_order(bundles, settings={}) if name_of(one.key) is not None]
    declared = () if config is None else config.models
    return sorted(named, key=lambda key: declared.index(key) if key in declared else len(declared))


def _trained_with(bundle: Bundle) -> TrainedWith:
    noted = bundle.card.get("trained_with")
    if noted is None:
        raise InputError(
            f"{bundle.name} {bundle.version} does not say with which settings it was trained",
            got="a model card without them, as an older spearfish wrote it",
            fix="run `spearfish train` again",
        )
    return noted


def _labels(key: ModelKey, noted: TrainedWith) -> Section:
    section = FitLabelSettings if kind_of(key) == "fit" else IntentLabelSettings
    return _read(section, noted["labels"], name="labels")


def _common_serving(trained: Mapping[ModelKey, TrainedWith]) -> ServingSettings:
    found = {key: _read(ServingSettings, noted["serving"], name="serving") for key, noted in trained.items()}
    one, first = next(iter(found.items()))
    for other, settings in found.items():
        if settings == first:
            continue
        raise InputError(
            f"the {one} and the {other} model were trained with different [serving] settings",
            got=f"{one} {_told(first, unlike=settings)}; {other} {_told(settings, unlike=first)}",
            allowed="one [serving] for a release",
            fix="say which one with --config FILE, or train them again with one config",
        )
    return first


def _read(section: type[_Settings], noted: object, *, name: str) -> _Settings:
    try:
        return section.model_validate(noted)
    except ValidationError as error:
        raise InputError(
            f"a model card holds [{name}] settings that this version does not know",
            got=error.errors()[0]["msg"],
            fix="promote with the version of spearfish that trained it, or train again",
        ) from error


def _require_own_workspace(config: Config, *, manifest: Manifest) -> None:
    given = (config.workspace.name, config.workspace.time_zone)
    own = (manifest.workspace, manifest.time_zone)
    if given != own:
        raise InputError(
            f"{config.file.name} is not the config of this workspace's tables",
            got="name {!r}, time zone {}".format(*given),
            allowed="name {!r}, time zone {}".format(*own),
            fix="give the config that the tables were ingested with, or run `spearfish ingest` with this one",
        )


def _require_same_labels(config: Config, *, labels: Mapping[ModelKey, Section]) -> None:
    """Labels are learned: changing them needs another training, not another release."""
    for key, learned in labels.items():
        given: Section = getattr(config.of_model(key).labels, kind_of(key))
        if given != learned:
            raise InputError(
                f"[labels.{kind_of(key)}] of {config.file.name} is not what the {key} model was trained with",
                got=_told(given, unlike=learned),
                allowed=_told(learned, unlike=given),
                fix="run `spearfish train` with this config first, or promote without --config: "
                "of a config, a release takes [serving] alone",
            )


def _told(settings: Section, *, unlike: Section) -> str:
    """The settings that differ, as in horizon_days = 90."""
    other = dict(_flat(unlike.model_dump(mode="json")))
    own = _flat(settings.model_dump(mode="json"))
    return ", ".join(f"{name} = {value}" for name, value in own if value != other.get(name))


def _flat(value: object, *, name: str = "") -> Iterator[tuple[str, object]]:
    if not isinstance(value, dict):
        yield name, value
        return
    for key, inner in value.items():
        yield from _flat(inner, name=f"{name}.{key}" if name else key)
