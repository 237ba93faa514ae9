"""Attributes that only one side tells are not used, and are told with the reason."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.tables import Attribute
from features.universe import Universe
from models.lookalikes.comparing import Compared, compare_attributes

WORDS = (Attribute("word", "category", "kind", "类型"),)


def compared(cells: list[str | None], *, seeds: int) -> Compared:
    frame = pd.DataFrame({"account_id": [f"{place:03}" for place in range(len(cells))], "word": cells})
    universe = Universe.from_frame(frame, attributes=WORDS)
    return compare_attributes(universe, seeds=np.arange(seeds))[0]


@pytest.mark.parametrize(
    ("cells", "why", "emptiness"),
    [
        (["x"] * 30 + ["x"] * 60 + ["y"] * 40, None, True),
        (["x"] * 30 + [None] * 95 + ["x"] * 5, "seeds tell more", False),
        ([None] * 30 + ["x"] * 100, "seeds tell less", False),
        (["x"] * 30 + ["x"] * 65 + [None] * 35, None, False),
        (["gold"] * 30 + ["other"] * 100, "other words", True),
        (["x"] * 3 + [None] * 60 + ["x"] * 40, None, True),
    ],
    ids=["alike", "only seeds", "only others", "somewhat emptier", "own words", "too few to say"],
)
def test_what_is_used(cells: list[str | None], why: str | None, emptiness: bool) -> None:
    seeds = 3 if cells[3] is None and cells[0] else 30
    found = compared(cells, seeds=seeds)
    assert (found.why, found.emptiness) == (why, emptiness)


def test_the_reason_is_told_in_both_languages() -> None:
    found = compared(["x"] * 30 + [None] * 95 + ["x"] * 5, seeds=30)
    assert found.sentence().startswith("kind: known of 100% of the seeds and of 5% of the other accounts")
    assert "类型" in found.sentence("zh")
    assert compared(["x"] * 30 + ["x"] * 100, seeds=30).sentence() == ""


def test_what_origins_tell_differently_is_not_used() -> None:
    frame = pd.DataFrame({"account_id": ["a", "b", "c"], "word": ["x", "x", "y"]})
    universe = Universe.from_frame(frame, attributes=WORDS)
    marked = Universe(universe.rows, universe.attributes, {"word": "other values"})
    found = compare_attributes(marked, seeds=np.array([0]))[0]
    assert (found.why, found.used) == ("origins", False)
