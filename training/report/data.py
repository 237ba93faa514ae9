"""What a model learned from, as the page shows it: rows, events over time, and what was unknown.

Turns the rows of a training into facts and a line for each quarter. Time rule: a row stands in the quarter of
the moment that it is as of. Null rule: NaN is unknown, and is counted.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from features.catalogue import GROUPS
from training.fit import Training
from training.report.shares import rate

__all__ = ["data_rows", "quarter_rows"]

_MOST = 5
_QUARTERS = 12
_REPLICATES = 300


def data_rows(training: Training) -> Iterator[tuple[str, str]]:
    """Each fact and its words."""
    frame, catalogue, card = training.rows.frame, training.rows.catalogue, training.bundle.card
    groups = {group: sum(feature.group == group for feature in catalogue.features) for group in GROUPS}
    yield "rows", f"{len(frame):,}"
    yield "accounts", f"{frame['account_id'].nunique():,}"
    yield "the event", card["label"].replace("_", " ")
    yield "rows with the event", f"{int(frame['label'].sum()):,} ({frame['label'].mean():.1%})"
    first, last = (moment.date().isoformat() for moment in (frame["as_of"].min(), frame["as_of"].max()))
    yield "first and last moment", f"{first} to {last}"
    told = ", ".join(f"{count} {group}" for group, count in groups.items() if count)
    yield "features", f"{len(catalogue.features):,}: {told}"
    yield "unknown", _unknown(training)


def _unknown(training: Training) -> str:
    """How much of the matrix is not known, and of which features most."""
    missing = pd.Series(
        np.isnan(training.rows.X).mean(axis=0), index=list(training.rows.catalogue.names), dtype=np.float64
    )
    most = missing[missing > 0].sort_values(ascending=False, kind="stable").head(_MOST)
    if most.empty:
        return "no value"
    listed = ", ".join(f"{name} {share:.0%}" for name, share in most.items())
    return f"{missing.mean():.1%} of the values; most often {listed}"


def quarter_rows(frame: pd.DataFrame) -> Iterator[dict[str, str]]:
    """The newest quarters of the rows learned from. frame: account_id, as_of, label."""
    quarters = frame["as_of"].dt.year.astype(str) + " Q" + frame["as_of"].dt.quarter.astype(str)
    for quarter in sorted(quarters.unique())[-_QUARTERS:]:
        rows = frame[quarters == quarter]
        share = rate(rows, replicates=_REPLICATES)
        yield {
            "name": quarter,
            "rows": f"{len(rows):,}",
            "accounts": f"{rows['account_id'].nunique():,}",
            "events": f"{int(rows['label'].sum()):,}",
            "share": f"{share.value:.1%}",
            "interval": f"{share.low:.1%} to {share.high:.1%}",
        }
