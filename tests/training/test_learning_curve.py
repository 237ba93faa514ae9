"""The learning curve: samples share no row with what judges them, and more rows teach more."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from features.catalogue import Catalogue, Feature
from features.errors import NotEnoughDataError
from features.settings import LearningSettings
from training.learning.folds import equal_rows
from training.learning.learn import Rows
from training.undated.learning_curve import learning_curve, samples
from training.undated.peers import BASELINES

CATALOGUE = Catalogue(
    tuple(
        Feature(name, "firmographic", "number", "accounts", "latest", "", "", name, "") for name in ("a", "b")
    )
)


def drawn(*, rows: int = 1500, rate: float = 0.0) -> Rows:
    random = np.random.default_rng(4)
    X = random.integers(-20, 20, (rows, 2)) / 8.0
    y = (random.random(rows) < 1 / (1 + np.exp(-X[:, 0] * 2 - rate))).astype(np.int64)
    return Rows(pd.DataFrame({"account_id": "a", "as_of": pd.NaT, "label": y}), X, CATALOGUE)


def test_samples_have_the_base_rate_and_are_judged_by_other_rows():
    rows = drawn(rate=-1.5)
    groups = equal_rows(rows.X)
    drawn_samples = list(samples(rows, sizes=(80, 400, 100_000), draws=3, seed=1))
    assert [sample.size for sample in drawn_samples] == [80] * 3 + [400] * 3
    for sample in drawn_samples:
        assert len(np.unique(sample.learn)) == sample.size
        assert not set(groups[sample.learn]) & set(groups[sample.judge])
    assert [rows.label[sample.learn].mean() for sample in drawn_samples[:3]] == [0.5] * 3
    assert rows.label[drawn_samples[3].learn].mean() == pytest.approx(rows.label.mean(), abs=0.005)


def test_more_rows_teach_more_and_every_figure_has_its_interval():
    settings = LearningSettings(max_rounds=30)
    curve = learning_curve(drawn(), settings=settings, sizes=(80, 700), draws=3, peers=BASELINES[:1])
    few, many = curve.roc_auc[80]["probability"], curve.roc_auc[700]["probability"]
    assert 0.6 < few.value < many.value
    assert all(0 < one.low < one.value < one.high < 1 for one in (few, many))
    told = json.loads(json.dumps(curve.to_json()))
    lead = told["roc_auc"]["80"]["spearfish"]["value"] - told["roc_auc"]["80"]["logistic_regression"]["value"]
    assert told["spearfish_minus"]["80"]["logistic_regression"]["value"] == pytest.approx(lead)
    assert told["time_tested"] is False


def test_a_table_too_small_is_refused():
    with pytest.raises(NotEnoughDataError, match="too few rows for a learning curve"):
        learning_curve(drawn(rows=60), settings=LearningSettings(), sizes=(80,))


def test_wins_that_are_one_row_many_times_leave_none_to_judge_by():
    rows = drawn()
    same = replace(rows, X=np.where(rows.label[:, None] == 1, 1.0, rows.X))
    assert not list(samples(same, sizes=(80,), draws=2, seed=0))
