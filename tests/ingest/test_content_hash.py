"""The hash of a file follows from its cells and their order, and from nothing else."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features import content_hash
from features.content_hash import hash_rows

ROWS = {
    "name": ["", None, "é", "ab", "c"],
    "size": [0, None, 7, -1, 2**40],
    "score": [0.0, -0.0, None, 1.5, 2.5],
    "yes": [True, False, None, True, True],
    "tools": [[], None, [""], ["a", "b"], ["ab"]],
    "at": pa.array([0, None, 1, 2, 3], pa.timestamp("us")),
}


def _hash(path: Path, rows: dict[str, object], **options: object) -> list[str]:
    pq.write_table(pa.table(rows), path, **options)
    return hash_rows(path, columns=list(rows))


def test_how_the_rows_are_stored_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = _hash(tmp_path / "a", ROWS)
    assert _hash(tmp_path / "b", ROWS, row_group_size=2, compression="zstd", use_dictionary=False) == stored
    monkeypatch.setattr("features.content_hash._ROWS", 1)
    assert hash_rows(tmp_path / "a", columns=list(ROWS)) == stored


def test_texts_told_by_their_entries_are_read_as_what_they_say(tmp_path: Path) -> None:
    rows = pa.table({"name": ["", None, "é", "ab"] * 500, "one": ["c"] * 2000, "at": range(2000)})
    pq.write_table(rows, tmp_path / "plain.parquet", use_dictionary=False)
    with duckdb.connect() as connection:
        copied = f"COPY (FROM '{tmp_path}/plain.parquet') TO '{tmp_path}/entries.parquet' (FORMAT parquet)"
        connection.execute(copied)
    told = [pq.read_metadata(tmp_path / f"{name}.parquet") for name in ("entries", "plain")]
    assert [content_hash._all_entries(one, name="name") for one in told] == [True, False]
    entries, plain = (
        hash_rows(tmp_path / f"{name}.parquet", columns=rows.column_names) for name in ("entries", "plain")
    )
    assert entries == plain


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("name", [None, None, "é", "ab", "c"]),
        ("name", ["", "", "é", "ab", "c"]),
        ("name", ["", None, "é", "a", "bc"]),
        ("name", ["", None, "ab", "é", "c"]),
        ("size", [None, None, 7, -1, 2**40]),
        ("score", [0.0, 0.0, None, 1.5, 2.5]),
        ("yes", [True, None, None, True, True]),
        ("tools", [[], [], [""], ["a", "b"], ["ab"]]),
        ("tools", [[], None, [], ["a", "b"], ["ab"]]),
        ("tools", [[], None, [None], ["a", "b"], ["ab"]]),
        ("tools", [[], None, [""], ["ab"], ["a", "b"]]),
        ("at", pa.array([None, None, 1, 2, 3], pa.timestamp("us"))),
    ],
)
def test_any_other_cell_is_another_hash(tmp_path: Path, column: str, value: object) -> None:
    assert _hash(tmp_path / "b", ROWS | {column: value}) != _hash(tmp_path / "a", ROWS)


def test_another_order_is_another_hash(tmp_path: Path) -> None:
    table = pa.table(ROWS)
    pq.write_table(table.take([1, 0, 2, 3, 4]), tmp_path / "b")
    assert hash_rows(tmp_path / "b", columns=list(ROWS)) != _hash(tmp_path / "a", ROWS)
