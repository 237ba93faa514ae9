"""Parameters that were tuned: a TOML file in, a config that learns with them out.

Turns the tables [model.fit] and [model.intent] of the file that `spearfish tune` writes into settings; what
they name replaces what the config says. Time rule: `tuned_through` says until when the facts went on which
the parameters were chosen. Null rule: a parameter that the file does not name stays; `false` stands for none.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from features.errors import ConfigError, suggestion
from features.model_keys import KINDS, ModelKey

__all__ = ["TUNED", "read_tuned", "with_tuned"]

TUNED = (
    "learning_rate",
    "num_leaves",
    "min_data_in_leaf",
    "feature_fraction",
    "bagging_fraction",
    "lambda_l2",
    "linear_strength",
)
"""What tuning chooses."""

_NAMES = (*TUNED, "tuned_through")
_AGAIN = "write it again with `spearfish tune`"


def read_tuned(file: Path) -> dict[ModelKey, dict[str, Any]]:
    """By model, the parameters that the file names. Raises ConfigError for any other file."""
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError) as error:
        raise ConfigError(f"no such file of parameters: {file}", fix="run `spearfish tune` first") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not valid TOML", got=str(error), fix=_AGAIN) from error
    model = raw.get("model")
    if not isinstance(model, dict) or not model or not all(isinstance(one, dict) for one in model.values()):
        raise ConfigError(
            f"{file} holds no tuned parameters",
            got=", ".join(raw) or "nothing",
            allowed="tables [model.fit] and [model.intent]",
            fix=_AGAIN,
        )
    for key, told in model.items():
        _require_known(key.partition(".")[0], KINDS, file=file)
        for name in told:
            _require_known(name, _NAMES, file=file)
    return {key: {name: _value(value) for name, value in told.items()} for key, told in model.items()}


def with_tuned(model: object, *, folder: Path) -> object:
    """The raw table [model] with what `parameters_from` of its parts names; relative to `folder`, if there.

    Anything else in it stays as it is, for whoever checks it.
    """
    if not isinstance(model, dict):
        return model
    parts = {kind: _overlaid(kind, part, folder=folder) for kind, part in model.items()}
    named = parts.get("named")
    if isinstance(named, list):
        parts["named"] = [_overlaid(_key(part), part, folder=folder) for part in named]
    return parts


def _key(part: object) -> ModelKey:
    return f"{part.get('kind')}.{part.get('name')}" if isinstance(part, dict) else ""


def _overlaid(key: ModelKey, part: object, *, folder: Path) -> object:
    if not isinstance(part, dict) or "parameters_from" not in part:
        return part
    named = part["parameters_from"]
    if not isinstance(named, str):
        raise ConfigError(f"[model.{key}] parameters_from names a file", got=named, fix="quote its path")
    beside = folder / named
    found = read_tuned(beside if beside.is_file() else Path(named))
    if key not in found:
        raise ConfigError(
            f"[model.{key}] parameters_from: {named} holds no parameters of this model",
            got=", ".join(found),
            fix=f"run `spearfish tune --model {key}`",
        )
    return {name: value for name, value in part.items() if name != "parameters_from"} | found[key]


def _require_known(name: str, known: tuple[str, ...], *, file: Path) -> None:
    if name not in known:
        raise ConfigError(
            f"{file}: unknown key",
            got=repr(name),
            allowed=", ".join(known),
            fix=suggestion(name, known) or _AGAIN,
        )


def _value(value: object) -> object:
    return None if value is False else value
