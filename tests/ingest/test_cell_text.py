"""Quick ways of reading cells give what plain ones give: trimming, and telling rows apart."""

from __future__ import annotations

import re

import duckdb
from hypothesis import example, given, settings
from hypothesis import strategies as st

from features.bindings import Binding
from features.cells import content_sql, typed_cell

letters = st.text(alphabet=" \t\n\f\r\u00a0\u001e\u001f\v!a1é:-", max_size=5)
BLANKS = "[\t\n\f\r \u00a0]+"


@settings(max_examples=50, deadline=None)
@given(st.lists(letters, min_size=1, max_size=20))
def test_a_cell_is_trimmed_as_a_regular_expression_would(texts: list[str]) -> None:
    binding = Binding(column="x")
    cell = typed_cell("name", kind="string", binding=binding, source_type="VARCHAR", zone=None, default=None)
    with duckdb.connect() as connection:
        sql = f'SELECT {cell.text} FROM (SELECT unnest(?::VARCHAR[]) AS "raw x")'
        found = [text for (text,) in connection.execute(sql, [texts]).fetchall()]
    assert found == [re.sub(f"^{BLANKS}|{BLANKS}\\Z", "", text) or None for text in texts]


row = st.tuples(
    st.none() | letters,
    st.none() | letters,
    st.none() | st.integers(-1, 11),
    st.none() | st.lists(letters, max_size=2),
)


@settings(max_examples=60, deadline=None)
@example([(None, None, None, members) for members in (None, [], [""], ["", ""], ["a"], ["1:a"], ["a", "b"])])
@example([("a", "b", 1, None), ("a\x1fb", "", 1, None), ("", "a\x1fb", 1, None), ("a", "b\x1f1", None, None)])
@given(st.lists(row, min_size=2, max_size=20, unique_by=repr))
def test_rows_that_differ_have_another_text(rows: list[tuple[object, ...]]) -> None:
    content = content_sql({"a": "string", "b": "string", "n": "integer", "s": "set"})
    kinds = "STRUCT(a VARCHAR, b VARCHAR, n BIGINT, s VARCHAR[])[]"
    with duckdb.connect() as connection:
        sql = f"SELECT {content} FROM (SELECT unnest(CAST(? AS {kinds}), recursive := true))"
        found = connection.execute(sql, [[dict(zip("abns", one, strict=True)) for one in rows]]).fetchall()
    assert len(set(found)) == len(rows)
