"""Which ranker serves, and how sure a ranking is: against slow references and figures by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.lookalikes import choosing
from models.lookalikes.choosing import RANKERS, choose, credit, divisions, hidden_shares
from models.lookalikes.estimates import Sureness
from models.lookalikes.rankers import RankerName, Sample, learn_ranker

GENERATOR = np.random.default_rng(0)
CROWD = GENERATOR.normal(size=(400, 5)).astype(np.float32)
SEEDS = (GENERATOR.normal(size=(20, 5)) + np.array([2.0, 0, 0, 0, 0])).astype(np.float32)
SAMPLE = Sample(SEEDS, CROWD, np.arange(400) % 5, 5)
ALL = np.arange(5)


@pytest.mark.parametrize("name", RANKERS)
def test_hidden_seeds_are_placed_by_rankers_that_learned_from_neither_side(name: RankerName) -> None:
    """Against a plain loop over the parts and the accounts."""
    shares, crowd = hidden_shares(name, SAMPLE, columns=ALL)
    parts = np.empty(20, dtype=np.int64)
    parts[np.random.default_rng(0).permutation(20)] = np.arange(20) % 5
    for part in range(5):
        kept = Sample(SEEDS[parts != part], CROWD, SAMPLE.parts, 5)
        ranker = learn_ranker(name, kept, only=part)
        rest = CROWD[SAMPLE.parts == part]
        told = [float(score) for score in ranker.scores(rest, part=part)]
        for seed in np.flatnonzero(parts == part):
            own = float(ranker.scores(SEEDS[seed : seed + 1], part=part)[0])
            before = sum(score > own for score in told) + 0.5 * sum(score == own for score in told)
            assert shares[seed] == pytest.approx(max(before, 0.5) / len(told))
    assert crowd.mean() == pytest.approx(0.5, abs=0.01)
    assert shares.mean() < 0.25


def test_a_lines_learner_never_sees_the_part_that_it_is_asked_for() -> None:
    other = CROWD.copy()
    other[SAMPLE.parts == 2] += 7.0
    one, two = (
        learn_ranker("linear", Sample(SEEDS, crowd, SAMPLE.parts, 5), only=2) for crowd in (CROWD, other)
    )
    assert one.scores(SEEDS, part=2).tobytes() == two.scores(SEEDS, part=2).tobytes()


def chosen(shares: dict[str, list[float]], monkeypatch: pytest.MonkeyPatch) -> str:
    def told(name: str, sample: Sample, *, columns: NDArray[np.int64]) -> tuple[object, object]:
        return np.array(shares[name]), np.zeros(1)

    monkeypatch.setattr(choosing, "hidden_shares", told)
    names = [name for name in RANKERS if name in shares]
    return choose(SAMPLE, view=lambda name: ALL, rankers=names).ranker


def test_a_less_simple_ranker_serves_only_when_it_is_better_by_more_than_chance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = [0.1, 0.01, 0.1, 0.01]
    mixed = [0.01, 0.1, 0.05, 0.009]
    better = [0.05, 0.005, 0.05, 0.005]
    assert chosen({"similarity": plain, "linear": mixed}, monkeypatch) == "similarity"
    assert chosen({"similarity": plain, "linear": better}, monkeypatch) == "linear"
    assert chosen({"similarity": plain, "linear": better, "trees": better}, monkeypatch) == "linear"


def test_credit_counts_tenths() -> None:
    assert credit(np.array([1.0, 0.1, 0.01, 1e-9])).tolist() == [0.0, 0.25, 0.5, 1.0]


@pytest.mark.parametrize(("seeds", "parts"), [(1, 2), (4, 4), (9, 9), (10, 5), (499, 5), (500, 3)])
def test_few_seeds_are_hidden_one_at_a_time(seeds: int, parts: int) -> None:
    assert divisions(seeds) == parts


def sureness(shares: list[float], *, label_rate: float | None = None) -> Sureness:
    crowd = (np.arange(1_000) + 0.5) / 1_000
    return Sureness(np.array(shares), crowd, len(shares), 10_000, label_rate)


def test_what_a_list_would_have_found_is_counted() -> None:
    found = sureness([0.001, 0.01, 0.02, 0.5]).found(200)
    assert found.value == 0.75
    assert 0.3 < found.low < 0.75 < found.high < 1.0


def test_the_lift_never_rises_and_averages_to_one() -> None:
    told = sureness(np.random.default_rng(1).beta(0.4, 3.0, 80).tolist())
    places = (np.arange(20_000) + 0.5) / 20_000
    value, low, high = told.lift(places)
    assert (np.diff(value) <= 1e-12).all()
    assert value.mean() == pytest.approx(1.0, rel=0.01)
    assert (low <= value).all()
    assert (value <= high).all()


def test_seeds_scattered_evenly_lift_nothing() -> None:
    value, low, high = sureness(((np.arange(100) + 0.5) / 100).tolist()).lift(np.array([0.01, 0.9]))
    assert value == pytest.approx([1.0, 1.0], abs=0.35)
    assert (low < 1.0).all()
    assert (high > 1.0).all()


def test_a_known_label_rate_turns_lift_into_chance() -> None:
    """100 seeds that are half of all: 100 others among 10,000, so the mean chance is 1 %."""
    told = sureness((np.random.default_rng(2).beta(0.8, 3.0, 100)).tolist(), label_rate=0.5)
    places = (np.arange(10_000) + 0.5) / 10_000
    value, low, high = told.chance(places)
    assert value.mean() == pytest.approx(0.01, rel=0.05)
    assert (low <= value).all()
    assert (value <= high).all()


def test_without_a_label_rate_the_chance_has_an_upper_end_only() -> None:
    shares = (np.random.default_rng(2).beta(0.3, 3.0, 200)).tolist()
    value, low, high = sureness(shares).chance(np.array([0.0005, 0.9]))
    assert np.isnan(value).all()
    assert low.tolist() == [0.0, 0.0]
    assert high[0] > high[1]


def test_nothing_hidden_claims_nothing() -> None:
    told = sureness([])
    assert told.found(100).value is None
    assert np.isnan(told.lift(np.array([0.1]))[0]).all()
    assert told.chance(np.array([0.1]))[2].tolist() == [1.0]
