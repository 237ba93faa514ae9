"""Rows that are handed in for each statement: every statement reads those, and no others."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import EngineError
from features.tables import open_engine
from serving.handed_rows import Handed, Planned, ReadOften, ReadOnce

SCHEMA = pa.schema([("name", pa.string()), ("amount", pa.int64())])
ROWS = st.lists(st.tuples(st.none() | st.text(max_size=5), st.none() | st.integers(-9, 9)), max_size=30)
NAMES = ("ours", "theirs")
SUM = "SELECT coalesce(sum(amount), 0) AS total, count(*) AS rows FROM ours WHERE amount > 2"
BOTH = "SELECT o.amount + t.amount AS total FROM ours AS o, theirs AS t ORDER BY ALL"
TWICE = "SELECT a.amount FROM ours AS a JOIN ours AS b ON a.name = b.name ORDER BY ALL"


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_engine(threads=1) as connection:
        yield connection


def planned(engine: duckdb.DuckDBPyConnection, kind: type[ReadOnce] | type[ReadOften]) -> Handed[Any]:
    handed: Handed[Any] = Handed(engine.cursor(), {name: kind(SCHEMA) for name in NAMES})
    for name, sql in {"sums": SUM, "added": BOTH, "twice": TWICE}.items():
        handed.plan(name, sql)
    return handed


def table(rows: list[tuple[str | None, int | None]], *, chunks: int = 1) -> pa.Table:
    whole = pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], schema=SCHEMA)
    cut = len(rows) // chunks
    return whole if not cut else pa.concat_tables([whole.slice(0, cut), whole.slice(cut)])


@settings(max_examples=100, deadline=None)
@given(asked=st.lists(st.tuples(ROWS, ROWS, st.integers(1, 3)), min_size=1, max_size=4))
@pytest.mark.parametrize("kind", [ReadOnce, ReadOften])
def test_a_statement_reads_the_rows_that_were_handed_in_for_it(
    engine: duckdb.DuckDBPyConnection,
    kind: type[ReadOnce] | type[ReadOften],
    asked: list[tuple[list[tuple[str | None, int | None]], list[tuple[str | None, int | None]], int]],
) -> None:
    handed = planned(engine, kind)
    for ours, theirs, chunks in asked:
        large = [amount for _, amount in ours if amount is not None and amount > 2]
        found = handed.answer("sums", {"ours": table(ours, chunks=chunks)}).to_pylist()
        assert found == [{"total": sum(large), "rows": len(large)}]
        pairs = [None if o is None or t is None else o + t for _, o in ours for _, t in theirs]
        given_rows = {"ours": table(ours), "theirs": table(theirs, chunks=chunks)}
        told = handed.answer("added", given_rows).column("total").to_pylist()
        assert told == sorted([one for one in pairs if one is not None]) + [None] * pairs.count(None)
        assert handed.answer("added", {"ours": table(ours)}).num_rows == 0


def test_rows_that_are_read_twice_are_refused_or_given_again(engine: duckdb.DuckDBPyConnection) -> None:
    rows = {"ours": table([("a", 1), ("b", 2)])}
    once, often = planned(engine, ReadOnce), planned(engine, ReadOften)
    assert often.answer("twice", rows).column("amount").to_pylist() == [1, 2]
    with pytest.raises((EngineError, duckdb.Error), match="already been consumed"):
        once.answer("twice", rows)
    assert once.answer("added", rows | {"theirs": table([("c", 5)])}).column("total").to_pylist() == [6, 7]


@pytest.mark.parametrize("kind", [ReadOnce, ReadOften])
def test_rows_are_let_go_of_after_the_statement_even_where_it_reads_none_of_them(
    engine: duckdb.DuckDBPyConnection, kind: type[ReadOnce] | type[ReadOften]
) -> None:
    handed = planned(engine, kind)
    handed.answer("sums", {})
    before = pa.total_allocated_bytes()
    for _ in range(20):
        # The statement reads nothing of `theirs`.
        rows = {"ours": table([("a", 3)] * 1000), "theirs": table([("b", 1)] * 1000)}
        assert handed.answer("sums", rows).to_pylist() == [{"total": 3000, "rows": 1000}]
    del rows
    gc.collect()
    assert pa.total_allocated_bytes() - before < 1000


@settings(max_examples=50, deadline=None)
@given(asked=st.lists(ROWS, min_size=1, max_size=3))
def test_a_statement_that_reads_a_relation_twice_is_planned_so_that_it_can(
    engine: duckdb.DuckDBPyConnection, asked: list[list[tuple[str | None, int | None]]]
) -> None:
    statements = {"twice": TWICE, "sums": SUM}
    own = Planned(engine.cursor, dict.fromkeys(NAMES, SCHEMA), statements)
    for rows in asked:
        amounts = [a for n, a in rows for m, _ in rows if n is not None and n == m]
        told = own.answer("twice", {"ours": table(rows)}).column("amount").to_pylist()
        assert told == sorted([one for one in amounts if one is not None]) + [None] * amounts.count(None)
        large = [amount for _, amount in rows if amount is not None and amount > 2]
        assert own.answer("sums", {"ours": table(rows)}).to_pylist() == [
            {"total": sum(large), "rows": len(large)}
        ]


def test_a_statement_that_is_wrong_says_so(engine: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(EngineError, match="nowhere"):
        Planned(engine.cursor, {"ours": SCHEMA}, {"wrong": "SELECT * FROM nowhere"})
