"""What checks share that learn on markets and are judged on others: options, and the head of a result.

Turns a command line into what was asked for, and that into what every such result begins with. Time rule:
none. Null rule: every option has a value, but for the file.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from features.mapping import Config
from models.intervals import LEVEL

__all__ = ["head_of", "market_parser", "with_steps"]


def with_steps(config: Config, *, days: int) -> Config:
    """Snapshots of intent so many days apart: fewer rows to learn from, in less time, by the same learner."""
    intent = config.labels.intent.model_copy(update={"step_days": days})
    return config.model_copy(update={"labels": config.labels.model_copy(update={"intent": intent})})


def market_parser(
    module: str, *, description: str | None, first_seed: int, accounts: int, judged_accounts: int
) -> argparse.ArgumentParser:
    """Which markets, how large, and where to write; how many is for each check to ask."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("--first-seed", type=int, default=first_seed, help="below 500: for development")
    parser.add_argument("--accounts", type=int, default=accounts, help="accounts to learn from")
    parser.add_argument(
        "--judged-accounts", type=int, default=judged_accounts, help="accounts to be judged on"
    )
    parser.add_argument("--out", type=Path, help="write the JSON here, too")
    return parser


def head_of(given: argparse.Namespace, *, seeds: Sequence[int]) -> dict[str, Any]:
    """The nominal level, the first and the last seed, the sizes, and the processor time of this process."""
    return {
        "nominal": LEVEL,
        "seeds": [seeds[0], seeds[-1]],
        "accounts": given.accounts,
        "judged_accounts": given.judged_accounts,
        "cpu_minutes": round(time.process_time() / 60, 1),
    }
