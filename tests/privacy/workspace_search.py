"""Looks into every file of a folder, however it is packed, for texts that should not be there."""

from __future__ import annotations

import gzip
import io
import sqlite3
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def found_in(folder: Path, needles: Iterable[str]) -> dict[str, set[str]]:
    """By needle, the files that hold it; upper and lower case are one."""
    wanted = {needle: needle.lower().encode() for needle in needles}
    found: dict[str, set[str]] = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        for content in _layers(file.read_bytes(), file=file):
            lowered = content.lower()
            for needle, text in wanted.items():
                if text in lowered or text.decode().encode("utf-16-le") in lowered:
                    found.setdefault(needle, set()).add(str(file.relative_to(folder)))
    return found


def _layers(content: bytes, *, file: Path | None = None) -> Iterator[bytes]:
    """The bytes themselves, and what is packed in them."""
    yield content
    if content.startswith(b"PAR1"):
        table = pq.read_table(pa.BufferReader(content))
        yield repr(table.to_pydict()).encode()
        yield repr(table.schema).encode()
    elif content.startswith(b"\x1f\x8b"):
        yield from _layers(gzip.decompress(content))
    elif content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for name in packed.namelist():
                yield from _layers(packed.read(name))
    elif content[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(content)) as packed:
            for member in packed.getmembers():
                stream = packed.extractfile(member)
                if stream is not None:
                    yield from _layers(stream.read())
    elif content.startswith(b"SQLite format 3") and file is not None:
        yield from _cells(file)


def _cells(file: Path) -> Iterator[bytes]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in tables:
            for row in connection.execute(f'SELECT * FROM "{name}"'):
                for cell in row:
                    if isinstance(cell, bytes):
                        yield from _layers(cell)
                    elif isinstance(cell, str):
                        yield cell.encode()
