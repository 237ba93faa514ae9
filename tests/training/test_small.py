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
from models.booster import NativeBooster
from models.bundle import Bundle, load, save
from models.card import CardFacts
from models.making import make_bundle
from models.scoring import Scorer
from training.learning.folds import equal_rows
from training.learning.learn import Rows
from training.learning.linear import fit_linear_part
from training.learning.small import _MIXTURES, LINES, SmallLearned, _fold, _longer, _shares, learn_small
from training.learning.small_trees import KINDS, Table, grow_all, try_out

SETTINGS = LearningSettings(max_rounds=40)
LEVELS = ("east", "north", "south", "west")


def feature(name: str, *, levels: tuple[str, ...] = ()) -> Feature:
    kind = "category" if levels else "number"
    return Feature(
        name, "firmographic", kind, "accounts", "latest", "{value}", "{value}", name, "NaN", levels=levels
    )


CATALOGUE = Catalogue((feature("visits"), feature("share"), feature("region", levels=LEVELS)))


def drawn(*, rows: int = 500, crossed: bool = False) -> Rows:
    random = np.random.default_rng(8)
    X = np.column_stack(
        [random.poisson(8, rows) * 1.0, random.normal(size=rows), random.integers(0, 5, rows) * 1.0]
    )
    logit = np.sign(X[:, 1] * (X[:, 0] - 7.5)) * 3 if crossed else X[:, 0] / 4 - 2 + X[:, 1] + (X[:, 2] == 1)
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


def test_where_sums_over_features_surely_harm_they_are_left_out():
    """More visits mean more or less by the sign of another feature: alone, neither tells anything."""
    learned = learn_small(drawn(rows=1500, crossed=True), settings=LearningSettings(max_rounds=150))
    assert learned.parts == ("trees", "trees over encoded categories")
    assert learned.linear is None


def test_lines_weigh_less_where_more_rows_bear_bends():
    """Of 125 rows as much as two kinds of trees, of 500 as one, of 2,000 as half of one."""
    parts = _MIXTURES[0]
    for rows, lines in ((125, 2 / 6), (500, 1 / 5), (2000, 0.5 / 4.5)):
        shares = _shares(parts, rows=rows)
        assert shares.pop(LINES) == pytest.approx(lines)
        assert list(shares.values()) == pytest.approx([(1 - lines) / 4] * 4)
    assert set(_shares(("trees", "trees over encoded categories"), rows=2000).values()) == {0.5}


def test_the_model_of_all_rows_has_its_parts_by_their_shares():
    """The whole margin is the shares' sum of what each part says alone, grown on all rows."""
    rows = drawn(rows=1000)
    learned = learn_small(rows, settings=SETTINGS)
    assert learned.parts == _MIXTURES[0]
    assert learned.linear is not None
    shares = _shares(learned.parts, rows=1000)
    fold = _fold(rows, groups=equal_rows(rows.X), settings=SETTINGS)
    table = Table(rows.X, rows.label, fold, rows.catalogue, SETTINGS)
    alone = fit_linear_part(
        rows.X,
        label=rows.label,
        catalogue=CATALOGUE,
        strength=learned.strength,
        directions=[0, 0, 0],
        small=True,
    )
    margins = shares[LINES] * alone.margins(rows.X)
    for kind in KINDS:
        rounds = _longer(try_out(table, kind=kind).rounds)
        members = grow_all(table, kind=kind, rounds=rounds, members=5)
        margins += shares[kind.name] * np.mean(
            [NativeBooster(one).margins(rows.X) for one in members], axis=0
        )
    whole = NativeBooster(learned.booster_text).margins(rows.X) + learned.linear.margins(rows.X)
    np.testing.assert_allclose(whole, margins, rtol=0, atol=1e-9)


def test_single_splits_add_features_up_and_combine_none():
    """Trees of two leaves: what one feature adds is the same whatever the others are."""
    rows = drawn(rows=600)
    fold = _fold(rows, groups=equal_rows(rows.X), settings=SETTINGS)
    table = Table(rows.X, rows.label, fold, rows.catalogue, SETTINGS)
    single = next(kind for kind in KINDS if kind.name == "single splits")
    [text] = grow_all(table, kind=single, rounds=40, members=1)
    low, high = np.array([4.0, -1.0, 0.0]), np.array([12.0, 1.0, 2.0])
    corners = np.array(
        [[(low, high)[bit][at] for at, bit in enumerate(bits)] for bits in np.ndindex(2, 2, 2)]
    )
    told = NativeBooster(text).margins(corners).reshape(2, 2, 2)
    assert np.ptp(told) > 0
    for axis in range(3):
        steps = np.diff(told, axis=axis)
        np.testing.assert_allclose(steps, steps.flat[0], rtol=0, atol=1e-12)


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
