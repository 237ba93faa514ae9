"""The yardsticks: what each asks for, what was reached, and the command that says so again.

Turns the results into one line each. Time rule: none. Null rule: a yardstick whose result is not there has no
line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from training.publishing.shown import interval, table

__all__ = ["YARDSTICKS", "Yardstick", "yardstick_table"]


@dataclass(frozen=True)
class Yardstick:
    """One line. what: is measured, and what chance or a peer gives. asked: at least. result: the name of the
    file, which is what `make` is told to make it again. reached: what the file says, in words; None where an
    older file does not.
    """

    what: str
    asked: str
    result: str
    reached: Callable[[Mapping[str, Any]], str | None]


def yardstick_table(results: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Every yardstick whose result is there."""
    told = ((one, one.reached(results[one.result])) for one in YARDSTICKS if one.result in results)
    yield from table(
        ("what", "asked", "reached (95 % interval)", "command"),
        (
            (one.what, one.asked, reached, f"`make {one.result}`")
            for one, reached in told
            if reached is not None
        ),
    )


def _hubspot(metric: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda found: interval(found["metrics"]["spearfish"][metric])


def _gap(kind: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda found: interval(found["roc_auc"][kind]["gap_to_best"])


def _error(found: Mapping[str, Any]) -> str | None:
    kinds = {kind: one for kind, one in found["roc_auc"].items() if "calibration_error" in one}
    return ", ".join(f"{kind} {interval(one['calibration_error'])}" for kind, one in kinds.items()) or None


def _undated(choice: str) -> Callable[[Mapping[str, Any]], str]:
    def reached(found: Mapping[str, Any]) -> str:
        metrics = found["choices"][choice]["metrics"]
        own = metrics["spearfish"]["roc_auc"]
        peer = max((name for name in metrics if name != "spearfish"), key=lambda name: _auc(metrics, name))
        place = (
            "best of all peers" if own["value"] > _auc(metrics, peer) else f"{peer} {_auc(metrics, peer):.4f}"
        )
        return f"{interval(own, digits=4)}; {place}"

    return reached


def _auc(metrics: Mapping[str, Any], name: str) -> float:
    return float(metrics[name]["roc_auc"]["value"])


def _audit(found: Mapping[str, Any]) -> str:
    one = found["lists"]["X Education leads"]
    split = (one["late"], one["identifiers"])
    found_of = (f"{len(part['found'])} of {len(part['found']) + len(part['missed'])}" for part in split)
    return f"{', '.join(found_of)}, {len(one['wrong'])} wrong"


def _titles(found: Mapping[str, Any]) -> str:
    return ", ".join(f"{task} {interval(found[task]['macro_f1'])}" for task in ("seniority", "department"))


def _identity(found: Mapping[str, Any]) -> str:
    name = found["ways"]["name"]
    return f"precision {interval(name['precision'])}, recall {interval(name['recall'])}"


def _hidden_number(found: Mapping[str, Any]) -> str:
    one = found["at_random"]
    return (
        f"off by {interval(one['number_off_by'])}; {one['number_within_20_percent']:.0%} of markets within .2"
    )


def _coverage(found: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{kind} {interval(one['ways']['used']['coverage'])}" for kind, one in found["kinds"].items()
    )


def _speed(found: Mapping[str, Any]) -> str:
    shapes = ", ".join(f"{run['ratio']:.3f} ({run['shape']})" for run in found["runs"])
    return f"{shapes}; {max(run['peak_megabytes'] for run in found['runs']) / 1000:.1f} GB"


YARDSTICKS = (
    Yardstick("HubSpot, ROC AUC (chance .5)", ".88, aim .90", "hubspot_free_tier", _hubspot("roc_auc")),
    Yardstick(
        "HubSpot, PR AUC (base rate .0023)",
        ".065, aim .09",
        "hubspot_free_tier",
        _hubspot("pr_auc"),
    ),
    Yardstick(
        "HubSpot, ROC AUC above logistic regression",
        "surely above 0",
        "hubspot_free_tier",
        lambda found: interval(found["spearfish_minus"]["logistic_regression"]["roc_auc"], sign=True),
    ),
    Yardstick("markets, gap of fit to the best ranker", ".03, aim .02", "simulated_market", _gap("fit")),
    Yardstick(
        "markets, gap of intent to the best ranker",
        ".03, aim .02",
        "simulated_market",
        _gap("intent"),
    ),
    Yardstick("markets, calibration error", ".02, aim .01", "simulated_market", _error),
    Yardstick(
        "markets, coverage of intervals of .9",
        ".85 to .95, aim .87 to .93",
        "interval_coverage",
        _coverage,
    ),
    Yardstick(
        "X Education, early and disputed columns, ROC AUC",
        ".87, aim best of all peers",
        "x_education_leads",
        _undated("early_and_disputed"),
    ),
    Yardstick(
        "X Education, early columns, ROC AUC",
        ".825, aim best of all peers",
        "x_education_leads",
        _undated("early"),
    ),
    Yardstick(
        "Online Shoppers, ROC AUC",
        "LightGBM untuned, aim best of all peers",
        "online_shoppers",
        _undated("all"),
    ),
    Yardstick(
        "X Education, audit: late columns and identifiers found",
        "6 of 9 and 2 of 2, at most 2 wrong; aim all, none wrong",
        "audit",
        _audit,
    ),
    Yardstick(
        "hidden at random, recall in the top 5 % above the plain classifier",
        "no worse",
        "hidden_positives",
        lambda found: interval(found["at_random"]["recall_ours_less_plain"], sign=True),
    ),
    Yardstick("hidden at random, their number", "off by .2, aim .1", "hidden_positives", _hidden_number),
    Yardstick(
        "hidden by selection, recall in the top 5 % over the plain classifier",
        "1.15 times, aim 1.4",
        "hidden_positives",
        lambda found: f"{interval(found['by_selection']['ours_over_plain'], digits=2)} times",
    ),
    Yardstick(
        "company names matched",
        "precision .98 at recall .85",
        "identity",
        _identity,
    ),
    Yardstick("job titles, macro-F1", ".80", "job_titles", _titles),
    Yardstick(
        "ingest of ten million activities, share of the speed of `COPY`; memory",
        ".33, aim .67; 4 GB",
        "ingest_speed",
        _speed,
    ),
)
