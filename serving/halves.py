"""One half of an answer, from the features of one account and one model.

Turns a row of features into fit or intent with its reasons, and the rows of a release into FIRE: when an
account is scored, and again when a logged answer is replayed. Time rule: none, the row is of its moment. Null
rule: a release that knows nothing of behaviour has no recency and no engagement, rather than zeros.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.feature import Language
from models.card import ModelKey
from models.explanation import Explained
from models.fire import FIRE_FEATURES, fire
from models.scoring import Scorer
from serving.answers import (
    Fire,
    FitScore,
    IntentScore,
    ModelVersion,
    ProbabilityInterval,
)
from serving.inputs import inputs_read
from serving.reasons import ToldReasons
from serving.releases import ServedModel

__all__ = ["fire_of", "fit_score", "intent_score", "model_version"]

Row = NDArray[np.float64]


def fit_score(scorer: Scorer, *, explained: Explained, language: Language) -> FitScore:
    """The fit half. explained: what the scorer says of the account's row."""
    return FitScore(**_half(scorer, explained=explained, language=language), horizon_days=None)


def intent_score(scorer: Scorer, *, explained: Explained, language: Language) -> IntentScore:
    """The intent half, as `fit_score`."""
    horizon = scorer.bundle.card["horizon_days"] or 0
    return IntentScore(**_half(scorer, explained=explained, language=language), horizon_days=horizon)


def fire_of(
    models: Iterable[ServedModel],
    *,
    rows: Mapping[ModelKey, Row],
    fit: FitScore | None,
    intent: IntentScore | None,
) -> Fire:
    """The four views of one account. models: of the release; rows: features of those that were asked."""
    values = {
        name: float(rows[model.key][column])
        for model in models
        if model.key in rows
        for name, column in _fire_columns(model.scorer.bundle.catalogue.names)
    }
    scores = {"fit": fit.score if fit else None, "intent": intent.score if intent else None}
    found = vars(fire(values, **scores))
    # A release without any of these features knows nothing of behaviour: null, not zero.
    return Fire(**(found if values else dict.fromkeys(found) | scores))


@lru_cache(maxsize=64)
def _fire_columns(names: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    wanted = set(FIRE_FEATURES.values())
    return tuple((name, column) for column, name in enumerate(names) if name in wanted)


def model_version(scorer: Scorer) -> ModelVersion:
    """Which model a scorer scores with."""
    bundle = scorer.bundle
    return _version(bundle.name, bundle.version, bundle.fingerprint, bundle.card["cutoff"])


# By what it says: a scorer that is remembered would never be let go of.
@lru_cache(maxsize=64)
def _version(name: str, version: str, fingerprint: str, cutoff: str) -> ModelVersion:
    until = datetime.fromisoformat(cutoff.removesuffix("Z"))
    return ModelVersion(name=name, version=version, fingerprint=fingerprint, trained_until=until)


def _half(scorer: Scorer, *, explained: Explained, language: Language) -> dict[str, Any]:
    return {
        "probability": explained.probability,
        "probability_interval": _interval(scorer, explained=explained, language=language),
        "meaning": scorer.bundle.card["meaning"][language],
        "score": explained.score,
        "grade": explained.grade,
        "reasons_for": ToldReasons(explained.reasons_for, language),
        "reasons_against": ToldReasons(explained.reasons_against, language),
        "inputs": inputs_read(explained.inputs, kind=scorer.bundle.kind, language=language),
        "other": explained.other,
        "baseline": explained.baseline,
        "logit": explained.logit,
        "model": model_version(scorer),
    }


def _interval(scorer: Scorer, *, explained: Explained, language: Language) -> ProbabilityInterval:
    told = scorer.bundle.card["interval"]
    return ProbabilityInterval(
        low=explained.low, high=explained.high, level=told["level"], meaning=told["meaning"][language]
    )
