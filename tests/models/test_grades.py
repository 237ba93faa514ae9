"""Scores are exact percentiles; grades cut them; ties never overfill a grade."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import BundleError, ConfigError, NotEnoughDataError
from features.settings import ServingSettings
from models.grades import GradeCuts, Reference

shares = st.integers(0, 20).map(lambda number: number / 20) | st.floats(0, 1)


@pytest.mark.parametrize(
    ("probability", "score"),
    [(0.05, 0.0), (0.1, 0.0), (0.1001, 20.0), (0.2, 20.0), (0.25, 40.0), (0.5, 80.0), (0.51, 100.0)],
)
def test_the_score_is_the_share_below(probability: float, score: float) -> None:
    assert Reference.of([0.3, 0.1, 0.5, 0.2, 0.4]).score(probability) == score


def test_the_score_is_cut_not_rounded() -> None:
    """2 of 3 is 66.66..., and an account is not above 66.7 % of the others."""
    assert Reference.of([0.1, 0.2, 0.3]).score(0.3) == 66.6


@settings(deadline=None)
@given(population=st.lists(shares, min_size=1, max_size=60), probability=shares)
def test_the_thousand_thresholds_give_the_score_of_the_whole_population(
    population: list[float], probability: float
) -> None:
    below = sum(member < probability for member in population)
    assert Reference.of(population).score(probability) == (1000 * below // len(population)) / 10


@settings(deadline=None)
@given(population=st.lists(shares, min_size=1, max_size=60))
def test_no_grade_holds_more_than_its_share(population: list[float]) -> None:
    cuts, reference = GradeCuts(), Reference.of(population)
    grades = [cuts.grade(reference.score(member)) for member in population]
    assert grades.count("A") <= 0.1 * len(population)
    assert len(grades) - grades.count("D") <= 0.6 * len(population)
    assert cuts.grades(reference.scores(np.array(population))).tolist() == grades


def test_a_thousand_different_accounts_fill_the_grades_exactly() -> None:
    population = np.random.default_rng(1).permutation(1000) / 1000
    grades = GradeCuts().grades(Reference.of(population).scores(population)).tolist()
    assert [grades.count(grade) for grade in "ABCD"] == [100, 200, 300, 400]


@pytest.mark.parametrize(
    ("score", "grade"),
    [(100, "A"), (90, "A"), (89.9, "B"), (70, "B"), (69.9, "C"), (40, "C"), (39.9, "D"), (0, "D")],
)
def test_a_grade_begins_at_its_cut(score: float, grade: str) -> None:
    assert GradeCuts().grade(score) == grade


def test_cuts_can_be_configured() -> None:
    cuts = GradeCuts((0.015, 0.2, 0.5))
    assert cuts.lowest_scores == (98.5, 80.0, 50.0)
    assert GradeCuts.from_json(cuts.to_json()) == cuts


@pytest.mark.parametrize(
    "wrong",
    [(0.3, 0.1, 0.6), (0.1, 0.1, 0.6), (0.0, 0.3, 0.6), (0.1, 0.3, 1.0), (0.1, 0.3), (0.1234, 0.3, 0.6)],
)
def test_cuts_that_do_not_divide_are_refused(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(ConfigError, match="grade cuts"):
        GradeCuts(wrong)


@pytest.mark.parametrize("population", [[], [0.1, float("nan")]])
def test_a_population_without_probabilities_is_refused(population: list[float]) -> None:
    with pytest.raises(NotEnoughDataError):
        Reference.of(population)


@pytest.mark.parametrize("thresholds", [(0.5,) * 999, (0.5,) * 999 + (0.4,), (0.5,) * 999 + (1.5,)])
def test_a_damaged_reference_is_refused(thresholds: tuple[float, ...]) -> None:
    with pytest.raises(BundleError):
        Reference(thresholds, rows=10)


def test_a_release_that_gives_no_cuts_leaves_those_of_its_models() -> None:
    given = ServingSettings.model_validate({"grade_cuts": (0.1, 0.2, 0.3)})
    assert GradeCuts.of_release(given) == GradeCuts((0.1, 0.2, 0.3))
    assert GradeCuts.of_release(ServingSettings()) is None
