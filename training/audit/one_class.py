"""Values, or emptiness, that exist for one class only.

Turns columns into findings: a word, an empty cell or a filled one that comes with one outcome and never with
the other, oftener than chance allows. Time rule: none; where times prove what was known, a value without any
event is a warning, as honest facts (a country that is not served) exclude as well. It blocks where honest
facts do not reach: emptiness of an account's fact, or a number or a yes or no in it, that alone excludes a
third of what ends without the event, as of a field that sales fill in when something comes of it; a source
that rewrites its history passes every proof of times. Null rule: emptiness is
a value, and so is being filled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from features.privacy.masking import without_addresses
from training.audit.columns import AuditTable, Column
from training.audit.finding import Finding, percent, share
from training.audit.statistics import exact_interval

__all__ = ["one_class"]

_LEVEL = 0.001
"""A clean table names a column less than once in a thousand times, whatever the number of columns."""

_FEW_VALUES = 20
_NAMED = 3

_MUCH = 1 / 3
"""Of the groups without the event: more than the honest facts of any market here exclude alone."""

_EMPTINESS = ("empty", "filled")


@dataclass(frozen=True)
class _Pure:
    """A value of one class. probability: that so many rows are of one class by chance."""

    words: str
    groups: int
    events: bool
    probability: float


def one_class(table: AuditTable) -> Iterator[Finding]:
    """Columns with such a value; the exact (hypergeometric) chance times the number of values looked at.

    A group counts as one row drawn from it, as the rows of an account are no independent evidence.
    """
    numbers = np.unique(table.groups, return_inverse=True)[1]
    total = int(numbers.max()) + 1
    with_event = round(float(np.sum(np.bincount(numbers, table.label) / np.bincount(numbers))))
    looked = [(column, list(_values(column))) for column in table.columns if not column.constant]
    tests = sum(len(values) for _, values in looked)
    for column, values in looked:
        pure = [_pure(words, rows, table, total=total, with_event=with_event) for words, rows in values]
        sure = [one for one in pure if one is not None and one.probability * tests < _LEVEL]
        if sure:
            yield _finding(table, column, sure, tests=tests, much=_MUCH * (total - with_event))


def _values(column: Column) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    if column.empty.any() and not column.empty.all():
        yield from zip(_EMPTINESS, (column.empty, ~column.empty), strict=True)
    if column.levels or column.distinct <= _FEW_VALUES:
        for value in np.unique(column.values[~column.empty]):
            yield without_addresses(repr(column.word(value))), column.values == value


def _pure(
    words: str, rows: NDArray[np.bool_], table: AuditTable, *, total: int, with_event: int
) -> _Pure | None:
    """None unless every row with the value has the same outcome."""
    label = table.label[rows]
    if 0 < label.sum() < len(label):
        return None
    events = bool(label[0])
    groups = len(np.unique(table.groups[rows]))
    same = with_event if events else total - with_event
    return _Pure(words, groups, events, _all_of(groups, same=same, among=total))


def _all_of(drawn: int, *, same: int, among: int) -> float:
    """The chance that `drawn` of `among`, drawn without putting back, are all of the `same` ones.

    >>> round(_all_of(2, same=3, among=4), 3)
    0.5
    """
    if drawn > same:
        return 0.0
    ways = gammaln(same + 1) - gammaln(same - drawn + 1) - gammaln(among + 1) + gammaln(among - drawn + 1)
    return float(np.exp(ways))


def _finding(
    table: AuditTable, column: Column, found: Sequence[_Pure], *, tests: int, much: float
) -> Finding:
    """much: groups without the event that a fact must exclude to block."""
    found = sorted(found, key=lambda one: one.probability)
    first = found[0]
    low, high = exact_interval(first.groups if first.events else 0, first.groups)
    named = ", ".join(one.words for one in found[:_NAMED]) + (
        f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    )
    plain = not column.levels and column.name == column.source
    excluded = max((one.groups for one in found if plain or one.words in _EMPTINESS), default=0)
    blocks = (
        not table.dated
        or (column.fact and column.marked)
        or any(one.events for one in found)
        or (column.fact and excluded >= much)
    )
    outcome = "the event and never without it" if first.events else "no event"
    return Finding(
        "one_class",
        "blocks" if blocks else "warns",
        column.name,
        f"{named}: {first.words} comes with {outcome} in all {first.groups:,} "
        f"cases ({percent(low)} to {percent(high)}; of the rows looked at "
        f"{share(table.events, table.rows)} have it); "
        f"by chance {first.probability * tests:.1g}, {tests:,} values looked at",
        "find out when it is filled in; leave the column out, or take it as it stood before the outcome",
        {
            "cases": first.groups,
            "low": low,
            "high": high,
            "base_rate": table.events / table.rows,
            "probability": first.probability * tests,
            "values": len(found),
        },
    )
