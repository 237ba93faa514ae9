"""Drift of one served model: of its inputs, of its scores, and of its calibration.

Turns the tables and a bundle into three comparisons with the training. Inputs and scores: the population as
of now against the reference population in the bundle, by the population stability index and its spread by
chance, which is divided by the number of inputs (Bonferroni), so that a model with a hundred of them does not
alarm by chance; most accounts are in both populations, which only makes chance smaller. Inputs that move as
time passes (`features.ageing`) are shown with the reason and never alarm. Calibration: observed by expected
events, with a 95 % interval over resampled accounts, of rows whose outcome became known after the model's
cutoff. Time rule: now is just after the newest known fact, never the clock, so that the same tables give the
same answer. Null rule: what cannot be compared says why and is not drift.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from features.ageing import ageing
from features.settings import DriftSettings, LabelSettings
from features.tables import Tables
from models.bundle import Bundle
from models.grades import Reference
from models.inputs import InputReference
from models.scoring import Scorer
from training.drift.stability import Stability, stability
from training.fit import matrix
from training.gate.calibrated import Calibrated, TooFew, beyond, calibration_on
from training.gate.contest import cutoff_of
from training.gate.verdict import figure
from training.labels import fit_labels, fit_population, intent_labels, intent_population

__all__ = ["ModelDrift", "measure_drift"]

_LARGEST_POPULATION = 100_000
_DECILES = 10
_NO_REFERENCE = "the model has no reference of its inputs, as an older spearfish trained it; train again"
_UNIVERSE = "the fit model learned from wins against the universe, of which no outcome becomes known"


@dataclass(frozen=True)
class ModelDrift:
    """What was found of one model.

    inputs: by feature. ageing: why a feature is no reason for an alarm, by its name. inputs_note,
    calibration_note: why there is none.
    """

    model: str
    fingerprint: str
    cutoff: datetime
    as_of: datetime
    inputs: Mapping[str, Stability]
    score: Stability
    calibration: Calibrated | None
    settings: DriftSettings
    ageing: Mapping[str, str] = field(default_factory=dict)
    inputs_note: str = ""
    calibration_note: str = ""

    @property
    def drifted_inputs(self) -> list[str]:
        """The inputs that drifted, the most first."""
        return [name for name in self._moved if name not in self.ageing]

    @property
    def aged_inputs(self) -> list[str]:
        """The inputs that moved as far, as time does that alone, the most first."""
        return [name for name in self._moved if name in self.ageing]

    @property
    def _moved(self) -> list[str]:
        found = [name for name, one in self.inputs.items() if one.drifted(least=self.settings.psi)]
        return sorted(found, key=lambda name: (-self.inputs[name].psi, name))

    @property
    def score_drifted(self) -> bool:
        return self.score.drifted(least=self.settings.psi)

    @property
    def calibration_drifted(self) -> bool:
        return self.calibration is not None and beyond(self.calibration.level, self.settings.calibration)

    @property
    def drifted(self) -> bool:
        return bool(self.drifted_inputs) or self.score_drifted or self.calibration_drifted

    def lines(self) -> list[str]:
        """What people read."""
        names = self.drifted_inputs
        counted = f"{len(names)} of {len(self.inputs)} drifted, PSI {self.settings.psi:g} or more"
        told = [f"{name} {self.inputs[name].sentence}" for name in names]
        told += [
            f"no alarm for {name} {self.inputs[name].sentence}: {self.ageing[name]}"
            for name in self.aged_inputs
        ]
        labels = self.calibration_note if self.calibration is None else self.calibration.sentence
        return [
            f"{self.model}, inputs: {self.inputs_note or ', '.join([counted, *told])}",
            f"{self.model}, score: {_word(self.score_drifted)}: PSI {self.score.sentence}",
            f"{self.model}, calibration since the training: {_word(self.calibration_drifted)}: {labels}",
        ]

    def to_json(self) -> dict[str, Any]:
        found = self.calibration
        calibration: dict[str, Any] = {"drifted": self.calibration_drifted, "note": self.calibration_note}
        if found is not None:
            figures = {"level": found.level, "slope": found.slope, "error": found.error}
            calibration |= {name: figure(estimate) for name, estimate in figures.items()}
            calibration |= {"rows": found.rows, "events": found.events, "base_rate": found.base_rate}
        return {
            "model": self.model,
            "fingerprint": self.fingerprint,
            "cutoff": f"{self.cutoff.isoformat()}Z",
            "as_of": f"{self.as_of.isoformat()}Z",
            "drifted": self.drifted,
            "inputs": {
                "drifted": self.drifted_inputs,
                "note": self.inputs_note,
                "no_alarm": dict(self.ageing),
                "all": {name: one.to_json() for name, one in self.inputs.items()},
            },
            "score": {"drifted": self.score_drifted, **self.score.to_json()},
            "calibration": calibration,
        }


def measure_drift(
    tables: Tables, bundle: Bundle, *, labels: LabelSettings, settings: DriftSettings, as_of: datetime
) -> ModelDrift:
    """The drift of a model between its training and `as_of`. labels: those of its release."""
    keys = _population(tables, bundle, labels=labels, as_of=as_of)
    X = matrix(tables, keys, catalogue=bundle.catalogue)
    references = {name: InputReference.from_json(one) for name, one in bundle.card.get("inputs", {}).items()}
    reasons = {one.name: ageing(one) for one in bundle.catalogue.features if one.name in references}
    aged = {name: why for name, why in reasons.items() if why}
    share = settings.chance / max(1, len(references) - len(aged))
    found = _calibration(tables, bundle, labels=labels, settings=settings, as_of=as_of)
    return ModelDrift(
        model=bundle.name,
        fingerprint=bundle.fingerprint,
        cutoff=cutoff_of(bundle),
        as_of=as_of,
        inputs={
            name: _input(reference, X[:, bundle.catalogue.index(name)], chance=share)
            for name, reference in references.items()
        },
        score=_score(bundle, X, chance=settings.chance),
        calibration=found if isinstance(found, Calibrated) else None,
        settings=settings,
        ageing=aged,
        inputs_note="" if references else _NO_REFERENCE,
        calibration_note=found.sentence if isinstance(found, TooFew) else "",
    )


def _word(drifted: bool) -> str:
    return "drifted" if drifted else "no drift"


def _population(tables: Tables, bundle: Bundle, *, labels: LabelSettings, as_of: datetime) -> pd.DataFrame:
    if bundle.kind == "fit":
        keys = fit_population(tables, as_of=as_of, settings=labels.fit)
    else:
        keys = intent_population(tables, as_of=as_of, settings=labels.intent)
    if len(keys) <= _LARGEST_POPULATION:
        return keys
    return keys.sample(_LARGEST_POPULATION, random_state=0).sort_index()


def _input(reference: InputReference, values: np.ndarray, *, chance: float) -> Stability:
    """Bins of numbers have an order, but for the last one, of missing values; categories have none."""
    counts = np.array(reference.counts, dtype=np.float64)
    ordered = 0 if reference.edges is None else len(reference.edges) + 1
    return stability(counts, reference.count(values).astype(np.float64), chance=chance, ordered=ordered)


def _score(bundle: Bundle, X: np.ndarray, *, chance: float) -> Stability:
    scores = Scorer(bundle).score(X, contributions=False).probability
    edges, counts = _deciles(bundle.reference)
    found = np.bincount(np.searchsorted(edges, scores, side="left"), minlength=len(counts))
    return stability(counts, found.astype(np.float64), chance=chance)


def _deciles(reference: Reference) -> tuple[np.ndarray, np.ndarray]:
    """The upper ends of equal shares of the reference population, and how many of it lie in each."""
    thresholds = np.asarray(reference.thresholds)
    step = len(thresholds) // _DECILES
    edges = np.unique(thresholds[step - 1 :: step][:-1])
    below = np.searchsorted(thresholds, edges, side="right") / len(thresholds)
    return edges, np.diff(np.concatenate([[0.0], below, [1.0]])) * reference.rows


def _calibration(
    tables: Tables, bundle: Bundle, *, labels: LabelSettings, settings: DriftSettings, as_of: datetime
) -> Calibrated | TooFew:
    """Of rows whose outcome became known after the model's cutoff."""
    if bundle.kind == "fit" and labels.fit.against == "universe":
        return TooFew(_UNIVERSE)
    if bundle.kind == "fit":
        rows = fit_labels(tables, cutoff=as_of, settings=labels.fit).frame
    else:
        rows = intent_labels(tables, cutoff=as_of, settings=labels.intent)
    if "label_known_at" not in rows.columns:
        return TooFew("no outcome is known")
    newer = rows[rows["label_known_at"] > pd.Timestamp(cutoff_of(bundle))].reset_index(drop=True)
    if newer.empty:
        return TooFew("no outcome became known since the training")
    X = matrix(tables, newer, catalogue=bundle.catalogue)
    chance = Scorer(bundle).score(X, contributions=False).probability
    return calibration_on(
        newer.assign(probability=chance), smallest=settings.smallest_class, replicates=settings.replicates
    )
