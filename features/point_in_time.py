"""Features of accounts as they could have been known at a moment.

Turns tables and keys (account_id, as_of) into a float64 frame in catalogue order. Time rule: only rows with
`known_at < as_of` are read, and activities of the 180 days before `as_of`. Null rule: NaN is a value that was
not known; an account that was not known at all has an empty row, callers check existence.
"""

from __future__ import annotations

from datetime import datetime
from typing import Self

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from features import queries
from features.catalogue import Catalogue
from features.errors import ContractError, EngineError, InputError
from features.feature import Feature
from features.matrix import Rows, cell_of, scatter
from features.tables import Tables

__all__ = ["FeatureEngine", "build_features"]

_CHUNK = 100_000
"""Keys that are worked on at once; bounds the memory."""


def build_features(tables: Tables, keys: pd.DataFrame, *, catalogue: Catalogue) -> pd.DataFrame:
    """Features of every key.

    keys: columns account_id (str) and as_of (datetime64, naive, UTC, whole seconds); repeats are allowed.
    Returns float64 (len(keys), len(catalogue.features)) in the order of `keys`, indexed by (account_id, as_of);
    a category is the code of its level. Raises InputError for keys of another shape, ContractError when the
    tables lack an attribute that the catalogue declares, EngineError when the SQL fails.
    """
    with FeatureEngine(tables, catalogue) as engine:
        return engine.build(keys)


class FeatureEngine:
    """A connection to the tables that computes the features of a catalogue; safe to share among threads."""

    def __init__(self, tables: Tables, catalogue: Catalogue, *, threads: int | None = None) -> None:
        _check_attributes(tables, catalogue)
        self.catalogue = catalogue
        self._statements = _statements(catalogue)
        self._connection = tables.connect(threads=threads)
        _create_channel_cells(self._connection, catalogue)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the tables."""
        self._connection.close()

    def build(self, keys: pd.DataFrame) -> pd.DataFrame:
        """As `build_features`."""
        accounts, moments = _checked(keys)
        index = pd.MultiIndex.from_arrays([accounts, moments], names=["account_id", "as_of"])
        distinct = index.unique().sort_values()
        parts = [
            self._matrix(distinct[start : start + _CHUNK]) for start in range(0, len(distinct), _CHUNK)
        ] or [np.empty((0, len(self.catalogue.features)))]
        matrix = np.concatenate(parts) if len(parts) > 1 else parts[0]
        return pd.DataFrame(
            matrix[distinct.get_indexer(index)], index=index, columns=list(self.catalogue.names), copy=False
        )

    def _matrix(self, keys: pd.MultiIndex) -> NDArray[np.float64]:
        return self._compute(
            keys.get_level_values(0).to_list(), keys.get_level_values(1).to_numpy().astype("datetime64[s]")
        )

    def build_one(self, account_id: str, as_of: datetime) -> NDArray[np.float64]:
        """Features of one account, float64 (len(catalogue.features),); the same bits as in a batch."""
        return self._compute([account_id], np.array([as_of], dtype="datetime64[s]"))[0]

    def _compute(self, accounts: list[str], moments: NDArray[np.datetime64]) -> NDArray[np.float64]:
        keys = pa.table(
            {
                "key": pa.array(np.arange(len(accounts), dtype=np.int64)),
                "account_id": pa.array(accounts, pa.string()),
                "as_of": pa.array(moments.astype("datetime64[us]")),
            }
        )
        with self._connection.cursor() as cursor:
            cursor.register("keys", keys)
            steps = {name: _rows(cursor, sql) for name, sql in self._statements.items()}
        return scatter(Rows(len(accounts), moments, steps), catalogue=self.catalogue)


def _rows(cursor: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    try:
        return cursor.execute(sql).to_arrow_table()
    except duckdb.Error as error:
        raise EngineError(
            f"the feature query failed: {error}", sql=sql, fix="open the tables again"
        ) from error


def _check_attributes(tables: Tables, catalogue: Catalogue) -> None:
    offered = {attribute.name: attribute.type for attribute in tables.attributes}
    for attribute in catalogue.attributes:
        if offered.get(attribute.name) != attribute.type:
            raise ContractError(
                f"accounts: the attribute {attribute.name!r} of the model is not in the tables",
                got=offered.get(attribute.name, "no such attribute"),
                allowed=attribute.type,
                fix="declare it in the mapping as when the model was trained, or train again",
            )


def _create_channel_cells(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> None:
    connection.execute("CREATE TABLE channel_cells (channel VARCHAR, outbound BOOLEAN, cell INTEGER)")
    for outbound, channels in ((False, catalogue.engagement_channels), (True, catalogue.outreach_channels)):
        for channel in channels:
            cell = cell_of(catalogue, channel=channel, outbound=outbound)
            connection.execute("INSERT INTO channel_cells VALUES (?, ?, ?)", [channel, outbound, cell])


def _statements(catalogue: Catalogue) -> dict[str, str]:
    """The SQL of each step that the catalogue needs."""
    statements = {
        "account_facts": _account_facts([f for f in catalogue.features if f.table == "accounts"]),
        "activity_counts": queries.activity_counts(),
        "activity_people": queries.activity_people(),
        "topic_scores": queries.topic_scores(),
        "opportunity_history": queries.opportunity_history(),
    }
    needed = {_step(feature) for feature in catalogue.features}
    if "activity_people" in needed:
        needed.add("activity_counts")
    return {name: sql for name, sql in statements.items() if name in needed}


def _account_facts(features: list[Feature]) -> str:
    return queries.account_facts(
        list(dict.fromkeys(f.subject for f in features)),
        before=[f.subject for f in features if f.aggregation == "growth"],
        lengths=[f.subject for f in features if f.aggregation == "length"],
    )


def _step(feature: Feature) -> str:
    if feature.table == "activities":
        by_person = feature.aggregation in ("people", "senior_people")
        return "activity_people" if by_person else "activity_counts"
    return {
        "accounts": "account_facts",
        "intent_topics": "topic_scores",
        "opportunities": "opportunity_history",
    }[feature.table]


def _checked(keys: pd.DataFrame) -> tuple[pd.Series[str], pd.Series[pd.Timestamp]]:
    missing = {"account_id", "as_of"} - set(keys.columns)
    if missing:
        raise InputError(
            "keys lack a column", got=", ".join(map(str, keys.columns)) or "none", allowed="account_id, as_of"
        )
    moments = keys["as_of"]
    if not pd.api.types.is_datetime64_dtype(moments.dtype):
        raise InputError(
            "keys: as_of is no naive UTC time",
            got=moments.dtype,
            allowed="datetime64",
            fix="use pandas.to_datetime",
        )
    if moments.isna().any() or keys["account_id"].isna().any():
        raise InputError("keys: account_id or as_of is empty", fix="drop those rows")
    if (moments.dt.floor("s") != moments).any():
        raise InputError("keys: as_of is finer than a second", fix="floor it to whole seconds")
    return keys["account_id"], moments.astype("datetime64[us]")
