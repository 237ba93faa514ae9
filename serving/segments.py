"""The segments that an account is in, read once for however many models are about some accounts only.

Turns the facts of one account at one moment into whether it is one of those that a model is about, as the
rules of labels say (`features.label_rules`), which training and rankings ask of many accounts at once. Time
rule: a fact counts from just after it was known until its next value was. Null rule: an account of which a
fact is not known is in no segment by it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import duckdb
import pyarrow as pa

from features.label_settings import Texts

__all__ = ["Segments"]

_VERSIONS = """
    SELECT withdrawn_at, {facts} FROM accounts
    WHERE account_id = $account_id AND known_at < $as_of ORDER BY known_at
"""
_NO_FACTS = ("account_id", "known_at", "withdrawn_at")
_ONE = """CASE WHEN "{column}" IS NOT NULL THEN [lower(CAST("{column}" AS VARCHAR))] END"""
_SEVERAL = 'list_transform("{column}", lambda text: lower(text))'


@dataclass(frozen=True)
class Segments:
    """Those of one account at one moment.

    columns: that any model asks for. schema: of the accounts. connect: to the tables; asked at most once.
    """

    account_id: str
    as_of: datetime
    columns: Collection[str]
    schema: pa.Schema
    connect: Callable[[], duckdb.DuckDBPyConnection]

    def holds(self, where: Mapping[str, Texts]) -> bool:
        """Whether all these columns are among those that are read."""
        return where.keys() <= set(self._readable)

    def outside(self, where: Mapping[str, Texts]) -> str | None:
        """The first rule that leaves the account out, None where it is in. where: by column, the values."""
        for column, values in where.items():
            if self._facts[column].isdisjoint(value.lower() for value in values):
                return f"other {column}"
        return None

    @cached_property
    def _readable(self) -> list[str]:
        return [column for column in self.columns if column in self.schema.names and column not in _NO_FACTS]

    @cached_property
    def _facts(self) -> dict[str, frozenset[str]]:
        """By column, the latest value that was told, in small letters; none where it was withdrawn since."""
        told = ", ".join(map(self._texts, self._readable))
        with self.connect() as connection:
            asked = {"account_id": self.account_id, "as_of": self.as_of}
            versions = connection.execute(_VERSIONS.format(facts=told), asked).fetchall()
        found: dict[str, frozenset[str]] = dict.fromkeys(self._readable, frozenset())
        for withdrawn_at, *facts in versions:
            stands = withdrawn_at is None or self.as_of <= withdrawn_at
            for column, texts in zip(self._readable, facts, strict=True):
                if texts is not None:
                    found[column] = frozenset(texts) if stands else frozenset()
        return found

    def _texts(self, column: str) -> str:
        several = pa.types.is_list(self.schema.field(column).type)
        return (_SEVERAL if several else _ONE).format(column=column)
