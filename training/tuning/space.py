"""What tuning may choose: a trial in, settings of the learner out.

Turns the suggestions of a search into settings; everything that is not tuned stays as the config says. Time
rule: none. Null rule: no linear part is a choice of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from features.settings import LearningSettings
from features.tuned import TUNED

__all__ = ["Suggests", "inside", "of_settings", "suggested", "with_parameters"]

_LOGARITHMIC = {
    "learning_rate": (0.02, 0.3),
    "lambda_l2": (0.1, 100.0),
}
_EVEN = {"feature_fraction": (0.1, 1.0), "bagging_fraction": (0.5, 1.0)}
_WHOLE = {"num_leaves": (2, 31), "min_data_in_leaf": (5, 200)}
_STRENGTH = (0.01, 1.0)


class Suggests(Protocol):
    """A trial of a search."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float: ...

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int: ...

    def suggest_categorical(self, name: str, choices: tuple[bool, ...]) -> Any: ...


def suggested(trial: Suggests) -> dict[str, Any]:
    """The parameters that a trial tries, by their names in the config."""
    told: dict[str, Any] = {}
    for name, (low, high) in _LOGARITHMIC.items():
        told[name] = trial.suggest_float(name, low, high, log=True)
    for name, (low, high) in _EVEN.items():
        told[name] = trial.suggest_float(name, low, high)
    for name, (least, most) in _WHOLE.items():
        told[name] = trial.suggest_int(name, least, most, log=True)
    lines = trial.suggest_categorical("lines", (False, True))
    told["linear_strength"] = trial.suggest_float("linear_strength", *_STRENGTH, log=True) if lines else None
    return told


def of_settings(settings: LearningSettings) -> dict[str, Any]:
    """The tuned parameters as the config has them."""
    return {name: getattr(settings, name) for name in TUNED}


def inside(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """As the search knows them: within its bounds. What is tried is not moved, only what is told of it."""
    told: dict[str, Any] = {
        name: min(max(parameters[name], low), high)
        for name, (low, high) in (_LOGARITHMIC | _EVEN | _WHOLE).items()
    }
    strength = parameters["linear_strength"]
    told["lines"] = strength is not None
    if strength is not None:
        told["linear_strength"] = min(max(strength, _STRENGTH[0]), _STRENGTH[1])
    return told


def with_parameters(settings: LearningSettings, parameters: Mapping[str, Any]) -> LearningSettings:
    """The settings with these parameters."""
    return settings.model_copy(update=dict(parameters))
