"""Metrics against scikit-learn and hand-worked values, intervals against theory."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from features.errors import NotEnoughDataError
from training.backtesting.backtest import one_class_notes
from training.backtesting.evaluate import (
    calibration_curve,
    evaluate,
    grade_conversion,
    measure,
    resampled,
    roc_auc,
)


def rows(*, seed: int, size: int = 400, ties: int | None = None) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    logit = generator.normal(-1.5, 1.2, size)
    label = (generator.random(size) < 1 / (1 + np.exp(-logit))).astype(int)
    probability = 1 / (1 + np.exp(-logit))
    if ties:
        probability = np.round(probability * ties) / ties * 0.98 + 0.01
    return pd.DataFrame(
        {"account_id": [f"a{n}" for n in range(size)], "label": label, "probability": probability}
    )


@pytest.mark.parametrize("ties", [None, 5])
def test_metrics_agree_with_scikit_learn(ties: int | None) -> None:
    frame = rows(seed=1, ties=ties)
    label, probability = frame["label"], frame["probability"]
    found = {name: estimate.value for name, estimate in evaluate(frame, replicates=100).items()}
    assert found["roc_auc"] == pytest.approx(roc_auc_score(label, probability), abs=1e-12)
    assert roc_auc(label.to_numpy(), probabilities=probability.to_numpy()) == found["roc_auc"]
    assert found["pr_auc"] == pytest.approx(average_precision_score(label, probability), abs=1e-12)
    assert found["log_loss"] == pytest.approx(log_loss(label, probability), abs=1e-12)
    assert found["brier"] == pytest.approx(brier_score_loss(label, probability), abs=1e-12)


def test_weights_stand_for_copies_of_accounts() -> None:
    frame = rows(seed=2, size=60, ties=5).assign(account_id=lambda data: data.index // 2)
    weights = next(
        w for w in resampled(frame["account_id"].astype(str), replicates=100, seed=0) if len(w) > 1
    )[0]
    copied = frame.loc[frame.index.repeat(weights.astype(int))]
    assert (weights[0::2] == weights[1::2]).all()
    assert weights.sum() == len(frame)
    expected = roc_auc_score(copied["label"], copied["probability"])
    assert expected == pytest.approx(
        roc_auc_score(frame["label"], frame["probability"], sample_weight=weights), abs=1e-12
    )


def test_top_k_by_hand() -> None:
    frame = pd.DataFrame(
        {"account_id": list("abcde"), "label": [1, 0, 1, 0, 0], "probability": [0.9, 0.8, 0.5, 0.5, 0.1]}
    )
    found = {name: estimate.value for name, estimate in evaluate(frame, top_k=3, replicates=100).items()}
    # One of the top two, and half of a tie of one event and one other.
    assert found["precision_at_k"] == pytest.approx(1.5 / 3)
    assert found["recall_at_k"] == pytest.approx(1.5 / 2)
    assert found["lift_at_k"] == pytest.approx(0.5 / 0.4)


def test_base_values_are_those_of_a_constant() -> None:
    frame = rows(seed=3)
    rate = frame["label"].mean()
    found = evaluate(frame, replicates=100)
    assert found["roc_auc"].base == 0.5
    assert found["pr_auc"].base == pytest.approx(rate)
    assert found["log_loss"].base == pytest.approx(log_loss(frame["label"], np.full(len(frame), rate)))
    assert found["brier"].base == pytest.approx(rate * (1 - rate))


def test_true_probabilities_are_calibrated_and_distorted_ones_are_not() -> None:
    frame = rows(seed=4, size=4000)
    found = evaluate(frame, replicates=200)["calibration_slope"]
    assert found.low < 1 < found.high
    logit = np.log(frame["probability"] / (1 - frame["probability"]))
    twice = frame.assign(probability=1 / (1 + np.exp(-2 * logit)))
    assert evaluate(twice, replicates=100)["calibration_slope"].value == pytest.approx(
        found.value / 2, rel=1e-6
    )
    assert evaluate(twice, replicates=100)["calibration_error"].value > 0.05


def test_the_interval_of_the_roc_auc_has_the_width_of_delong() -> None:
    frame = rows(seed=5, size=3000)
    found = evaluate(frame, replicates=500)["roc_auc"]
    events = frame.loc[frame["label"] == 1, "probability"].to_numpy()
    others = frame.loc[frame["label"] == 0, "probability"].to_numpy()
    above = events[:, None] > others[None, :]
    variance = above.mean(axis=1).var() / len(events) + above.mean(axis=0).var() / len(others)
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.sqrt(variance), rel=0.12)
    assert found.low < found.value < found.high


def test_rows_of_one_account_stay_together() -> None:
    # Ten copies of every account hold no more knowledge: the interval must not shrink.
    frame = rows(seed=6, size=300)
    copies = pd.concat([frame] * 10, ignore_index=True)
    once, tenfold = (evaluate(data, replicates=300)["roc_auc"] for data in (frame, copies))
    assert tenfold.high - tenfold.low == pytest.approx(once.high - once.low, rel=1e-6)


def test_the_mean_over_cutoffs_is_a_mean_of_metrics() -> None:
    parts = [rows(seed=seed).assign(cutoff=pd.Timestamp(2024, seed, 1)) for seed in (7, 8)]
    expected = np.mean([roc_auc_score(part["label"], part["probability"]) for part in parts])
    assert evaluate(pd.concat(parts), replicates=100)["roc_auc"].value == pytest.approx(expected, abs=1e-12)


def test_differences_are_paired() -> None:
    frame = rows(seed=9).assign(
        same=lambda data: data["probability"] ** 2, noise=lambda data: data.index / 400
    )
    found = measure(frame, columns=("probability", "same", "noise"), replicates=200)
    same = found.ahead["same"]["roc_auc"]
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    assert found.ahead["noise"]["roc_auc"].low > 0.1
    assert found.ahead["noise"]["roc_auc"].value == pytest.approx(
        found.estimates["probability"]["roc_auc"].value - found.estimates["noise"]["roc_auc"].value
    )
    assert "log_loss" not in found.estimates["noise"]


def test_grade_conversion_by_hand() -> None:
    frame = pd.DataFrame({"account_id": list("abcd"), "label": [1, 0, 1, 0], "grade": list("AABB")})
    frame.loc[4] = ["e", 0, "B"]
    table = grade_conversion(frame, grades="ABCD", replicates=200)
    assert table["accounts"].tolist() == [2, 3, 0, 0]
    assert table["events"].tolist() == [1, 1, 0, 0]
    assert table.loc["A", "conversion"] == 0.5
    assert table.loc["B", "lift"] == pytest.approx((1 / 3) / (2 / 5))
    assert table.loc["C", ["conversion", "low", "high"]].isna().all()


def test_the_calibration_curve_bins_by_rank() -> None:
    frame = pd.DataFrame(
        {"label": [0, 1, 1, 1], "probability": [0.1, 0.3, 0.6, 0.8], "account_id": list("abcd")}
    )
    curve = calibration_curve(frame, bins=2)
    assert curve.to_numpy().tolist() == [[0.2, 0.5, 2], [0.7, 1.0, 2]]


def test_the_same_seed_gives_the_same_interval() -> None:
    frame = rows(seed=10)
    assert evaluate(frame, replicates=100, seed=3) == evaluate(frame, replicates=100, seed=3)


def test_one_class_only_is_an_error_with_counts() -> None:
    with pytest.raises(NotEnoughDataError, match="0 events among 400 rows"):
        evaluate(rows(seed=11).assign(label=0))


def test_the_slope_of_far_too_bold_probabilities_is_that_of_a_regression() -> None:
    """Whole Newton steps would jump to and fro here; scikit-learn's solver is the slow other way."""
    frame = rows(seed=12, size=72)
    logit = np.log(frame["probability"] / (1 - frame["probability"])) + np.sin(np.arange(72))
    bold = frame.assign(probability=1 / (1 + np.exp(-5 * logit)))
    told = np.log(bold["probability"] / (1 - bold["probability"])).to_numpy()[:, None]
    regression = LogisticRegression(C=1e12, tol=1e-10, max_iter=10_000).fit(told, frame["label"])
    found = evaluate(bold, replicates=100)["calibration_slope"]
    assert found.value == pytest.approx(regression.coef_[0, 0], rel=1e-4)
    assert found.low < found.value < found.high


def test_probabilities_of_several_columns_are_compared_in_every_metric() -> None:
    frame = rows(seed=13).assign(base=lambda data: data["label"].mean())
    found = measure(frame, columns=("probability", "base"), probabilities=("probability", "base"))
    ours = found.estimates["probability"]["log_loss"]
    assert found.estimates["base"]["log_loss"].value == pytest.approx(ours.base)
    assert found.ahead["base"]["log_loss"].value == pytest.approx(ours.value - ours.base)
    assert found.ahead["base"]["log_loss"].high < 0


def test_the_lift_has_an_interval_of_its_own() -> None:
    """The rate of all rows is drawn anew with the grade's: among the grade alone the lift is always 1."""
    frame = rows(seed=14).assign(grade="A")
    line = grade_conversion(frame, grades="A", replicates=200).loc["A"]
    assert (line["lift"], line["lift_low"], line["lift_high"]) == (1.0, 1.0, 1.0)
    assert line["low"] < line["base"] == line["conversion"] < line["high"]


def test_a_list_longer_than_the_population_is_the_population() -> None:
    frame = pd.DataFrame({"account_id": list("abcd"), "label": [1, 0, 0, 0], "probability": [4, 3, 2, 1]})
    found = measure(frame.assign(probability=frame["probability"] / 10), top_k=10, replicates=100)
    assert found.estimates["probability"]["precision_at_k"].value == 0.25
    assert found.estimates["probability"]["lift_at_k"].value == 1.0


def test_the_interval_of_the_calibration_error_is_around_it() -> None:
    """Of true probabilities the gaps are noise alone, which resampling doubles."""
    found = evaluate(rows(seed=15, size=2000), replicates=200)["calibration_error"]
    assert 0 <= found.low < found.value < found.high


def test_a_cutoff_without_the_event_is_left_out_and_told() -> None:
    """The mean is that of the other cutoff alone."""
    whole, silent = rows(seed=16), rows(seed=17).assign(label=0)
    both = pd.concat(
        [part.assign(cutoff=pd.Timestamp(2024, month, 1)) for month, part in ((3, whole), (6, silent))]
    )
    found = evaluate(both, replicates=100)["roc_auc"].value
    assert found == pytest.approx(roc_auc_score(whole["label"], whole["probability"]), abs=1e-12)
    (note,) = one_class_notes(both)
    assert note.startswith("at 2024-06-01 0 of 400 rows have the event: one class only")
