"""The engine answers what SQL says, where a release of it is known not to."""

from __future__ import annotations

from features.tables import open_engine


def test_rows_without_an_order_are_numbered_and_none_is_dropped() -> None:
    """DuckDB 1.5.0 to 1.5.5 answer with no row at all (its issue 24363) unless one rewrite is off."""
    rows = (
        "SELECT k, row_number() OVER (PARTITION BY k ORDER BY NULL) AS place FROM (VALUES (3), (3)) AS t (k)"
    )
    with open_engine() as connection:
        found = connection.execute(f"SELECT * FROM ({rows}) WHERE place <= 7 ORDER BY ALL").fetchall()
    assert found == [(3, 1), (3, 2)]
