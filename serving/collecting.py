"""How often a worker looks for objects that hold each other.

Turns the collector of garbage to fewer looks, and lets it leave alone what was loaded at the start. The
answers of a batch are a hundred thousand objects that live until they are sent: with the usual thresholds to
look through them again and again takes as long as to make them. To look through the young ones seldom saves
nothing: each is looked through once, and nobody is answered meanwhile. Objects that nothing holds go at once
in any case. Time and null rules: none.
"""

from __future__ import annotations

import gc

__all__ = ["collect_seldom"]

_THRESHOLDS = (5_000, 200, 50)
"""New objects before the young ones are looked at, some milliseconds, and looks before older ones are."""


def collect_seldom() -> None:
    """Of this process, from now on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
