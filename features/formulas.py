"""Formulas: what a declaration says it computes, run as SQL by the engine itself.

Turns `formula`, `where` and `window_days` of a feature into a statement over the rows that `features.
formula_rows` offers, and its answer into columns of the matrix. A feature of one's own is computed this way;
the others are computed faster and held to their formulas by test. Time rule: that of the rows; a window is
`age <= days`. Null rule: the formula's own, as SQL has it; of accounts nothing is known before their first
row. Only a list of plain operations is understood, so that a stored formula can read nothing but its rows;
what is summed must be whole, so that no order of rows can change a bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.counted import count_by, install_rules, know_consent
from features.counting import PRESET_RULES
from features.errors import ConfigError, suggestion
from features.feature import DAY, FORMULA, Feature
from features.formula_rows import CHOOSING, known_rows, readable_columns
from features.tables import Attribute, Tables

if TYPE_CHECKING:
    from sqlglot.expressions import Expr

__all__ = ["FormulaStep", "check_formula", "columns_read", "formula_steps", "names_read"]

_OPERATIONS = frozenset(
    (
        *("Column", "Identifier", "Literal", "Boolean", "Null", "Paren", "Neg", "Star", "Distinct", "Tuple"),
        *("Add", "Sub", "Mul", "Div", "IntDiv", "Mod", "Pow", "Cast", "DataType"),
        *("And", "Or", "Not", "EQ", "NEQ", "GT", "GTE", "LT", "LTE", "In", "Between", "Is", "Like"),
        *("Case", "If", "Coalesce", "Nullif", "Greatest", "Least", "Round", "Floor", "Ceil", "Abs"),
        *("Sum", "Count", "Min", "Max", "Filter", "Where"),
        *("Length", "Lower", "Year", "TimeToUnix", "ArrayContains", "ArrayDistinct"),
    )
)
_WORDS = (
    "columns, numbers, 'texts', + - * / // % **, comparisons, AND OR NOT IN BETWEEN IS LIKE, CASE, coalesce, "
    "nullif, greatest, least, round, floor, ceil, abs, sum, count, min, max, FILTER, length, len, lower, "
    "year, epoch, list_contains, list_distinct, CAST"
)
_FRACTIONS = frozenset({"Div", "Pow", "Round", "Floor", "Ceil", "TimeToUnix"})
_WHOLE_TYPES = frozenset({"BIGINT", "INT"})


@dataclass(frozen=True)
class FormulaStep:
    """One statement and where its columns belong: column i + 1 of the answer goes to `positions[i]`."""

    name: str
    table: str
    sql: str
    positions: tuple[int, ...]

    def fill(self, matrix: NDArray[np.float64], rows: pa.Table) -> None:
        """Write the answer into the matrix; without a row, and where a value is not finite, it is missing."""
        keys = rows.column(0).to_numpy()
        for number, position in enumerate(self.positions, start=1):
            values = np.asarray(rows.column(number).to_numpy(), dtype=np.float64)
            matrix[:, position] = np.nan
            matrix[keys, position] = np.where(np.isfinite(values), values, np.nan)


def formula_steps(
    features: Sequence[Feature], *, attributes: Sequence[Attribute] = ()
) -> tuple[FormulaStep, ...]:
    """The statements that the features with the aggregation FORMULA need: one per table and side.

    Raises ConfigError for a formula that is not understood.
    """
    places: dict[tuple[str, bool], list[int]] = {}
    for position, feature in enumerate(features):
        if feature.aggregation == FORMULA:
            places.setdefault((feature.table, feature.group == "outreach"), []).append(position)
    return tuple(
        FormulaStep(
            f"formulas_{table}{'_outbound' if outbound else ''}",
            table,
            _statement([features[position] for position in positions], attributes=attributes),
            tuple(positions),
        )
        for (table, outbound), positions in places.items()
    )


def columns_read(feature: Feature, *, attributes: Sequence[Attribute] = ()) -> tuple[str, ...]:
    """The columns of the contract that a feature is made of, as `activities.quantity`, `known_at` last."""
    sources = readable_columns(feature.table, attributes=attributes)
    names = names_read(feature)
    read = dict.fromkeys(source for name in names for source in sources.get(name, ()))
    windowed = {"activities": "activities.occurred_at"}.get(feature.table) if feature.window_days else None
    chosen = (*([windowed] if windowed else []), *CHOOSING.get(feature.table, ()))
    return tuple(dict.fromkeys((*read, *chosen, f"{feature.table}.known_at")))


def names_read(feature: Feature) -> tuple[str, ...]:
    """The names that the formula and its conditions hold, in order of appearance."""
    return tuple(dict.fromkeys(name for tree in _trees(feature) for name in _names(tree)))


def check_formula(feature: Feature, *, attributes: Sequence[Attribute] = ()) -> float | None:
    """The value of an account without rows; None when it is missing then.

    Raises ConfigError unless the formula is understood and gives a number, or yes or no.
    """
    tables = Tables({}, tuple(attributes))
    sql = _statement([feature], attributes=attributes, as_double=False)
    with tables.connect(threads=1) as connection:
        connection.register("keys", _NOBODY)
        install_rules(connection, PRESET_RULES)
        know_consent(connection)
        count_by(connection, PRESET_RULES)
        try:
            rows = connection.execute(sql).to_arrow_table()
        except duckdb.Error as error:
            raise _wrong(feature, got=str(error).partition("\n")[0]) from error
    told = rows.schema.types[1]
    numeric = pa.types.is_integer(told) or pa.types.is_floating(told) or pa.types.is_decimal(told)
    if not (numeric or pa.types.is_boolean(told)):
        raise _wrong(feature, got=str(told), allowed="a number, or yes or no")
    value = rows.column(1)[0].as_py() if rows.num_rows else None
    return None if value is None else float(value)


_NOBODY = pa.Table.from_pylist(
    [{"key": 0, "account_id": "", "as_of": datetime.fromisoformat("2000-01-01")}],
    schema=pa.schema([("key", pa.int64()), ("account_id", pa.string()), ("as_of", pa.timestamp("us"))]),
)


def _statement(
    features: Sequence[Feature], *, attributes: Sequence[Attribute], as_double: bool = True
) -> str:
    """The answer's columns: the key, then one per feature."""
    table, outbound = features[0].table, features[0].group == "outreach"
    trees = [_computable(feature, attributes=attributes) for feature in features]
    columns = {name for tree in trees for name in _names(tree)}
    known = known_rows(table, columns=columns, outbound=outbound, attributes=attributes)
    shown = [tree.sql(dialect="duckdb") for tree in trees]
    if as_double:
        shown = [f"CAST({text} AS DOUBLE)" for text in shown]
    values = ", ".join(f'{text} AS "formula {number}"' for number, text in enumerate(shown))
    if table == "accounts":
        return f'WITH {known.strip()} SELECT r."(key)", {values} FROM known AS r'
    return f"""
    WITH {known.strip()}
    SELECT k.key, {values}
    FROM keys AS k LEFT JOIN known AS r ON r."(key)" = k.key
    GROUP BY k.key"""


def _computable(feature: Feature, *, attributes: Sequence[Attribute]) -> Expr:
    """The formula with its window and its conditions in every aggregate."""
    from sqlglot import expressions as sql

    tree = _trees(feature)[0]
    _require_known(feature, attributes=attributes)
    for aggregate in list(tree.find_all(sql.Sum)):
        if any(_fraction(node, within=aggregate) for node in aggregate.walk()):
            raise _wrong(
                feature,
                got=aggregate.sql(dialect="duckdb"),
                allowed="sums of whole numbers: sums of fractions depend on the order of rows",
            )
    for cast in list(tree.find_all(sql.Cast)):
        cast.replace(sql.TryCast(this=cast.this, to=cast.to))
    return tree if feature.table == "accounts" else _narrowed(tree, feature)


def _narrowed(tree: Expr, feature: Feature) -> Expr:
    from sqlglot import expressions as sql

    conditions: list[Expr] = [sql.column("(key)", table="r", quoted=True).is_(sql.null()).not_()]
    if feature.window_days is not None:
        conditions.append(sql.column("age") <= feature.window_days * DAY)
    conditions += _trees(feature)[1:]
    root = sql.Paren(this=tree)
    for aggregate in list(root.find_all(sql.AggFunc)):
        own = aggregate.parent if isinstance(aggregate.parent, sql.Filter) else None
        extra = [own.expression.this] if own else []
        wanted = sql.and_(*(condition.copy() for condition in (*conditions, *extra)))
        (own or aggregate).replace(sql.Filter(this=aggregate.copy(), expression=sql.Where(this=wanted)))
    return root


def _require_known(feature: Feature, *, attributes: Sequence[Attribute]) -> None:
    allowed = readable_columns(feature.table, attributes=attributes)
    trees = _trees(feature)
    for node in (node for each in trees for node in each.walk()):
        if type(node).__name__ not in _OPERATIONS:
            raise _wrong(feature, got=node.sql(dialect="duckdb"), allowed=_WORDS)
    for name in (name for each in trees for name in _names(each)):
        if name not in allowed:
            raise _wrong(
                feature,
                got=f"the column {name!r}",
                allowed=", ".join(allowed),
                fix=suggestion(name, allowed),
            )


def _fraction(node: Expr, *, within: Expr) -> bool:
    """Whether a part of a sum may be no whole number."""
    from sqlglot import expressions as sql

    kind = type(node).__name__
    literal = kind == "Literal" and not node.is_string and not node.this.isdigit()
    if not (literal or kind in _FRACTIONS):
        return False
    while node.parent is not None and node is not within:
        node = node.parent
        if isinstance(node, sql.Cast) and node.to.this.name in _WHOLE_TYPES:
            return False
    return True


def _names(tree: Expr) -> Iterator[str]:
    from sqlglot import expressions as sql

    return (column.name for column in tree.find_all(sql.Column))


def _trees(feature: Feature) -> list[Expr]:
    """The formula, and the conditions where there are any."""
    return [_text_as_tree(feature, text) for text in (feature.formula, feature.where) if text]


def _text_as_tree(feature: Feature, text: str) -> Expr:
    from sqlglot.errors import SqlglotError

    try:
        return _tree(text).copy()
    except SqlglotError as error:
        raise _wrong(feature, got=text, allowed="one expression of SQL") from error


@cache
def _tree(text: str) -> Expr:
    """Literals with a point become doubles: decimals divide differently from engine to engine."""
    import sqlglot
    from sqlglot import expressions as sql

    tree = sqlglot.parse_one(text, read="duckdb")
    for literal in list(tree.find_all(sql.Literal)):
        if not literal.is_string and not literal.this.isdigit() and "e" not in literal.this.lower():
            literal.replace(sql.Literal.number(f"{literal.this}e0"))
    return tree


def _wrong(feature: Feature, *, got: str, allowed: str | None = None, fix: str | None = None) -> ConfigError:
    return ConfigError(
        f"the formula of the feature {feature.name!r} cannot be computed", got=got, allowed=allowed, fix=fix
    )
