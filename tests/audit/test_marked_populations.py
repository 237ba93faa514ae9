"""Columns of which only today's value is known warn, more so where they decide whom a model is about."""

from __future__ import annotations

import numpy as np

from training.audit.columns import AuditTable, Column
from training.audit.finding import Finding
from training.audit.of_training import marked_columns

NOTHING = np.zeros(2)
LABEL = np.array([0, 1])
TABLE = AuditTable(
    columns=(
        Column("rating", NOTHING, marked=True, source="rating"),
        Column("rating_known", NOTHING, marked=True, source="rating"),
        Column("region", NOTHING, marked=True, source="region"),
        Column("size", NOTHING, source="size"),
    ),
    label=LABEL,
    groups=LABEL,
    dated=True,
)


def test_a_marked_column_that_decides_the_population_says_so() -> None:
    rating, region = marked_columns(TABLE, [], population={"rating", "size"})
    assert (rating.column, rating.severity) == ("rating", "warns")
    assert "features made of it: 2 of 4); who is in the population follows it" in rating.why
    assert (region.column, "population" in region.why) == ("region", False)


def test_what_blocks_already_is_not_told_twice() -> None:
    told = Finding("current_value_only", "blocks", "rating", "beyond", "export it")
    assert [one.column for one in marked_columns(TABLE, [told], population={"rating"})] == ["region"]
