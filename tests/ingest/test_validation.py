"""One record of a request and a whole table are judged alike."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loading import NOW

from features.contract import TABLES, Column
from features.tables import arrow_type, open_engine
from features.validation import Reason, record_problems, row_checks


def _values(column: Column) -> st.SearchStrategy[object]:
    empty = st.none() if column.default is None else st.nothing()
    match column.type:
        case "string":
            texts = st.sampled_from([*(column.allowed or ("web_visit", "x1")), "Not This"])
            return empty | texts
        case "integer":
            return empty | st.sampled_from([-1, 0, 1, 1999, 10**10])
        case "number":
            return empty | st.sampled_from([-1e13, -1.0, 0.0, 50.0, 101.0, 1e14])
        case "timestamp":
            return empty | st.integers(-3, 1).map(lambda days: NOW + timedelta(days=days))
        case _:
            return empty


@pytest.mark.parametrize("name", list(TABLES))
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_sql_and_python_find_the_same_first_fault(name: str, data: st.DataObject) -> None:
    table = TABLES[name]
    record = st.fixed_dictionaries({column.name: _values(column) for column in table.columns})
    records = data.draw(st.lists(record, min_size=1, max_size=30))
    schema = pa.schema([(column.name, arrow_type(column.type)) for column in table.columns])
    checks = row_checks(
        table, now=NOW, usual={"channel": data.draw(st.sampled_from([(), ("Not This", "x1")]))}
    )
    first = " ".join(f"WHEN {check.fails} THEN {k}" for k, check in enumerate(checks))
    with open_engine() as connection:
        connection.register("given", pa.Table.from_pylist(records, schema=schema))
        connection.execute("SET preserve_insertion_order = true")
        found = connection.execute(f"SELECT CASE {first} END FROM given").fetchall()
    for row, (fault,) in zip(records, found, strict=True):
        problems = record_problems(table, row, now=NOW)
        expected = None if fault is None else (checks[fault].reason, checks[fault].column)
        assert expected == ((problems[0].reason, problems[0].column) if problems else None), row


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("name", 3),
        ("employees", "3"),
        ("employees", 3.0),
        ("employees", True),
        ("annual_revenue", float("nan")),
        ("annual_revenue", float("inf")),
        ("technologies", "crm"),
        ("technologies", [1]),
        ("known_at", "2020-01-01"),
    ],
)
def test_a_cell_of_another_type_is_named(column: str, value: object) -> None:
    record: dict[str, object] = {"account_id": "a", "known_at": datetime.fromisoformat("2020-01-01")}
    problem = record_problems(TABLES["accounts"], record | {column: value}, now=NOW)[0]
    assert (problem.reason, problem.column) == (Reason.WRONG_TYPE, column)
