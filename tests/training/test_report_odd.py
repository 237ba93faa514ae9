"""The parts of a report where rows are few, values are missing, or one class is alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from features.catalogue import Catalogue
from features.feature import Feature
from training.backtesting.evaluate import Estimate, evaluate
from training.contributions import Contributions
from training.fit import Training
from training.report.charts import calibration_chart, decile_chart, effect_charts
from training.report.data import quarter_rows
from training.report.model import model_section, rated_tenths
from training.report.segments import segments
from training.report.shares import conversions, percent_range, rate, ratio, share_found

ESTIMATES = {"calibration_error": Estimate(0.1, 0.05, 0.2, 0.0)}


def later_rows(labels: list[int]) -> pd.DataFrame:
    count = len(labels)
    return pd.DataFrame(
        {
            "account_id": [f"a{number}" for number in range(count)],
            "as_of": pd.Timestamp("2024-05-01"),
            "label": labels,
            "probability": np.linspace(0.9, 0.1, count),
        }
    )


@pytest.mark.parametrize("labels", [[1, 0, 1, 0, 0, 0], [1, 0], [1] * 12 + [0]])
def test_tenths_without_a_row_are_neither_drawn_nor_told(labels: list[int]) -> None:
    tenths = rated_tenths(later_rows(labels))
    assert (len(tenths), int(tenths["accounts"].sum())) == (10, len(labels))
    drawn = decile_chart(tenths, base=np.mean(labels).item())
    assert "Of the best tenth 100.0%" in drawn.words
    assert "nan" not in drawn.words + calibration_chart(tenths, metrics=ESTIMATES).words


@pytest.mark.parametrize(("label", "observed"), [(0, 0.0), (1, 2.0)])
def test_a_segment_of_one_class_has_no_ranking_and_says_how_many_were_expected(
    fit_training: Training, label: int, observed: float
) -> None:
    later = later_rows([label] * 20)
    later["probability"] = 0.5
    X = np.full((20, len(fit_training.rows.catalogue.names)), np.nan)
    found = list(segments(later, X, catalogue=fit_training.rows.catalogue))
    assert {one.name for one in found} == {"2024 Q2", "unknown"}
    assert all(one.ranking is None and one.ratio.value == observed for one in found)


def contributions(kind: str, values: list[float], *, levels: tuple[str, ...] = ()) -> Contributions:
    told: Any = kind
    feature = Feature(
        "one", "firmographic", told, "accounts", "latest", "", "", "missing", "one", levels=levels
    )
    return Contributions(
        np.array(values)[:, None], np.linspace(-1, 1, len(values))[:, None], Catalogue((feature,))
    )


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (contributions("number", [np.nan] * 4), "Unknown in 4 of 4 rows."),
        (contributions("number", [7.0] * 4), "At 7 and below"),
        (contributions("number", [0.0, 0.0, 0.0, 1e9]), "At 0 and below"),
        (contributions("number", [3.0]), "At 3 and below"),
        (contributions("flag", [np.nan, 1.0, 0.0]), "Unknown in 1 of 3 rows."),
        (contributions("category", [0.0, 1.0, np.nan], levels=("软件", "制造")), "Highest for unknown"),
    ],
    ids=["no value", "constant", "skewed", "one row", "flag", "Chinese levels"],
)
def test_any_feature_can_be_drawn(told: Contributions, words: str) -> None:
    (chart,) = effect_charts(told)
    assert words in chart.words
    assert "nan" not in chart.words


def test_shares_by_hand() -> None:
    rows = later_rows([1, 1, 0, 0, 1, 0, 0, 0, 0, 1])
    found = share_found(rows, share=0.2, replicates=200)
    assert (found.value, found.base) == (0.5, 0.2)
    assert 0.0 <= found.low < 0.5 < found.high <= 1.0
    nothing = ratio(rows["account_id"], part=np.zeros(10), whole=np.zeros(10), base=1.0, replicates=5)
    assert percent_range(nothing) == "-"
    assert percent_range(Estimate(0.5, float("nan"), float("nan"), 0.2)) == "50%"
    # Of three accounts none: (1 - p)^3 = 0.025 at p = 0.708; of five expected events none: -ln(0.025) / 5.
    none = rows.iloc[[2, 3, 5]]
    assert (rate(none, replicates=9).low, rate(none, replicates=9).high) == (
        0.0,
        pytest.approx(0.7076, abs=1e-4),
    )
    unseen = ratio(rows["account_id"], part=np.zeros(10), whole=np.full(10, 0.5), base=1.0, replicates=5)
    assert (unseen.low, unseen.high) == (0.0, pytest.approx(0.7378, abs=1e-4))
    told = conversions(rows.assign(grade=["A", "A", *["B"] * 8]), grades=("A", "B", "C"), replicates=99)
    assert told.loc["A", ["conversion", "low", "high"]].tolist() == [
        1.0,
        pytest.approx(0.1581, abs=1e-4),
        1.0,
    ]
    assert told.loc["A", "lift_low"] == pytest.approx(0.1581 / 0.4, abs=1e-3)
    assert told["accounts"].tolist() == [2, 8, 0]
    (quarter,) = quarter_rows(rows)
    assert (quarter["name"], quarter["events"], quarter["share"]) == ("2024 Q2", "4", "40.0%")


def test_a_model_with_few_later_rows_and_an_empty_column_has_a_report(fit_training: Training) -> None:
    """Six rows to judge by, and nothing known of the strongest feature."""
    label = fit_training.learned.later["label"].to_numpy()
    chosen = np.sort(np.concatenate([np.flatnonzero(label == one)[:3] for one in (0, 1)]))
    later = fit_training.learned.later.iloc[chosen].reset_index(drop=True)
    X = fit_training.rows.X.copy()
    strongest = str(Contributions.of(fit_training).importance.index[0])
    X[:, fit_training.rows.catalogue.index(strongest)] = np.nan
    few = replace(
        fit_training,
        learned=replace(fit_training.learned, later=later),
        rows=replace(fit_training.rows, X=X),
    )
    section = model_section(few, metrics=evaluate(later, replicates=50), beeswarm=Figure())
    assert f"{strongest} 100%" in dict(section["data"])["unknown"]
    assert "These are few: read every figure as rough." in section["first"]["sure"]
