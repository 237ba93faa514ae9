"""What the tests of the market share: blocks joined to one market, and the ROC AUC of chances."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.market import MarketSettings
from training.market.block import Block, simulate_block
from training.market.engagement import engagement_as_known
from training.market.firmographics import facts_as_known
from training.market.settings import BLOCK_ACCOUNTS, STEPS
from training.market.truth import EngagementFacts, FirmographicFacts

Floats = npt.NDArray[np.float64]
SMALL = MarketSettings(accounts=1_300, seed=4)
HORIZON_STEPS = 3


@dataclass(frozen=True)
class Market:
    settings: MarketSettings
    blocks: list[Block]

    def opened(self, block: Block, *, step: int) -> npt.NDArray[np.bool_]:
        """Which accounts opened a deal in the 90 days from a step date."""
        created_at, start = block.deals.created_at, self.settings.step_start(step)
        within = (created_at >= start) & (created_at < self.settings.step_start(step + HORIZON_STEPS))
        return np.bincount(block.deals.account[within], minlength=BLOCK_ACCOUNTS) > 0

    def openings(self, *, steps: range) -> tuple[Floats, Floats]:
        """True chances and outcomes of the accounts in the population at the step dates."""
        pairs = [
            (block.opening_chance[step][block.in_population[step]], block, step)
            for step in steps
            for block in self.blocks
        ]
        outcomes = [self.opened(block, step=step)[block.in_population[step]] for _, block, step in pairs]
        return np.concatenate([chance for chance, _, _ in pairs]), np.concatenate(outcomes).astype(float)

    def deals(self) -> tuple[Floats, Floats]:
        """True chances and outcomes of all deals, those that are still open at the end included."""
        return (
            np.concatenate([block.deals.probability for block in self.blocks]),
            np.concatenate([block.deals.won for block in self.blocks]).astype(float),
        )

    def deal_facts(self) -> FirmographicFacts:
        """What was known of each deal's account when it was opened."""
        return _joined(
            [
                facts_as_known(block.accounts, rows=block.deals.account, moments=block.deals.created_at)
                for block in self.blocks
            ]
        )

    def facts(
        self, *, step: int, rows_of: list[npt.NDArray[np.bool_]]
    ) -> tuple[FirmographicFacts, EngagementFacts]:
        """What was known of some accounts (flags per block) at a step date."""
        moment = self.settings.step_start(step)
        firmographic, engagement = [], []
        for block, chosen in zip(self.blocks, rows_of, strict=True):
            rows = np.flatnonzero(chosen)
            firmographic.append(facts_as_known(block.accounts, rows=rows, moments=np.full(len(rows), moment)))
            seen = engagement_as_known(
                block.activities,
                topics=block.topics,
                contacts=block.contacts,
                last_loss=np.full(BLOCK_ACCOUNTS, np.nan),
                settings=self.settings,
                moment=moment,
            )
            values = {field.name: getattr(seen, field.name)[rows] for field in fields(seen)}
            engagement.append(EngagementFacts(**values))
        return _joined(firmographic), _joined(engagement)


Facts = TypeVar("Facts", FirmographicFacts, EngagementFacts)


def _joined(parts: list[Facts]) -> Facts:
    names = [field.name for field in fields(parts[0])]
    return type(parts[0])(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def simulate_market(*, seed: int, blocks: int, hidden_states: bool = False) -> Market:
    settings = MarketSettings(accounts=blocks * BLOCK_ACCOUNTS, seed=seed, hidden_states=hidden_states)
    return Market(settings, [simulate_block(settings, block=number) for number in range(blocks)])


OBSERVED_STEPS = range(3, STEPS - HORIZON_STEPS + 1)
"""Step dates that have a history before them and the whole horizon after them."""


def expected_roc_auc(score: Floats, *, chance: Floats) -> float:
    """ROC AUC that a score has on average over outcomes drawn with the true chances; ties count half.

    Pairs (i, j) of a one and a zero occur with weight chance_i (1 - chance_j).
    """
    table = pd.DataFrame({"score": score, "one": chance, "zero": 1.0 - chance}).groupby("score").sum()
    below = table["zero"].cumsum() - table["zero"] / 2
    return float((table["one"] * below).sum() / (table["one"].sum() * table["zero"].sum()))


def deviations(chance: Floats, outcome: Floats, *, bins: int) -> Floats:
    """Events minus expectation in standard deviations, by equally large bins of the chance."""
    parts = np.array_split(np.argsort(chance, kind="stable"), bins)
    return np.array(
        [
            (outcome[rows] - chance[rows]).sum() / np.sqrt((chance[rows] * (1 - chance[rows])).sum())
            for rows in parts
        ]
    )


def assert_follows(chance: Floats, outcome: Floats) -> None:
    """Overall within 3 standard deviations; over ten bins chi-square below its 99.9 % point."""
    assert abs(deviations(chance, outcome, bins=1)[0]) < 3
    assert (deviations(chance, outcome, bins=10) ** 2).sum() < 29.6
