"""Windows that still run: their parts by hand, and that a date never becomes the signal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import lightgbm
import numpy as np
import pandas as pd
import pytest
from label_tables import account, day, deal, tables
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from features.label_settings import IntentLabelSettings
from features.tables import Tables
from training.labels import intent_outcomes, label_snapshots

START, CUTOFF = day("2024-01-01"), day("2024-10-01")
WAITING = IntentLabelSettings(horizon_days=180, step_days=30, censoring="weight")
LEFT_OUT = WAITING.model_copy(update={"censoring": "leave_out"})


def test_a_running_window_counts_in_parts_worked_out_by_hand() -> None:
    # Snapshots of 1 May, whole at the cutoff of 30 June, and of 31 May, watched for 30 of its 60 days.
    found = tables(
        accounts=[account(name) for name in "abcd"],
        opportunities=[
            deal("1", "a", "2024-05-11", closed_at="2024-05-12", outcome="lost"),
            deal("2", "b", "2024-06-10"),
        ],
        activities=[
            {"activity_id": "x", "account_id": "a", "occurred_at": "2024-05-01", "known_at": "2024-05-01",
             "channel": "web_visit", "direction": "inbound"}
        ],
    )  # fmt: skip
    settings = IntentLabelSettings(horizon_days=60, step_days=30, censoring="weight")
    labels = label_snapshots(found, cutoff=day("2024-06-30"), settings=settings)
    assert labels.frame[["account_id", "label"]].to_numpy().tolist() == [
        ["a", 1],
        ["b", 1],
        ["c", 0],
        ["d", 0],
    ]
    assert (labels.frame["as_of"] == pd.Timestamp("2024-05-01")).all()
    told = {(row.account_id, row.label): row.weight for row in labels.parts.itertuples()}
    # Kaplan and Meier: after 10 days two of all eight rows had the event (a, and the later b), S = 3/4;
    # after 40 days one of the three that were watched so long (b, not c and d), S = 3/4 * 2/3 = 1/2.
    # Who had none for 30 days has one within 60 with the chance 1 - (1/2) / (3/4) = 1/3.
    expected = {("b", 1): 1.0}
    expected |= {(name, label): share for name in "acd" for label, share in ((1, 1 / 3), (0, 2 / 3))}
    assert told == pytest.approx(expected)


@pytest.fixture(scope="module")
def waiting_market() -> Tables:
    """600 accounts that open deals at a constant rate, every second one three times as often."""
    generator = np.random.default_rng(3)
    deals = []
    for number in range(600):
        name, opened = f"a{number:03}", START
        while opened < CUTOFF:
            waited = timedelta(days=float(generator.exponential(300 if number % 2 else 900)))
            opened = (opened + waited).replace(microsecond=0)
            closed = str(opened + timedelta(minutes=1))
            deals.append(deal(f"{name} {opened}", name, str(opened), outcome="lost", closed_at=closed))
    return tables(accounts=[account(f"a{number:03}") for number in range(600)], opportunities=deals)


def _weighted(tables: Tables) -> pd.DataFrame:
    labels = label_snapshots(tables, cutoff=CUTOFF, settings=WAITING)
    return pd.concat([labels.frame.assign(weight=1.0), labels.parts], ignore_index=True)


def _left_out(tables: Tables) -> pd.DataFrame:
    return label_snapshots(tables, cutoff=CUTOFF, settings=LEFT_OUT).frame.assign(weight=1.0)


def _later_is_negative(tables: Tables) -> pd.DataFrame:
    """What a hurried analyst does: every snapshot up to the cutoff, and no event yet is no event."""
    moments = [START + timedelta(days=30 * step) for step in range(1, 9)]
    found = intent_outcomes(tables, as_of=moments, settings=WAITING, known_before=CUTOFF)
    return found.assign(weight=1.0)


def _watched_inversely(tables: Tables) -> pd.DataFrame:
    """Weights 1 / (chance to have been watched): of running windows, the rows with the event alone stay."""
    found = _later_is_negative(tables)
    whole = found["as_of"] + timedelta(days=180) <= pd.Timestamp(CUTOFF)
    return found[whole | (found["label"] == 1)]


def _clock(rows: pd.DataFrame) -> NDArray[np.float64]:
    return np.asarray((rows["as_of"] - pd.Timestamp(START)).dt.days, dtype=np.float64)


def _told_by_the_date(rows: pd.DataFrame) -> float:
    """How far the date alone ranks the labels, from .5 for not at all."""
    auc = roc_auc_score(rows["label"], _clock(rows), sample_weight=rows["weight"])
    return 0.5 + abs(float(auc) - 0.5)


@pytest.mark.parametrize(
    ("rows", "low", "high"),
    [
        (_left_out, 0.5, 0.53),
        (_weighted, 0.5, 0.53),
        (_later_is_negative, 0.56, 1.0),
        (_watched_inversely, 0.56, 1.0),
    ],
)
def test_only_labels_that_wait_keep_the_date_from_telling(
    waiting_market: Tables, rows: Callable[[Tables], pd.DataFrame], low: float, high: float
) -> None:
    assert low <= _told_by_the_date(rows(waiting_market)) <= high


def _gain(rows: pd.DataFrame) -> float:
    """The share of what trees gain from a column that stands in for the date, beside one that tells."""
    hot = rows["account_id"].str[1:].astype(float) % 2.0
    clock = 100.0 + _clock(rows)
    data = lightgbm.Dataset(np.column_stack([hot, clock]), rows["label"], weight=rows["weight"])
    settings = {"objective": "binary", "num_leaves": 4, "min_data_in_leaf": 100, "verbosity": -1, "seed": 1}
    told = lightgbm.train(settings | {"num_threads": 1}, data, 20).feature_importance("gain")
    return float(told[1] / told.sum())


def test_a_column_that_stands_in_for_the_date_gains_only_where_labels_do_not_wait(
    waiting_market: Tables,
) -> None:
    gains = [_gain(rows(waiting_market)) for rows in (_left_out, _weighted)]
    hurried = [_gain(rows(waiting_market)) for rows in (_later_is_negative, _watched_inversely)]
    assert gains[0] < 0.05
    # Parts dilute what tells an account from another, so that it tells less of the latest dates.
    assert gains[1] < 0.2
    assert min(hurried) > 0.3


def test_every_date_keeps_the_same_share_of_events(waiting_market: Tables) -> None:
    rows = _weighted(waiting_market)
    share = rows.assign(events=rows["label"] * rows["weight"]).groupby("as_of")[["events", "weight"]].sum()
    assert len(share) == 9
    # Half of the accounts open one in 180 days with chance 1 - exp(-180 / 300), half 1 - exp(-180 / 900);
    # 600 accounts tell that to four standard errors of .018 each.
    expected = 1.0 - (np.exp(-0.6) + np.exp(-0.2)) / 2
    assert (share["events"] / share["weight"]).to_numpy() == pytest.approx(expected, abs=0.07)
    assert share["weight"].unique() == pytest.approx([600.0])
