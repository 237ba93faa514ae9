"""A small world with numbers, a category and gaps, and a booster and a bundle trained on it."""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm
import numpy as np
from numpy.typing import NDArray

from features.catalogue import Catalogue, Feature
from models.bundle import Bundle, CardFacts
from models.calibration import Calibration
from models.intervals import Intervals
from models.linear import Line, LinearPart
from models.making import make_bundle

Matrix = NDArray[np.float64]
LEVELS = ("retail", "software", "steel")


def feature(name: str, *, idea: str = "", levels: tuple[str, ...] = ()) -> Feature:
    return Feature(
        name=name,
        group="firmographic",
        kind="category" if levels else "number",
        table="accounts",
        aggregation="latest",
        sentence_en=name + " is {value}",
        sentence_zh=name + "为{value}",
        absent_en=f"{name} is unknown",
        absent_zh=f"{name}未知",
        idea=idea or name,
        null_rule="NaN when unknown",
        levels=levels,
    )


CATALOGUE = Catalogue(
    (
        feature("industry", levels=LEVELS),
        *(feature(f"visits_{days}d", idea="visits") for days in (7, 30, 90)),
        *(feature(f"trait_{letter}") for letter in "abcdefgh"),
    )
)

CALIBRATION = Calibration(slope=0.83, intercept=-0.21)
FACTS = CardFacts(
    meaning={"en": "Chance to win if pursued.", "zh": "若跟进的赢单概率。"},
    horizon_days=None,
    label="won, of the opportunities closed by the cutoff",
    cutoff="2026-01-01T00:00:00Z",
    base_rate=0.3,
    counts={"rows": 800, "positives": 240},
    metrics={"roc_auc": 0.8, "roc_auc_interval": [0.7, 0.9]},
    parameters={"num_leaves": 7},
    data_fingerprint="0" * 64,
    provenance={"made_at": "2026-11-21T21:00:00Z", "path": "/tmp/here"},
)


LINEAR = LinearPart(
    -0.4,
    (
        Line(missing=-0.3, levels=(0.25, -0.5, 1.75, 0.1)),
        Line(weight=0.6, centre=0.3, missing=-0.7),
        *(Line(weight=0.01 * position - 0.05, centre=0.2) for position in range(len(CATALOGUE.names) - 2)),
    ),
)
"""A linear part with a table for the category, a flag for the missing and a line for every number."""


@dataclass(frozen=True)
class World:
    X: Matrix
    y: NDArray[np.int64]


def make_world(*, rows: int = 800, seed: int = 3) -> World:
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, len(CATALOGUE.names)))
    X[:, 0] = random.integers(0, len(LEVELS) + 1, rows)
    X[random.random(X.shape) < 0.1] = np.nan
    signal = np.nan_to_num(X[:, 1]) + np.nan_to_num(X[:, 4]) + (X[:, 0] == 2) - 1
    return World(X, (random.random(rows) < 1 / (1 + np.exp(-signal))).astype(np.int64))


def train(world: World, *, seed: int = 1, rounds: int = 40, threads: int = 1) -> lightgbm.Booster:
    data = lightgbm.Dataset(
        world.X, world.y, categorical_feature=[0], feature_name=list(CATALOGUE.names), free_raw_data=True
    )
    settings = {
        "objective": "binary",
        "num_leaves": 7,
        "learning_rate": 0.1,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "min_data_per_group": 5,
        "cat_smooth": 1.0,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": threads,
        "verbose": -1,
        "seed": seed,
    }
    return lightgbm.train(settings, data, rounds)


def make(
    booster: lightgbm.Booster | str,
    world: World,
    *,
    catalogue: Catalogue = CATALOGUE,
    calibration: Calibration = CALIBRATION,
    population: Matrix | None = None,
    facts: CardFacts = FACTS,
    linear: LinearPart | None = None,
    intervals: Intervals | None = None,
) -> Bundle:
    return make_bundle(
        booster,
        kind="fit",
        catalogue=catalogue,
        calibration=calibration,
        population=world.X if population is None else population,
        facts=facts,
        linear=linear,
        intervals=intervals,
    )
