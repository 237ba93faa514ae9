"""Monotone effects: the patterns of `rising` and `falling` in, a direction for each feature out.

Turns names of features, with * for any text, into 1, -1 or 0 by column. Time rule: none; a feature is what
the catalogue of a cutoff declares. Null rule: a category neither grows nor falls, so that * passes it by; a
name that no growing feature has would require nothing in silence, and is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from features.catalogue import Catalogue
from features.errors import ConfigError, suggestion
from features.settings import LearningSettings

__all__ = ["directions", "require_directions"]


def directions(catalogue: Catalogue, settings: LearningSettings) -> list[int]:
    """1 for a feature that may only raise the margin, -1 for one that may only lower it, else 0."""
    grows = [feature.kind != "category" for feature in catalogue.features]
    return [
        (_matches(name, settings.rising) - _matches(name, settings.falling)) if able else 0
        for name, able in zip(catalogue.names, grows, strict=True)
    ]


def require_directions(catalogue: Catalogue, settings: LearningSettings, *, where: str = "") -> None:
    """ConfigError where `rising` or `falling` names nothing that grows, or one feature is in both.

    where: the section of a config that declares them, for the sentence.
    """
    growing = [feature.name for feature in catalogue.features if feature.kind != "category"]
    for key, patterns in (("rising", settings.rising), ("falling", settings.falling)):
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in growing):
                raise _nothing(pattern, key=f"{where} {key}".lstrip(), catalogue=catalogue, growing=growing)
    both = [name for name in growing if _matches(name, settings.rising) and _matches(name, settings.falling)]
    if both:
        raise ConfigError(
            f"{where} rising and falling name the same features".lstrip(),
            got=", ".join(both),
            fix="leave each out of one of the two",
        )


def _nothing(pattern: str, *, key: str, catalogue: Catalogue, growing: Sequence[str]) -> ConfigError:
    categories = [name for name in catalogue.names if fnmatchcase(name, pattern)]
    if categories:
        return ConfigError(
            f"{key} names a category, which can neither grow nor fall",
            got=", ".join(categories),
            allowed="numbers, dates, and what is yes or no",
            fix=f"remove {pattern!r}",
        )
    return ConfigError(
        f"{key} names no feature of the model", got=repr(pattern), fix=suggestion(pattern, growing)
    )


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
