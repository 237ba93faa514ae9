"""The content of a sorted Parquet file as one hash.

Turns the cells of a file into a hash that depends on them and on their order alone: not on row groups,
compression, versions of libraries or DuckDB's own hash. Columns are hashed beside each other; a file of
ten million rows takes seconds. Time rule: none. Null rule: whether a cell is filled is hashed beside what it
holds, so that an empty cell, an empty text and a zero differ; a column that is empty in every row is like one
that is not there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

__all__ = ["hash_rows"]

_ROWS = 1 << 17
_SHORT = 16
_NOTHING = "nothing"


def hash_rows(file: Path, *, columns: list[str], look: Callable[[str, Any], None] | None = None) -> list[str]:
    """The number of rows, then the hash of each column in the order given.

    The rows are hashed in the order of the file, which has to follow from them. look: is shown the name of
    a column and an array of its cells, until it has seen all of them.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        hashes = pool.map(lambda name: _hash_column(file, name=name, look=look), columns)
        return [str(pq.read_metadata(file).num_rows), *hashes]


def _hash_column(file: Path, *, name: str, look: Callable[[str, Any], None] | None) -> str:
    """A column that is empty in every row hashes like one that is not there."""
    streams: dict[str, Any] = {}
    filled = False
    entries = [name] if _all_entries(pq.read_metadata(file), name=name) else []
    with pq.ParquetFile(file, memory_map=True, read_dictionary=entries) as parquet:
        for array in _arrays(parquet, name=name):
            filled = filled or array.null_count < len(array)
            _add(array, streams)
            if look is not None:
                look(name, array)
    return _digest(streams) if filled else _NOTHING


def _arrays(parquet: pq.ParquetFile, *, name: str) -> Iterator[Any]:
    """The cells of a column; where all are said to be the same they need not be read."""
    rows, same = parquet.metadata.num_rows, _same(parquet.metadata, name=name)
    if same is None:
        for batch in parquet.iter_batches(batch_size=_ROWS, columns=[name], use_threads=False):
            yield _written_out(batch.column(0))
    elif same:
        repeated = _written_out(pa.array(same * min(rows, _ROWS), parquet.schema_arrow.field(name).type))
        for start in range(0, rows, _ROWS):
            yield repeated.slice(0, min(rows - start, _ROWS))


def _written_out(cells: Any) -> Any:
    return cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells


def _chunks(metadata: Any, *, name: str) -> list[Any]:
    """What the file tells of a column, by group of rows."""
    groups = [metadata.row_group(k) for k in range(metadata.num_row_groups)]
    columns = [group.column(k) for group in groups for k in range(group.num_columns)]
    return [one for one in columns if one.path_in_schema == name]


def _all_entries(metadata: Any, *, name: str) -> bool:
    """Whether every cell is a text that is told by its entry in a dictionary: so it is read in half the time,
    where others take many times as long."""
    chunks = _chunks(metadata, name=name)
    texts = all(one.physical_type == "BYTE_ARRAY" and "PLAIN" not in one.encodings for one in chunks)
    return bool(chunks) and texts


def _same(metadata: Any, *, name: str) -> list[int | str] | None:
    """The one value of every cell, none if no cell holds anything, or None if the file does not tell."""
    told = [one.statistics for one in _chunks(metadata, name=name)]
    if name not in metadata.schema.to_arrow_schema().names:
        return []
    if not told or any(one is None or not one.has_null_count for one in told):
        return None
    if not any(one.num_values for one in told):
        return []
    if any(one.null_count or not one.has_min_max for one in told):
        return None
    first, *others = {value for one in told for value in (one.min, one.max)}
    # A longer text may be the beginning of several.
    usable = type(first) is int or (isinstance(first, str) and len(first) <= _SHORT)
    return [first] if usable and not others else None


def _add(array: Any, streams: dict[str, Any]) -> None:
    """Each aspect of a column is a stream of its own, so that batches of any size give the same.

    Processors have instructions for SHA-256: none of the others is as fast.
    """
    for name, content in _aspects(array):
        streams.setdefault(name, sha256()).update(content)


def _aspects(array: Any) -> Iterator[tuple[str, Any]]:
    yield "filled", _filled(array)
    if pa.types.is_list(array.type):
        yield "members", _lengths(pc.list_value_length(array))
        for name, content in _aspects(pc.list_flatten(array)):
            yield f"member {name}", content
    elif pa.types.is_string(array.type):
        yield "lengths", _text_lengths(array)
        yield "text", _text(array)
    else:
        if pa.types.is_timestamp(array.type):
            array = array.cast(pa.timestamp("us")).cast(pa.int64())
        filled = array.fill_null(False if pa.types.is_boolean(array.type) else 0)
        yield "value", memoryview(filled.to_numpy(zero_copy_only=False))


def _filled(array: Any) -> Any:
    """A byte for each cell."""
    if not array.null_count:
        return np.ones(len(array), np.uint8)
    return array.is_valid().to_numpy(zero_copy_only=False).tobytes()


def _text_lengths(array: Any) -> Any:
    """Where no text is lacking, they are told by where each begins."""
    if array.null_count or not len(array):
        return _lengths(pc.binary_length(array))
    return np.diff(_ends(array))


def _ends(array: Any) -> np.ndarray:
    """Where the first text begins, then where each ends."""
    offsets = np.frombuffer(array.buffers()[1], dtype="<i4")
    return offsets[array.offset : array.offset + len(array) + 1]


def _lengths(array: Any) -> bytes:
    numbers: bytes = array.fill_null(0).to_numpy(zero_copy_only=False).astype("<i4").tobytes()
    return numbers


def _text(array: Any) -> memoryview:
    """The bytes of all texts, one after the other."""
    data = array.buffers()[2]
    if data is None or not len(array):
        return memoryview(b"")
    ends = _ends(array)
    return memoryview(data)[ends[0] : ends[-1]]


def _digest(streams: dict[str, Any]) -> str:
    joined = "".join(f"{name}:{streams[name].hexdigest()};" for name in sorted(streams))
    return blake2b(joined.encode(), digest_size=16).hexdigest()
