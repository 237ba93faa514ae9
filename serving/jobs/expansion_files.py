"""Expansions as files: CSV for spreadsheets and for `spearfish lists draw`, NDJSON, or Parquet.

Turns suggestions into the bytes of one file. Time rule: none. Null rule: what is not known is an empty cell,
and null in NDJSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from features.feature import Language
from models.lookalikes.documents import frame_of, write_suggestions
from serving.jobs.formats import Format
from serving.jobs.results import to_bytes

__all__ = ["expansion_file"]


def expansion_file(
    documents: Iterable[Mapping[str, Any]], *, file_format: Format, language: Language
) -> Iterator[bytes]:
    """The bytes of a file with all suggestions, in the order of the list."""
    if file_format == "ndjson":
        for one in documents:
            yield f"{json.dumps(one, ensure_ascii=False)}\n".encode()
    elif file_format == "parquet":
        yield to_bytes(pa.Table.from_pandas(frame_of(documents, language=language), preserve_index=False))
    else:
        with TemporaryDirectory(prefix="spearfish-expansion-") as folder:
            out = Path(folder) / "expansion.csv"
            write_suggestions(documents, out, language=language)
            yield out.read_bytes()
