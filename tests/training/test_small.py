"""Learning from small tables: what is averaged, that it is data, and that its sums are exact."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from features.catalogue import Catalogue, Feature
from features.errors import NotEnoughDataError
from features.settings import LearningSettings
from models.bundle import Bundle, load, save
from models.card import CardFacts
from models.making import make_bundle
from models.scoring import Scorer
from training.learning.learn import Rows
from training.learning.small import LINES, SmallLearned, learn_small

SETTINGS = LearningSettings(max_rounds=40)
LEVELS = ("east", "north", "south", "west")


def feature(name: str, *, levels: tuple[str, ...] = ()) -> Feature:
    kind = "category" if levels else "number"
    return Feature(
        name, "firmographic", kind, "accounts", "latest", "{value}", "{value}", name, "NaN", levels=levels
    )


CATALOGUE = Catalogue((feature("visits"), feature("share"), feature("region", levels=LEVELS)))


def drawn(*, rows: int = 500, curved: bool = False) -> Rows:
    random = np.random.default_rng(8)
    X = np.column_stack(
        [random.poisson(8, rows) * 1.0, random.normal(size=rows), random.integers(0, 5, rows) * 1.0]
    )
    logit = np.cos(X[:, 1] * 3) * 4 if curved else X[:, 0] / 4 - 2 + X[:, 1] + (X[:, 2] == 1)
    X[random.random(rows) < 0.1, 0] = np.nan
    X[random.random(rows) < 0.1, 2] = np.nan
    y = (random.random(rows) < 1 / (1 + np.exp(-logit))).astype(np.int64)
    return Rows(pd.DataFrame({"account_id": "a", "as_of": pd.NaT, "label": y}), X, CATALOGUE)


@pytest.fixture(scope="module")
def learned() -> SmallLearned:
    return learn_small(drawn(), settings=SETTINGS)


def bundle_of(learned: SmallLearned) -> Bundle:
    facts = CardFacts(
        meaning={"en": "", "zh": ""},
        horizon_days=None,
        label="won",
        cutoff="2026-01-01T00:00:00Z",
        base_rate=0.5,
        counts={},
        metrics={},
        parameters={},
        data_fingerprint="",
        provenance={},
    )
    return make_bundle(
        learned.booster_text,
        kind="fit",
        catalogue=CATALOGUE,
        calibration=learned.calibration,
        population=drawn().X,
        facts=facts,
        linear=learned.linear,
    )


def test_a_table_of_straight_lines_is_learned_with_them(learned: SmallLearned):
    assert learned.parts[0] == LINES
    assert learned.linear is not None
    assert any(line.slope for line in learned.linear.lines)


def test_where_lines_surely_harm_they_are_left_out():
    learned = learn_small(drawn(rows=1500, curved=True), settings=LearningSettings(max_rounds=150))
    assert LINES not in learned.parts
    assert learned.linear is None


def test_it_is_a_bundle_like_any_other_and_its_reasons_add_up(learned: SmallLearned, tmp_path: Path):
    bundle = bundle_of(learned)
    read = load(save(bundle, tmp_path / "bundle"))
    assert read.fingerprint == bundle.fingerprint
    read.verify()
    rows = np.vstack([drawn().X[:40], [[np.nan] * 3], [[1e6, -1e6, 4.0]]])
    scores = Scorer(read).score(rows)
    assert scores.contributions is not None
    sums = scores.baseline + scores.contributions.sum(axis=1)
    np.testing.assert_allclose(sums, scores.logit, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(scores.probability, learned.probabilities(rows))


def test_two_fits_are_one_model(learned: SmallLearned):
    again = learn_small(drawn(), settings=SETTINGS)
    assert bundle_of(again).fingerprint == bundle_of(learned).fingerprint


def test_equal_rows_are_judged_by_models_that_saw_none_of_them():
    """Five hundred labels drawn at random for fifty kinds of rows: nothing can be known of an unseen kind."""
    random = np.random.default_rng(3)
    kinds = random.normal(size=(50, 3))
    which = random.integers(0, 50, 1000)
    y = (random.random(50) < 0.5).astype(np.int64)[which]
    frame = pd.DataFrame({"account_id": "a", "as_of": pd.NaT, "label": y})
    catalogue = Catalogue((feature("a"), feature("b"), feature("c")))
    later = learn_small(Rows(frame, kinds[which], catalogue), settings=SETTINGS).later
    assert roc_auc_score(later["label"], later["probability"]) < 0.75


def test_below_forty_of_a_class_it_says_what_is_missing():
    rows = drawn()
    few = np.r_[np.flatnonzero(rows.label == 1)[:39], np.flatnonzero(rows.label == 0)[:60]]
    part = Rows(rows.frame.iloc[few], rows.X[few], rows.catalogue)
    with pytest.raises(
        NotEnoughDataError, match=r"39 rows with the event, 60 without.*add 1 more with the event"
    ):
        learn_small(part, settings=SETTINGS)
