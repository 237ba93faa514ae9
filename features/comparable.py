"""Which columns of accounts mean the same wherever an account comes from.

Turns what each origin tells of its accounts into a comparison by column: how often it is filled, whether its
words are the others' words, and whether it is comparable at all. A column that one origin fills and another
hardly ever does tells a model nothing but the origin, and so does one that holds "Software" here and "6201"
there. Time rule: the latest value with `known_at < before`, of each origin apart. Null rule: an empty cell
fills nothing; a column that no origin fills is comparable.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import duckdb
import numpy as np
from numpy.typing import NDArray

from features.contract import TABLES
from features.origins import (
    BY_ORIGIN,
    EMPTY_ELSEWHERE,
    NOTHING_COMPARED,
    OTHER_VALUES,
    ColumnComparison,
    Comparison,
    OriginRules,
)
from features.tables import Attribute

__all__ = ["YEAR_BEFORE", "compare_origins", "emptier", "known_words"]

YEAR_BEFORE = "_year_before"
"""The ending of a column as it was known 365 days before."""

_CHANCE = 0.01
"""What is as likely as this between origins that do not differ is taken for chance."""

_DRAWS = 199
_WORDS = {"industry": "category", "country": "category", "region": "category", "city": "category"} | {
    "technologies": "set"
}
_WORDED = ("category", "set", "boolean")
_NO_FACTS = ("account_id", "known_at")

Counts = NDArray[np.int64]


def compare_origins(
    connection: duckdb.DuckDBPyConnection,
    *,
    rules: OriginRules,
    attributes: Sequence[Attribute],
    before: datetime | None = None,
    year_before: bool = False,
) -> Comparison:
    """Every column of accounts in every origin.

    connection: of `Tables.connect`. before: naive UTC; default: all that is known.
    year_before: compare each column as it was known 365 days earlier, too; its name ends in YEAR_BEFORE.
    """
    if not rules.several:
        return NOTHING_COMPARED
    names = [name for name in TABLES["accounts"].column_names if name not in _NO_FACTS]
    names += [attribute.name for attribute in attributes]
    kinds = _WORDS | {attribute.name: attribute.type for attribute in attributes}
    worded = {name for name in names if kinds.get(name) in _WORDED}
    earlier = names if year_before and before is not None else []
    _latest(connection, names, worded=worded, earlier=earlier, before=before)
    told = [*names, *(name + YEAR_BEFORE for name in earlier)]
    counts = ", ".join(f'count("{name}")' for name in told)
    found = connection.execute(
        f"SELECT origin, count(*), {counts} FROM latest_by_origin GROUP BY origin ORDER BY origin"
    ).fetchall()
    accounts = {str(origin): int(count) for origin, count, *_ in found}
    filled = {name: {str(row[0]): int(row[2 + at]) for row in found} for at, name in enumerate(told)}
    columns = tuple(
        _compare(connection, name, filled=filled[name], accounts=accounts, kind=kinds.get(name), rules=rules)
        for name in told
    )
    return Comparison(accounts, _several(connection), columns)


def _latest(
    connection: duckdb.DuckDBPyConnection,
    names: Sequence[str],
    *,
    worded: Collection[str],
    earlier: Sequence[str],
    before: datetime | None,
) -> None:
    """One row per account and origin: the latest word that this origin tells of columns of words; of others,
    and of those known 365 days earlier, something where it tells anything."""

    def told(name: str, *, until: str = "", ending: str = "") -> str:
        filled = f'FILTER ("{name}" IS NOT NULL{until})'
        # Two accounts that became one may be told of at one moment: their words decide.
        latest = (
            f'max_by("{name}", (known_at, "{name}"))' if name in worded and not ending else "any_value(true)"
        )
        return f'{latest} {filled} AS "{name}{ending}"'

    columns = [told(name) for name in names]
    columns += [
        told(name, until=" AND known_at < $1 - INTERVAL 365 DAY", ending=YEAR_BEFORE) for name in earlier
    ]
    at_all, at_that_time = (
        "withdrawn_at IS NULL",
        "known_at < $1 AND (withdrawn_at IS NULL OR withdrawn_at >= $1)",
    )
    known = f"({at_that_time if before else at_all})"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE latest_by_origin AS SELECT account_id, origin, {', '.join(columns)}"
        f" FROM {BY_ORIGIN} WHERE compared AND {known} GROUP BY account_id, origin",
        [before] if before else [],
    )


def _several(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute(
        "SELECT count(*) FROM (SELECT 1 FROM latest_by_origin GROUP BY account_id HAVING count(*) > 1)"
    ).fetchone()
    return int(row[0]) if row else 0


def _compare(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    *,
    filled: Mapping[str, int],
    accounts: Mapping[str, int],
    kind: str | None,
    rules: OriginRules,
) -> ColumnComparison:
    if any(
        emptier((filled[one], accounts[one]), (filled[other], accounts[other]), ratio=rules.nearly_none)
        for one in accounts
        for other in accounts
    ):
        return ColumnComparison(name, filled, reason=EMPTY_ELSEWHERE)
    if kind not in _WORDED or sum(count > 0 for count in filled.values()) < 2:
        return ColumnComparison(name, filled)
    words = _word_counts(connection, name, members=kind == "set")
    total = np.sum(list(words.values()), axis=0)
    shared = {origin: known_words(told, total - told) for origin, told in words.items()}
    apart = any(_apart(told, total - told, share=rules.shared_values) for told in words.values())
    return ColumnComparison(name, filled, shared, reason=OTHER_VALUES if apart else "")


def emptier(one: tuple[int, int], other: tuple[int, int], *, ratio: float) -> bool:
    """Whether a column is filled hardly ever in one origin and surely more often in the other.

    one, other: filled and all accounts. Hardly ever: at most `ratio` times as often. Surely: were the share
    the same in both, so few would come by chance less than once in a hundred times (Fisher's exact test).

    >>> emptier((0, 300), (280, 400), ratio=0.1), emptier((0, 5), (20, 400), ratio=0.1)
    (True, False)
    """
    (few, among), (many, of) = one, other
    if not among or not of or few / among > ratio * many / of or not many:
        return False
    # Reading scipy.stats takes half a second, which a workspace of one origin should not cost.
    from scipy.stats import hypergeom

    return bool(hypergeom.cdf(few, among + of, few + many, among) < _CHANCE)


def known_words(words: Counts, others: Counts) -> float:
    """The share of the words told in one origin that are told in the others, too.

    words, others: int64 (v,), how often each word of the joint vocabulary is told.
    """
    told = int(np.sum(words))
    return float(np.sum(words[others > 0]) / told) if told else 0.0


def _apart(words: Counts, others: Counts, *, share: float) -> bool:
    """Whether two origins have words of their own.

    Where one origin has part of the other's words (a CRM of one country, a register of all), the words are
    the same: so it takes both sides. Words that hardly ever repeat are unknown elsewhere by chance alone: so
    random draws from both together must share more (a permutation test at 1 %).
    """
    seen = _most(words, others, share=share)
    if seen >= share:
        return False
    pooled = words + others
    drawn = np.random.default_rng(0).multivariate_hypergeometric(
        pooled, int(words.sum()), size=_DRAWS, method="marginals"
    )
    as_much = sum(_most(one, pooled - one, share=share) <= seen for one in drawn)
    return bool((1 + as_much) / (1 + _DRAWS) <= _CHANCE)


def _most(words: Counts, others: Counts, *, share: float) -> float:
    return max(known_words(words, others), known_words(others, words))


def _word_counts(connection: duckdb.DuckDBPyConnection, name: str, *, members: bool) -> dict[str, Counts]:
    """How often each origin tells each word, int64 (v,), by origin."""
    word = f'unnest(list_distinct("{name}"))' if members else f'CAST("{name}" AS VARCHAR)'
    rows = connection.execute(
        f"SELECT origin, word, count(*) AS told FROM (SELECT origin, {word} AS word FROM latest_by_origin)"
        " WHERE word IS NOT NULL GROUP BY origin, word ORDER BY word"
    ).to_arrow_table()
    table = rows.to_pandas().pivot_table(index="word", columns="origin", values="told", fill_value=0)
    return {str(origin): table[origin].to_numpy(dtype=np.int64) for origin in table.columns}
