"""Relations of DuckDB whose rows are handed in anew for every statement.

Turns Arrow tables into what planned statements read. DuckDB offers two ways. An object that makes a stream
whenever it is asked goes through the scanner of `pyarrow.dataset`, which takes longer than most of our
statements. A stream itself is read directly, but once; here its struct is filled again before each
statement, as the Arrow C stream interface lets whoever owns it do. A statement that reads a relation twice
is refused by DuckDB then. Time and null rules: none.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from typing import Generic, Protocol, TypeVar

import duckdb
import pyarrow as pa

from features.engine import run_sql
from features.errors import EngineError

__all__ = ["Handed", "Planned", "ReadOften", "ReadOnce"]

_STREAM = b"arrow_array_stream"
_RELEASE = 3 * ctypes.sizeof(ctypes.c_void_p)
"""Where in the struct of a stream its `release` stands: null once somebody has taken the stream."""

_ROWS_AT_ONCE = 10_000
"""DuckDB sets room for so many rows of each column aside, a million by default: that takes longer than most
of our statements."""

_address = ctypes.pythonapi.PyCapsule_GetPointer
_address.restype, _address.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]


class _Relation(Protocol):
    @property
    def source(self) -> object:
        """What DuckDB reads."""

    def hand(self, rows: pa.Table | None) -> None:
        """The rows that the next statement reads; None for none. They must be of the schema."""


Relation = TypeVar("Relation", bound=_Relation)


class ReadOnce:
    """Rows that a statement reads at most once."""

    def __init__(self, schema: pa.Schema) -> None:
        self._nothing = schema.empty_table()
        # The struct of a stream lives as long as its capsule.
        self.source = self._nothing.__arrow_c_stream__()
        self._place = int(_address(self.source, _STREAM) or 0)
        self._release = ctypes.c_void_p.from_address(self._place + _RELEASE)
        self._is_nothing = True

    def hand(self, rows: pa.Table | None) -> None:
        """As `_Relation.hand`."""
        if self._release.value is not None:
            if rows is None and self._is_nothing:
                return
            # Nobody took it: what it holds is let go of.
            pa.RecordBatchReader._import_from_c(self._place).close()
        (self._nothing if rows is None else rows).to_reader()._export_to_c(self._place)
        self._is_nothing = rows is None


class ReadOften:
    """Rows that a statement may read as often as it likes."""

    def __init__(self, schema: pa.Schema) -> None:
        self._nothing = self._rows = schema.empty_table()
        self.source = self

    def hand(self, rows: pa.Table | None) -> None:
        """As `_Relation.hand`."""
        self._rows = self._nothing if rows is None else rows

    def __arrow_c_schema__(self) -> object:
        return self._nothing.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._rows.__arrow_c_stream__(requested_schema)


class Handed(Generic[Relation]):
    """A cursor with relations of its own and the statements over them; for one thread."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, relations: Mapping[str, Relation]) -> None:
        self.cursor, self._relations = cursor, relations
        for name, relation in relations.items():
            self.cursor.register(name, relation.source)

    def plan(self, name: str, sql: str) -> None:
        """Plan a statement. Raises EngineError."""
        self._hand({})
        run_sql(self.cursor, f"PREPARE {name} AS {sql}")

    def answer(self, name: str, given: Mapping[str, pa.Table]) -> pa.Table:
        """The rows of a planned statement. given: rows of some relations. Raises EngineError."""
        self._hand(given)
        try:
            return run_sql(self.cursor, f"EXECUTE {name}").to_arrow_table(_ROWS_AT_ONCE)
        finally:
            self._hand({})

    def _hand(self, given: Mapping[str, pa.Table]) -> None:
        for name, relation in self._relations.items():
            relation.hand(given.get(name))


class Planned:
    """Statements of one thread, each planned once, over relations whose rows are handed in.

    open_cursor: of the engine, with what the statements need beside the relations. prepare: what a cursor
    needs that rests on them. A statement that reads a relation twice, as one finds out when it runs, is
    planned over relations that can be read as often as it likes. nothing: by statement, its answer where no
    relation has rows.
    """

    def __init__(
        self,
        open_cursor: Callable[[], duckdb.DuckDBPyConnection],
        schemas: Mapping[str, pa.Schema],
        statements: Mapping[str, str],
        *,
        prepare: Callable[[duckdb.DuckDBPyConnection], None] = lambda _: None,
    ) -> None:
        self._statements, self._twice = statements, set[str]()
        self._once: Handed[ReadOnce] = Handed(
            open_cursor(), {name: ReadOnce(schema) for name, schema in schemas.items()}
        )
        self._often: Handed[ReadOften] = Handed(
            open_cursor(), {name: ReadOften(schema) for name, schema in schemas.items()}
        )
        prepare(self._once.cursor)
        prepare(self._often.cursor)
        self.nothing: dict[str, pa.Table] = {}
        for name, sql in statements.items():
            self._once.plan(name, sql)
            self.nothing[name] = self.answer(name, {})

    def answer(self, name: str, given: Mapping[str, pa.Table]) -> pa.Table:
        """The rows of a statement. given: rows of some relations; the others have none.

        Raises EngineError or duckdb.Error.
        """
        if name not in self._twice:
            try:
                return self._once.answer(name, given)
            except (EngineError, duckdb.Error):
                self._often.plan(name, self._statements[name])
                self._twice.add(name)
        return self._often.answer(name, given)
