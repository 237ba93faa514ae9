"""The model beside simpler rankers in the report: on which rows, from what they learned, and what is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from features.errors import NotEnoughDataError
from training.backtesting.evaluate import Estimate, Measured
from training.fit import Training
from training.report.first_screen import beside
from training.report.learning_curve import curve_section
from training.report.rivals import Rivals, find_rivals, rival_chart, rival_rows


@pytest.fixture(scope="module")
def rivals(fit_training: Training) -> Rivals:
    found = find_rivals(fit_training)
    assert found is not None
    return found


def newest(training: Training) -> pd.DataFrame:
    later: pd.DataFrame = training.learned.later
    return later.loc[later["fold"] == later["fold"].max()]


def test_all_are_judged_on_the_newest_slice(fit_training: Training, rivals: Rivals) -> None:
    rows = newest(fit_training)
    assert (rivals.rows, rivals.events) == (len(rows), rows["label"].sum())
    assert rivals.since == rows["as_of"].min().date().isoformat()
    ours = rivals.measured.estimates["probability"]["roc_auc"]
    assert ours.value == pytest.approx(roc_auc_score(rows["label"], rows["probability"]))
    assert list(rivals.measured.ahead) == ["logistic_regression_logarithms", "lightgbm"]


def test_the_others_learn_from_earlier_rows_alone(fit_training: Training, rivals: Rivals) -> None:
    frame, fold = fit_training.rows.frame.copy(), fit_training.learned.folds[-1]
    unseen = ~frame.index.isin(fold.earlier)
    frame.loc[unseen, "label"] = 1 - frame.loc[unseen, "label"]
    turned = replace(fit_training, rows=replace(fit_training.rows, frame=frame))
    assert find_rivals(turned) == rivals


def test_nothing_is_compared_where_the_newest_slice_has_one_class(fit_training: Training) -> None:
    later = fit_training.learned.later.assign(label=0)
    assert find_rivals(replace(fit_training, learned=replace(fit_training.learned, later=later))) is None


def known(ours: float, other: float, *, low: float, high: float) -> Rivals:
    def told(value: float) -> dict[str, Estimate]:
        return {
            "roc_auc": Estimate(value, value - 0.05, value + 0.05, 0.5),
            "pr_auc": Estimate(0.2, 0.1, 0.3, 0.1),
        }

    ahead = {"lightgbm": {"roc_auc": Estimate(ours - other, low, high, 0.0)}}
    ahead["recency"] = {"roc_auc": Estimate(ours - 0.5, 0.1, 0.2, 0.0)}
    measured = {"probability": told(ours), "lightgbm": told(other), "recency": told(0.5)}
    return Rivals(Measured(measured, ahead), 200, 20, "2024-06-01")


@pytest.mark.parametrize(
    ("ours", "low", "high", "verdict"),
    [
        (0.8, 0.02, 0.18, "Yes, by 10.0 points (+2.0 to +18.0)."),
        (0.71, -0.05, 0.07, "Not shown: the difference may be chance (-5.0 to +7.0)."),
        (
            0.6,
            -0.2,
            -0.01,
            "No: a simpler one is 10.0 points better; look at it before you serve this one (-20.0 to -1.0).",
        ),
    ],
)
def test_the_first_screen_names_the_best_simpler_way(
    ours: float, low: float, high: float, verdict: str
) -> None:
    told = beside(known(ours, 0.7, low=low, high=high))
    assert told.endswith("standard decision trees, as they come (LightGBM), 70% of the time (65% to 75%).")
    assert told.startswith(verdict)


def test_the_table_has_the_best_first_and_a_lead_over_each_other_one() -> None:
    found = known(0.8, 0.7, low=0.02, high=0.18)
    rows = list(rival_rows(found.measured))
    assert [row["name"] for row in rows] == ["Spearfish", "LightGBM, untuned", "days since the last action"]
    assert [row["lead"] for row in rows] == ["", "+0.100", "+0.300"]
    assert rows[1]["lead_interval"] == "+0.020 to +0.180"
    assert found.base_rate == 0.1
    assert "the highest is that of Spearfish" in rival_chart(found.measured).words


def test_few_rows_have_a_learning_curve_that_ends_with_the_model_itself(
    fit_training: Training, fit_curve: dict[str, Any]
) -> None:
    found = fit_curve
    rows = newest(fit_training)
    ours = roc_auc_score(rows["label"], rows["probability"])
    (fewer, whole), fold = found["rows"], fit_training.learned.folds[-1]
    frame = fit_training.rows.frame.iloc[fold.earlier]
    assert whole[:4] == (f"{frame['account_id'].nunique()}", f"{len(frame)}", f"{frame['label'].sum()}", "1")
    assert whole[4] == f"{ours:.3f}"
    assert int(fewer[0]) < int(whole[0])
    assert fewer[3] == "2"
    assert 0.0 <= float(fewer[4]) <= 1.0
    assert " to " in fewer[5]
    assert f"to {whole[4]} ({whole[5]}) with {whole[0]}" in found["chart"].words


def test_many_rows_have_no_curve_in_the_report(fit_training: Training) -> None:
    many = replace(fit_training, settings=fit_training.settings.model_copy(update={"few_rows": 0}))
    assert curve_section(many) is None


def test_a_curve_counts_all_alike_where_too_little_was_known_to_weigh_by(
    fit_training: Training, fit_curve: dict[str, Any]
) -> None:
    def too_little(account_id: pd.Series[str], *, cutoff: datetime) -> NDArray[np.float64]:
        raise NotEnoughDataError("too few accounts had been pursued")

    rows = fit_training.rows
    weighed = replace(rows, weight=np.linspace(0.5, 1.5, len(rows.label)), weigh=too_little)
    found = curve_section(replace(fit_training, rows=weighed))
    assert found is not None
    assert found["rows"] == fit_curve["rows"]
