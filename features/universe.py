"""The accounts of a workspace as they are known at a moment, one row each, as raw values.

Turns tables, or a frame, into a `Universe`: numbers, words, sets, texts and flags of every account, sorted by
account_id, beside who is a customer of what. Nothing is encoded and nothing is learned here. Time rule: of
each column the latest value that is not empty with `known_at < as_of`; an account that was deleted by then is
not there, and a date becomes the days that had passed by then. Null rule: what is not known stays null.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.comparable import compare_origins
from features.contract import AttributeType
from features.declare_accounts import STANDARD
from features.errors import ContractError, NotEnoughDataError, suggestion
from features.feature import DAY
from features.queries import quoted
from features.tables import Attribute, Tables

__all__ = ["CITY", "Universe", "customers", "read_universe", "won_amounts"]

CITY = Attribute("city", "category", "city", "城市")
"""Too wide to be a feature of a model; a search for similar accounts may share it."""

_AGE = Attribute("founded_year", "number", "company age", "公司年龄", "years")
_NAMED = ("account_id", "name", "domain")
_ARROW: dict[AttributeType, pa.DataType] = {
    "number": pa.float64(),
    "category": pa.string(),
    "boolean": pa.bool_(),
    "set": pa.list_(pa.string()),
    "text": pa.string(),
}


@dataclass(frozen=True)
class Universe:
    """Accounts, one row each, sorted by account_id.

    rows: account_id, name, domain, and one column for each attribute: float64 of a number (a date is the days
        since then, the year of foundation the age), string of a category or a text, bool, or list of strings
        of a set. attributes: what the columns mean, in order; no record and no date is among them.
    not_comparable: why, by the name of each column that accounts of other origins tell otherwise.
    """

    rows: pa.Table
    attributes: tuple[Attribute, ...]
    not_comparable: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    @property
    def account_ids(self) -> list[str]:
        """Every identifier, in the order of the rows."""
        found: list[str] = self.rows.column("account_id").to_pylist()
        return found

    def positions(self, account_ids: Iterable[str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Rows of the accounts, rising, each once; those that are not there are left out."""
        wanted = pa.array(sorted(set(account_ids)), pa.string())
        places = pc.index_in(wanted, value_set=self.rows.column("account_id").combine_chunks())
        return np.sort(places.drop_null().to_numpy().astype(np.int64))

    def without(self, columns: Collection[str]) -> Universe:
        """The same accounts, without some of their attributes."""
        kept = tuple(one for one in self.attributes if one.name not in columns)
        return replace(
            self,
            rows=self.rows.select([*_NAMED, *(one.name for one in kept)]),
            attributes=kept,
            not_comparable={k: v for k, v in self.not_comparable.items() if k not in columns},
        )

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, *, attributes: Sequence[Attribute]) -> Universe:
        """Accounts of a frame, in any order: account_id, name and domain where there are any, and columns of
        the types that `rows` has. What the frame lacks is empty.

        Raises ContractError where account_id is missing, empty or not unique.
        """
        if "account_id" not in frame.columns:
            raise ContractError("no column account_id", got=", ".join(map(str, frame.columns)), fix="add it")
        names = frame["account_id"]
        if names.isna().any() or names.duplicated().any():
            raise ContractError(
                "account_id must be filled and unique",
                got=f"{int(names.isna().sum())} empty, {int(names.duplicated().sum())} repeated",
                fix="leave one row for each account",
            )
        ordered = frame.sort_values("account_id", ignore_index=True)
        types = [(name, pa.string()) for name in _NAMED] + [(one.name, _type(one)) for one in attributes]
        columns = [
            pa.Array.from_pandas(ordered[name], type=kind)
            if name in ordered.columns
            else pa.nulls(len(ordered), kind)
            for name, kind in types
        ]
        return cls(pa.table(columns, names=[name for name, _ in types]), tuple(attributes))


def _type(attribute: Attribute) -> pa.DataType:
    if attribute.type not in _ARROW:
        raise ContractError(
            f"{attribute.name}: a universe holds no {attribute.type}",
            allowed=", ".join(_ARROW),
            fix=suggestion(attribute.type, _ARROW) or "leave the column out",
        )
    return _ARROW[attribute.type]


_LATEST = """
SELECT account_id, {columns} FROM accounts
WHERE known_at < $as_of AND (withdrawn_at IS NULL OR withdrawn_at >= $as_of)
GROUP BY account_id ORDER BY account_id
"""


def read_universe(tables: Tables, *, as_of: datetime) -> Universe:
    """Every account known before `as_of` (naive, UTC), with the columns that anybody fills.

    Where accounts come from several origins, columns that these tell differently are marked. Raises
    NotEnoughDataError when no account was known yet.
    """
    attributes = [one for one in (*STANDARD, CITY, *tables.attributes) if one.type != "record"]
    names = [*_NAMED[1:], *(one.name for one in attributes)]
    # Two versions known at once, as of accounts that became one, are told apart by their values.
    latest = ", ".join(
        f"max_by({quoted(name)}, (known_at, {quoted(name)})) FILTER ({quoted(name)} IS NOT NULL)"
        f" AS {quoted(name)}"
        for name in names
    )
    with tables.connect() as connection:
        found = connection.execute(_LATEST.format(columns=latest), {"as_of": as_of}).to_arrow_table()
        compared = compare_origins(
            connection, rules=tables.origins, attributes=tables.attributes, before=as_of
        ).not_comparable
    if not found.num_rows:
        raise NotEnoughDataError(
            "no account was known yet", got=f"as_of {as_of.isoformat()}Z", fix="choose a later moment"
        )
    kept, columns = [], [found.column(name) for name in _NAMED]
    for attribute in attributes:
        cells = found.column(attribute.name)
        if cells.null_count < len(cells):
            own, told = _as_told(attribute, cells, as_of=as_of)
            kept.append(own)
            columns.append(told)
    rows = pa.table(columns, names=[*_NAMED, *(one.name for one in kept)])
    return Universe(rows, tuple(kept), {k: v for k, v in compared.items() if k in rows.column_names})


def _as_told(
    attribute: Attribute, cells: pa.ChunkedArray, *, as_of: datetime
) -> tuple[Attribute, pa.ChunkedArray]:
    """The column as the universe has it: a year of foundation as an age, a date as days."""
    if attribute.name == "founded_year":
        return _AGE, pc.subtract(float(as_of.year), cells.cast(pa.float64()))
    if attribute.type == "date":
        moment = pd.Timestamp(as_of).value // 1_000_000_000
        seconds = pc.divide(cells.cast(pa.timestamp("us")).cast(pa.int64()), 1_000_000)
        days = pc.divide(pc.subtract(float(moment), seconds.cast(pa.float64())), float(DAY))
        chinese = attribute.label_zh or attribute.label
        return replace(
            attribute,
            type="number",
            label=f"days since {attribute.label}",
            label_zh=f"距{chinese}的天数",
            unit="days",
        ), days
    return attribute, cells.cast(_type(attribute))


_OWNERS = """
SELECT account_id, max(amount) AS amount FROM (
    SELECT account_id, outcome, product, amount,
           row_number() OVER (PARTITION BY opportunity_id ORDER BY known_at DESC) AS age
    FROM opportunities
    WHERE known_at < $as_of AND (withdrawn_at IS NULL OR withdrawn_at >= $as_of)
)
WHERE age = 1 AND outcome = 'won' AND ($product IS NULL OR product = $product)
GROUP BY account_id ORDER BY account_id
"""
_PRODUCTS = "SELECT DISTINCT product FROM opportunities WHERE known_at < $as_of AND product IS NOT NULL"


def customers(tables: Tables, *, as_of: datetime, product: str | None = None) -> list[str]:
    """Accounts that had won opportunities as known before `as_of`; of one product line where it is named.

    Raises ContractError for a product that no opportunity names.
    """
    with tables.connect() as connection:
        if product is not None:
            known = sorted(row[0] for row in connection.execute(_PRODUCTS, {"as_of": as_of}).fetchall())
            if product not in known:
                raise ContractError(
                    "no opportunity names this product",
                    got=repr(product),
                    allowed=", ".join(known[:10]) or "nothing: opportunities carry no product",
                    fix=suggestion(product, known),
                )
        rows = connection.execute(_OWNERS, {"as_of": as_of, "product": product}).fetchall()
    return [str(row[0]) for row in rows]


def won_amounts(tables: Tables, *, as_of: datetime) -> dict[str, float]:
    """What the largest deal won from each customer was worth, as known before `as_of`; where it is told."""
    with tables.connect() as connection:
        rows = connection.execute(_OWNERS, {"as_of": as_of, "product": None}).fetchall()
    return {str(account): float(amount) for account, amount in rows if amount is not None}
