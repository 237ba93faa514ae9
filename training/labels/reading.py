"""What all labels read: the state of opportunities, and frames of what SQL found.

Turns tables into the latest state of each deal. Time rule: a deal's state is its latest version known before
a moment, if its deletion was not known by then; without a moment, by all that is known. Its outcome is known
from the first version on that has told it without a break. Null rule: a deal without an outcome is open,
never lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["STATE", "days", "frame", "register_moments"]

STATE = """
    SELECT * EXCLUDE (changed_at), max(changed_at) OVER (PARTITION BY opportunity_id) AS outcome_known_at
    FROM (
        SELECT *, CASE WHEN outcome IS DISTINCT FROM lag(outcome, 1, '') OVER versions THEN known_at END
            AS changed_at
        FROM opportunities
        WHERE ($known_before IS NULL OR known_at < $known_before) AND ($product IS NULL OR product = $product)
          AND (withdrawn_at IS NULL OR withdrawn_at >= $known_before)
        WINDOW versions AS (PARTITION BY opportunity_id ORDER BY known_at)
    )
    QUALIFY row_number() OVER (PARTITION BY opportunity_id ORDER BY known_at DESC) = 1
"""
"""The latest version of each deal, and since when its outcome has been known: outcome_known_at, of the first
of the last versions in a row with this outcome. A deal that was edited after its end was not won anew."""


def frame(connection: duckdb.DuckDBPyConnection, sql: str, **parameters: object) -> pd.DataFrame:
    """What the query finds."""
    found: pd.DataFrame = connection.execute(sql, parameters).to_arrow_table().to_pandas()
    return found


def register_moments(
    connection: duckdb.DuckDBPyConnection, as_of: Sequence[datetime], *, horizon: timedelta
) -> None:
    """Name the moments `snapshots`: as_of, and until, one horizon later."""
    moments = pa.timestamp("us")
    columns = {
        "as_of": pa.array(list(as_of), type=moments),
        "until": pa.array([moment + horizon for moment in as_of], type=moments),
    }
    connection.register("snapshots", pa.table(columns))


def days(durations: pd.Series[pd.Timedelta]) -> NDArray[np.float64]:
    """Durations in days, float64 (n,)."""
    return np.asarray(durations.dt.total_seconds() / 86_400.0, dtype=np.float64)
