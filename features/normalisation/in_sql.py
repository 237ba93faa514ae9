"""The normalisers as one function of SQL.

Turns a column of texts into the spellings of a declared normaliser, each distinct text read once per batch of
rows. Time rule: none. Null rule: NULL gives NULL; else as in `normalisers`: '' says nothing, NULL is unread.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from duckdb.func import FunctionNullHandling, PythonUDFType

from features.validation import literal

__all__ = ["add_normalise", "normalise_sql"]


def add_normalise(connection: duckdb.DuckDBPyConnection) -> None:
    """Let the SQL of the connection and its cursors call `normalise(name, text)`."""
    text = duckdb.sqltype("VARCHAR")
    connection.create_function(
        "normalise",
        _normalise,
        [text, text],
        text,
        type=PythonUDFType.ARROW,
        null_handling=FunctionNullHandling.SPECIAL,
    )


def normalise_sql(text: str, *, name: str) -> str:
    """SQL for the spelling that the normaliser `name` gives to the SQL text `text`."""
    return f"normalise({literal(name)}, {text})"


def _normalise(names: pa.ChunkedArray, texts: pa.ChunkedArray) -> pa.ChunkedArray:
    # Most connections never call it: what it needs is loaded when it is called.
    from features.normalisation.normalisers import normaliser

    read = normaliser(names[0].as_py())
    encoded = texts.combine_chunks().dictionary_encode()
    spellings = [None if text is None else read(text) for text in encoded.dictionary.to_pylist()]
    return pa.chunked_array([pc.take(pa.array(spellings, pa.string()), encoded.indices)])
