"""Making a bundle: what training found in, a checked and self-testing bundle out.

Time rule: the reference population is one row per account, as known at the cutoff. Null rule: none of its
own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import Any, cast

import lightgbm
import numpy as np

from features.catalogue import Catalogue
from features.errors import InputError, NotEnoughDataError
from features.settings import LabelSettings, ServingSettings
from models.booster import Matrix, canonical_text
from models.bundle import Bundle, GoldenRow, machine_type
from models.calibration import Calibration, probabilities
from models.card import (
    NAMES,
    Card,
    CardFacts,
    IntervalFacts,
    Kind,
    ModelKey,
    TrainedWith,
    registered_name,
)
from models.grades import GradeCuts, Reference
from models.inputs import input_references
from models.intervals import Intervals, interval_meaning
from models.linear import LinearPart
from models.margin import MarginModel

__all__ = ["make_bundle", "with_audit", "with_name", "with_settings"]

_GOLDEN_ROWS = 16


def make_bundle(
    booster: lightgbm.Booster | str,
    *,
    kind: Kind,
    catalogue: Catalogue,
    calibration: Calibration,
    population: Matrix,
    facts: CardFacts,
    intervals: Intervals | None = None,
    cuts: GradeCuts | None = None,
    linear: LinearPart | None = None,
) -> Bundle:
    """A bundle from a booster and all that surrounds it; deterministic.

    booster: trained with `feature_name=list(catalogue.names)`; cut at its best iteration.
    linear: the part that the booster was grown upon. intervals: bounds of the calibrated log-odds;
    None when no row was there to find them on: then they say that anything may be.
    population: float64 (n, k), the reference population that scores are percentiles of. Its rows, from the
    lowest logit to the highest, and a row with nothing known become the golden rows.
    """
    _require_population(population, columns=len(catalogue.names))
    text = canonical_text(booster)
    if linear is not None:
        linear.require_fitting(catalogue)
    model = MarginModel(text, linear=linear)
    logits = calibration.logits(model.margins(population))
    ranked = np.argsort(logits, kind="stable")
    picked = ranked[np.unique(np.linspace(0, len(ranked) - 1, _GOLDEN_ROWS - 1).round().astype(int))]
    rows = np.vstack([population[picked], np.full((1, population.shape[1]), np.nan)])
    sure = intervals or Intervals.nothing_known()
    own: dict[str, Any] = {"lightgbm_version": version("lightgbm"), "machine": machine_type()}
    references = input_references(population, catalogue=catalogue).items()
    own |= {"inputs": {name: reference.to_json() for name, reference in references}}
    card = cast(Card, {**facts, "kind": kind, "name": NAMES[kind], "interval": _interval_facts(sure), **own})
    return Bundle(
        kind=kind,
        booster_text=text,
        linear=linear,
        catalogue=catalogue,
        calibration=calibration,
        intervals=sure,
        cuts=cuts or GradeCuts(),
        reference=Reference.of(probabilities(logits)),
        # As it will be read back, so that a bundle equals its own copy.
        card=cast(Card, json.loads(json.dumps(card))),
        golden=tuple(
            GoldenRow.of(row, logit=logit)
            for row, logit in zip(rows, calibration.logits(model.margins(rows)).tolist(), strict=True)
        ),
    )


def _interval_facts(intervals: Intervals) -> IntervalFacts:
    return IntervalFacts(
        level=intervals.level,
        meaning=interval_meaning(intervals.level),
        rows=intervals.rows,
        accounts=intervals.accounts,
    )


def with_name(bundle: Bundle, *, key: ModelKey, place: int) -> Bundle:
    """The same model under the name of a named one. place: of it in its config."""
    card = {**bundle.card, "name": registered_name(key), "place": place}
    return replace(bundle, card=cast(Card, card))


def with_settings(bundle: Bundle, *, labels: LabelSettings, serving: ServingSettings) -> Bundle:
    """The same model with the settings that it was trained with in its card, and so another fingerprint."""
    own = labels.of(bundle.kind)
    noted = TrainedWith(labels=own.model_dump(mode="json"), serving=serving.model_dump(mode="json"))
    return replace(bundle, card=cast(Card, {**bundle.card, "trained_with": noted}))


def with_audit(bundle: Bundle, audit: Mapping[str, Any]) -> Bundle:
    """The same model with its leakage audit in its card, as JSON, and so another fingerprint."""
    return replace(bundle, card=cast(Card, {**bundle.card, "audit": json.loads(json.dumps(audit))}))


def _require_population(population: Matrix, *, columns: int) -> None:
    if population.dtype != np.float64 or population.ndim != 2 or population.shape[1] != columns:
        raise InputError(
            "reference population does not fit the catalogue",
            got=f"{population.dtype} {population.shape}",
            allowed=f"a float64 array of shape (n, {columns})",
            fix="build it with the catalogue that the booster was trained on",
        )
    if len(population) == 0:
        raise NotEnoughDataError(
            "reference population is empty",
            allowed="one row per account known at the cutoff",
            fix="move the cutoff to a date with accounts",
        )
