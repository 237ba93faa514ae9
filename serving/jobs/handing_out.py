"""Results on their way out: the parts of a job as one file in the format asked for, a part at a time.

Turns Parquet parts into the bytes of CSV, NDJSON or one Parquet file. Numbers are written with as many digits
as give back every bit. Time rule: none. Null rule: a null is an empty cell of CSV, and null in NDJSON.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from serving.jobs.formats import Format
from serving.jobs.results import RESULT_SCHEMA, from_bytes

__all__ = ["written"]


def written(parts: Iterable[bytes], *, file_format: Format) -> Iterator[bytes]:
    """The bytes of a file with the rows of all parts."""
    tables = map(from_bytes, parts)
    return _WRITERS[file_format](tables)


def _csv(tables: Iterable[pa.Table]) -> Iterator[bytes]:
    header = True
    for table in tables:
        sink = io.BytesIO()
        pyarrow.csv.write_csv(table, sink, pyarrow.csv.WriteOptions(include_header=header))
        header = False
        yield sink.getvalue()


def _ndjson(tables: Iterable[pa.Table]) -> Iterator[bytes]:
    with duckdb.connect() as connection:
        for table in tables:
            connection.register("part", table)
            lines = connection.execute("SELECT to_json(part)::VARCHAR FROM part").to_arrow_table()
            yield "".join(f"{line}\n" for line in lines.column(0).to_pylist()).encode()


def _parquet(tables: Iterable[pa.Table]) -> Iterator[bytes]:
    """Row group by row group: what was written is handed out before the next one is made."""
    sink = _Sink()
    with pq.ParquetWriter(sink, RESULT_SCHEMA, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table)
            yield sink.taken()
    yield sink.taken()


class _Sink(io.RawIOBase):
    """A file that is only written to, and gives away what it was given."""

    def __init__(self) -> None:
        self._held, self._place = bytearray(), 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def write(self, content: Any) -> int:
        self._held += content
        size = memoryview(content).nbytes
        self._place += size
        return size

    def taken(self) -> bytes:
        """What was written since the last time."""
        held = bytes(self._held)
        self._held.clear()
        return held


_WRITERS: dict[Format, Callable[[Iterable[pa.Table]], Iterator[bytes]]] = {
    "csv": _csv,
    "ndjson": _ndjson,
    "parquet": _parquet,
}
