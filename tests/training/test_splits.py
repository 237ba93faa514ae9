"""Folds look forward only: no label window reaches from the earlier part into the later one."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from features.errors import NotEnoughDataError
from training.learning.splits import keep_negatives, time_folds


def snapshots(*, dates: int = 20, accounts: int = 30, horizon: int = 90, step: int = 30) -> pd.DataFrame:
    as_of = [pd.Timestamp("2024-01-01") + timedelta(days=step * n) for n in range(dates)]
    frame = pd.DataFrame({"as_of": np.repeat(as_of, accounts)})
    label = np.tile(np.arange(accounts) % 3 == 0, dates).astype(int)
    return frame.assign(label=label, label_known_at=frame["as_of"] + timedelta(days=horizon))


@pytest.mark.parametrize("folds", [1, 2, 3])
def test_the_earlier_windows_end_before_the_later_ones_begin(folds: int) -> None:
    rows = snapshots()
    found = time_folds(rows, folds=folds)
    assert len(found) == folds
    for fold in found:
        earlier, later = rows.iloc[fold.earlier], rows.iloc[fold.later]
        assert earlier["label_known_at"].max() <= fold.starts == later["as_of"].min()
        # The embargo of three steps is not wider than it must be.
        assert earlier["as_of"].max() == fold.starts - timedelta(days=90)


def test_later_slices_are_the_newest_rows_and_do_not_overlap() -> None:
    rows = snapshots()
    first, second = time_folds(rows, folds=2)
    assert not set(first.later) & set(second.later)
    assert rows.iloc[second.later]["as_of"].max() == rows["as_of"].max()
    assert rows.iloc[first.later]["as_of"].max() < second.starts
    # 15 % of 20 dates is 3 dates.
    assert [rows.iloc[fold.later]["as_of"].nunique() for fold in (first, second)] == [3, 3]


def test_a_history_too_short_to_look_forward_is_an_error_with_counts() -> None:
    with pytest.raises(NotEnoughDataError, match="20 of 60 rows with the event"):
        time_folds(snapshots(dates=2), folds=2)


def test_a_fold_without_both_classes_is_left_out() -> None:
    rows = snapshots()
    rows.loc[rows["as_of"] >= rows["as_of"].unique()[17], "label"] = 0
    (only,) = time_folds(rows, folds=2)
    assert only.starts == rows["as_of"].unique()[14]


def test_negatives_are_thinned_and_positives_kept() -> None:
    label = np.array([1, 1, *[0] * 50])
    positions = np.arange(1, 52)
    kept = keep_negatives(label, positions=positions, per_positive=10, seed=1)
    assert label[kept].tolist() == [1, *[0] * 10]
    assert set(kept) <= set(positions)
    assert (keep_negatives(label, positions=positions, per_positive=10, seed=1) == kept).all()
    assert (keep_negatives(label, positions=positions, per_positive=None, seed=1) == positions).all()
    assert (keep_negatives(label, positions=positions, per_positive=99, seed=1) == positions).all()
