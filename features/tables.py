"""Canonical tables at rest, and the DuckDB connection that reads them.

Turns Parquet files or Arrow tables into views named after the contract's tables; a table that was not
given is an empty view with the contract's columns. Time rule: none of its own; `known_before` cuts every
table at a moment. Null rule: columns of the contract that a source lacks are empty.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.contract import (
    ATTRIBUTE_TYPES,
    START_OF_TIME,
    TABLES,
    WITHDRAWN_AT,
    AttributeType,
    ColumnType,
    sql_type,
)
from features.counting import PRESET_RULES, CountingRules
from features.errors import ContractError, suggestion
from features.identity.views import NOTHING_MERGED, merged_sql
from features.joined import PART, joined_sql
from features.normalisation.in_sql import add_normalise
from features.origins import BY_ORIGIN, ONE_ORIGIN, OriginRules, by_origin_sql
from features.queries import consent_told
from features.validation import literal

__all__ = ["OPT_OUTS", "OPT_OUT_SCHEMA", "Attribute", "Tables", "arrow_type", "open_engine"]

_ARROW_TYPES: dict[ColumnType, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us"),
    "set": pa.list_(pa.string()),
}

OPT_OUTS = "opt_outs.parquet"
"""In the folder of a snapshot: who has opted out by rows that are in no table."""

OPT_OUT_SCHEMA = pa.schema(
    [("contact_id", pa.string()), ("known_at", pa.timestamp("us")), ("opted_out_at", pa.timestamp("us"))]
)
"""What it holds."""


def arrow_type(column_type: ColumnType) -> pa.DataType:
    """The Arrow type of a canonical column. Timestamps are naive and mean UTC."""
    return _ARROW_TYPES[column_type]


@dataclass(frozen=True)
class Attribute:
    """A further account column that a mapping declares; it becomes a versioned fact and a feature."""

    name: str
    type: AttributeType
    label: str
    label_zh: str | None = None
    unit: str | None = None
    current_value_only: bool = False

    @property
    def column_type(self) -> ColumnType:
        return ATTRIBUTE_TYPES[self.type]


def open_engine(*, threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB that reads times as UTC and never takes a Python variable for a table."""
    settings: dict[str, str | bool | int | float | list[str]] = {
        "python_enable_replacements": False,
        "preserve_insertion_order": False,
    }
    if threads is not None:
        settings["threads"] = threads
    connection = duckdb.connect(":memory:", config=settings)
    # Not a start-up setting: the extension that knows time zones is loaded only after the start.
    connection.execute("SET TimeZone = 'UTC'")
    # DuckDB up to 1.5.5 mixes up columns or rows in both rewrites (its issues 24363, 24710 and 24711).
    # A join for each short list of IN costs a small ingest a fifth of its time, and saves a large one none.
    connection.execute("SET disabled_optimizers = 'top_n_window_elimination,late_materialization,in_clause'")
    add_normalise(connection)
    return connection


@dataclass(frozen=True)
class Tables:
    """The canonical tables, each a list of Parquet files or one Arrow table.

    sources: by table name; a missing name is an empty table.
    attributes: the further account columns, stored in `accounts` under their own names.
    merged: a file that says which account stands for which (`features.identity.merging`).
    rules: how activities and research count, for a catalogue that is learned from the tables.
    marks: by table, columns of which only today's value is known; attributes add their own.
    assumed: by source of contacts, what is assumed of consent; reports on the tables print it.
    origins: where accounts come from. told: where that is several places, what each of them tells of
        accounts: files with the rows' `_source`, or the relation `accounts_by_origin` itself.
    opt_outs: who has opted out by rows that are in no table (`features.privacy.opt_outs`).
    """

    sources: Mapping[str, tuple[Path, ...] | pa.Table]
    attributes: tuple[Attribute, ...] = ()
    merged: Path | None = None
    rules: CountingRules = PRESET_RULES
    assumed: Mapping[str, str] = field(default_factory=dict)
    origins: OriginRules = ONE_ORIGIN
    told: tuple[Path, ...] | pa.Table = ()
    opt_outs: Path | pa.Table | None = None
    marks: Mapping[str, Collection[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.sources:
            if name not in TABLES:
                raise ContractError(
                    "unknown table", got=repr(name), allowed=", ".join(TABLES), fix=suggestion(name, TABLES)
                )

    @classmethod
    def from_frames(
        cls, frames: Mapping[str, pd.DataFrame], *, attributes: tuple[Attribute, ...] = ()
    ) -> Tables:
        """Tables from pandas frames that hold columns of the contract; absent columns are empty.

        Nothing is validated here: frames come from code, files go through `features.ingest`.
        """
        empty = cls({}, attributes)
        return cls(
            {
                name: pa.Table.from_pandas(
                    frame,
                    schema=pa.schema([field for field in empty.schema(name) if field.name in frame.columns]),
                    preserve_index=False,
                )
                for name, frame in frames.items()
            },
            attributes,
        )

    @property
    def current_value_only(self) -> frozenset[str]:
        """Columns of which only today's value is known, as `contacts.title`."""
        marked = {f"{table}.{column}" for table, columns in self.marks.items() for column in columns}
        return frozenset(
            marked | {f"accounts.{one.name}" for one in self.attributes if one.current_value_only}
        )

    def schema(self, name: str) -> pa.Schema:
        """The Arrow schema of a table, attributes included."""
        fields = [(column.name, arrow_type(column.type)) for column in (*TABLES[name].columns, WITHDRAWN_AT)]
        if name == "accounts":
            fields += [(attribute.name, arrow_type(attribute.column_type)) for attribute in self.attributes]
        return pa.schema(fields)

    def connect(self, *, threads: int | None = None) -> duckdb.DuckDBPyConnection:
        """A fresh engine with every canonical table: files as views, Arrow tables copied, as a registered one
        is seen by its own connection only. Take a cursor per thread."""
        connection = open_engine(threads=threads)
        merged = f"read_parquet({literal(str(self.merged))})" if self.merged else f"({NOTHING_MERGED})"
        connection.execute(f"CREATE TABLE merged_accounts AS SELECT * FROM {merged}")
        for name in TABLES:
            self._create_view(connection, name)
        if self.origins.several:
            self._create_by_origin(connection)
        self._create_consent(connection)
        return connection

    def _create_consent(self, connection: duckdb.DuckDBPyConnection) -> None:
        """`opt_outs`, and `consent_told`: what they and the contacts say."""
        lost = f"read_parquet({literal(str(self.opt_outs))})" if isinstance(self.opt_outs, Path) else "given"
        given = self.opt_outs if isinstance(self.opt_outs, pa.Table) else OPT_OUT_SCHEMA.empty_table()
        connection.register("given", given)
        connection.execute(f"CREATE TABLE opt_outs AS SELECT * FROM {lost}")
        connection.unregister("given")
        connection.execute(f"CREATE VIEW consent_told AS {consent_told(lost='opt_outs')}")

    def _create_by_origin(self, connection: duckdb.DuckDBPyConnection) -> None:
        if isinstance(self.told, pa.Table):
            connection.register("told", self.told)
            connection.execute(f"CREATE TABLE {BY_ORIGIN} AS SELECT * FROM told")
            connection.unregister("told")
            return
        types = self._types("accounts")
        stored = " UNION ALL ".join(_stored(file, types=types) for file in self.told)
        sql = by_origin_sql(self.origins, stored=stored, columns=tuple(types))
        connection.execute(f"CREATE VIEW {BY_ORIGIN} AS {sql}")

    def _types(self, name: str) -> dict[str, ColumnType]:
        """The type of every column of a table, attributes included."""
        types = {column.name: column.type for column in (*TABLES[name].columns, WITHDRAWN_AT)}
        if name == "accounts":
            types |= {attribute.name: attribute.column_type for attribute in self.attributes}
        return types

    def _create_view(self, connection: duckdb.DuckDBPyConnection, name: str) -> None:
        source = self.sources.get(name)
        given = source is None or isinstance(source, pa.Table)
        if source is None or isinstance(source, pa.Table):
            table = self.schema(name).empty_table() if source is None else source
            connection.register(f"{name}_given", table)
            present, origin = set(table.column_names), f"{name}_given"
        else:
            present = set(pq.read_schema(source[0]).names)
            files = ", ".join("'" + str(path).replace("'", "''") + "'" for path in source)
            origin = f"read_parquet([{files}])"
        types = self._types(name)
        columns = _listed(types, present=present)
        kind_of_relation = "TABLE" if given else "VIEW"
        sql = f"SELECT {columns} FROM {origin}"
        if PART in present:
            sql = joined_sql(name, origin=origin, listed=columns, columns=tuple(types))
        if self.merged is not None:
            sql = merged_sql(name, stored=sql, merged="merged_accounts", columns=tuple(types))
        connection.execute(f"CREATE {kind_of_relation} {name} AS {sql}")
        if given:
            connection.unregister(origin)

    def read(self, name: str) -> pd.DataFrame:
        """One table as a frame, in no promised order."""
        with self.connect() as connection:
            frame: pd.DataFrame = connection.execute(f"SELECT * FROM {name}").to_arrow_table().to_pandas()
            return frame

    def without_times(self) -> Tables:
        """The tables in memory for those who do not ask when: what is undated counts as known since ever.

        What only a moment gives a meaning (the age of a company, the days since a date) is left empty.
        """
        start = f"TIMESTAMP '{START_OF_TIME.rstrip('Z')}'"
        dates = [attribute.name for attribute in self.attributes if attribute.type == "date"]
        empty = "".join(f', NULL AS "{name}"' for name in ("founded_year", *dates))
        found = {}
        with self.connect() as connection:
            for name in self.sources:
                replaced = f"coalesce(known_at, {start}) AS known_at{empty if name == 'accounts' else ''}"
                rows = connection.execute(f"SELECT * REPLACE ({replaced}) FROM {name}").to_arrow_table()
                found[name] = rows.cast(self.schema(name))
            told = self._told(connection)
            lost = connection.execute("SELECT * FROM opt_outs").to_arrow_table()
        return replace(self, sources=found, merged=None, told=told, opt_outs=lost)

    def known_before(self, moment: datetime) -> Tables:
        """The tables as they stood at `moment` (naive, UTC), in memory: rows with `known_at < moment`, and of
        what was withdrawn only what was known to be by then."""
        cut = (
            "SELECT * REPLACE (CASE WHEN withdrawn_at < $1 THEN withdrawn_at END AS withdrawn_at)"
            " FROM {name} WHERE known_at < $1"
        )
        with self.connect() as connection:
            found = {
                name: connection.execute(cut.format(name=name), [moment]).to_arrow_table()
                for name in self.sources
            }
            told = self._told(connection, sql=cut.format(name=BY_ORIGIN), moment=moment)
            lost = connection.execute("SELECT * FROM opt_outs WHERE known_at < $1", [moment])
            opt_outs = lost.to_arrow_table()
        return replace(self, sources=found, merged=None, told=told, opt_outs=opt_outs)

    def _told(
        self, connection: duckdb.DuckDBPyConnection, *, sql: str = f"FROM {BY_ORIGIN}", moment: object = None
    ) -> tuple[Path, ...] | pa.Table:
        """What each origin tells of accounts, in memory."""
        if not self.origins.several:
            return ()
        return connection.execute(sql, [] if moment is None else [moment]).to_arrow_table()


def _listed(types: Mapping[str, ColumnType], *, present: Collection[str]) -> str:
    """The columns; one that is not there is empty."""
    return ", ".join(
        f'"{column}"' if column in present else f'CAST(NULL AS {sql_type(kind)}) AS "{column}"'
        for column, kind in types.items()
    )


def _stored(file: Path, *, types: Mapping[str, ColumnType]) -> str:
    """The rows of a file of accounts with their sources."""
    present = pq.read_schema(file).names
    return f"SELECT {_listed(types, present=present)}, _source FROM read_parquet({literal(str(file))})"
