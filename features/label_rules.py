"""What is left out: segments, minimum lifespan and exclusions, each counted.

Turns (account_id, as_of) and the settings of a label into the first rule that leaves each of them out. Time
rule: a fact, an activity or the age of an account counts as it was known before `as_of`; what deals are like,
as known before the cutoff. Null rule: an account of which a fact is not known is not excluded by it, and not
in a segment by it; a deal without a type is not excluded by type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import duckdb
import pandas as pd

from features.errors import ConfigError, suggestion
from features.label_settings import Exclusion, FitLabelSettings, RowSettings
from features.listed_accounts import LISTED, listed_parameters
from features.tables import Tables

__all__ = [
    "any_rule",
    "counted",
    "left_out",
    "require_dateless",
    "require_known_names",
    "rule_against",
]

# A fact speaks for every `as_of` from just after it was known until the next value of it was known.
_FACT = """
    SELECT DISTINCT keys.account_id, keys.as_of
    FROM keys JOIN (
        SELECT account_id, known_at, withdrawn_at, {values} AS told,
               lead(known_at) OVER (PARTITION BY account_id ORDER BY known_at) AS replaced_at
        FROM accounts WHERE "{column}" IS NOT NULL
    ) AS fact
      ON fact.account_id = keys.account_id AND fact.known_at < keys.as_of
     AND (fact.replaced_at IS NULL OR keys.as_of <= fact.replaced_at)
     AND (fact.withdrawn_at IS NULL OR keys.as_of <= fact.withdrawn_at)
    WHERE list_has_any(fact.told, $values)
"""

_ELSEWHERE = "SELECT account_id, as_of FROM keys ANTI JOIN ({inside}) AS inside USING (account_id, as_of)"

_YOUNG = """
    SELECT keys.account_id, keys.as_of
    FROM keys JOIN (SELECT account_id, min(known_at) AS known_at FROM accounts GROUP BY account_id) AS first
      USING (account_id)
    WHERE first.known_at > keys.as_of - to_days(CAST($days AS INTEGER))
"""

_CHANNEL = """
    SELECT DISTINCT keys.account_id, keys.as_of
    FROM keys JOIN activities AS activity
      ON activity.account_id = keys.account_id AND activity.known_at < keys.as_of
     AND (activity.withdrawn_at IS NULL OR keys.as_of <= activity.withdrawn_at)
    WHERE activity.channel = $channel
"""

_TOO_YOUNG = "too young accounts"


@dataclass(frozen=True)
class _Rule:
    """Rows that are left out: their name where they are counted, and the query that finds them."""

    name: str
    sql: str
    parameters: dict[str, object] = field(default_factory=dict)


def any_rule(settings: RowSettings) -> bool:
    """Whether a rule about accounts leaves anything out."""
    return any(True for _ in _named(settings))


def left_out(
    connection: duckdb.DuckDBPyConnection, keys: pd.DataFrame, *, settings: RowSettings
) -> pd.Series[str]:
    """The name of the first rule that leaves each row out, None for rows that stay; index of `keys`.

    keys: account_id, as_of.
    """
    reason = pd.Series(None, index=keys.index, dtype="object")
    rules = list(_rules(connection, settings))
    if not rules or keys.empty:
        return reason
    connection.register("given_keys", keys[["account_id", "as_of"]].drop_duplicates())
    connection.execute("CREATE OR REPLACE TEMP TABLE keys AS SELECT * FROM given_keys")
    connection.unregister("given_keys")
    places = pd.MultiIndex.from_frame(keys[["account_id", "as_of"]])
    for rule in rules:
        matched: pd.DataFrame = connection.execute(rule.sql, rule.parameters).to_arrow_table().to_pandas()
        found = pd.MultiIndex.from_frame(matched)
        reason[(reason.isna() & places.isin(found)).to_numpy()] = rule.name
    return reason


def rule_against(
    account_id: str,
    *,
    as_of: datetime,
    first_known_at: datetime,
    settings: RowSettings,
    connect: Callable[[], duckdb.DuckDBPyConnection],
) -> str | None:
    """The rule that leaves one account out at a moment, None where it stays.

    connect: to the tables; asked only where a rule reads them.
    """
    if any(not isinstance(rule, int) for _, rule in _named(settings)):
        keys = pd.DataFrame({"account_id": [account_id], "as_of": pd.to_datetime([as_of])})
        with connect() as connection:
            found = left_out(connection, keys, settings=settings).dropna()
        return None if found.empty else str(found.iloc[0])
    days = settings.minimum_account_days
    young = days is not None and first_known_at > as_of - timedelta(days=days)
    return _TOO_YOUNG if young else None


def counted(reasons: pd.Series[str], *, settings: RowSettings) -> dict[str, int]:
    """How many rows each rule leaves out, rules that found none included: left_out_<name>."""
    names = [name for name, _ in _named(settings)]
    return {f"left_out_{name.replace(' ', '_')}": int((reasons == name).sum()) for name in names}


def require_known_names(tables: Tables, *, settings: RowSettings) -> None:
    """ConfigError, with a suggestion, for a product, fact, value or channel that the tables do not hold.

    A value or channel of an exclusion may be absent, as long as it does not look misspelt.
    """
    if settings.product is None and not settings.where and not settings.exclude:
        return
    with tables.connect() as connection:
        if settings.product is not None:
            _require(connection, "product", settings.product, source="SELECT product FROM opportunities")
        for column, values in settings.where.items():
            for value in values:
                _require(connection, f"where {column}", value, source=_told(connection, column))
        for exclusion in settings.exclude:
            _require_excluded(connection, exclusion)


def require_dateless(tables: Tables, *, settings: FitLabelSettings) -> None:
    """As `require_known_names`, and ConfigError for what has no meaning where nothing has a date."""
    require_known_names(tables, settings=settings)
    asked = {
        'against = "universe"': settings.against == "universe",
        "minimum_account_days": settings.minimum_account_days is not None,
        "minimum_deal_days": settings.minimum_deal_days is not None,
    }
    for name, given in asked.items():
        if given:
            raise ConfigError(
                f"[labels.fit] {name} needs dates, which these tables do not have",
                fix="remove it, or bind the times of accounts and opportunities",
            )


def _require_excluded(connection: duckdb.DuckDBPyConnection, exclusion: Exclusion) -> None:
    place = f"exclude {exclusion.name}"
    if exclusion.attribute is not None:
        source = _told(connection, exclusion.attribute)
        for value in exclusion.values:
            _require(connection, place, value, source=source, only_misspelt=True)
    if exclusion.channel is not None:
        source = "SELECT channel FROM activities"
        _require(connection, place, exclusion.channel, source=source, only_misspelt=True)
    for kind in exclusion.deal_types:
        source = "SELECT lower(type) FROM opportunities"
        _require(connection, place, kind.lower(), source=source, only_misspelt=True)


def _require(
    connection: duckdb.DuckDBPyConnection, what: str, value: str, *, source: str, only_misspelt: bool = False
) -> None:
    rows = connection.execute(f"SELECT DISTINCT value FROM ({source}) AS told (value)").fetchall()
    known = sorted({str(row[0]) for row in rows if row[0] is not None})
    near = suggestion(value, known) or suggestion(value.lower(), known)
    if value in known or value.lower() in known or (only_misspelt and near is None):
        return
    raise ConfigError(
        f"[labels] {what}: the tables hold no such value",
        got=repr(value),
        allowed=", ".join(known[:20]) + (", ..." if len(known) > 20 else "") or "none: the column is empty",
        fix=near or "name one of them, or ingest the tables that hold it",
    )


def _rules(connection: duckdb.DuckDBPyConnection, settings: RowSettings) -> Iterator[_Rule]:
    for name, rule in _named(settings):
        if isinstance(rule, int):
            yield _Rule(name, _YOUNG, {"days": rule})
        elif isinstance(rule, tuple):
            column, values = rule
            inside = _fact_sql(connection, column)
            yield _Rule(name, _ELSEWHERE.format(inside=inside), {"values": _lower(values)})
        else:
            yield from _excluding(connection, rule)


def _named(settings: RowSettings) -> Iterator[tuple[str, int | tuple[str, tuple[str, ...]] | Exclusion]]:
    """Every rule about accounts, in the order in which they are asked."""
    for column, values in settings.where.items():
        yield f"other {column}", (column, values)
    for exclusion in settings.exclude:
        if not exclusion.deal_types:
            yield exclusion.name, exclusion
    if settings.minimum_account_days is not None:
        yield _TOO_YOUNG, settings.minimum_account_days


def _excluding(connection: duckdb.DuckDBPyConnection, exclusion: Exclusion) -> Iterator[_Rule]:
    if exclusion.attribute is not None:
        values = {"values": _lower(exclusion.values)}
        yield _Rule(exclusion.name, _fact_sql(connection, exclusion.attribute), dict(values))
    elif exclusion.channel is not None:
        yield _Rule(exclusion.name, _CHANNEL, {"channel": exclusion.channel})
    else:
        yield _Rule(exclusion.name, LISTED, listed_parameters(exclusion.accounts))


def _lower(values: tuple[str, ...]) -> list[str]:
    return [value.lower() for value in values]


def _fact_sql(connection: duckdb.DuckDBPyConnection, column: str) -> str:
    return _FACT.format(column=column, values=_texts(connection, column))


def _told(connection: duckdb.DuckDBPyConnection, column: str) -> str:
    return f'SELECT unnest({_texts(connection, column)}) FROM accounts WHERE "{column}" IS NOT NULL'


def _texts(connection: duckdb.DuckDBPyConnection, column: str) -> str:
    """SQL for what a column of accounts holds, as a list of texts in lower case."""
    types = dict(connection.execute("SELECT column_name, column_type FROM (DESCRIBE accounts)").fetchall())
    allowed = [name for name in types if name not in ("account_id", "known_at", "withdrawn_at")]
    if column not in allowed:
        raise ConfigError(
            "[labels]: accounts have no such column",
            got=repr(column),
            allowed=", ".join(allowed),
            fix=suggestion(column, allowed) or "name one of them, or declare it in [sources.attributes]",
        )
    if types[column].endswith("[]"):
        return f'list_transform("{column}", lambda text: lower(text))'
    return f'[lower(CAST("{column}" AS VARCHAR))]'
