"""Fit against the universe: who is drawn, that dates do not tell, and what the level means."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from label_tables import account, day, deal, tables
from trained_market import MARKET

from features.label_settings import FitLabelSettings
from features.mapping import Config
from features.tables import Tables
from models.positive_unlabelled import LabelRate, count_hidden
from models.scoring import Scorer
from training.fit import Training, matrix, train_fit
from training.labels import Universe, distinct_accounts, fit_labels, known_accounts
from training.learning.learn import Rows
from training.learning.level import find_level, fit_line

START, CUTOFF = day("2024-01-01"), day("2024-12-01")


def settings(**given: Any) -> FitLabelSettings:
    return FitLabelSettings.model_validate({"against": "universe", "maturity_percentile": 0.5} | given)


@pytest.fixture(scope="module")
def universe() -> Tables:
    """100 accounts, ten more each month, of which one is won 75 days later, one of them twice."""
    known = {f"a{n:03}": START + timedelta(days=30 * max(n // 10 - 1, 0)) for n in range(100)}
    wins = [(f"a{n:03}", known[f"a{n:03}"] + timedelta(days=75)) for n in range(10, 100, 10)]
    wins.append(("a010", CUTOFF - timedelta(days=20)))
    return tables(
        accounts=[account(name, str(moment)) for name, moment in known.items()],
        opportunities=[
            deal(f"{name} {moment}", name, str(moment), closed_at=str(moment + timedelta(days=1)))
            for name, moment in wins
        ],
    )


def test_every_date_has_as_many_drawn_accounts_per_win(universe: Tables) -> None:
    labels = fit_labels(universe, cutoff=CUTOFF, settings=settings(unlabelled_per_win=4), seed=1)
    dates = labels.frame.groupby("as_of")["label"].agg(["sum", "size"])
    assert dates["sum"].tolist() == [1] * 9
    assert dates["size"].tolist() == [5] * 9
    assert labels.universe == Universe(won=9, unlabelled=91, per_win=4)
    assert labels.counts["first_wins"] == 9
    assert labels.counts["drawn"] == 36


def test_who_is_drawn_was_known_and_not_won_by_then(universe: Tables) -> None:
    frames = [fit_labels(universe, cutoff=CUTOFF, settings=settings(), seed=seed).frame for seed in range(4)]
    rows = pd.concat(frames)
    accounts = universe.read("accounts").set_index("account_id")["known_at"]
    drawn = rows[rows["label"] == 0]
    assert (drawn["account_id"].map(accounts) < drawn["as_of"]).all()
    won = rows[rows["label"] == 1].drop_duplicates("account_id").set_index("account_id")["as_of"]
    won_at = drawn["account_id"].map(won)
    assert not (won_at <= drawn["as_of"]).any()
    # Who was won later was as good as anybody: it is drawn, and marked.
    assert (drawn["won_later"] == won_at.notna()).all()
    assert drawn["won_later"].any()


def test_drawing_is_repeatable_and_an_account_is_drawn_once_per_date(universe: Tables) -> None:
    first, again = (fit_labels(universe, cutoff=CUTOFF, settings=settings(), seed=4).frame for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    assert not first.duplicated(["account_id", "as_of"]).any()
    kept = first.iloc[distinct_accounts(first, seed=0)]
    assert not kept["account_id"].duplicated().any()
    assert kept["label"].sum() == 9
    assert not kept["won_later"].any()


def test_what_happens_after_the_cutoff_changes_nothing(universe: Tables) -> None:
    cutoff = START + timedelta(days=200)
    found, cut = (
        fit_labels(known, cutoff=cutoff, settings=settings(), seed=2)
        for known in (universe, universe.known_before(cutoff))
    )
    pd.testing.assert_frame_equal(found.frame, cut.frame)
    assert found.universe == cut.universe


def test_fewer_are_drawn_where_few_are_known_and_rules_hold_for_them(universe: Tables) -> None:
    wide = fit_labels(universe, cutoff=CUTOFF, settings=settings(unlabelled_per_win=100), seed=1)
    assert wide.universe is not None
    # At the first date forty were known, one of them the win.
    assert wide.universe.per_win == 39
    assert wide.frame.groupby("as_of").size().nunique() == 1
    young = settings(minimum_account_days=30, exclude=[{"name": "x", "accounts": ["a000", "a001"]}])
    drawn = fit_labels(universe, cutoff=CUTOFF, settings=young, seed=1).frame
    accounts = universe.read("accounts").set_index("account_id")["known_at"]
    assert (drawn["as_of"] - drawn["account_id"].map(accounts) >= pd.Timedelta(days=30)).all()
    assert not drawn["account_id"].isin(["a000", "a001"]).any()


@pytest.mark.parametrize(("won", "compared"), [("2024-02-01", {"b", "p"}), ("2024-10-01", {"b"})])
def test_a_rule_leaves_an_account_out_only_from_when_it_applied(won: str, compared: set[str]) -> None:
    """`p` is a partner since September, and was an account like any other before."""
    found = tables(
        accounts=[account("a"), account("b"), account("p"), account("p", "2024-09-01", kind="Partner")],
        opportunities=[deal("1", "a", won, closed_at=won)],
    )
    partners = {"name": "partners", "attribute": "kind", "values": "partner"}
    labels = fit_labels(found, cutoff=CUTOFF, settings=settings(unlabelled_per_win=2, exclude=[partners]))
    assert set(labels.frame.loc[labels.frame["label"] == 0, "account_id"]) == compared
    assert labels.universe == Universe(won=1, unlabelled=1, per_win=len(compared))


@pytest.mark.parametrize(
    "opportunities",
    [
        [],
        [deal("1", "a", "2024-01-01")],
        [deal("1", "a", "2024-01-01", closed_at="2024-01-02", outcome="lost")],
        [deal("1", "a", "2024-01-01", closed_at="2024-01-02")],
    ],
    ids=["none", "open", "lost", "nobody to compare with"],
)
def test_without_wins_or_accounts_to_compare_there_are_no_rows(opportunities: Any) -> None:
    found = tables(accounts=[account("a")], opportunities=opportunities or [deal("1", "b", "2025-01-01")])
    labels = fit_labels(found, cutoff=CUTOFF, settings=settings())
    assert labels.frame.empty
    assert {"label_known_at", "won_later"} <= set(labels.frame.columns)


def test_weights_undo_the_drawing_exactly() -> None:
    # Two kinds of account: log-odds of the drawn rows are off by the logarithm of what each row stands for.
    logits = np.repeat([-1.0, 1.0], 1_000)
    target = np.concatenate([np.repeat([1.0, 0.0], [269, 731]), np.repeat([1.0, 0.0], [731, 269])])
    line = fit_line(logits, target=target, weight=np.where(target == 1, 1.0, 20.0))
    for kind, wins in ((-1.0, 269), (1.0, 731)):
        expected = np.log(wins / (20.0 * (1_000 - wins)))
        assert line.logits(np.array([kind]))[0] == pytest.approx(expected, abs=0.01)


def test_a_share_among_drawn_rows_becomes_one_among_all() -> None:
    assert LabelRate(0.5, 0.5, 0.5, rows=10.0).among(1.0, others=9.0).value == pytest.approx(0.1)
    labelled = np.repeat([1, 0], [100, 100])
    told = count_hidden(np.zeros(200), labelled=labelled, label_rate=0.5, known=300, unlabelled=5_000)
    assert told.estimate == pytest.approx(300.0)
    every = count_hidden(np.zeros(200), labelled=labelled, known=100, unlabelled=1_000)
    # Scores that tell nothing: any top holds one known win to ten others, and so do all.
    assert every.high == pytest.approx(1_000, rel=0.35)
    assert every.estimate is None


@pytest.fixture(scope="module")
def against_everybody(market: Tables, config: Config) -> Training:
    labels = config.labels.model_copy(update={"fit": FitLabelSettings(against="universe")})
    trained = train_fit(market, cutoff=MARKET.end, config=config.model_copy(update={"labels": labels}))
    assert isinstance(trained, Training)
    return trained


def test_the_level_is_that_of_all_accounts_and_said_to_be_relative(
    against_everybody: Training, market: Tables
) -> None:
    card = against_everybody.bundle.card
    level = card["level"]
    keys = known_accounts(market, as_of=MARKET.end)
    X = matrix(market, keys, catalogue=against_everybody.bundle.catalogue)
    mean = np.mean(Scorer(against_everybody.bundle).score(X).probability)
    share = level["known"] / (level["known"] + level["unlabelled"])
    assert mean == pytest.approx(share, rel=0.25)
    assert not level["absolute"]
    assert "relative" in card["meaning"]["en"]
    assert level["hidden"]["estimate"] is None
    assert 0 <= level["hidden"]["low"] < level["hidden"]["high"] <= level["unlabelled"]
    assert against_everybody.counts["unlabelled"] == against_everybody.counts["drawn"]
    assert card["base_rate"] == pytest.approx(1 / (1 + level["drawn_per_win"]))


@pytest.mark.parametrize(
    "given", [{"label_rate": 0.4}, {"audited": {"accounts": 100, "positives": 15}}], ids=str
)
def test_a_known_level_makes_the_probability_absolute(against_everybody: Training, given: Any) -> None:
    rows = against_everybody.rows
    level = against_everybody.bundle.card["level"]
    universe = Universe(level["known"], level["unlabelled"], level["drawn_per_win"])
    found = find_level(against_everybody.learned, rows, universe=universe, settings=settings(**given), seed=0)
    hidden = level["known"] * 1.5 if "label_rate" in given else 0.15 * level["unlabelled"]
    assert found.facts["absolute"]
    assert found.facts["hidden"]["estimate"] == pytest.approx(hidden)
    once = Rows(rows.frame, rows.X, rows.catalogue)
    kept = distinct_accounts(once.frame, seed=0)
    margins = against_everybody.learned.probabilities(rows.X[kept])
    told = found.line.logits(np.log(margins / (1 - margins)))
    chances, label = 1 / (1 + np.exp(-told)), rows.label[kept]
    share = level["known"] / (level["known"] + level["unlabelled"])
    mean = share * chances[label == 1].mean() + (1 - share) * chances[label == 0].mean()
    truth = (level["known"] + hidden) / (level["known"] + level["unlabelled"])
    assert mean == pytest.approx(truth, rel=0.25)


def test_with_few_wins_any_number_may_be_hidden(against_everybody: Training) -> None:
    wins = np.flatnonzero(against_everybody.rows.label == 1)[-60:]
    others = np.flatnonzero(against_everybody.rows.label == 0)
    some = np.sort(np.concatenate([wins, others]))
    rows = against_everybody.rows
    few = replace(rows, frame=rows.frame.iloc[some].reset_index(drop=True), X=rows.X[some])
    later = against_everybody.learned.later.query("position in @some")
    place = pd.Series(range(len(some)), index=some)
    moved = later.assign(position=later["position"].map(place))
    learned = replace(against_everybody.learned, later=moved, crossed=None)
    found = find_level(learned, few, universe=Universe(60, 900, 5), settings=settings(), seed=0)
    assert (found.facts["hidden"]["low"], found.facts["hidden"]["high"]) == (0.0, 900.0)
    assert "too few known wins" in found.facts["hidden"]["rests_on"]
