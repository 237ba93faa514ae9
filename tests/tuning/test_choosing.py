"""Small trees are taken where the difference is noise; worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from training.tuning.choosing import Tried, account_groups, choose, difference, sums_by_group

ROWS = np.array([1.0, 1.0, 2.0])


def tried(number: int, losses: tuple[float, ...], leaves: int) -> Tried:
    return Tried(number, {}, losses, leaves)


def test_the_standard_error_is_that_of_random_groups() -> None:
    # Gaps 3, 1 and 0 over 4 rows: mean 1; beyond it 2, 0 and -2; sqrt(3/2 * 8) / 4.
    one, other = tried(1, (4.0, 3.0, 2.0), 1), tried(2, (1.0, 2.0, 2.0), 1)
    assert difference(one, other, rows=ROWS) == pytest.approx((1.0, np.sqrt(12) / 4))


@pytest.mark.parametrize(
    ("losses", "taken"),
    [
        ((1.1, 0.9, 2.1), 1),  # as good as the best but for noise: the smaller trees
        ((1.5, 1.5, 3.0), 0),  # worse in every group by as much: the best, whatever its size
    ],
)
def test_smaller_trees_are_taken_where_the_difference_is_noise(losses: tuple[float, ...], taken: int) -> None:
    found = choose([tried(0, (1.0, 1.0, 2.0), 900), tried(1, losses, 10)], rows=ROWS)
    assert found.number == taken


def test_of_equal_trees_the_better_then_the_earlier_is_taken() -> None:
    alike = [tried(0, (1.0, 1.2, 2.0), 10), tried(1, (1.2, 1.0, 1.9), 10), tried(2, (1.2, 1.0, 1.9), 10)]
    assert choose(alike, rows=ROWS).number == 1


def test_rows_of_an_account_are_in_one_group() -> None:
    accounts = np.array(["a", "b", "c"] * 4)
    groups = account_groups(accounts, seed=3)
    assert {name: len(set(groups[accounts == name])) for name in "abc"} == {"a": 1, "b": 1, "c": 1}
    assert sums_by_group(np.ones(12), groups=groups).tolist() == [4.0, 4.0, 4.0]
    assert len(set(account_groups(np.arange(1000), seed=3))) == 200
