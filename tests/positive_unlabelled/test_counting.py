"""How many positives are hidden: a number where the level can be known, otherwise a range that holds it."""

from __future__ import annotations

import numpy as np
import pytest
from planted import planted

from features.errors import InputError, NotEnoughDataError
from models.positive_unlabelled import Audit, count_hidden, largest_label_share
from models.positive_unlabelled.base import Floats

SEEDS = range(20)


def scores(chance: Floats, *, label_rate: float) -> Floats:
    """What a learner that knows the world says of a known label."""
    return chance * label_rate


@pytest.mark.parametrize("label_rate", [0.2, 0.5, 0.8])
def test_where_some_always_win_the_number_is_found(label_rate: float) -> None:
    found = []
    for seed in SEEDS:
        world = planted(rows=10_000, label_rate=label_rate, always=True, seed=seed)
        told = count_hidden(
            scores(world.chance, label_rate=label_rate), labelled=world.labelled, some_always_win=True
        )
        assert told.estimate is not None
        assert told.low < told.estimate < told.high
        found.append((told.estimate / world.hidden - 1.0, told.low <= world.hidden <= told.high))
    off, held = np.array(found).T
    assert np.abs(off).mean() < 0.1
    assert abs(off.mean()) < 0.05
    assert held.mean() >= 0.8


@pytest.mark.parametrize("label_rate", [0.2, 0.5, 1.0])
def test_where_none_always_wins_the_range_holds_the_truth(label_rate: float) -> None:
    for seed in SEEDS:
        world = planted(rows=5_000, label_rate=label_rate, seed=seed)
        told = count_hidden(scores(world.chance, label_rate=label_rate), labelled=world.labelled)
        assert told.estimate is None
        assert told.low <= world.hidden <= told.high
        assert told.high <= 5_000 - world.labelled.sum()
        assert "known label rate or an audit sample" in told.rests_on


def test_few_known_positives_may_not_show_who_always_wins() -> None:
    world = planted(rows=1_000, label_rate=0.4, always=True)
    told = count_hidden(world.chance, labelled=world.labelled, some_always_win=True)
    assert told.low == 0.0 < world.hidden <= told.high
    assert "may not have found them" in told.rests_on


def test_the_largest_of_many_shares_is_not_larger_than_it_is() -> None:
    """Scores without any knowledge: every top holds the same share, and the luckiest is not taken for it."""
    generator = np.random.default_rng(0)
    found = [
        largest_label_share(generator.random(2_000), labelled=(generator.random(2_000) < 0.3).astype(int))
        for _ in SEEDS
    ]
    assert np.mean([one.value for one in found]) == pytest.approx(0.3, abs=0.01)


def test_a_known_label_rate_gives_the_level() -> None:
    """40 known of a rate of .4: 60 hidden; the negative binomial's variance is 40 * .6 / .16 = 150."""
    labelled = np.repeat([1, 0], [40, 200])
    told = count_hidden(np.zeros(240), labelled=labelled, label_rate=0.4)
    assert told.estimate == pytest.approx(60.0)
    assert told.high - 60.0 == pytest.approx(1.959964 * 150**0.5)
    everything = count_hidden(np.zeros(240), labelled=labelled, label_rate=1.0)
    assert (everything.estimate, everything.low, everything.high) == (0.0, 0.0, 0.0)


def test_an_audit_gives_the_level() -> None:
    """0 of 10: the exact upper bound solves (1 - p)^10 = .025, which is .3085."""
    labelled = np.repeat([1, 0], [40, 200])
    told = count_hidden(np.zeros(240), labelled=labelled, audit=Audit(accounts=10, positives=0))
    assert (told.estimate, told.low) == (0.0, 0.0)
    assert told.high == pytest.approx(200 * (1 - 0.025**0.1))
    half = count_hidden(np.zeros(240), labelled=labelled, audit=Audit(accounts=10, positives=5))
    assert half.estimate == pytest.approx(100.0)


@pytest.mark.parametrize(
    "options",
    [
        {"label_rate": 0.0},
        {"label_rate": 1.5},
        {"label_rate": 0.5, "some_always_win": True},
        {"label_rate": 0.5, "audit": Audit(accounts=2, positives=1)},
    ],
)
def test_levels_that_contradict_or_cannot_be_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(InputError):
        count_hidden(np.zeros(4), labelled=np.array([1, 0, 0, 0]), **options)


@pytest.mark.parametrize(("accounts", "positives"), [(0, 0), (3, 4), (3, -1)])
def test_an_audit_has_to_add_up(accounts: int, positives: int) -> None:
    with pytest.raises(InputError, match="add up"):
        Audit(accounts=accounts, positives=positives)


def test_too_few_known_positives_are_refused() -> None:
    with pytest.raises(NotEnoughDataError, match="99 known positives"):
        count_hidden(np.zeros(500), labelled=np.repeat([1, 0], [99, 401]))
