"""The file of tuned parameters: what was chosen, and what is known of it, in; a whole TOML file out.

Turns a tuning into tables of TOML that `train` reads, beside what it rests on. Time rule: nothing in it comes
from the clock. Null rule: TOML has no null; `false` stands for a linear part that is not there, and a figure
that is undefined is left out. The file is replaced in one step: whoever reads it reads a whole one.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import tomli_w
from pydantic import ValidationError

from features.config_errors import config_error
from features.errors import ConfigError
from features.mapping import Config
from features.settings import ModelSettings
from features.tuned import read_tuned
from models.card import ModelKey, kind_of, name_of

__all__ = ["require_writable", "use_parameters", "write_parameters"]

_HEAD = """\
# Chosen by `spearfish tune`. Learn with it by `spearfish train --parameters FILE`, or by the config:
#   {table}
#   parameters_from = "{name}"
# [about] tells what the choice rests on. Its nested figures are of later slices that no choice saw.

"""


def require_writable(file: Path) -> None:
    """Raise ConfigError where `write_parameters` would, before anybody has waited for what it writes."""
    if file.is_dir():
        raise ConfigError(f"{file} is a folder", fix="name a file with --out")
    if file.exists():
        read_tuned(file)
    draft = _draft(file)
    with _told(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.touch()
        draft.unlink()


def write_parameters(
    file: Path, *, model: ModelKey, parameters: Mapping[str, Any], about: Mapping[str, Any]
) -> None:
    """Write one model's parameters; those of other models in the file stay.

    model: its key; the table [model.<key>] of the file holds them. parameters: None is written as false.
    Raises ConfigError where the file holds something else, or cannot be written.
    """
    told: dict[str, Any] = {"model": {}, "about": {}}
    if file.exists():
        read_tuned(file)
        told |= tomllib.loads(file.read_text(encoding="utf-8"))
    told["model"][model] = {name: False if value is None else value for name, value in parameters.items()}
    told["about"][model] = _without_none(about)
    _replace(file, _HEAD.format(table=_table(model), name=file.name) + tomli_w.dumps(told))


def _table(model: ModelKey) -> str:
    name = name_of(model)
    return f"[model.{model}]" if name is None else f"[[model.named]] of the name {name!r}"


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_none(one) for name, one in value.items() if one is not None}
    return value


def _replace(file: Path, text: str) -> None:
    draft = _draft(file)
    with _told(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(file)


def _draft(file: Path) -> Path:
    return file.with_name(f".{file.name}-draft")


@contextmanager
def _told(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be written", got=error, fix="name another file with --out"
        ) from error


def use_parameters(config: Config, *, file: Path) -> Config:
    """The config with the parameters of a file, for each model that it names.

    Raises ConfigError that names the file and the parameter.
    """
    told = read_tuned(file)
    # What a named model does not say itself stays unsaid, so that it goes on following the others.
    document = config.model.model_dump(mode="json", exclude_unset=True)
    for key, parameters in told.items():
        _require_declared(key, config=config, file=file)
        _part(document, key).update(parameters)
    try:
        model = ModelSettings.model_validate_json(json.dumps(document, default=_moment), strict=True)
    except ValidationError as error:
        raise config_error(error, file=file, model=ModelSettings) from error
    return config.model_copy(update={"model": model})


def _require_declared(key: ModelKey, *, config: Config, file: Path) -> None:
    if key not in config.models:
        raise ConfigError(
            f"{file} holds parameters of no model of {config.file.name}",
            got=repr(key),
            allowed=", ".join(config.models),
            fix=f"declare it in [[model.named]], or delete the table {_header(key)} from {file}",
        )


def _header(key: ModelKey) -> str:
    """The table of a model in the file of parameters, as TOML writes it."""
    return f"[model.{key}]" if name_of(key) is None else f'[model."{key}"]'


def _part(document: dict[str, Any], key: ModelKey) -> dict[str, Any]:
    """The table of a model."""
    kind, name = kind_of(key), name_of(key)
    if name is None:
        return cast("dict[str, Any]", document.setdefault(kind, {}))
    return next(one for one in document["named"] if (one["kind"], one["name"]) == (kind, name))


def _moment(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
