"""A cutoff after the newest fact is refused; a sample of accounts keeps each account whole."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd
import pytest

from features.errors import InputError
from features.tables import Tables
from training import fit
from training.labels import require_past

NEWEST = datetime.fromisoformat("2026-01-31T12:00:00")
TABLES = Tables.from_frames(
    {"accounts": pd.DataFrame({"account_id": ["a"], "known_at": [pd.Timestamp(NEWEST)]})}
)


def test_the_second_after_the_newest_fact_is_the_last_cutoff() -> None:
    require_past(NEWEST + timedelta(seconds=1), tables=TABLES)
    with pytest.raises(InputError, match=r"cutoff: the tables end before it .*up to 2026-01-31T12:00:01Z"):
        require_past(NEWEST + timedelta(seconds=2), tables=TABLES)


def test_a_sample_holds_whole_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = pd.DataFrame(
        {"account_id": [f"a{number // 4:03}" for number in range(400)], "label": [1, 0, 0, 0] * 100}
    )
    monkeypatch.setattr(fit, "_LARGEST_SAMPLE", 100)
    sample = fit._sample_accounts(labels, seed=1)
    assert len(sample) == 100
    assert (sample["account_id"].value_counts() == 4).all()
    assert sample["label"].mean() == labels["label"].mean()
