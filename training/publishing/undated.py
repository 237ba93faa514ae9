"""The published tables of the undated sets: what their result files say, in Markdown.

Turns the results of `training.checks.undated` and `training.checks.small_tables` into lines of Markdown.
Time rule: none, and each table says that time was not tested. Null rule: a ranker that was not run has no
line; a result that does not name its intervals is an older one, whose intervals are by row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from training.backtesting.directions import WITHOUT_DIRECTIONS
from training.publishing.shown import interval, table
from training.undated.peers import TITLES

__all__ = ["small_figures", "undated_figures"]

_OLDER = "spearfish_minus_by_group"
"""Only in results whose other intervals are by row."""


def undated_figures(found: Mapping[str, Any], *, title: str) -> Iterator[str]:
    """One table per choice of columns: ROC AUC of every ranker, and how far Spearfish is ahead."""
    for name, choice in found["choices"].items():
        yield (
            f"**{title}**, {name.replace('_', ' ')} columns: {choice['events']:,} of {choice['rows']:,} rows "
            f"won (base rate {choice['base_rate']:.1%}), {found['repeats']} x {found['folds']} folds with "
            f"equal rows kept together, mean over folds, 95 % intervals {choice.get('intervals', 'by row')}. "
            "Time was not tested: the rows have no dates."
        )
        yield ""
        together = ("the same, equal rows drawn together",) if _OLDER in choice else ()
        yield from table(("ranker", "ROC AUC", "Spearfish minus it", *together, "seconds"), _lines(choice))
        yield ""
        leads = {name: one["roc_auc"] for name, one in choice["spearfish_minus"].items()}
        cost = leads.pop(WITHOUT_DIRECTIONS, None)
        yield _verdict(leads)
        if cost is not None:
            yield f"What the declared monotone effects change, ROC AUC, with minus without: {_signed(cost)}."
        yield ""


def _lines(choice: Mapping[str, Any]) -> Iterator[list[str]]:
    for ranker, metrics in choice["metrics"].items():
        if ranker == WITHOUT_DIRECTIONS:
            continue
        own = ranker == "spearfish"
        together = [choice[_OLDER]] if _OLDER in choice else []
        column = "probability" if own else ranker
        yield [
            TITLES[column],
            interval(metrics["roc_auc"], digits=4),
            "" if own else _signed(choice["spearfish_minus"][ranker]["roc_auc"]),
            *("" if own else _signed(by_group[ranker]) for by_group in together),
            f"{choice['seconds'][column]:.1f}",
        ]


def small_figures(found: Mapping[str, Any]) -> Iterator[str]:
    """Two tables per set, by the number of rows learned from: ROC AUC, and ours less each of the others."""
    for name, curve in found["curves"].items():
        rankers = list(next(iter(curve["roc_auc"].values())))
        draws = ", ".join(str(count) for count in sorted(set(curve["draws"].values())))
        yield (
            f"**Small tables**, {name.replace('_', ' ')}: ROC AUC (chance .5) after learning from few rows "
            f"(80: 40 of each class) of {curve['rows']:,} (base rate {curve['base_rate']:.1%}), mean over "
            f"{draws} samples, 95 % intervals. Time was not tested."
        )
        yield ""
        yield from _by_size(curve["roc_auc"], rankers, shown=partial(interval, digits=4))
        yield ""
        yield "The same samples, Spearfish minus each of the others (paired):"
        yield ""
        yield from _by_size(curve["spearfish_minus"], rankers[1:], shown=_signed)
        yield ""
        yield " ".join(
            f"{int(size):,} rows: {_verdict(leads)}" for size, leads in curve["spearfish_minus"].items()
        )
        yield ""


def _by_size(
    figures: Mapping[str, Mapping[str, Any]], rankers: Sequence[str], *, shown: Callable[[Any], str]
) -> Iterator[str]:
    titles = [TITLES["probability" if ranker == "spearfish" else ranker] for ranker in rankers]
    lines = ([f"{int(size):,}", *(shown(row[ranker]) for ranker in rankers)] for size, row in figures.items())
    yield from table(("rows", *titles), lines)


def _verdict(leads: Mapping[str, Mapping[str, float]]) -> str:
    """To whom Spearfish surely loses, and from whom it cannot be told apart."""
    lost = [name for name, lead in leads.items() if lead["high"] < 0]
    open_ = [name for name, lead in leads.items() if lead["low"] <= 0 <= lead["high"]]
    told = [f"Spearfish surely loses to {TITLES[name]}: {_signed(leads[name])}." for name in lost]
    if open_:
        told.append(f"Spearfish cannot be told apart from {', '.join(TITLES[name] for name in open_)}.")
    return " ".join(told) or "Spearfish is surely ahead of all."


_signed = partial(interval, digits=4, sign=True)
