"""Stability: later rows in, how the model does in each segment and in each quarter out.

Turns later rows and their features into one line per segment: rows, events, base rate, ROC AUC with its
interval, and observed by expected events. Time rule: the rows were predicted from earlier ones only. Null
rule: a segment with too few events to measure a ranking says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.catalogue import Catalogue
from training.backtesting.evaluate import Estimate, mean_roc_auc
from training.report.shares import ratio

__all__ = ["Segment", "segments"]

_FEWEST = 10
_MOST_OF_ONE = 6
_REPLICATES, _RATIO_REPLICATES = 100, 300
_PLACES = ("region", "country")
_PEOPLE = (
    (0, 51, "up to 50 people"),
    (51, 201, "51 to 200"),
    (201, 1001, "201 to 1,000"),
    (1001, np.inf, "over 1,000"),
)


@dataclass(frozen=True)
class Segment:
    """One segment. ranking: None where fewer than ten rows are of one class. ratio: observed by expected
    events."""

    by: str
    name: str
    rows: int
    events: int
    ranking: Estimate | None
    ratio: Estimate

    @property
    def base_rate(self) -> float:
        return self.events / self.rows


def segments(later: pd.DataFrame, X: NDArray[np.float64], *, catalogue: Catalogue) -> Iterator[Segment]:
    """Segments by quarter, industry, region or else country, and size.

    later: account_id, as_of, label, probability. X: float64 (n, k), the features of the same rows.
    """
    quarters = later["as_of"].dt.year.astype(str) + " Q" + later["as_of"].dt.quarter.astype(str)
    yield from _of(later, "quarter", quarters, ordered=True)
    places = [name for name in _PLACES if name in catalogue.names][:1]
    for name in ("industry", *places):
        if name in catalogue.names:
            feature, values = catalogue.feature(name), X[:, catalogue.index(name)]
            levels = pd.Series([str(feature.readable(value)) for value in values], index=later.index)
            yield from _of(later, name, levels.replace({"None": "unknown", "__other__": "another one"}))
    if "employees" in catalogue.names:
        yield from _of(later, "size", _sizes(X[:, catalogue.index("employees")], later.index), ordered=True)


def _sizes(employees: NDArray[np.float64], index: pd.Index[int]) -> pd.Series[str]:
    names = pd.Series("unknown", index=index)
    for place, (low, high, name) in enumerate(_PEOPLE):
        names[(employees >= low) & (employees < high)] = f"{place}|{name}"
    return names


def _of(later: pd.DataFrame, by: str, names: pd.Series[str], *, ordered: bool = False) -> Iterator[Segment]:
    """The largest segments of one kind; in the order of their names where these have one."""
    largest = names.value_counts().head(_MOST_OF_ONE).index.tolist()
    for name in sorted(largest) if ordered else largest:
        shown = str(name).rpartition("|")[2].replace("_", " ")
        yield _segment(later[names == name], by=by, name=shown)


def _segment(part: pd.DataFrame, *, by: str, name: str) -> Segment:
    events = int(part["label"].sum())
    enough = min(events, len(part) - events) >= _FEWEST
    ranking = mean_roc_auc(part, columns=["probability"], replicates=_REPLICATES) if enough else None
    observed, expected = (part[column].to_numpy(dtype=np.float64) for column in ("label", "probability"))
    followed = ratio(
        part["account_id"], part=observed, whole=expected, base=1.0, replicates=_RATIO_REPLICATES
    )
    return Segment(by, name, len(part), events, ranking, followed)
