"""What declared monotone effects cost, as a training tells it: the same rows with them and without."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from training.backtesting.directions import WITHOUT_DIRECTIONS, cost_line, cost_of_training
from training.fit import Training
from training.learning.few_rows import learn_few


def test_the_cost_is_the_difference_on_the_later_rows(fit_training: Training) -> None:
    settings = fit_training.settings.model_copy(update={"falling": ("employees",)})
    bound = learn_few(fit_training.rows, settings=settings)
    found = cost_of_training(fit_training.rows, learned=bound, settings=settings, replicates=50)
    assert found is not None
    # The training of the fixture declares nothing: it is what the cost is measured against.
    told = [
        roc_auc_score(one["label"], one["probability"]) for one in (bound.later, fit_training.learned.later)
    ]
    lead = found.ahead[WITHOUT_DIRECTIONS]["roc_auc"]
    assert not np.array_equal(bound.later["probability"], fit_training.learned.later["probability"])
    assert lead.value == pytest.approx(told[0] - told[1])
    assert found.estimates["probability"]["roc_auc"].value == pytest.approx(told[0])
    (line,) = cost_line(found)
    assert f"roc auc {lead.value:+.4f} ({lead.low:+.4f} to {lead.high:+.4f}; base 0.500)" in line
    assert "brier" not in line, "the two are calibrated on different rows"


def test_nothing_is_told_where_nothing_is_declared(fit_training: Training) -> None:
    one = fit_training
    assert cost_of_training(one.rows, learned=one.learned, settings=one.settings, replicates=50) is None
