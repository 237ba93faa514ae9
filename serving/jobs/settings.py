"""How large files of jobs may be, how long their results stay, and who runs them, from the environment.

Turns environment variables into settings. Time rule: days are of 24 hours. Null rule: a variable that is
absent or empty has its default.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from features.errors import ConfigError

__all__ = ["RUNNER", "JobSettings"]

RUNNER = "SPEARFISH_JOB_RUNNER"


@dataclass(frozen=True)
class JobSettings:
    """SPEARFISH_JOB_MEGABYTES (of a file), SPEARFISH_JOB_ROWS (of a file), SPEARFISH_JOB_DAYS (of a result),
    SPEARFISH_JOB_RUNNER (yes or no).

    megabytes: of 1,048,576 bytes. days: after the end of a job; 0 keeps results for good. runner: whether a
    server starts one beside itself.
    """

    megabytes: int = 256
    rows: int = 2_000_000
    days: int = 7
    runner: bool = True

    @property
    def largest(self) -> int:
        """Bytes of a file."""
        return self.megabytes * 1024 * 1024

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> JobSettings:
        """The settings of this process. Raises ConfigError for a value that cannot be meant."""
        given = os.environ if environment is None else environment
        return cls(
            megabytes=_whole("SPEARFISH_JOB_MEGABYTES", given, default=cls.megabytes, least=1),
            rows=_whole("SPEARFISH_JOB_ROWS", given, default=cls.rows, least=1),
            days=_whole("SPEARFISH_JOB_DAYS", given, default=cls.days, least=0),
            runner=_whether(RUNNER, given),
        )


def _whether(name: str, given: Mapping[str, str]) -> bool:
    text = given.get(name) or "yes"
    if text not in ("yes", "no"):
        raise ConfigError(f"{name} says neither yes nor no", got=text, allowed="yes, no")
    return text == "yes"


def _whole(name: str, given: Mapping[str, str], *, default: int, least: int) -> int:
    text = given.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise ConfigError(f"{name} is no such number", got=text, allowed=f"a whole number from {least} on")
    return int(text)
