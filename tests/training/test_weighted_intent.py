"""Training with windows that still run: more rows, the same meaning."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from trained_market import MARKET

from features.catalogue import learn_catalogue
from features.mapping import Config
from features.tables import Tables
from training.fit import Training, intent_rows, narrowed, select_features, train_intent
from training.learning.learn import Rows


@pytest.fixture(scope="module")
def weighted(config: Config) -> Config:
    intent = config.labels.intent.model_copy(update={"censoring": "weight"})
    return config.model_copy(update={"labels": config.labels.model_copy(update={"intent": intent})})


@pytest.fixture(scope="module")
def rows(market: Tables, weighted: Config) -> Rows:
    catalogue = learn_catalogue(market, cutoff=MARKET.end)
    selected = select_features(catalogue, kind="intent", settings=weighted.model.intent)
    return intent_rows(market, cutoff=MARKET.end, config=weighted, catalogue=selected)


def test_judged_rows_are_the_same_and_parts_add_up(rows: Rows, intent_training: Training) -> None:
    assert rows.parts is not None
    assert (rows.frame["as_of"] + timedelta(days=90) <= MARKET.end).all()
    np.testing.assert_array_equal(rows.label, intent_training.rows.label)
    assert len(rows.parts.X) == len(rows.parts.label) == len(rows.parts.weight)
    # Two snapshots of at most a thousand accounts each have not ended.
    assert 1_000 < rows.parts.weight.sum() <= 2_000
    assert rows.parts.weight.sum() == pytest.approx(round(rows.parts.weight.sum()))
    events = rows.parts.weight[rows.parts.label == 1].sum() / rows.parts.weight.sum()
    assert events == pytest.approx(rows.label.mean(), rel=0.35)


def test_narrowing_narrows_parts_too(rows: Rows) -> None:
    selected = replace(rows.catalogue, features=rows.catalogue.features[3:5])
    parts = narrowed(rows, selected).parts
    assert parts is not None
    assert rows.parts is not None
    np.testing.assert_array_equal(parts.X, rows.parts.X[:, 3:5])


def test_parts_enter_the_final_trees_alone(
    market: Tables, weighted: Config, intent_training: Training
) -> None:
    trained = train_intent(market, cutoff=MARKET.end, config=weighted)
    assert trained.counts["rows_still_running"] > 1_000
    plain = intent_training.learned.later
    for column in ("position", "label"):
        np.testing.assert_array_equal(trained.learned.later[column], plain[column])
    assert trained.bundle.fingerprint != intent_training.bundle.fingerprint
    told, expected = (one.learned.probabilities(intent_training.rows.X) for one in (trained, intent_training))
    # Four negatives per positive are kept; the parts without the event weigh less by as much.
    assert told.mean() == pytest.approx(expected.mean(), rel=0.1)
    assert np.corrcoef(told, expected)[0, 1] > 0.8
