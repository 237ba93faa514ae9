"""Weighed rows that are few: by what their weights leave, and learned with their weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from features.catalogue import Catalogue
from features.errors import NotEnoughDataError
from features.feature import Feature
from features.settings import FitLearningSettings
from training.learning.few_rows import are_few, effective_accounts, learn_few, learn_rows
from training.learning.learn import Rows
from training.learning.small import SmallLearned, learn_small

SETTINGS = FitLearningSettings(max_rounds=30)
START = datetime.fromisoformat("2024-01-01")


def rows_of(
    accounts: Sequence[str],
    label: Sequence[int],
    *,
    weight: Sequence[float] | None,
    X: NDArray[np.float64] | None = None,
) -> Rows:
    moments = pd.to_datetime([START + timedelta(days=day) for day in range(len(label))])
    frame = pd.DataFrame(
        {"account_id": list(accounts), "as_of": moments, "label": list(label), "label_known_at": moments}
    )
    values = np.zeros((len(label), 1)) if X is None else X
    names = ("a", "b")[: values.shape[1]]
    features = tuple(
        Feature(name, "firmographic", "number", "accounts", "latest", "", "", name, "") for name in names
    )
    weights = None if weight is None else np.array(weight, dtype=np.float64)
    return Rows(frame, values, Catalogue(features), weight=weights)


@pytest.mark.parametrize(
    ("accounts", "weight", "expected"),
    [
        ("abcd", None, 4.0),
        ("abcd", (2.0, 2.0, 2.0, 2.0), 4.0),
        ("abcd", (1.0, 1.0, 1.0, 3.0), 36 / 12),  # (1 + 1 + 1 + 3)^2 / (1 + 1 + 1 + 9)
        ("aabc", None, 16 / 6),  # two, one and one: (2 + 1 + 1)^2 / (4 + 1 + 1)
        ("aabc", (1.0, 2.0, 3.0, 3.0), 81 / 27),  # three times three
        ("aaaa", (1.0, 2.0, 3.0, 4.0), 1.0),
        ("abcd", (0.0, 0.0, 0.0, 0.0), 0.0),
    ],
)
def test_a_class_comes_to_as_many_accounts_as_its_weights_leave(
    accounts: str, weight: Sequence[float] | None, expected: float
) -> None:
    # The two rows of the other class, which weigh a hundred times as much, are not asked.
    weights = None if weight is None else (*weight, 100.0, 100.0)
    rows = rows_of((*accounts, "x", "y"), (1, 1, 1, 1, 0, 0), weight=weights)
    assert effective_accounts(rows, label=1) == pytest.approx(expected)
    assert effective_accounts(rows, label=0) == pytest.approx(2.0)


def test_a_class_without_rows_comes_to_none() -> None:
    assert effective_accounts(rows_of("ab", (1, 1), weight=None), label=0) == 0.0


@pytest.mark.parametrize(
    ("heavy", "limit", "few"),
    [
        (1.0, 60, False),  # 60 wins that count alike are not below 60
        (1.0, 61, True),
        (10.0, 60, True),  # (59 + 10)^2 / (59 + 100) = 29.94
        (10.0, 30, True),
        (10.0, 29, False),
    ],
)
def test_weights_make_few_of_many(heavy: float, limit: int, few: bool) -> None:
    label = [1] * 60 + [0] * 80
    rows = rows_of([f"a{n}" for n in range(140)], label, weight=[heavy] + [1.0] * 139)
    settings = SETTINGS.model_copy(update={"few_rows": limit})
    assert are_few(rows, settings=settings) is few


def turning(*, rows: int = 240, heavy: float) -> Rows:
    """In every other row more of `a` means a win, in the others a loss; the others weigh `heavy` as much."""
    random = np.random.default_rng(6)
    a, up = random.normal(size=rows), np.arange(rows) % 2 == 0
    won = random.random(rows) < 1 / (1 + np.exp(-3 * a * np.where(up, 1, -1)))
    label = won.astype(int).tolist()
    weight = np.where(up, 1.0, heavy)
    return rows_of(
        [f"a{n}" for n in range(rows)], label, weight=(weight / weight.mean()).tolist(), X=a[:, None]
    )


@pytest.mark.parametrize("heavy", [0.1, 10.0])
def test_few_rows_are_learned_with_their_weights(heavy: float) -> None:
    rows = turning(heavy=heavy)
    # Calibrated on all rows alike, which go both ways, chances are near the base rate; margins tell more.
    (margins,) = learn_few(rows, settings=SETTINGS).member_margins(np.array([[-1.5], [1.5]]))
    assert (margins[1] > margins[0]) == (heavy < 1)
    assert abs(margins[1] - margins[0]) > 1.0


def test_weights_that_are_all_alike_change_nothing() -> None:
    rows = turning(heavy=1.0)
    told, plain = (learn_small(one, settings=SETTINGS) for one in (rows, replace(rows, weight=None)))
    np.testing.assert_allclose(told.probabilities(rows.X), plain.probabilities(rows.X), rtol=0, atol=1e-6)
    assert told.parts == plain.parts


def test_snapshots_of_one_account_with_the_event_tell_no_more_than_one_of_them() -> None:
    # One account cannot be on both sides of a fold: lines alone are fitted, and nothing is compared.
    label, a = [1] + [0] * 30, np.linspace(2.0, -1.0, 31)[:, None]
    names = [f"a{number}" for number in range(31)]
    once, often = (
        learn_small(
            rows_of(names * times, label * times, weight=None, X=np.tile(a, (times, 1))),
            settings=SETTINGS,
            smallest_class=1,
            groups=np.tile(np.arange(31), times),
        )
        for times in (1, 20)
    )
    assert once.later.empty
    assert often.strength == pytest.approx(once.strength / 20)
    np.testing.assert_allclose(often.probabilities(a), once.probabilities(a), rtol=0, atol=1e-4)


def test_later_rows_are_judged_by_a_model_that_weighs_by_what_was_known_then() -> None:
    rows = turning(heavy=1.0)
    asked: list[datetime] = []

    def weigh(account_id: pd.Series[str], *, cutoff: datetime) -> NDArray[np.float64]:
        asked.append(cutoff)
        heavy = 10.0 if cutoff < START + timedelta(days=239) else 0.1
        weight = np.where(np.arange(len(account_id)) % 2 == 0, 1.0, heavy)
        return np.asarray(weight / weight.mean(), dtype=np.float64)

    weighed = rows.weighed(weigh, cutoff=START + timedelta(days=240))
    learned = learn_few(weighed, settings=SETTINGS)
    (fold,) = learned.folds
    assert set(asked[1:]) == {fold.starts}
    # Then the other rows counted ten times as much: whom the earlier model ranked high has little of `a`.
    told = np.corrcoef(learned.later["probability"], rows.X[fold.later, 0])[0, 1]
    assert told < -0.5
    low, high = learned.probabilities(np.array([[-1.5], [1.5]]))
    assert high > low


def test_weighed_training_picks_the_learner_by_what_is_left() -> None:
    rows = turning(heavy=10.0)
    left = min(effective_accounts(rows, label=one) for one in (0, 1))
    assert left < min(rows.label.sum(), (1 - rows.label).sum())
    above, below = (SETTINGS.model_copy(update={"few_rows": round(left) + step}) for step in (1, -1))
    assert isinstance(learn_rows(rows, settings=above), SmallLearned)
    assert not isinstance(learn_rows(rows, settings=below), SmallLearned)


def test_where_too_little_was_known_to_weigh_by_rows_count_alike() -> None:
    def unknown(account_id: pd.Series[str], *, cutoff: datetime) -> NDArray[np.float64]:
        raise NotEnoughDataError("nobody was pursued", got="0", allowed="1", fix="wait")

    rows = replace(turning(heavy=1.0), weigh=unknown)
    plain = replace(rows, weigh=None, weight=None)
    told, expected = (learn_few(one, settings=SETTINGS).later["probability"] for one in (rows, plain))
    np.testing.assert_allclose(told, expected, rtol=0, atol=1e-6)
