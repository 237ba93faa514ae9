"""The market against its written requirements."""

from __future__ import annotations

import numpy as np
import pytest
from simulated_markets import OBSERVED_STEPS, Floats, Market, expected_roc_auc
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from training.market import INFORMATIVE, NOISE, MarketSettings, requirements
from training.market.settings import DAY, LAG_STEPS, STEP, STEPS
from training.market.truth import EngagementFacts, FirmographicFacts


def within(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]


def test_the_requirements_are_those_of_the_product() -> None:
    assert requirements.BEST_ROC_AUC == (0.75, 0.82)
    assert requirements.LOGISTIC_REGRESSION_BELOW_BEST == 0.03
    assert requirements.WIN_RATE == (0.20, 0.35)
    assert requirements.OPENING_SHARE_PER_HORIZON == (0.03, 0.05)
    assert requirements.CLOSED_OPPORTUNITIES_PER_5000_ACCOUNTS == 2_000
    assert (requirements.HISTORY_YEARS, requirements.NOISE_SHARE_OF_COLUMNS) == (3, 0.5)
    assert (requirements.ACCOUNTS_BY_DEFAULT, requirements.ACTIVITIES_BY_DEFAULT) == (5_000, 500_000)


def test_the_calendar_spans_three_years_in_steps_of_a_month() -> None:
    assert STEPS * STEP >= requirements.HISTORY_YEARS * 365 * DAY
    assert (LAG_STEPS + 1) * STEP == requirements.HORIZON_DAYS * DAY
    assert MarketSettings().accounts == requirements.ACCOUNTS_BY_DEFAULT


def test_half_of_the_columns_are_noise() -> None:
    columns = len(INFORMATIVE) + len(NOISE)
    assert len(set(INFORMATIVE) | set(NOISE)) == columns
    assert len(NOISE) == requirements.NOISE_SHARE_OF_COLUMNS * columns


def test_the_best_ranker_is_good_but_not_perfect(market: Market) -> None:
    wins, openings = market.deals()[0], market.openings(steps=OBSERVED_STEPS)[0]
    assert within(expected_roc_auc(wins, chance=wins), requirements.BEST_ROC_AUC)
    assert within(expected_roc_auc(openings, chance=openings), requirements.BEST_ROC_AUC)


def test_deals_are_as_many_and_as_often_won_as_required(market: Market) -> None:
    closed = [block.deals.closed_at < market.settings.end_seconds for block in market.blocks]
    won = np.concatenate([b.deals.won[c] for b, c in zip(market.blocks, closed, strict=True)])
    assert within(float(won.mean()), requirements.WIN_RATE)
    per_5000 = len(won) * 5_000 / market.settings.accounts
    assert per_5000 == pytest.approx(requirements.CLOSED_OPPORTUNITIES_PER_5000_ACCOUNTS, rel=0.1)


def test_accounts_open_deals_as_often_as_required_and_some_repeatedly(market: Market) -> None:
    chance, opened = market.openings(steps=OBSERVED_STEPS)
    assert within(float(opened.mean()), requirements.OPENING_SHARE_PER_HORIZON)
    assert within(float(chance.mean()), requirements.OPENING_SHARE_PER_HORIZON)
    assert all(np.bincount(block.deals.account).max() >= 3 for block in market.blocks)


def test_activities_are_as_many_as_required(market: Market) -> None:
    activities = sum(len(block.activities.account) for block in market.blocks)
    expected = requirements.ACTIVITIES_BY_DEFAULT * market.settings.accounts / 5_000
    assert activities == pytest.approx(expected, rel=0.1)


def _numbers(*columns: Floats) -> list[Floats]:
    """Each number as it is, as its logarithm, and whether it is missing."""
    table = np.column_stack(columns).astype(float)
    filled = np.where(np.isnan(table), np.nanmedian(table, axis=0), table)
    return [filled, np.log1p(filled), np.isnan(table)]


def _one_hot(codes: np.ndarray) -> Floats:
    return np.eye(codes.max() + 2)[codes]


def _firmographic(facts: FirmographicFacts) -> list[Floats]:
    year = facts.moments.astype("datetime64[s]").astype("datetime64[Y]").astype(int) + 1970
    since_funding = np.maximum(facts.moments - facts.last_funding_at, 0) / DAY
    categories = (facts.industry, facts.funding_stage, facts.has_procurement_team)
    return [
        *_numbers(
            *(facts.employees, facts.annual_revenue, year - facts.founded_year),
            *(facts.sales_team_share, since_funding),
        ),
        *(_one_hot(codes) for codes in categories),
        facts.technologies * facts.technologies_known[:, None],
        facts.technologies_known[:, None],
    ]


def _engagement(facts: EngagementFacts) -> list[Floats]:
    return _numbers(
        *(facts.counts, facts.counts.sum(axis=1), facts.people, facts.senior_people),
        *(facts.topic_scores, facts.topic_scores.sum(axis=1)),
    )


def _logistic_roc_auc(columns: list[Floats], *, outcome: Floats, chance: Floats) -> float:
    """In sample, which flatters logistic regression."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    matrix = np.column_stack(columns)
    return expected_roc_auc(model.fit(matrix, outcome).decision_function(matrix), chance=chance)


def test_logistic_regression_ranks_winners_clearly_worse_than_the_best(market: Market) -> None:
    chance, won = market.deals()
    logistic = _logistic_roc_auc(_firmographic(market.deal_facts()), outcome=won, chance=chance)
    best = expected_roc_auc(chance, chance=chance)
    assert logistic <= best - requirements.LOGISTIC_REGRESSION_BELOW_BEST


def test_logistic_regression_ranks_buyers_clearly_worse_than_the_best(market: Market) -> None:
    """It sees what was known one and two steps before as well, which fixes the first steps' chances."""
    step = 24
    chance, opened = market.openings(steps=range(step, step + 1))
    population = [block.in_population[step] for block in market.blocks]
    firmographic, latest = market.facts(step=step, rows_of=population)
    earlier = [market.facts(step=step - lag, rows_of=population)[1] for lag in (1, 2)]
    columns = _firmographic(firmographic) + [c for facts in (latest, *earlier) for c in _engagement(facts)]
    logistic = _logistic_roc_auc(columns, outcome=opened, chance=chance)
    best = expected_roc_auc(chance, chance=chance)
    assert logistic <= best - requirements.LOGISTIC_REGRESSION_BELOW_BEST
