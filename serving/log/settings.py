"""How answers are logged, from the environment of the server.

Turns environment variables into settings. Time rule: days are of 24 hours. Null rule: a variable that is
absent or empty has its default.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args

from features.errors import ConfigError

__all__ = ["LogSettings", "Mode"]

Mode = Literal["buffered", "durable", "off"]


@dataclass(frozen=True)
class LogSettings:
    """SPEARFISH_LOG (mode), SPEARFISH_LOG_QUEUE (longest), SPEARFISH_LOG_PATIENCE, SPEARFISH_LOG_DAYS (days).

    mode: buffered writes an answer within a fraction of a second after it was sent; a crash of the machine or
        kill -9 loses what waits. durable sends it once it is on disk. off keeps nothing.
    longest: answers that may wait to be written. When as many wait, a buffered answer is sent with a warning,
        not kept, and counted; a durable one is refused with 503.
    patience: seconds that a durable answer waits for the store before it is refused with 503.
    days: how long answers are kept; 0 keeps them for good.
    """

    mode: Mode = "buffered"
    longest: int = 10_000
    patience: int = 5
    days: int = 365

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> LogSettings:
        """The settings of this process. Raises ConfigError for a value that cannot be meant."""
        given = os.environ if environment is None else environment
        return cls(
            mode=_mode(given.get("SPEARFISH_LOG") or cls.mode),
            longest=_whole("SPEARFISH_LOG_QUEUE", given, default=cls.longest, least=1),
            patience=_whole("SPEARFISH_LOG_PATIENCE", given, default=cls.patience, least=1),
            days=_whole("SPEARFISH_LOG_DAYS", given, default=cls.days, least=0),
        )


def _mode(text: str) -> Mode:
    if text not in get_args(Mode):
        raise ConfigError(
            "SPEARFISH_LOG says how answers are logged", got=text, allowed=", ".join(get_args(Mode))
        )
    return cast("Mode", text)


def _whole(name: str, given: Mapping[str, str], *, default: int, least: int) -> int:
    text = given.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise ConfigError(f"{name} is no such number", got=text, allowed=f"a whole number from {least} on")
    return int(text)
