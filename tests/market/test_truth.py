"""The stored truth: events follow it, and it follows from what the tables show and from nothing else."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulated_markets import (
    HORIZON_STEPS,
    SMALL,
    Floats,
    Market,
    assert_follows,
    simulate_market,
)

from training.market import INFORMATIVE, NOISE, read_truth
from training.market.arrow import block_tables
from training.market.block import Block, simulate_block
from training.market.settings import LAG_STEPS, STEP, STEPS
from training.market.truth import (
    EngagementFacts,
    FirmographicFacts,
    any_opening,
    chance,
    opening_log_odds,
    win_log_odds,
)
from training.market.vocabulary import (
    CHANNELS,
    FUNDING_STAGES,
    INDUSTRIES,
    TECHNOLOGIES,
    TOPICS,
)

SEPARATE_HORIZONS = range(1, STEPS - HORIZON_STEPS + 1, HORIZON_STEPS)


def test_wins_follow_their_true_chance(market: Market) -> None:
    assert_follows(*market.deals())


def test_openings_follow_their_true_chance(market: Market) -> None:
    assert_follows(*market.openings(steps=SEPARATE_HORIZONS))


def test_openings_follow_their_true_chance_with_hidden_states() -> None:
    assert_follows(*simulate_market(seed=5, blocks=2, hidden_states=True).openings(steps=SEPARATE_HORIZONS))


@pytest.fixture(scope="module")
def drawn() -> Block:
    return simulate_block(SMALL, block=0)


def test_hidden_states_show_what_the_tables_cannot(drawn: Block) -> None:
    hidden, plain = simulate_block(replace(SMALL, hidden_states=True), block=0), drawn
    assert hidden.opening_chance.std() > plain.opening_chance.std()
    assert not np.array_equal(hidden.opening_chance, plain.opening_chance)


def test_the_chance_of_any_opening_is_one_minus_that_of_none() -> None:
    result = any_opening(np.array([0.5]), np.array([0.2]), np.array([0.1]))
    assert result == pytest.approx([1 - 0.5 * 0.8 * 0.9])


@pytest.mark.parametrize("step", [0, 9, 25])
def test_nothing_known_before_a_step_depends_on_who_opens_from_then_on(step: int, drawn: Block) -> None:
    anew = simulate_block(SMALL, block=0, redraw_from=step)
    moment = pd.Timestamp(SMALL.step_start(step), unit="s")
    frames = [
        [table.to_pandas() for table in block_tables(block, settings=SMALL, number=0).values()]
        for block in (drawn, anew)
    ]
    for one, other in zip(*frames, strict=True):
        known = [frame[frame.known_at < moment].reset_index(drop=True) for frame in (one, other)]
        pd.testing.assert_frame_equal(*known)
    assert np.array_equal(drawn.opening_chance[: step + 1], anew.opening_chance[: step + 1])
    assert np.array_equal(drawn.in_population[: step + 1], anew.in_population[: step + 1])
    assert not np.array_equal(drawn.deals.account, anew.deals.account)


class Reader:
    """The facts of one account, read from the written tables row by row."""

    def __init__(self, frames: dict[str, pd.DataFrame], *, account_id: str) -> None:
        contacts = frames["contacts"]
        self.contacts = contacts[contacts.account_id == account_id].sort_values("known_at")
        self.tables = {
            name: frame[frame.account_id == account_id]
            for name, frame in frames.items()
            if "account_id" in frame
        }

    def firmographic(self, moment: pd.Timestamp) -> FirmographicFacts:
        versions = self.tables["accounts"].query("known_at < @moment").sort_values("known_at")

        def latest(column: str) -> object:
            filled = versions[column].dropna()
            return filled.iloc[-1] if len(filled) else None

        def number(column: str) -> Floats:
            value = latest(column)
            return np.array([np.nan if value is None else float(value)])

        def code(column: str, levels: tuple[object, ...]) -> np.ndarray:
            value = latest(column)
            return np.array([-1 if value is None else levels.index(value)])

        technologies, funded = latest("technologies"), latest("last_funding_at")
        return FirmographicFacts(
            industry=code("industry", INDUSTRIES),
            employees=number("employees"),
            annual_revenue=number("annual_revenue"),
            founded_year=number("founded_year"),
            sales_team_share=number("sales_team_share"),
            has_procurement_team=code("has_procurement_team", (False, True)),
            funding_stage=code("funding_stage", FUNDING_STAGES),
            last_funding_at=np.array([np.nan if funded is None else pd.Timestamp(funded).timestamp()]),
            technologies=np.array([[technologies is not None and t in technologies for t in TECHNOLOGIES]]),
            technologies_known=np.array([technologies is not None]),
            moments=np.array([int(moment.timestamp())]),
        )

    def engagement(self, moment: pd.Timestamp) -> EngagementFacts:
        def window(name: str, days: int) -> pd.DataFrame:
            frame = self.tables[name]
            begin = moment - pd.Timedelta(days=days)
            return frame[(frame.known_at < moment) & (frame.occurred_at >= begin)]

        seen = window("activities", 90).query("direction != 'outbound'")
        topics = window("intent_topics", 30)
        levels = self.contacts[self.contacts.known_at < moment].dropna(subset="seniority")
        level = levels.groupby("contact_id")["seniority"].last()
        people = seen.contact_id.dropna().unique()
        lost = self.tables["opportunities"].query("outcome == 'lost' and known_at < @moment")
        since = (moment - lost.closed_at.max()) / pd.Timedelta(days=1) if len(lost) else np.nan
        return EngagementFacts(
            counts=np.array([[(seen.channel == name).sum() for name in CHANNELS]]),
            people=np.array([len(people)]),
            senior_people=np.array([level.reindex(people).isin(["c_level", "vice_president"]).sum()]),
            topic_scores=np.array([[topics.score[topics.topic == name].sum() for name in TOPICS]]),
            days_since_loss=np.array([since]),
        )

    def opening_chance(self, as_of: pd.Timestamp) -> float:
        """The chance within 90 days by what is known at `as_of`: that of its three steps."""
        steps = []
        for lag in range(LAG_STEPS, -1, -1):
            moment = as_of - pd.Timedelta(seconds=lag * STEP)
            facts = self.firmographic(moment)
            steps.append(
                opening_log_odds(
                    self.engagement(moment), win_log_odds=win_log_odds(facts), employees=facts.employees
                )
            )
        return float(any_opening(*map(chance, steps))[0])


def readers(frames: dict[str, pd.DataFrame], *, account_ids: pd.Series) -> dict[str, Reader]:
    wanted = {
        name: frame[frame.account_id.isin(account_ids)]
        for name, frame in frames.items()
        if "account_id" in frame
    }
    return {account_id: Reader(wanted, account_id=account_id) for account_id in account_ids.unique()}


@pytest.mark.parametrize(("table", "moment"), [("fit", "created_at"), ("accounts", "as_of")])
def test_the_chance_of_winning_follows_from_the_tables(
    table: str, moment: str, frames: dict[str, pd.DataFrame], market_directory: Path
) -> None:
    truth: pd.DataFrame = getattr(read_truth(market_directory), table).iloc[::13]
    reader = readers(frames, account_ids=truth.account_id)
    expected = [
        float(chance(win_log_odds(reader[account_id].firmographic(known_before)))[0])
        for account_id, known_before in zip(truth.account_id, truth[moment], strict=True)
    ]
    assert truth.probability.tolist() == pytest.approx(expected, rel=1e-12)


def test_the_chance_of_opening_follows_from_the_tables(
    frames: dict[str, pd.DataFrame], market_directory: Path
) -> None:
    intent = read_truth(market_directory).intent
    likely = intent[intent.in_population & (intent.probability > 0.15)]
    truth = pd.concat([intent.sample(15, random_state=1), likely.sample(25, random_state=2)])
    reader = readers(frames, account_ids=truth.account_id)
    expected = [
        reader[account_id].opening_chance(as_of)
        for account_id, as_of in zip(truth.account_id, truth.as_of, strict=True)
    ]
    assert truth.probability.tolist() == pytest.approx(expected, rel=1e-10)


def test_the_population_is_known_without_open_deal_and_without_the_product(
    frames: dict[str, pd.DataFrame], market_directory: Path
) -> None:
    intent, deals = read_truth(market_directory).intent, frames["opportunities"]
    for as_of, truth in intent.groupby("as_of"):
        known = (
            deals[deals.known_at < as_of]
            .sort_values("known_at")
            .drop_duplicates("opportunity_id", keep="last")
        )
        out = set(known.account_id[known.outcome.isna() | (known.outcome == "won")])
        assert set(truth.account_id[~truth.in_population]) == out
        accounts = frames["accounts"]
        assert set(truth.account_id) == set(accounts.account_id[accounts.known_at < as_of])


def _log_odds(firmographic: FirmographicFacts, engagement: EngagementFacts) -> Floats:
    wins = win_log_odds(firmographic)
    return np.stack([wins, opening_log_odds(engagement, win_log_odds=wins, employees=firmographic.employees)])


@pytest.mark.parametrize("column", [*INFORMATIVE, *NOISE])
def test_informative_columns_have_an_effect_and_noise_has_none(column: str, market: Market) -> None:
    """Shuffles one column among 2,000 accounts. Facts without a place in the truth are noise by absence."""
    small = Market(market.settings, market.blocks[:2])
    population = [block.in_population[20] for block in small.blocks]
    facts = small.facts(step=20, rows_of=population)
    table, _, name = column.rpartition(".")
    order = np.random.default_rng(0).permutation(len(facts[0].industry))
    arrays = {
        "technologies": (0, "technologies", TECHNOLOGIES),
        "activities": (1, "counts", CHANNELS),
        "intent_topics": (1, "topic_scores", TOPICS),
    }
    if table in arrays:
        part, field, levels = arrays[table]
        values = getattr(facts[part], field).copy()
        values[:, levels.index(name)] = values[order, levels.index(name)]
    elif column == "contacts.seniority":
        part, field, values = 1, "senior_people", facts[1].senior_people[order]
    elif column in {f.name for f in fields(FirmographicFacts)}:
        part, field, values = 0, column, getattr(facts[0], column)[order]
    else:
        assert column in NOISE
        return
    shuffled = list(facts)
    shuffled[part] = replace(shuffled[part], **{field: values})
    changed = not np.array_equal(_log_odds(*facts), _log_odds(*shuffled))
    assert changed is (column in INFORMATIVE)
