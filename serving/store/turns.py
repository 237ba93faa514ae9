"""Whose turn it is: rows about people are made either before an erasure, which finds them, or after it.

Turns a transaction into one that waits for the other kind. Time rule and null rule: none. SQLite lets writers
in one by one anyway.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from serving.store.schema import predictions

__all__ = ["erase_alone", "wait_for_erasing"]


def wait_for_erasing(connection: Connection) -> None:
    """Before the list of the forgotten is asked about rows that are to be written in this transaction."""
    _lock(connection, "ROW EXCLUSIVE")


def erase_alone(connection: Connection) -> None:
    """Before an erasure looks for rows: wait for those that are being written."""
    _lock(connection, "SHARE ROW EXCLUSIVE")


def _lock(connection: Connection, mode: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"LOCK TABLE {predictions.name} IN {mode} MODE"))
