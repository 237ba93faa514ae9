"""What became of opportunities and accounts after a moment, for judging what was said before it."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from features.settings import FitLabelSettings, IntentLabelSettings
from features.tables import Tables
from training.labels import first_events, fit_followed

SINCE, UNTIL = datetime.fromisoformat("2024-02-01"), datetime.fromisoformat("2024-04-01")


@pytest.fixture(scope="module")
def tables() -> Tables:
    """One account known since January, one only since March; b1 closes long after the window."""
    deals = [
        ("a0", "a", "2024-01-31", None),
        ("a1", "a", "2024-02-01", "won"),
        ("a2", "a", "2024-03-01", None),
        ("b1", "b", "2024-03-31T23:59:59", "lost"),
        ("b2", "b", "2024-04-01", "won"),
        ("c1", "c", "2024-02-15", "won"),
    ]
    opened = pd.DataFrame(deals, columns=["opportunity_id", "account_id", "created_at", "outcome"])
    opened["created_at"] = pd.to_datetime(opened["created_at"], format="ISO8601")
    closed = opened["created_at"] + pd.Timedelta(days=200)
    opened["closed_at"] = closed.where(opened["outcome"].notna())
    opened["known_at"] = opened["closed_at"].fillna(opened["created_at"])
    accounts = pd.DataFrame(
        {
            "account_id": ["a", "b", "c"],
            "known_at": pd.to_datetime(["2024-01-01", "2024-01-01", "2024-03-01"]),
        }
    )
    return Tables.from_frames({"accounts": accounts, "opportunities": opened})


def test_what_is_still_open_has_no_label(tables: Tables) -> None:
    found = fit_followed(tables, created_from=SINCE, created_until=UNTIL, settings=FitLabelSettings())
    assert found["opportunity_id"].tolist() == ["a1", "a2", "b1"]  # c was not known when c1 was opened
    np.testing.assert_array_equal(found["label"].to_numpy(), [1.0, np.nan, 0.0])


@pytest.mark.parametrize(("days", "there"), [(200, ["a1", "a2", "b1"]), (201, ["a2"])])
def test_what_was_closed_at_once_is_not_followed(tables: Tables, days: int, there: list[str]) -> None:
    settings = FitLabelSettings(minimum_deal_days=days)
    found = fit_followed(tables, created_from=SINCE, created_until=UNTIL, settings=settings)
    assert found["opportunity_id"].tolist() == there


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            "opportunity_created",
            {"a": "2024-02-01T00:00:00", "b": "2024-03-31T23:59:59", "c": "2024-02-15T00:00:00"},
        ),
        ("won", {}),
    ],
)
def test_the_first_event_inside_the_window_counts(
    tables: Tables, event: str, expected: dict[str, str]
) -> None:
    settings = IntentLabelSettings.model_validate({"event": event})
    found = first_events(tables, since=SINCE, until=UNTIL, settings=settings)
    moments = [moment.isoformat() for moment in found["happened_at"]]
    assert dict(zip(found["account_id"], moments, strict=True)) == expected
