"""Files become parts of a bounded size: tables of text, one row for each row of the file.

Turns CSV, NDJSON or Parquet into tables of `PART_SCHEMA`. Only what concerns a file as a whole is refused
here (what it is, its columns, its end); a row that cannot be read stays, with what is wrong with it. Rows are
checked by whoever answers them. Time rule: none. Null rule: an empty cell of CSV is null; an empty line is no
row.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.lib
import pyarrow.parquet as pq

from features.errors import suggestion
from serving.jobs.formats import Format, refused, require_format

__all__ = ["COLUMNS", "LARGEST_ROW", "MOST_BYTES", "MOST_ROWS", "PART_SCHEMA", "read_parts"]

COLUMNS = ("account_id", "domain", "as_of", "record", "lead")
"""The columns of CSV and Parquet: the fields of POST /v1/score; `record` and `lead` hold JSON."""

_WAYS = ("account_id", "domain", "record", "lead")
PART_SCHEMA = pa.schema([(name, pa.string()) for name in (*COLUMNS, "body", "fault")])
"""body: a line of NDJSON, as it was sent. fault: JSON; why a row could not be read."""

MOST_ROWS, MOST_BYTES = 20_000, 8 * 1024 * 1024
"""Of one part."""

LARGEST_ROW = 2 * 1024 * 1024
"""Bytes of one row, as of the body of POST /v1/score."""

_HEAD = 4_096
_ROW = tuple[str | None, ...]

# The limit of the module; ours is checked as well.
csv.field_size_limit(LARGEST_ROW)


def read_parts(file: BinaryIO, *, file_format: Format, most_rows: int) -> Iterator[pa.Table]:
    """The rows of a file in their order, so many at a time. file: at its beginning, and seekable.

    Raises InvalidRequestError for what is wrong with the file as a whole.
    """
    head = file.read(_HEAD)
    require_format(head, file_format=file_format)
    file.seek(0)
    if file_format == "parquet":
        parts = _parquet(file, most_rows=most_rows)
    else:
        rows = _csv(file, head=head) if file_format == "csv" else _ndjson(file)
        parts = _tables(rows)
    found = 0
    for part in parts:
        found += part.num_rows
        _require_few(found, most_rows=most_rows)
        yield part
    if not found:
        raise refused("holds no row", fix="send a file with a row for each account")


def _require_few(rows: int, *, most_rows: int) -> None:
    if rows > most_rows:
        raise refused(
            "holds too many rows", got=f"{rows:,} or more", allowed=f"{most_rows:,}", fix="split it"
        )


def _tables(rows: Iterable[_ROW]) -> Iterator[pa.Table]:
    some, size = list[_ROW](), 0
    for row in rows:
        some.append(row)
        size += sum(map(len, filter(None, row)))
        if len(some) == MOST_ROWS or size > MOST_BYTES:
            yield _table(some)
            some, size = [], 0
    if some:
        yield _table(some)


def _table(rows: Sequence[_ROW]) -> pa.Table:
    columns = zip(*rows, strict=True)
    arrays = [pa.array(column, pa.string()) for column in columns]
    return pa.Table.from_arrays(arrays, schema=PART_SCHEMA)


def _faulty(what: str, *, got: object = None, allowed: str | None = None, fix: str | None = None) -> _ROW:
    told = {"what": what, "got": None if got is None else str(got), "allowed": allowed, "fix": fix}
    return (*(None,) * (len(PART_SCHEMA) - 1), json.dumps(told))


def _csv(file: BinaryIO, *, head: bytes) -> Iterator[_ROW]:
    """A row that is not in UTF-8, or has more or fewer cells than the header, has a fault."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    first = head.decode("utf-8", errors="replace").splitlines()[0]
    reader = csv.reader(text, delimiter=max(",;\t", key=first.count), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        places = _places(header)
        while True:
            try:
                cells = next(reader)
            except csv.Error as error:
                _require_going_on(error, line=reader.line_num)
                yield _faulty("cannot be read as CSV", got=error, fix="double the quotes within quotes")
            except StopIteration:
                return
            else:
                if cells:
                    yield _csv_row(cells, header=header, places=places)
    finally:
        text.detach()


def _require_going_on(error: csv.Error, *, line: int) -> None:
    """After a quote that is never closed nobody knows where the next row begins."""
    if "unexpected end" in str(error) or "field larger" in str(error):
        raise refused("ends within quotes", got=f"near line {line:,}", fix="close the quotes") from error


def _csv_row(cells: list[str], *, header: Sequence[str], places: Sequence[int | None]) -> _ROW:
    if len(cells) != len(header):
        allowed = f"{len(header)}, as in the header"
        return _faulty("has another number of cells", got=len(cells), allowed=allowed, fix="correct the row")
    text = "".join(cells)
    if not text.isascii() and not _is_text(text):
        return _faulty("is not written in UTF-8", fix="save the file as UTF-8")
    if len(text) > LARGEST_ROW:
        return _too_large(len(text))
    return tuple(None if place is None else cells[place] or None for place in places)


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _too_large(size: int) -> _ROW:
    return _faulty("is too large", got=f"{size:,} bytes or more", allowed=f"{LARGEST_ROW:,} bytes")


def _places(header: Sequence[str]) -> list[int | None]:
    """Where the columns of a part stand in a file. Raises InvalidRequestError for other columns."""
    allowed = ", ".join(COLUMNS)
    for name in header:
        if name not in COLUMNS:
            shown = name.encode(errors="replace").decode()[:80]
            fix = suggestion(name, COLUMNS) or "leave the column out, or correct its name"
            raise refused("has a column that is not known", got=shown, allowed=allowed, fix=fix)
        if header.count(name) > 1:
            raise refused("has a column twice", got=name, fix="name each column once")
    if not set(_WAYS) & set(header):
        raise refused("names no accounts", got=", ".join(header) or "no header", allowed=", ".join(_WAYS))
    return [header.index(name) if name in header else None for name in PART_SCHEMA.names]


def _ndjson(file: BinaryIO) -> Iterator[_ROW]:
    nothing = (None,) * len(COLUMNS)
    for number, line in enumerate(_lines(file)):
        text = line.strip(b" \t\r\n")
        if number == 0:
            text = text.removeprefix(b"\xef\xbb\xbf")
            if text.startswith(b"["):
                raise refused("is one list", allowed="one JSON object in each line", fix="write it as NDJSON")
        if not text:
            continue
        if len(text) > LARGEST_ROW:
            yield _too_large(len(text))
            continue
        try:
            yield (*nothing, text.decode(), None)
        except UnicodeDecodeError:
            yield _faulty("is not written in UTF-8", fix="write the file as UTF-8")


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file; of one that is too long, as much as shows it."""
    while line := file.readline(LARGEST_ROW + 3):
        rest = line
        while not rest.endswith(b"\n") and len(rest) == LARGEST_ROW + 3:
            rest = file.readline(LARGEST_ROW + 3)
        yield line


def _parquet(file: BinaryIO, *, most_rows: int) -> Iterator[pa.Table]:
    try:
        with pq.ParquetFile(file) as told:
            schema = told.schema_arrow
            _places(schema.names)
            _require_few(told.metadata.num_rows, most_rows=most_rows)
            types = {name: schema.field(name).type for name in schema.names}
            for name, kind in types.items():
                _require_readable(name, kind)
            for batch in told.iter_batches(batch_size=MOST_ROWS):
                yield from _small(_texts(batch))
    except (pyarrow.lib.ArrowException, OSError, EOFError) as error:
        raise refused(
            "cannot be read as Parquet",
            got=str(error).splitlines()[0][:200],
            fix="it may have been cut short: write it again",
        ) from error


def _require_readable(name: str, kind: pa.DataType) -> None:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    text = pa.types.is_string(value) or pa.types.is_large_string(value) or pa.types.is_null(value)
    number = name == "account_id" and pa.types.is_integer(value)
    moment = name == "as_of" and pa.types.is_timestamp(value) and value.tz is not None
    if not (text or number or moment):
        allowed = {"as_of": "text, or a timestamp with a zone", "account_id": "text or whole numbers"}
        raise refused(f"has a column {name} of another type", got=kind, allowed=allowed.get(name, "text"))


def _texts(batch: pa.RecordBatch) -> pa.Table:
    arrays = [
        _text(batch.column(name)) if name in batch.schema.names else pa.nulls(batch.num_rows, pa.string())
        for name in PART_SCHEMA.names
    ]
    return pa.Table.from_arrays(arrays, schema=PART_SCHEMA)


def _text(array: Any) -> Any:
    if pa.types.is_timestamp(array.type):
        # Its zone is how it is shown; what is stored is UTC.
        moments = array.cast(pa.timestamp("us")).cast(pa.timestamp("s"), safe=False)
        return pa.array(
            [None if each is None else f"{each.isoformat()}Z" for each in moments.to_pylist()], pa.string()
        )
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    text = array.cast(pa.string())
    # Parquet may say that bytes are text which are none.
    text.validate(full=True)
    return text


def _small(table: pa.Table) -> Iterator[pa.Table]:
    """The rows of a table, so few at a time that a part is not too large."""
    if table.nbytes <= MOST_BYTES or table.num_rows == 1:
        yield table
        return
    half = table.num_rows // 2
    yield from _small(table.slice(0, half))
    yield from _small(table.slice(half))
