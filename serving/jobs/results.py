"""The rows of a result: one for each row of the file, in its order.

Declares the columns, puts them together, and turns tables into bytes of Parquet and back. Time rule: moments
are ISO 8601 with Z. Null rule: a row that is refused has `error`, `error_status` and `error_detail` and no
scores; one that is answered has none of the three.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from serving.jobs.telling import HALF_COLUMNS

__all__ = ["NAMING", "RESULT_SCHEMA", "from_bytes", "named_by", "result_table", "to_bytes", "with_columns"]


def _half(kind: str) -> Iterable[tuple[str, pa.DataType]]:
    yield from ((f"{kind}_{each.name}", each.type) for each in HALF_COLUMNS)
    yield f"{kind}_unavailable_reason", pa.string()


RESULT_SCHEMA = pa.schema(
    [
        ("row", pa.int64()),
        *((name, pa.string()) for name in ("account_id", "name", "domain")),
        *((name, pa.string()) for name in ("asked_account_id", "asked_domain")),
        *(("error", pa.string()), ("error_status", pa.int64()), ("error_detail", pa.string())),
        *((name, pa.string()) for name in ("as_of", "data_through")),
        *(("priority", pa.string()), ("to_sales", pa.bool_())),
        *((name, pa.float64()) for name in ("machine_score", "adjustment", "working_score")),
        *((name, pa.string()) for name in ("adjustment_reason", "working_priority")),
        *_half("fit"),
        *_half("intent"),
        *(("lead_matched", pa.bool_()), ("lead_sentence", pa.string())),
        *(("warnings", pa.string()), ("release_id", pa.int64())),
    ]
)
"""row: place in the file, from 1. asked_account_id, asked_domain: as they were sent. fit_*, intent_*: see
`serving.jobs.telling`; the rest is as in the answer of POST /v1/score."""

NAMING = ("row", "account_id", "asked_account_id", "asked_domain", "as_of")
"""What `named_by` reads."""


def result_table(columns: Mapping[str, Any], *, rows: int) -> pa.Table:
    """The table of these columns, lists or arrays; one that is not given is null."""
    arrays = [_array(columns.get(field.name), field=field, rows=rows) for field in RESULT_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=RESULT_SCHEMA)


def with_columns(table: pa.Table, columns: Mapping[str, Any]) -> pa.Table:
    """The table with some of its columns replaced."""
    kept = {name: table.column(name) for name in table.column_names}
    return result_table(kept | dict(columns), rows=table.num_rows)


def _array(values: Any, *, field: pa.Field, rows: int) -> Any:
    if values is None:
        return pa.nulls(rows, field.type)
    return values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, field.type)


def named_by(rows: pa.Table) -> Iterator[tuple[tuple[str, datetime], int]]:
    """By account and moment, the row that named it: of those that another row may not name again."""
    for row in rows.to_pylist():
        named = row["asked_account_id"] or row["asked_domain"]
        if row["account_id"] and named and row["as_of"]:
            yield (row["account_id"], datetime.fromisoformat(row["as_of"].removesuffix("Z"))), row["row"]


def to_bytes(table: pa.Table) -> bytes:
    """A table as one Parquet file."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def from_bytes(content: bytes, *, columns: list[str] | None = None) -> pa.Table:
    """What `to_bytes` made. columns: None for all of them."""
    return pq.read_table(io.BytesIO(content), columns=columns)
