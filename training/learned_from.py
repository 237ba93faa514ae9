"""What a training learned from, as one fingerprint: whether another one would learn anything else.

Turns the tables' fingerprint, the cutoff and the settings that a training reads into a hash that its versions
note in MLflow. Time rule: the cutoff follows from the tables, never from the clock. Null rule: settings that
only judge, such as [gate], [drift], [retrain] and [backtest], do not count.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from importlib.metadata import version

from features.mapping import Config

__all__ = ["LEARNED_FROM_TAG", "learned_from"]

LEARNED_FROM_TAG = "learned_from"
_JUDGING = {"file", "parameters", "sources", "workspace", "backtest", "undated", "gate", "drift", "retrain"}


def learned_from(config: Config, *, data_fingerprint: str, cutoff: datetime) -> str:
    """SHA-256 of all that decides what a training gives, the version of spearfish included."""
    settings = config.model_dump_json(exclude=_JUDGING)
    parts = (version("spearfish"), data_fingerprint, cutoff.isoformat(), settings)
    return sha256("\n".join(parts).encode()).hexdigest()
