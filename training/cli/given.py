"""What was typed, as what the product takes: moments, a workspace, a config, a place to print.

Turns options into values, or into an error that names the option. Time rule: a moment is naive UTC in whole
seconds; a day alone means its first second. Null rule: an option that is left out stays None.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import ConfigError, InputError

if TYPE_CHECKING:
    from features.mapping import Config
    from features.workspace import Workspace
    from training.console import Output

__all__ = [
    "open_output",
    "open_workspace",
    "read_as_of",
    "read_config",
    "read_moment",
    "read_optional_config",
    "read_pairs",
    "read_past",
    "refuse",
    "require_one_account",
]


def open_output(*, as_json: bool) -> Output:
    from training.console import Output

    return Output(as_json=as_json)


def open_workspace(home: Path) -> Workspace:
    from features.workspace import Workspace

    if home.exists() and not home.is_dir():
        raise ConfigError("--workspace is not a folder", got=home, fix="name another one")
    return Workspace(home)


def read_config(path: Path, *, overrides: list[str] | None) -> Config:
    from features.mapping import load_config

    pairs = read_pairs("--set", values=overrides, example="folder=/data/crm")
    return load_config(path, overrides=pairs)


def read_optional_config(path: Path | None, *, overrides: list[str] | None) -> Config | None:
    """The config that was typed, if one was; --set without it would change nothing."""
    if path is None:
        refuse("--set", given=overrides, where="without --config", fix="give --config as well")
        return None
    return read_config(path, overrides=overrides)


def refuse(option: str, *, given: object, where: str, fix: str = "leave it out") -> None:
    """ConfigError for an option that was typed where it would do nothing."""
    if given is not None:
        raise ConfigError(f"{option} does nothing {where}", fix=fix)


def require_one_account(account: str | None, *, domain: str | None) -> None:
    """ConfigError for an account that is named twice."""
    if account is not None and domain is not None:
        raise ConfigError(
            "the account is named twice",
            got=f"{account} and --domain {domain}",
            allowed="an account_id or --domain",
            fix="leave one of them out",
        )


def read_pairs(option: str, *, values: list[str] | None, example: str) -> dict[str, str]:
    """What was given as NAME=VALUE, by name."""
    pairs = [text.partition("=") for text in values or ()]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise ConfigError(f"{option} is not NAME=VALUE", got=repr(name), fix=f"write it as {example}")
    return {name: value for name, _, value in pairs}


def read_moment(option: str, *, value: str) -> datetime:
    """A moment from the command line as naive UTC, whole seconds; a day alone means its first second."""
    if value == "today":
        return datetime.now(UTC).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    try:
        moment = datetime.fromisoformat(value)
        return (moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment).replace(
            microsecond=0
        )
    except (ValueError, OverflowError):
        raise InputError(
            f"{option} is not a time", got=repr(value), allowed="2026-01-31 or 2026-01-31T12:00:00Z"
        ) from None


def read_as_of(value: str | None) -> datetime | None:
    """The moment of --as-of, which must not lie in the future."""
    return None if value is None else read_past("--as-of", value=value)


def read_past(option: str, *, value: str) -> datetime:
    """A moment that must not lie in the future; `now` is the current second."""
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    moment = now if value == "now" else read_moment(option, value=value)
    if moment > now:
        raise InputError(
            f"{option} is in the future", got=value, allowed="up to now", fix="choose an earlier moment"
        )
    return moment
