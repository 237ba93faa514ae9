"""Labels, worked out by hand on tables of a few rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from features.settings import FitLabelSettings, IntentLabelSettings
from features.tables import Tables
from training.labels import (
    fit_labels,
    intent_labels,
    intent_outcomes,
    intent_population,
    intent_snapshots,
    next_cutoff,
    time_to_close,
)

Version = tuple[str, str, str, str, str | None, str | None]
MONTH = IntentLabelSettings(horizon_days=30, step_days=30)
CONVERSION = IntentLabelSettings(event="won", horizon_days=30, step_days=14)


def day(text: str) -> datetime:
    return datetime.fromisoformat(text)


def market(
    *, versions: Sequence[Version] = (), known: dict[str, str] | None = None, activity: str | None = None
) -> Tables:
    """Tables from opportunity versions: id, account, known_at, created_at, closed_at, outcome."""
    columns = ["opportunity_id", "account_id", "known_at", "created_at", "closed_at", "outcome"]
    opportunities = pd.DataFrame(list(versions), columns=columns)
    for column in ("known_at", "created_at", "closed_at"):
        opportunities[column] = pd.to_datetime(opportunities[column], format="ISO8601")
    first = known or {"a": "2024-01-01"}
    accounts = pd.DataFrame(
        {"account_id": list(first), "known_at": pd.to_datetime(list(first.values()), format="ISO8601")}
    )
    frames = {"opportunities": opportunities, "accounts": accounts}
    if activity:
        seen = {
            "activity_id": "x",
            "account_id": "a",
            "occurred_at": day(activity),
            "known_at": day(activity),
        }
        frames["activities"] = pd.DataFrame([seen])
    return Tables.from_frames(frames)


def opened(moment: str, *, account: str = "a", name: str = "o1", known: str | None = None) -> Version:
    return (name, account, known or moment, moment, None, None)


def closed(
    created: str,
    moment: str,
    *,
    outcome: str = "won",
    account: str = "a",
    name: str = "o1",
    known: str | None = None,
) -> Version:
    return (name, account, known or moment, created, moment, outcome)


@pytest.mark.parametrize(
    ("created", "label"),
    [
        ("2024-05-31T23:59:59", 0),
        ("2024-06-01", 1),
        ("2024-06-30T23:59:59", 1),
        ("2024-07-01", 0),
    ],
)
def test_the_window_holds_as_of_and_not_its_end(created: str, label: int) -> None:
    tables = market(versions=[opened(created, known="2024-08-01")])
    outcomes = intent_outcomes(tables, as_of=[day("2024-06-01")], settings=MONTH)
    assert outcomes["label"].tolist() == [label]


@pytest.mark.parametrize(("known", "label"), [("2024-06-30T23:59:59", 1), ("2024-07-01", 0)])
def test_an_event_known_at_the_cutoff_is_not_known(known: str, label: int) -> None:
    tables = market(versions=[opened("2024-06-05", known=known)], activity="2024-05-30")
    labels = intent_labels(tables, cutoff=day("2024-07-01"), settings=MONTH)
    assert labels["as_of"].tolist() == [pd.Timestamp("2024-06-01")]
    assert labels["label"].tolist() == [label]


@pytest.mark.parametrize(
    ("versions", "inside"),
    [
        ([], True),
        ([opened("2024-05-31T23:59:59")], False),
        ([opened("2024-06-01")], True),
        ([opened("2024-05-01", known="2024-06-01")], True),
        ([opened("2024-04-01"), closed("2024-04-01", "2024-05-01", outcome="lost")], True),
        ([opened("2024-04-01"), closed("2024-04-01", "2024-06-01", outcome="lost")], False),
        ([opened("2024-04-01"), closed("2024-04-01", "2024-05-31T23:59:59", outcome="lost")], True),
        ([opened("2024-04-01"), closed("2024-04-01", "2024-05-01", outcome="won")], False),
        ([closed("2024-06-01", "2024-06-01", outcome="won")], True),
    ],
    ids=[
        "nothing", "opened_just_before", "opened_at_as_of", "opened_before_known_at_as_of", "lost_before",
        "loss_known_at_as_of", "loss_known_just_before", "owner", "won_at_as_of",
    ],
)  # fmt: skip
def test_the_population_has_no_open_opportunity_and_no_owner(versions: list[Version], inside: bool) -> None:
    population = intent_population(market(versions=versions), as_of=day("2024-06-01"), settings=MONTH)
    assert population["account_id"].tolist() == (["a"] if inside else [])


def test_an_account_is_known_only_after_its_first_version() -> None:
    tables = market(known={"early": "2024-05-31T23:59:59", "same": "2024-06-01", "late": "2024-06-02"})
    assert intent_population(tables, as_of=day("2024-06-01"), settings=MONTH)["account_id"].tolist() == [
        "early"
    ]


def test_another_product_neither_blocks_nor_counts() -> None:
    versions = [closed("2024-01-02", "2024-01-03"), opened("2024-06-10", name="o2")]
    opportunities = market(versions=versions).read("opportunities").assign(product=["crm", "mail"])
    tables = Tables.from_frames({"accounts": market().read("accounts"), "opportunities": opportunities})
    labels = {
        product: intent_outcomes(
            tables, as_of=[day("2024-06-01")], settings=MONTH.model_copy(update={"product": product})
        )["label"].tolist()
        for product in (None, "crm", "mail")
    }
    assert labels == {None: [], "crm": [], "mail": [1]}


def test_a_conversion_counts_when_it_was_won_in_the_window() -> None:
    lost = closed("2024-06-06", "2024-06-06", account="b", outcome="lost", name="o2")
    known = {"a": "1970-01-01", "b": "1970-01-01"}
    tables = market(versions=[closed("2024-06-05", "2024-06-05"), lost], known=known)
    outcomes = intent_outcomes(tables, as_of=[day("2024-06-01"), day("2024-06-06")], settings=CONVERSION)
    assert outcomes[["account_id", "label"]].to_numpy().tolist() == [["a", 1], ["b", 0], ["b", 0]]


def test_snapshots_end_one_horizon_before_the_cutoff_and_start_with_the_history() -> None:
    tables = market(activity="2024-05-15")
    snapshots = intent_snapshots(tables, cutoff=day("2024-07-27"), settings=CONVERSION)
    expected = ("2024-05-16", "2024-05-30", "2024-06-13", "2024-06-27")
    assert snapshots == tuple(day(moment) for moment in expected)
    short = intent_snapshots(
        tables, cutoff=day("2024-07-27"), settings=CONVERSION.model_copy(update={"history_days": 44})
    )
    assert short == (day("2024-06-13"), day("2024-06-27"))
    assert intent_snapshots(market(), cutoff=day("2024-07-27"), settings=CONVERSION) == ()


def test_an_opportunity_counts_once_however_often_the_account_opens_more() -> None:
    tables = market(versions=[opened("2024-06-05"), opened("2024-06-06", name="o2")])
    assert intent_outcomes(tables, as_of=[day("2024-06-01")], settings=MONTH)["label"].tolist() == [1]


def test_the_time_to_close_is_that_of_kaplan_and_meier() -> None:
    # Worked by hand: S(1) = 4/5, one censored at 2, S(3) = 4/5 * 2/3 = 8/15, S(4) = 4/15, S(5) = 0.
    days = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    observed = np.array([True, False, True, True, True])
    for percentile, expected in [(0.2, 1.0), (0.4, 3.0), (0.5, 4.0), (0.9, 5.0)]:
        found = time_to_close(days, closed=observed, percentile=percentile)
        assert found is not None
        assert (found.days, found.censored) == (expected, True)


def test_the_time_to_close_falls_back_to_the_closed_when_many_never_close() -> None:
    days = np.array([1.0, 2.0, 3.0, 100.0, 100.0])
    found = time_to_close(days, closed=days < 100)
    assert found is not None
    assert (found.days, found.censored) == (3.0, False)
    assert time_to_close(days, closed=np.zeros(5, dtype=bool)) is None


def test_only_opportunities_older_than_the_usual_time_to_close_train() -> None:
    # Ten take 1 to 10 days, so the 90th percentile is 9 days; the cutoff is 2024-03-01.
    start = day("2024-01-10")
    versions = [
        closed(str(start), str(start + timedelta(days=n)), name=f"old{n}", outcome="won" if n < 4 else "lost")
        for n in range(1, 11)
    ]
    versions += [
        closed("2024-02-21", "2024-02-22", name="just_old_enough"),
        closed("2024-02-21T00:00:01", "2024-02-22", name="too_young"),
        opened("2024-02-28", name="still_open"),
        opened("2024-02-20", name="closed_too_late"),
        closed("2024-02-20", "2024-02-29", name="closed_too_late", known="2024-03-01"),
        closed("2023-12-01", "2023-12-05", name="account_unknown"),
    ]
    labels = fit_labels(market(versions=versions), cutoff=day("2024-03-01"), settings=FitLabelSettings())
    # Closing times now: 1 1 1 1 2 3 4 4 5 ... 10, open ones censored at 2 and 10 days: S first <= .1 at 10.
    assert labels.time_to_close is not None
    assert labels.time_to_close.days == 10.0
    assert labels.counts == {
        "known": 15, "open": 2, "too_young": 2, "account_unknown_at_creation": 1, "used": 10,
    }  # fmt: skip
    nine = fit_labels(
        market(versions=versions),
        cutoff=day("2024-03-01"),
        settings=FitLabelSettings(maturity_percentile=0.8),
    )
    assert nine.time_to_close is not None
    assert nine.time_to_close.days == 9.0
    assert "just_old_enough" in set(nine.frame["opportunity_id"])
    assert "too_young" not in set(nine.frame["opportunity_id"])
    assert labels.frame["label"].sum() == 3
    assert (labels.frame["as_of"] == pd.Timestamp(start)).all()


def test_later_rows_never_change_a_training_label() -> None:
    versions = [opened("2024-05-01"), closed("2024-05-01", "2024-05-20", outcome="lost")]
    late = [
        closed("2024-05-01", "2024-05-20", known="2024-07-01"),
        opened("2024-06-02", name="o2", known="2024-07-01"),
    ]
    before = market(versions=versions, activity="2024-04-01")
    after = market(versions=versions + late, activity="2024-04-01")
    pd.testing.assert_frame_equal(
        intent_labels(before, cutoff=day("2024-07-01"), settings=MONTH),
        intent_labels(after, cutoff=day("2024-07-01"), settings=MONTH),
    )
    pd.testing.assert_frame_equal(
        fit_labels(before, cutoff=day("2024-07-01"), settings=FitLabelSettings()).frame,
        fit_labels(after, cutoff=day("2024-07-01"), settings=FitLabelSettings()).frame,
    )


def test_the_next_cutoff_is_just_after_the_newest_fact() -> None:
    assert next_cutoff(market(activity="2024-05-15")) == day("2024-05-15T00:00:01")
    with pytest.raises(InputError, match="holds no facts"):
        next_cutoff(Tables.from_frames({}))


@pytest.mark.parametrize(
    ("versions", "known_at"),
    [
        ([("won", "2024-02-01"), ("won", "2024-09-01")], "2024-02-01"),
        ([("lost", "2024-02-01"), (None, "2024-03-01"), ("won", "2024-05-01")], "2024-05-01"),
        ([("won", "2024-02-01"), ("lost", "2024-03-01"), ("won", "2024-05-01")], "2024-05-01"),
        ([("lost", "2024-02-01"), ("won", "2024-04-01"), ("won", "2024-06-01")], "2024-04-01"),
        ([("won", "2024-02-01"), ("won", "2025-01-01"), ("lost", "2025-02-01")], "2024-02-01"),
    ],
    ids=["edited", "reopened", "lost and won again", "lost, won and edited", "changed after the cutoff"],
)
def test_an_outcome_is_known_from_when_it_was_first_told(
    versions: list[tuple[str | None, str]], known_at: str
) -> None:
    told: list[Version] = [opened("2024-01-11")]
    told += [("o1", "a", at, "2024-01-11", "2024-01-31" if end else None, end) for end, at in versions]
    known = market(versions=told, known={"a": "2024-01-01", "b": "2024-01-01"})
    labels = fit_labels(known, cutoff=day("2025-01-01"), settings=FitLabelSettings())
    assert labels.frame["label_known_at"].tolist() == [pd.Timestamp(known_at)]


def test_who_was_won_is_no_comparison_after_the_deal_was_edited() -> None:
    won = [closed("2024-02-01", "2024-02-11"), closed("2024-06-01", "2024-06-11", account="b", name="o2")]
    edited = closed("2024-02-01", "2024-02-11", known="2024-09-01")
    known = market(versions=[*won, edited], known=dict.fromkeys("abc", "2024-01-01"))
    against = FitLabelSettings(against="universe", unlabelled_per_win=2, maturity_percentile=0.5)
    labels = fit_labels(known, cutoff=day("2024-12-01"), settings=against).frame
    # At the second win, `a` had been won for months: `c` alone is there to compare with.
    june = labels[labels["as_of"] == pd.Timestamp("2024-06-01")]
    assert june["account_id"].tolist() == ["b", "c"]
