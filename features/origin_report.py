"""The comparison of origins, for people.

Turns a comparison into a table and sentences. Time rule: none. Null rule: a column that nobody fills is not
shown; the share of known words is empty where the values are no words.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from features.origins import Comparison, OriginRules

__all__ = ["compared_table", "origin_sentences", "share"]


def share(value: float) -> str:
    """A share in percent, never rounded to nothing or to all.

    >>> share(0.0004), share(0.9999), share(1.0), share(0.256)
    ('<0.1 %', '>99.9 %', '100 %', '25.6 %')
    """
    if 0.0 < value < 0.001:
        return "<0.1 %"
    if 0.999 < value < 1.0:
        return ">99.9 %"
    return f"{value:.0%}".replace("%", " %") if value in (0.0, 1.0) else f"{100 * value:.1f} %"


def compared_table(comparison: Comparison) -> Table:
    """Per column of accounts: how often each origin fills it, how many of its words others know, the mark."""
    names = list(comparison.accounts)
    shown = Table(
        title="Columns of accounts by origin: how many have a value; how many values others have, too",
        title_justify="left",
        title_style="bold",
    )
    shown.add_column("column", overflow="fold")
    for words in ("", "values, "):
        for name in names:
            shown.add_column(f"{words}{name}", justify="right")
    shown.add_column("not comparable")
    for column in comparison.columns:
        if any(column.filled.values()):
            filled = comparison.coverage(column)
            known = [share(column.shared[name]) if name in column.shared else "" for name in names]
            shown.add_row(column.name, *(share(filled[name]) for name in names), *known, column.reason)
    return shown


def origin_sentences(comparison: Comparison, *, origins: OriginRules) -> Iterator[str]:
    """How many accounts come from where, and what cannot be compared."""
    kinds = {True: "worked by sales", False: "not worked"}
    counts = [
        f"{comparison.accounts.get(name, 0):,} {name} ({kinds[name in origins.worked]})"
        for name in origins.names
    ]
    yield f"accounts by origin: {', '.join(counts)}; of several: {comparison.several:,}"
    marked = comparison.not_comparable
    if marked:
        told = ", ".join(f"{name} ({reason})" for name, reason in marked.items())
        yield f"not comparable, so models do not learn from it: {told}"
