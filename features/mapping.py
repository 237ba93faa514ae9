"""The TOML file that binds a company's own tables to the data contract.

Turns `configs/*.toml` into one frozen `Config`. Time rule: every source says how `known_at` follows from
its data; nothing is taken from the clock. Null rule: a key that is left out has the default written in
its section. Unknown keys are errors with a suggestion. How a source is bound: `features.bindings`.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

from features.bindings import EVENT_TIME, AttributeBinding, Binding, Source, Zone
from features.config_errors import config_error
from features.counting import CountingRules
from features.counting_settings import (
    EngagementSettings,
    TopicSettings,
    counted_sources,
    counting_rules,
)
from features.declared import DeclaredFeature
from features.errors import ConfigError, suggestion
from features.identity.settings import IdentitySettings
from features.label_exclusions import with_exclusions
from features.locations import allowed_folders, locate_files, locate_parameters, matching_files
from features.model_keys import KINDS, ModelKey, require_key
from features.named_models import check_named
from features.origins import OriginSettings, check_origins
from features.privacy.consent import check_told_by
from features.privacy.settings import PrivacySettings
from features.profile_settings import ProfileSettings
from features.settings import (
    BacktestSettings,
    DriftSettings,
    GateSettings,
    LabelSettings,
    ModelSettings,
    RetrainSettings,
    Section,
    ServingSettings,
    TuningSettings,
    UndatedSettings,
)
from features.tables import Attribute
from features.titles.roles import TitleSettings
from features.tuned import with_tuned

__all__ = [
    "EVENT_TIME",
    "AttributeBinding",
    "Binding",
    "Config",
    "Source",
    "WorkspaceSettings",
    "load_config",
    "matching_files",
]


class WorkspaceSettings(Section):
    """[workspace]: what the workspace is called, and the zone whose midnights are the default `as_of`.

    keep_history: whether an ingest adds to what earlier ones have read; otherwise each starts from nothing.
    """

    name: str = Field(min_length=1)
    time_zone: Zone = "UTC"
    keep_history: bool = True


class Config(Section):
    """The whole file. `file` is where it was read from; `parameters` are already put in."""

    file: Path
    workspace: WorkspaceSettings
    parameters: dict[str, str] = Field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    features: tuple[DeclaredFeature, ...] = ()
    labels: LabelSettings = LabelSettings()
    model: ModelSettings = ModelSettings()
    backtest: BacktestSettings = BacktestSettings()
    tuning: TuningSettings = TuningSettings()
    undated: UndatedSettings = UndatedSettings()
    serving: ServingSettings = ServingSettings()
    profile: ProfileSettings = ProfileSettings()
    titles: TitleSettings = TitleSettings()
    identity: IdentitySettings = IdentitySettings()
    origins: OriginSettings = OriginSettings()
    engagement: EngagementSettings = EngagementSettings()
    topics: TopicSettings = TopicSettings()
    privacy: PrivacySettings = PrivacySettings()
    gate: GateSettings = GateSettings()
    drift: DriftSettings = DriftSettings()
    retrain: RetrainSettings = RetrainSettings()

    @model_validator(mode="after")
    def _check(self) -> Config:
        if not any(source.table == "accounts" for source in self.sources):
            raise ValueError('no [[sources]] with table = "accounts"; there is nothing to score')
        for name in {name for source in self.sources for name in source.attributes}:
            if len({binding.type for _, binding in self._declared(name)}) > 1:
                raise ValueError(f"attribute {name!r} is declared with different types")
        kinds = {one.type for _, one in self._declared(self.identity.merged_into or "")}
        if kinds - {"record"}:
            # Whoever is merged has been worked on: nothing may learn from it.
            raise ValueError(
                f'attribute {self.identity.merged_into!r} needs type = "record" to be merged_into'
            )
        check_told_by(self.sources)
        check_origins(self.origins, [source.origin for source in self.sources if source.table == "accounts"])
        return self

    @property
    def assumptions(self) -> dict[str, str]:
        """By the label of its source, what the mapping assumes of people's consent."""
        given = {source.label: source.consent.assume for source in self.sources if source.consent is not None}
        return {label: assumed for label, assumed in given.items() if assumed is not None}

    @property
    def counting_rules(self) -> CountingRules:
        """How activities and research count, as data."""
        return counting_rules(self.engagement, self.topics)

    @property
    def identity_settings(self) -> IdentitySettings:
        """[identity], with its file of decisions looked for beside this file."""
        decisions = self.identity.decisions
        found = None if decisions is None else self.file.parent / decisions
        return self.identity.model_copy(update={"decisions": found})

    @property
    def models(self) -> tuple[ModelKey, ...]:
        """The models that are wanted: the two without a name, then the named ones in their order."""
        return (*KINDS, *(one.key for one in self.model.named))

    def of_model(self, key: ModelKey) -> Config:
        """This config with [labels] and [model] of its kind as one model has them.

        Raises ConfigError for a model that is not declared.
        """
        require_key(key, known=self.models, what=f"{self.file.name} declares no such model")
        one = next((one for one in self.model.named if one.key == key), None)
        if one is None:
            return self
        labels, model = self.labels, self.model
        if one.kind == "fit":
            labels = labels.model_copy(update={"fit": one.fit_labels(labels.fit)})
            model = model.model_copy(update={"fit": one.learning(model.fit)})
        else:
            labels = labels.model_copy(update={"intent": one.intent_labels(labels.intent)})
            model = model.model_copy(update={"intent": one.learning(model.intent)})
        return self.model_copy(update={"labels": labels, "model": model})

    def _declared(self, name: str) -> list[tuple[Source, AttributeBinding]]:
        return [(source, source.attributes[name]) for source in self.sources if name in source.attributes]

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The declared account attributes, sorted by name; the first declaration gives the labels."""
        names = sorted({name for source in self.sources for name in source.attributes})
        return tuple(self._attribute(name) for name in names)

    def _attribute(self, name: str) -> Attribute:
        declared = self._declared(name)
        first = declared[0][1]
        return Attribute(
            name=name,
            type=first.type,
            label=first.label or name.replace("_", " "),
            label_zh=first.label_zh,
            unit=first.unit,
            current_value_only=any(source.current_value_only for source, _ in declared),
        )


def load_config(path: Path | str, *, overrides: Mapping[str, str] | None = None) -> Config:
    """Read and check a TOML file.

    overrides: values for names in [parameters], as `--set folder=...` gives them.
    A parameter whose name ends in `folder` is a folder: relative ones are looked for in the current
    folder, then (for the file's own default) beside the file and one above it.
    Raises ConfigError that names the file, the key, what was got and what is allowed.
    """
    file = Path(path)
    raw = _read_toml(file)
    parameters = _parameters(raw.get("parameters", {}), overrides=overrides or {}, file=file)
    if isinstance(raw.get("sources"), list):
        raw["sources"] = [_written_out(source, parameters, file=file) for source in counted_sources(raw)]
    if "labels" in raw:
        raw["labels"] = with_exclusions(raw["labels"], parameters=parameters, file=file)
    if "model" in raw:
        check_named(raw["model"], file=file)
        raw["model"] = with_tuned(raw["model"], folder=file.parent)
    document = json.dumps(raw | {"parameters": parameters, "file": str(file)}, default=_json_value)
    try:
        config = Config.model_validate_json(document, strict=True)
    except ValidationError as error:
        raise config_error(error, file=file, model=Config) from error
    for key in config.models:
        config.of_model(key)
    return config


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, IsADirectoryError) as error:
        raise ConfigError(
            f"no such file: {file}", fix="give the path of a TOML file with --config"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not valid TOML", got=str(error), fix="mend that line") from error
    if "file" in raw:
        raise ConfigError(f"{file}: unknown key", got="'file'", fix="remove it")
    return raw


def _json_value(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return f"{value.isoformat()}T00:00:00" if isinstance(value, date) else str(value)


def _parameters(declared: object, *, overrides: Mapping[str, str], file: Path) -> dict[str, str]:
    if not isinstance(declared, dict) or not all(isinstance(value, str) for value in declared.values()):
        raise ConfigError(
            f"{file}: [parameters] holds names with texts", got=declared, fix="quote the values"
        )
    for name in overrides:
        if name not in declared:
            raise ConfigError(
                f"{file} has no parameter {name!r}",
                allowed=", ".join(declared) or "none: the file declares no [parameters]",
                fix=suggestion(name, declared),
            )
    return locate_parameters(declared, overrides=overrides, file=file)


_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_TEXTS = ("time_zone", "delimiter", "encoding", "sheet", "database", "name", "extracted_at")
"""Keys of a source in which a parameter may stand, beside `path`, `query` and the `format` of a binding."""


def _written_out(source: object, parameters: Mapping[str, str], *, file: Path) -> object:
    """A source with short forms written out and `{name}` replaced where it may stand."""
    if not isinstance(source, dict):
        return source
    if "within" in source:
        raise ConfigError(f"{file}: unknown key sources.within", got="'within'", fix="remove it")

    def put_in(text: object) -> object:
        return _put_in(text, parameters, file=file)

    folders = allowed_folders(parameters, file=file)
    full = source | {key: put_in(source[key]) for key in _TEXTS if key in source}
    full["within"] = [str(folder) for folder in folders]
    full |= _paths(source, put_in=put_in, file=file)
    if isinstance(source.get("files"), dict):
        full["files"] = {
            name: given | _paths(given, put_in=put_in, file=file) if isinstance(given, dict) else given
            for name, given in source["files"].items()
        }
    if "query" in full:
        quoted = {name: value.replace("'", "''") for name, value in parameters.items()}
        full["query"] = _put_in(full["query"], quoted, file=file)
    for key in ("known_at", "deleted", "deleted_at", "changed_at"):
        if key in full:
            full[key] = _as_binding(full[key], put_in=put_in)
    for key in ("columns", "attributes"):
        if isinstance(full.get(key), dict):
            full[key] = {name: _as_binding(value, put_in=put_in) for name, value in full[key].items()}
    if isinstance(full.get("consent"), dict) and "opted_out" in full["consent"]:
        flag = _as_binding(full["consent"]["opted_out"], put_in=put_in)
        full["consent"] = full["consent"] | {"opted_out": flag}
    return full


def _paths(given: Mapping[str, object], *, put_in: Callable[[object], object], file: Path) -> dict[str, Any]:
    """The `path` of a source or of a further file as a list of absolute paths and patterns."""
    paths = given.get("path")
    if isinstance(paths, str):
        paths = [paths]
    if not isinstance(paths, list):
        return {}
    return {"path": [locate_files(put_in(path), file=file) for path in paths]}


def _as_binding(value: object, *, put_in: Callable[[object], object]) -> object:
    if isinstance(value, str):
        return {"column": value}
    if not isinstance(value, dict) or "format" not in value:
        return value
    formats = value["format"] if isinstance(value["format"], list) else [value["format"]]
    return value | {"format": [put_in(text) for text in formats]}


def _put_in(text: object, parameters: Mapping[str, str], *, file: Path) -> object:
    def value(match: re.Match[str]) -> str:
        if match[1] not in parameters:
            raise ConfigError(
                f"{file}: unknown parameter {match[0]}",
                allowed=", ".join(parameters) or "none: the file declares no [parameters]",
                fix=suggestion(match[1], parameters),
            )
        return parameters[match[1]]

    return _PLACEHOLDER.sub(value, text) if isinstance(text, str) else text
