"""Features of accounts as they could have been known at a moment.

Turns tables and keys (account_id, as_of) into a float64 frame in catalogue order. Time rule: only rows with
`known_at < as_of` are read. Null rule: NaN is a value that was not known; an account that was not
known at all has facts of NaN and counts of 0, callers check existence.
"""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Self

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from features import queries
from features.catalogue import Catalogue
from features.counted import count_by, install_rules, know_consent
from features.errors import ContractError, EngineError, InputError
from features.feature import FORMULA
from features.formulas import formula_steps
from features.matrix import STEPS, Rows, Scatter
from features.queries import consent_told
from features.resident import AccountNumbers, make_resident
from features.tables import OPT_OUT_SCHEMA, Tables, open_engine

__all__ = ["FeatureEngine", "RecordEngine", "build_features"]

_CHUNK = 100_000
"""Keys that are worked on at once; bounds the memory."""

_REQUEST_TABLE = """
CREATE TEMP TABLE request AS SELECT account_id, known_at AS as_of FROM accounts WHERE known_at IS NULL"""

_REQUEST = """
keys AS (
    SELECT CAST(0 AS BIGINT) AS key, account_id || '' AS account_id, as_of + INTERVAL 0 SECOND AS as_of
    FROM request
)"""
_NUMBERED_REQUEST = _REQUEST.replace("account_id || ''", "CAST(account_id || '' AS BIGINT)")
"""`keys` of one account. The idle operations hide the values from the planner: the prepared plan is kept
while the row of `request` changes, and must rest on no statistics of it."""


def build_features(tables: Tables, keys: pd.DataFrame, *, catalogue: Catalogue) -> pd.DataFrame:
    """Features of every key.

    keys: columns account_id (str) and as_of (datetime64, naive, UTC, whole seconds); repeats are allowed.
    Returns float64 (len(keys), len(catalogue.features)) in the order of `keys`, indexed by (account_id,
    as_of); a category is the code of its level. Raises InputError for keys of another shape, ContractError
    when the tables lack an attribute that the catalogue declares, EngineError when the SQL fails.

    >>> from features.catalogue import learn_catalogue
    >>> told = pd.DataFrame({"account_id": ["a", "a"], "employees": [10, 25],
    ...                      "known_at": pd.to_datetime(["2024-01-01", "2024-03-01"])})
    >>> tables = Tables.from_frames({"accounts": told})
    >>> catalogue = learn_catalogue(tables, cutoff=pd.Timestamp("2025-01-01"))
    >>> keys = pd.DataFrame({"account_id": "a", "as_of": pd.to_datetime(["2024-03-01", "2024-03-02"])})
    >>> build_features(tables, keys, catalogue=catalogue)["employees"].tolist()
    [10.0, 25.0]
    """
    with FeatureEngine(tables, catalogue) as engine:
        return engine.build(keys)


class FeatureEngine:
    """A connection to the tables that computes the features of a catalogue; threads may share it.

    threads: of the SQL engine; None takes every core. One is fastest for `build_one`.
    resident: whether to copy the tables into memory first, so that `build_one` takes the same few
        milliseconds however many accounts there are. 5 million activities take 650 MB and 5 seconds.
    """

    def __init__(
        self, tables: Tables, catalogue: Catalogue, *, threads: int | None = None, resident: bool = False
    ) -> None:
        check_attributes(tables, catalogue)
        self.catalogue = catalogue
        self._statements, self._scatter = _prepared_for(catalogue)
        self._numbers: AccountNumbers | None = None
        self._connection = tables.connect(threads=threads)
        _install(self._connection, catalogue)
        know_consent(self._connection)
        count_by(self._connection, catalogue.rules)
        if resident:
            self._numbers = make_resident(self._connection)
        self._own = threading.local()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the tables."""
        self._connection.close()

    def build(self, keys: pd.DataFrame) -> pd.DataFrame:
        """As `build_features`."""
        index = _checked(keys)
        distinct = index.unique().sort_values()
        matrix = np.empty((len(distinct), len(self.catalogue.features)))
        for start in range(0, len(distinct), _CHUNK):
            matrix[start : start + _CHUNK] = self._chunk(distinct[start : start + _CHUNK])
        rows = matrix if distinct.equals(index) else matrix[distinct.get_indexer(index)]
        return pd.DataFrame(rows, index=index, columns=list(self.catalogue.names), copy=False)

    def _chunk(self, keys: pd.MultiIndex) -> NDArray[np.float64]:
        accounts = keys.get_level_values(0).to_list()
        moments = keys.get_level_values(1).to_numpy()
        with self._cursor() as cursor:
            numbers = self._numbers.all_of(accounts) if self._numbers else accounts
            cursor.register("keys", _keys(numbers, moments))
            steps = {name: _rows(cursor, sql) for name, sql in self._statements.items()}
        return self._scatter.matrix(Rows(moments, steps))

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor that sees the tables: two threads on one connection would read each other's answers."""
        cursor = self._connection.cursor()
        if self._numbers:
            _execute(cursor, "SET search_path = 'resident,main'")
        return cursor

    def build_one(self, account_id: str, as_of: datetime) -> NDArray[np.float64]:
        """Features of one account, float64 (len(catalogue.features),): the same bits as in a batch."""
        moments = np.array([as_of], dtype="datetime64[s]")
        cursor = self._prepared()
        account = self._numbers.of(account_id) if self._numbers else account_id
        _execute(cursor, "UPDATE request SET account_id = ?, as_of = ?", account, as_of)
        steps = {name: _rows(cursor, f"EXECUTE {name}", shown=sql) for name, sql in self._statements.items()}
        row: NDArray[np.float64] = self._scatter.matrix(Rows(moments, steps))[0]
        return row

    def _prepared(self) -> duckdb.DuckDBPyConnection:
        """This thread's cursor, with the statements planned once."""
        cursor: duckdb.DuckDBPyConnection | None = getattr(self._own, "cursor", None)
        if cursor is None:
            cursor, request = self._cursor(), _NUMBERED_REQUEST if self._numbers else _REQUEST
            _execute(cursor, _REQUEST_TABLE)
            _execute(cursor, "INSERT INTO request VALUES (NULL, NULL)")
            for name, sql in self._statements.items():
                _execute(cursor, f"PREPARE {name} AS {_with(request, sql)}", shown=sql)
            self._own.cursor = cursor
        return cursor


class RecordEngine:
    """Features of accounts that arrive with their rows, by the same SQL; threads may share it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._statements, self._scatter = _prepared_for(catalogue)
        self._connection = open_engine(threads=1)
        _install(self._connection, catalogue)
        nothing = Tables({}, catalogue.attributes)
        self._connection.register("consent_told", OPT_OUT_SCHEMA.empty_table())
        know_consent(self._connection)
        self._connection.unregister("consent_told")
        moments = np.array(["1970-01-01"], dtype="datetime64[s]")
        self._of_nothing = self._steps(nothing, "", moments, steps=list(self._statements))

    def close(self) -> None:
        """Lets go of the SQL engine."""
        self._connection.close()

    def build_one(self, tables: Tables, account_id: str, as_of: datetime) -> NDArray[np.float64]:
        """As `FeatureEngine(tables, catalogue).build_one`, without its preparation.

        tables: in memory; a table or column that is not given is empty.
        """
        check_attributes(tables, self.catalogue)
        moments = np.array([as_of], dtype="datetime64[s]")
        filled = [step for step in self._statements if _in_memory(tables, _sources(step)[0]).num_rows]
        steps = self._of_nothing | self._steps(tables, account_id, moments, steps=filled)
        row: NDArray[np.float64] = self._scatter.matrix(Rows(moments, steps))[0]
        return row

    def _steps(
        self, tables: Tables, account_id: str, moments: NDArray[np.datetime64], *, steps: list[str]
    ) -> dict[str, pa.Table]:
        """The answers of some steps. A step whose first table is empty has no rows: it need not be asked."""
        with self._connection.cursor() as cursor:
            sources = {source for step in steps for source in _sources(step)}
            opted_out = "activities" in sources and _opted_out(tables)
            for name in sources | ({"contacts"} if opted_out else set()):
                cursor.register(name, _in_memory(tables, name))
            if opted_out:
                cursor.register("opt_outs", _lost_opt_outs(tables))
                cursor.execute(f"CREATE TEMP VIEW consent_told AS {consent_told(lost='opt_outs')}")
                know_consent(cursor, kind="TEMP TABLE")
            if "activities" in sources:
                count_by(cursor, self.catalogue.rules, kind="TEMP TABLE")
            cursor.register("keys", _keys([account_id], moments))
            return {step: _rows(cursor, self._statements[step]) for step in steps}


_SOURCES = {
    "account_versions": ("accounts",),
    "activity_days": ("activities",),
    "contact_days": ("activities", "contacts"),
    "topic_sums": ("intent_topics",),
    "opportunity_states": ("opportunities",),
}
"""The tables that a step reads; without rows in the first it has none itself."""


def _sources(step: str) -> tuple[str, ...]:
    """A formula reads people beside activities, sizes beside topics; without rows it tells of nothing."""
    if step in _SOURCES:
        return _SOURCES[step]
    table = step.removeprefix("formulas_").removesuffix("_outbound")
    return {"activities": ("activities", "contacts"), "intent_topics": ("intent_topics", "accounts")}.get(
        table, (table,)
    )


def _opted_out(tables: Tables) -> bool:
    """Whether anybody in these tables ever opted out; most records name nobody who did."""
    told = (_in_memory(tables, "contacts"), _lost_opt_outs(tables))
    return any(times.null_count < len(times) for times in (table.column("opted_out_at") for table in told))


def _lost_opt_outs(tables: Tables) -> pa.Table:
    return tables.opt_outs if isinstance(tables.opt_outs, pa.Table) else OPT_OUT_SCHEMA.empty_table()


def _in_memory(tables: Tables, name: str) -> pa.Table:
    """One table with every column of its schema."""
    schema, given = tables.schema(name), tables.sources.get(name)
    if not isinstance(given, pa.Table):
        return schema.empty_table()
    if given.schema.equals(schema):
        return given
    return pa.table(
        [
            given.column(field.name) if field.name in given.column_names else pa.nulls(len(given), field.type)
            for field in schema
        ],
        schema=schema,
    )


def _keys(accounts: list[str] | NDArray[np.int64], moments: NDArray[np.datetime64]) -> pa.Table:
    return pa.table(
        {
            "key": pa.array(np.arange(len(accounts), dtype=np.int64)),
            "account_id": pa.array(accounts),
            "as_of": pa.array(moments.astype("datetime64[us]")),
        }
    )


def _with(step: str, sql: str) -> str:
    """The statement with one more named step in front."""
    rest = sql.strip()
    return f"WITH {step}, {rest.removeprefix('WITH ')}" if rest.startswith("WITH ") else f"WITH {step} {rest}"


def _execute(cursor: duckdb.DuckDBPyConnection, sql: str, *values: object, shown: str = "") -> None:
    try:
        cursor.execute(sql, values or None)
    except duckdb.Error as error:
        raise EngineError(
            f"the feature query failed: {error}", sql=shown or sql, fix="open the tables again"
        ) from error


def _rows(cursor: duckdb.DuckDBPyConnection, sql: str, *, shown: str = "") -> pa.Table:
    """All rows of a step. Reading them can fail as well: files are read on the way."""
    _execute(cursor, sql, shown=shown)
    try:
        return cursor.to_arrow_table()
    except duckdb.Error as error:
        raise EngineError(
            f"the feature query failed: {error}", sql=shown or sql, fix="open the tables again"
        ) from error


def check_attributes(tables: Tables, catalogue: Catalogue) -> None:
    """ContractError unless the tables offer every attribute that the catalogue declares, in its type."""
    offered = {attribute.name: attribute.type for attribute in tables.attributes}
    for attribute in catalogue.attributes:
        if offered.get(attribute.name) != attribute.type:
            raise ContractError(
                f"accounts: the model's attribute {attribute.name!r} is not in the tables",
                got=offered.get(attribute.name, "no such attribute"),
                allowed=attribute.type,
                fix="declare it in the mapping as when the model was trained, or train again",
            )


_OF_PEOPLE = ("people", "senior_people", "weighted_minutes")
_OF_SIZE = ("surge_for_size", "surging_share", "surging_broadly")


def _install(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> None:
    install_rules(connection, catalogue.rules, own=catalogue.engagement_channels, sizes=catalogue.size_levels)


def _prepared_for(catalogue: Catalogue) -> tuple[dict[str, str], Scatter]:
    """The SQL of each step that the catalogue needs, and what places their answers."""
    formulas = formula_steps(catalogue.features, attributes=catalogue.attributes)
    statements = _statements(catalogue) | {step.name: step.sql for step in formulas}
    return statements, Scatter(catalogue, formulas=formulas)


def _statements(catalogue: Catalogue) -> dict[str, str]:
    """The SQL of each step of the features that are not computed by their formulas."""
    built = [feature for feature in catalogue.features if feature.aggregation != FORMULA]
    tables = {feature.table for feature in built}
    needed = [step for table in STEPS if table in tables for step in STEPS[table]]
    if any(feature.aggregation in _OF_PEOPLE for feature in built):
        needed.append("contact_days")
    facts = [feature.subject for feature in built if feature.table == "accounts"]
    if any(feature.aggregation in _OF_SIZE for feature in built):
        needed = list(dict.fromkeys(("account_versions", *needed)))
        facts.append("employees")
    makers = {
        "account_versions": lambda: queries.account_versions(list(dict.fromkeys(facts))),
        "activity_days": queries.activity_days,
        "contact_days": queries.contact_days,
        "topic_sums": queries.topic_sums,
        "opportunity_states": queries.opportunity_states,
    }
    return {step: makers[step]() for step in needed}


def _checked(keys: pd.DataFrame) -> pd.MultiIndex:
    """The keys as an index (account_id, as_of), or an InputError that says what is wrong with them."""
    missing = [name for name in ("account_id", "as_of") if name not in keys.columns]
    if missing:
        raise InputError(
            f"keys: {missing[0]} is missing", got=list(keys.columns), allowed="account_id, as_of"
        )
    moments = keys["as_of"]
    if not pd.api.types.is_datetime64_dtype(moments.dtype):
        raise InputError(
            "keys: as_of is not a naive time in UTC",
            got=moments.dtype,
            allowed="datetime64",
            fix="convert it with pandas.to_datetime, and to UTC without a zone",
        )
    if moments.isna().any() or keys["account_id"].isna().any():
        raise InputError("keys: account_id or as_of is empty", fix="drop those rows")
    if (moments.dt.floor("s") != moments).any():
        raise InputError("keys: as_of is finer than a second", fix="floor it to whole seconds")
    return pd.MultiIndex.from_arrays(
        [keys["account_id"], moments.astype("datetime64[us]")], names=["account_id", "as_of"]
    )
