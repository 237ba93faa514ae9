"""A logged answer computed again from its features, and where the two differ.

Turns the rows of an answer and the models of its release into the parts of the answer that follow from them.
Time rule: none, the rows are of their moment. Null rule: a half that was not given is not computed; NaN is
like NaN of the same bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from models.card import ModelKey, key_of
from models.explanation import Explained
from serving.answers import FitScore, IntentScore
from serving.halves import fire_of, fit_score, intent_score
from serving.log.evidence import Evidence
from serving.releases import LoadedRelease
from serving.scoring import priority_of
from serving.working import machine_score

__all__ = ["TOLERANCE", "differences", "scores_again", "unlike_features"]

TOLERANCE = 1e-12
"""How far numbers may be apart on another machine or under another LightGBM; relative to those above 1."""

_WORDS = frozenset(("sentence", "value", "meaning", "why", "action"))

Row = NDArray[np.float64]


def scores_again(
    release: LoadedRelease, *, told: Mapping[str, Any], evidence: Evidence
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the answer said and what follows from its features now: two documents to be compared.

    told: the answer as it was given.
    """
    explained = _explained(release, told=told, evidence=evidence)
    fit = cast("FitScore | None", _half("fit", release, explained=explained, evidence=evidence))
    intent = cast("IntentScore | None", _half("intent", release, explained=explained, evidence=evidence))
    fire = fire_of(release.models, rows=evidence.rows, fit=fit, intent=intent)
    priority = priority_of(release, fit=fit, intent=intent, language=evidence.language)
    parts = {"fit": fit, "intent": intent, "fire": fire, "priority": priority}
    dumped = {name: part.model_dump(mode="json") if part else None for name, part in parts.items()}
    again: dict[str, Any] = dumped | {
        "machine_score": machine_score(fit, intent),
        "contributions": {key: one.contributions.tolist() for key, one in explained.items()},
    }
    kept = {key: row.tolist() for key, row in evidence.contributions.items()}
    then = {name: told[name] for name in again if name in told} | {"contributions": kept}
    return then, again


def _explained(
    release: LoadedRelease, *, told: Mapping[str, Any], evidence: Evidence
) -> dict[ModelKey, Explained]:
    """What the models that answered say of their rows."""
    keys = {key_of(told[kind]["model"]["name"]) for kind in ("fit", "intent") if told[kind]}
    return {
        scorer.bundle.key: scorer.explain_row(evidence.rows[scorer.bundle.key])
        for scorer in release.scorers
        if scorer.bundle.key in keys
    }


def _half(
    kind: str, release: LoadedRelease, *, explained: Mapping[ModelKey, Explained], evidence: Evidence
) -> FitScore | IntentScore | None:
    for scorer in release.scorers:
        if scorer.bundle.kind == kind and scorer.bundle.key in explained:
            make = fit_score if kind == "fit" else intent_score
            return make(scorer, explained=explained[scorer.bundle.key], language=evidence.language)
    return None


def unlike_features(
    release: LoadedRelease, *, kept: Mapping[ModelKey, Row], again: Mapping[ModelKey, Row]
) -> Iterator[str]:
    """The features that are not the same to the bit, as model.feature."""
    for scorer in (one for one in release.scorers if one.bundle.key in kept):
        key = scorer.bundle.key
        differs = kept[key].view(np.uint64) != again[key].view(np.uint64)
        names = np.array(scorer.bundle.catalogue.names)[differs]
        yield from (f"{key}.{name}" for name in names.tolist())


def differences(then: Any, now: Any, *, exact: bool, place: str = "") -> Iterator[tuple[str, bool]]:
    """Where two documents differ, and whether it is words that do.

    exact: numbers must be the same to the bit; otherwise within TOLERANCE.
    """
    if isinstance(then, Mapping) and isinstance(now, Mapping) and then.keys() <= now.keys():
        # A later version may say more than the answer did.
        for name in then:
            inner = f"{place}.{name}" if place else str(name)
            yield from differences(then[name], now[name], exact=exact, place=inner)
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for at, (one, other) in enumerate(zip(then, now, strict=True)):
            yield from differences(one, other, exact=exact, place=f"{place}[{at}]")
    elif not _alike(then, now, exact=exact):
        yield place, place.rpartition(".")[2] in _WORDS


def _alike(then: Any, now: Any, *, exact: bool) -> bool:
    numbers = all(isinstance(one, float | int) and not isinstance(one, bool) for one in (then, now))
    if not numbers:
        return bool(then == now)
    if exact:
        return float(then).hex() == float(now).hex()
    return bool(abs(then - now) <= TOLERANCE * max(1.0, abs(then)))
