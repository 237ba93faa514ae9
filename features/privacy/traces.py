"""What else in a workspace may mention somebody: logs, and files that commands were asked to write there.

Turns log files into ones in which every mention of the forgotten is overwritten in place, as many bytes long,
so that a server goes on writing into the same file; and other files into a list of those that mention them.
Time rule: none. Null rule: none. What others write is never changed, only told of.
"""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.lib
import pyarrow.parquet as pq

from features.errors import WorkspaceError
from features.privacy.mentions import Mentions
from features.workspace import Workspace

__all__ = ["files_that_mention", "mask_logs"]

_LOG = re.compile(r".+\.(log|out|err)([.-][\w-]+)*")
_TEXTS = {".csv", ".html", ".json", ".jsonl", ".md", ".ndjson", ".tsv", ".txt"}
_OWN = {"snapshots", "artifacts", "bentoml"}
"""Folders that hold nothing but what is cleaned otherwise, or no person's data."""


def mask_logs(workspace: Workspace, mentions: Mentions) -> int:
    """Overwrite mentions in the workspace's logs, packed ones included. Returns how many files had some.

    Raises WorkspaceError for a log that cannot be read or written.
    """
    try:
        return sum(_masked(file, mentions) for file in _files(workspace) if _LOG.fullmatch(file.name))
    except (OSError, EOFError) as error:
        raise WorkspaceError(
            "a log in the workspace cannot be cleaned",
            got=error,
            fix="mend or remove it, and forget them again",
        ) from error


def files_that_mention(workspace: Workspace, mentions: Mentions) -> tuple[Path, ...]:
    """Files below the workspace, tables and texts, that others have to clean or remove."""
    found = []
    for file in _files(workspace):
        if file.suffix == ".parquet":
            telling = _in_parquet(file, mentions)
        else:
            telling = file.suffix in _TEXTS and _in_text(file, mentions)
        if telling:
            found.append(file)
    return tuple(found)


def _files(workspace: Workspace) -> Iterator[Path]:
    """Every file beside the workspace's own ones, in order."""
    for place in sorted(workspace.home.iterdir()):
        if place.is_dir() and not place.is_symlink() and place.name not in _OWN:
            yield from (one for one in sorted(place.rglob("*")) if one.is_file() and not one.is_symlink())
        elif place.is_file() and not place.is_symlink():
            yield place
    bentoml = workspace.bentoml_home
    if bentoml.is_dir():
        yield from (one for one in sorted(bentoml.rglob("*")) if one.is_file() and _LOG.fullmatch(one.name))


def _masked(file: Path, mentions: Mentions) -> bool:
    return _mask_packed(file, mentions) if file.suffix == ".gz" else _mask_in_place(file, mentions)


def _changed(line: bytes, mask: Callable[[str], str]) -> bytes:
    return mask(line.decode(errors="surrogateescape")).encode(errors="surrogateescape")


def _mask_in_place(file: Path, mentions: Mentions) -> bool:
    """Overwrite what has to go where it stands: who writes into the file does not notice."""
    place, found = 0, False
    with file.open("r+b") as stream:
        for line in stream:
            clean = _changed(line, mentions.masked)
            if clean != line:
                os.pwrite(stream.fileno(), clean, place)
                found = True
            place += len(line)
        if found:
            os.fsync(stream.fileno())
    return found


def _mask_packed(file: Path, mentions: Mentions) -> bool:
    with gzip.open(file) as packed:
        lines = packed.readlines()
    clean = [_changed(line, mentions.masked) for line in lines]
    if clean == lines:
        return False
    draft = file.with_name(f".{file.name}.{uuid4().hex}")
    with draft.open("wb") as stream, gzip.GzipFile(fileobj=stream, mode="wb", filename="") as packed:
        packed.writelines(clean)
    draft.replace(file)
    return True


def _in_text(file: Path, mentions: Mentions) -> bool:
    with file.open("rb") as stream:
        return any(_changed(line, mentions.masked) != line for line in stream)


def _in_parquet(file: Path, mentions: Mentions) -> bool:
    """Whether a text of the file is on the list. A file that is no Parquet is nobody's table."""
    try:
        with pq.ParquetFile(file) as table:
            texts = [
                field.name
                for field in table.schema_arrow
                if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
            ]
            return any(
                mentions.people.names(text)
                for batch in table.iter_batches(columns=texts)
                for column in batch.columns
                for text in pc.unique(column.drop_null()).to_pylist()
            )
    except (OSError, pyarrow.lib.ArrowException):
        return False
