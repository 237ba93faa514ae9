"""The yardsticks: what each asks for, what was reached, what was missed, and the command that says so again.

Turns the results into one line each. Time rule: none. Null rule: a yardstick whose result is not there has no
line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from training.publishing import reaching
from training.publishing.lookalikes import LOOKALIKES
from training.publishing.shown import interval, least, most, table
from training.publishing.speed import SERVICE

__all__ = ["YARDSTICKS", "Yardstick", "missed_yardsticks", "yardstick_table"]

Found = Mapping[str, Any]


@dataclass(frozen=True)
class Yardstick:
    """One line.

    what: is measured. asked: at least. result: the name of the file, which is what `make` is told to make it
    again. reached: what the file says, in words; None where an older file does not. missed: floor, aim or
    nothing. base: the base rate, or what chance gives, by which to read the figure.
    """

    what: str
    asked: str
    result: str
    reached: Callable[[Found], str | None]
    missed: Callable[[Found], str]
    base: Callable[[Found], str] = lambda found: ""


def yardstick_table(results: Mapping[str, Found]) -> Iterator[str]:
    """Every yardstick whose result is there."""
    yield from table(
        ("what", "base rate", "asked", "reached (95 % interval)", "missed", "command"),
        (
            (
                one.what,
                one.base(results[one.result]) or "none",
                one.asked,
                reached,
                one.missed(results[one.result]) or "nothing",
                f"`make {one.result}`",
            )
            for one, reached in _told(results)
        ),
    )


def missed_yardsticks(results: Mapping[str, Found]) -> Iterator[str]:
    """What was not reached of what was asked, before any figure that was."""
    lines = [
        f"- {one.what}: the {missed}. Asked: {one.asked}; reached: {reached}."
        for one, reached in _told(results)
        if (missed := one.missed(results[one.result]))
    ]
    if lines:
        yield "**Missed**, of what was asked before anything was measured:"
        yield ""
        yield from lines


def _told(results: Mapping[str, Found]) -> Iterator[tuple[Yardstick, str]]:
    for one in YARDSTICKS:
        reached = one.reached(results[one.result]) if one.result in results else None
        if reached is not None:
            yield one, reached


def _hubspot(what: str, asked: str, metric: str, *, floor: float, aim: float) -> Yardstick:
    return Yardstick(
        what,
        asked,
        "hubspot_free_tier",
        lambda found: interval(found["metrics"]["spearfish"][metric]),
        lambda found: least(found["metrics"]["spearfish"][metric]["value"], floor=floor, aim=aim),
        reaching.hubspot_base,
    )


def _gap(kind: str) -> Yardstick:
    return Yardstick(
        f"markets, gap of {kind} to the best ranker, ROC AUC",
        ".03, aim .02",
        "simulated_market",
        lambda found: interval(found["roc_auc"][kind]["gap_to_best"]),
        lambda found: most(found["roc_auc"][kind]["gap_to_best"]["mean"], floor=0.03, aim=0.02),
        lambda found: interval(found["roc_auc"][kind]["base_rate"]),
    )


def _undated(what: str, asked: str, result: str, choice: str, *, floor: str, auc: float = 0.0) -> Yardstick:
    return Yardstick(
        what,
        asked,
        result,
        partial(reaching.undated_reached, choice=choice, floor=floor),
        partial(reaching.undated_misses, choice=choice, least_auc=auc, floor=floor),
        partial(reaching.undated_base, choice=choice),
    )


def _hidden(
    what: str, asked: str, figure: Callable[[Found], str], missed: Callable[[Found], str]
) -> Yardstick:
    """Of recall in the top part of the accounts, of which any order finds as large a share."""
    return Yardstick(
        what,
        asked,
        "hidden_positives",
        figure,
        missed,
        lambda found: f"any order: {found['at_random']['base']}",
    )


def _titles(found: Found) -> str:
    return ", ".join(f"{task} {interval(found[task]['macro_f1'])}" for task in ("seniority", "department"))


def _title_base(found: Found) -> str:
    return "always the most common: " + ", ".join(
        f"{found[task]['macro_f1_of_always_the_most_common']:.3f}" for task in ("seniority", "department")
    )


def _identity(found: Found) -> str:
    name = found["ways"]["name"]
    return f"precision {interval(name['precision'])}, recall {interval(name['recall'])}"


def _identity_misses(found: Found) -> str:
    name = found["ways"]["name"]
    parts = (least(name["precision"]["value"], floor=0.98), least(name["recall"]["value"], floor=0.85))
    return "floor" if any(parts) else ""


YARDSTICKS = (
    _hubspot("HubSpot, ROC AUC (chance .5)", ".88, aim .90", "roc_auc", floor=0.88, aim=0.90),
    _hubspot("HubSpot, PR AUC (chance: the base rate)", ".065, aim .09", "pr_auc", floor=0.065, aim=0.09),
    Yardstick(
        "HubSpot, ROC AUC above logistic regression",
        "surely above 0",
        "hubspot_free_tier",
        reaching.hubspot_leads,
        reaching.hubspot_misses,
        reaching.hubspot_base,
    ),
    _gap("fit"),
    _gap("intent"),
    Yardstick(
        "markets, calibration error",
        ".02, aim .01",
        "simulated_market",
        reaching.error_reached,
        reaching.error_misses,
        reaching.market_base,
    ),
    Yardstick(
        "markets, coverage of intervals of .9",
        ".85 to .95, aim .87 to .93",
        "interval_coverage",
        reaching.coverage_reached,
        reaching.coverage_misses,
        reaching.coverage_base,
    ),
    _undated(
        "X Education, early and disputed columns, ROC AUC (chance .5)",
        ".87 and above logistic regression, aim best of all peers",
        "x_education_leads",
        "early_and_disputed",
        floor="logistic_regression",
        auc=0.87,
    ),
    _undated(
        "X Education, early columns, ROC AUC (chance .5)",
        ".825 and above logistic regression, aim best of all peers",
        "x_education_leads",
        "early",
        floor="logistic_regression",
        auc=0.825,
    ),
    _undated(
        "Online Shoppers, ROC AUC (chance .5)",
        "LightGBM untuned, aim best of all peers",
        "online_shoppers",
        "all",
        floor="lightgbm",
    ),
    Yardstick(
        "small tables of 80 to 2,000 rows, ROC AUC above CatBoost and logistic regression",
        "surely behind nowhere",
        "small_tables",
        reaching.small_reached,
        reaching.small_misses,
        reaching.small_base,
    ),
    Yardstick(
        "X Education, audit: late columns and identifiers found",
        "6 of 9 and 2 of 2, at most 2 wrong; aim all, none wrong",
        "audit",
        reaching.audit_reached,
        reaching.audit_misses,
        lambda found: f"{found['lists']['X Education leads']['columns']} columns",
    ),
    _hidden(
        "hidden at random, recall in the top 5 % above the plain classifier",
        "no worse",
        lambda found: interval(found["at_random"]["recall_ours_less_plain"], sign=True),
        lambda found: "floor" if found["at_random"]["recall_ours_less_plain"]["high"] < 0 else "",
    ),
    Yardstick(
        "hidden at random, their number, as a share of it",
        "off by .2, aim .1",
        "hidden_positives",
        reaching.number_reached,
        reaching.number_misses,
        lambda found: f"shares known: {', '.join(map(str, found['label_rates']))}",
    ),
    _hidden(
        "hidden by selection, recall in the top 5 % over the plain classifier",
        "1.15 times, aim 1.4",
        lambda found: f"{interval(found['by_selection']['ours_over_plain'], digits=2)} times",
        lambda found: least(found["by_selection"]["ours_over_plain"]["mean"], floor=1.15, aim=1.4),
    ),
    _hidden(
        "hidden by selection, recall in the top 5 % above won/lost weighted by pursuit",
        "no worse",
        lambda found: interval(found["by_selection"]["ours_less_won_lost_weighted"], sign=True),
        lambda found: "floor" if found["by_selection"]["ours_less_won_lost_weighted"]["high"] < 0 else "",
    ),
    Yardstick(
        "company names matched",
        "precision .98 at recall .85",
        "identity",
        _identity,
        _identity_misses,
        lambda found: f"{found['copies']:,} true, {found['look_alikes']:,} false",
    ),
    Yardstick(
        "job titles, macro-F1",
        ".80",
        "job_titles",
        _titles,
        lambda found: least(
            min(found[task]["macro_f1"]["value"] for task in ("seniority", "department")), floor=0.8
        ),
        _title_base,
    ),
    Yardstick(
        "ingest of ten million activities, share of the speed of `COPY`; memory",
        "a third, aim two thirds; 4 GB",
        "ingest_speed",
        reaching.ingest_reached,
        reaching.ingest_misses,
    ),
    *(Yardstick(*line) for line in SERVICE),
    *(Yardstick(*line) for line in LOOKALIKES),
)
