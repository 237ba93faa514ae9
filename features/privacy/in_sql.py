"""Keeping addresses as a function of SQL.

Turns a column of texts into what the tables keep of the addresses in it: hashes under the workspace's secret,
or the addresses in one spelling where the mapping asks for that. The secret stays in the function: it is in
no statement, so that no message can show it. Time rule: none. Null rule: what is no address becomes NULL; a
key with an address in it becomes a hash as a whole.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import partial

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from duckdb.func import FunctionNullHandling, PythonUDFType

from features.privacy.addresses import keyed_digest, normalised_address
from features.privacy.identifiers import salesforce_person_sql

__all__ = ["add_kept_address", "kept_address_sql", "kept_identifier_sql", "kept_key", "kept_key_sql"]


def add_kept_address(connection: duckdb.DuckDBPyConnection, *, secret: bytes | None) -> None:
    """Let the SQL of the connection call `kept_address(text)` and `kept_key(text)`.

    secret: None keeps addresses readable.
    """
    _add(connection, "kept_address", partial(_kept, secret=secret))
    _add(connection, "kept_key", partial(kept_key, secret=secret))


def _add(connection: duckdb.DuckDBPyConnection, name: str, kept: Callable[[str], str | None]) -> None:
    """Add a function of one text, which is asked once for each that differs."""

    def of_texts(texts: pa.ChunkedArray) -> pa.ChunkedArray:
        encoded = texts.combine_chunks().dictionary_encode()
        told = [None if text is None else kept(text) for text in encoded.dictionary.to_pylist()]
        return pa.chunked_array([pc.take(pa.array(told, pa.string()), encoded.indices)])

    text = duckdb.sqltype("VARCHAR")
    connection.create_function(
        name, of_texts, [text], text, type=PythonUDFType.ARROW, null_handling=FunctionNullHandling.SPECIAL
    )


def _kept(text: str, *, secret: bytes | None) -> str | None:
    return normalised_address(text) if secret is None else keyed_digest(secret, text)


def kept_key(text: str, *, secret: bytes | None) -> str:
    """What is kept of the key of a row that has an address in it. secret: None keeps it as it is."""
    return text if secret is None else hmac.digest(secret, f"key:{text}".encode(), "sha256").hex()


def kept_address_sql(text: str) -> str:
    """SQL for what is kept of the SQL text `text`, which should be an address."""
    # Copied within the engine: a text that a function in Python made does not outlive CASE and coalesce.
    return f"lower(kept_address({text}))"


def kept_identifier_sql(text: str) -> str:
    """SQL for an identifier of a person in its one spelling; some systems take the address for it."""
    plain = salesforce_person_sql(text)
    return f"CASE WHEN contains({text}, '@') THEN coalesce({kept_address_sql(text)}, {text}) ELSE {plain} END"


def kept_key_sql(text: str) -> str:
    """SQL for the key of a row. One with an address in it is nobody's identifier, and yet says who it was."""
    return f"CASE WHEN contains({text}, '@') THEN concat(kept_key({text})) ELSE {text} END"
