"""Turns pydantic's complaints about a TOML file into one ConfigError: what, got, allowed, fix.

Time rule: none. Null rule: none. Several faults are reported one at a time, unknown keys first, because
a misspelt key is often what makes the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from features.errors import ConfigError, suggestion

__all__ = ["config_error"]


def config_error(error: ValidationError, *, file: Path, model: type[BaseModel]) -> ConfigError:
    """The first fault of `error` (raised by validating `model`) as a ConfigError that names the key."""
    faults = sorted(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
    fault = faults[0]
    place = _readable(fault["loc"])
    if fault["type"] == "extra_forbidden":
        allowed = _fields(model, fault["loc"][:-1])
        name = str(fault["loc"][-1])
        return ConfigError(
            f"{file}: unknown key {place}",
            got=repr(name),
            allowed=", ".join(allowed),
            fix=suggestion(name, allowed) or "remove it",
        )
    if fault["type"] == "missing":
        return ConfigError(f"{file}: {place} is missing", fix="add it")
    message = fault["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    got = None if isinstance(fault["input"], dict | list) else repr(fault["input"])
    return ConfigError(f"{file}: {place}: {message}" if place else f"{file}: {message}", got=got)


def _readable(location: Sequence[int | str]) -> str:
    """('sources', 1, 'columns') as 'sources[2].columns': people count from one."""
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _fields(model: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    """The keys that the table at `location` may hold."""
    kind: Any = model
    for part in location:
        kind = _model(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = kind.model_fields[str(part)].annotation
        else:
            kind = get_args(kind)[-1 if get_origin(kind) is dict else 0]
    kind = _model(kind)
    return [name for name, field in kind.model_fields.items() if name != "file" and not field.exclude]


def _model(kind: Any) -> Any:
    """The annotation without Annotated and without None."""
    while get_origin(kind) in (Annotated, Union, UnionType):
        kind = next(option for option in get_args(kind) if option is not type(None))
    return kind
