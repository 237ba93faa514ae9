"""How often a worker looks for objects that hold each other.

Turns the collector of garbage to fewer looks, and lets it leave alone what was loaded at the start. The
answers of a batch are a hundred thousand objects that live until they are sent: with the usual thresholds to
look through them again and again takes as long as to make them. Objects that nothing holds go at once in any
case. Time and null rules: none.
"""

from __future__ import annotations

import gc

__all__ = ["collect_seldom"]

_THRESHOLDS = (50_000, 20, 50)
"""New objects before the young ones are looked at, and looks before older ones are."""


def collect_seldom() -> None:
    """Of this process, from now on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
