"""The settings of a simulated market and its calendar of 30-day steps.

Turns the settings into step dates. Time rule: step dates are `end - 30 k days`, so that snapshots anchored
at the end fall on them; times inside the simulation are whole seconds since 1970 (int64, UTC). Null rule:
no setting may be empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, get_args

from features.errors import ConfigError
from training.market.requirements import ACCOUNTS_BY_DEFAULT, STEP_DAYS

__all__ = [
    "BLOCK_ACCOUNTS",
    "DAY",
    "HAZARDS",
    "LAG_STEPS",
    "STEP",
    "STEPS",
    "WARM_UP_STEPS",
    "Hazard",
    "MarketSettings",
]

Hazard = Literal[
    "leaking_field",
    "drift",
    "missing_at_random",
    "missing_not_at_random",
    "late_facts",
    "few_customers",
    "several_products",
]
HAZARDS: Final[tuple[Hazard, ...]] = get_args(Hazard)
"""What makes real data hard, one at a time; see `training.market.hazards`."""

DAY: Final = 86_400
STEP: Final = STEP_DAYS * DAY
STEPS: Final = 37
"""Steps of 30 days with history: three years and a month."""

LAG_STEPS: Final = 2
"""The chance of opening in a step is fixed by the tables as known this many steps before it begins."""

WARM_UP_STEPS: Final = 4
"""Steps simulated before the history begins and left out of the tables, so that it starts in full swing."""

BLOCK_ACCOUNTS: Final = 1_000
"""Accounts that share random streams: account 123,456 is the same however many accounts there are."""

_END: Final = datetime.fromisoformat("2025-01-01")
_MAXIMUM_ACCOUNTS: Final = 9_999_999


@dataclass(frozen=True, kw_only=True)
class MarketSettings:
    """What to simulate. The world (how chances follow from facts) is the same for every seed.

    accounts: number of accounts; more accounts leave the first ones as they were.
    seed: draws accounts and events.
    end: the moment at which the tables were extracted (naive UTC midnight); nothing in them is known later.
    hidden_states: adds hidden buying states that no table shows directly.
    some_always_win: some profiles win every opportunity, for sure.
    pursued_by_kind: sales opens opportunities by size and region alone, and winning depends on region, too.
    hazard: what makes the data hard, if anything; sales that pursued only some is `pursued_by_kind`.
    chunk_accounts: accounts written at once; bounds the memory, does not change a row.
    Raises ConfigError for a setting outside its bounds.
    """

    accounts: int = ACCOUNTS_BY_DEFAULT
    seed: int = 0
    end: datetime = _END
    hidden_states: bool = False
    some_always_win: bool = False
    pursued_by_kind: bool = False
    hazard: Hazard | None = None
    chunk_accounts: int = 5_000

    def __post_init__(self) -> None:
        _check_integer("accounts", self.accounts, minimum=1, maximum=_MAXIMUM_ACCOUNTS)
        _check_integer("seed", self.seed, minimum=0, maximum=2**63 - 1)
        _check_integer("chunk_accounts", self.chunk_accounts, minimum=BLOCK_ACCOUNTS, maximum=1_000_000)
        if self.hazard not in (None, *HAZARDS):
            raise ConfigError("unknown hazard", got=self.hazard, allowed=", ".join(HAZARDS))
        if self.chunk_accounts % BLOCK_ACCOUNTS:
            raise ConfigError(
                "chunk_accounts splits a block of accounts that is drawn together",
                got=self.chunk_accounts,
                allowed=f"multiples of {BLOCK_ACCOUNTS}",
            )
        if self.end.tzinfo is not None or self.end_seconds % DAY or self.end.microsecond:
            raise ConfigError(
                "the end of the market is not a midnight",
                got=self.end.isoformat(),
                allowed="a UTC date at 00:00:00, without a zone",
            )

    @property
    def end_seconds(self) -> int:
        return int(self.end.replace(tzinfo=UTC).timestamp())

    def step_start(self, step: int) -> int:
        """The first second of a step; step `STEPS` begins at the end, warm-up steps are negative."""
        return self.end_seconds - (STEPS - step) * STEP

    @property
    def start_seconds(self) -> int:
        """The first second of the history."""
        return self.step_start(0)


def _check_integer(name: str, value: int, *, minimum: int, maximum: int) -> None:
    if not minimum <= value <= maximum:
        raise ConfigError(f"{name} is out of bounds", got=value, allowed=f"{minimum:,} to {maximum:,}")
