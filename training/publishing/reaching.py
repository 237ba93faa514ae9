"""What a result says of a yardstick: the figure with its interval, its base rate, and what it misses.

Turns one result file into cells of the table of yardsticks. Time rule: none. Null rule: what an older file
does not hold is not told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from training.publishing.shown import counted, interval, least, most, value_of
from training.undated.peers import TITLES

__all__ = [
    "LOGISTIC",
    "audit_misses",
    "audit_reached",
    "coverage_base",
    "coverage_misses",
    "coverage_reached",
    "error_misses",
    "error_reached",
    "hubspot_base",
    "hubspot_leads",
    "hubspot_misses",
    "ingest_misses",
    "ingest_reached",
    "market_base",
    "number_misses",
    "number_reached",
    "small_base",
    "small_misses",
    "small_reached",
    "undated_base",
    "undated_misses",
    "undated_reached",
]

Found = Mapping[str, Any]

LOGISTIC: Final = {
    "logistic_regression": "on the plain scale",
    "logistic_regression_logarithms": "on logarithms",
    "logistic_regression_tuned": "tuned, on logarithms of our columns",
}
"""The logistic regressions by column, in words."""

_KINDS: Final = ("fit", "intent")


def hubspot_base(found: Found) -> str:
    """The base rate of the reported cutoffs."""
    events, rows = (sum(one[name] for one in found["cutoffs"]) for name in ("events", "accounts"))
    return f"{events / rows:.4f} ({events} of {rows:,})"


def hubspot_leads(found: Found) -> str:
    """How far ROC AUC is above each logistic regression."""
    return "; ".join(
        f"{title}: {interval(found['spearfish_minus'][name]['roc_auc'], sign=True)}"
        for name, title in LOGISTIC.items()
        if name in found["spearfish_minus"]
    )


def hubspot_misses(found: Found) -> str:
    """The floor is to be better with certainty than logistic regression, of which there are three."""
    leads = {name: found["spearfish_minus"].get(name) for name in LOGISTIC}
    unsure = [LOGISTIC[name] for name, lead in leads.items() if lead and lead["roc_auc"]["low"] <= 0]
    return f"floor (against the one {', and the one '.join(unsure)})" if unsure else ""


def market_base(found: Found) -> str:
    """The base rate of both kinds of model."""
    return ", ".join(f"{kind} {interval(found['roc_auc'][kind]['base_rate'])}" for kind in _KINDS)


def error_reached(found: Found) -> str:
    """The calibration error of both kinds of model."""
    return ", ".join(f"{kind} {interval(found['roc_auc'][kind]['calibration_error'])}" for kind in _KINDS)


def error_misses(found: Found) -> str:
    """The worse of both kinds of model counts."""
    return most(
        max(found["roc_auc"][kind]["calibration_error"]["mean"] for kind in _KINDS), floor=0.02, aim=0.01
    )


def coverage_base(found: Found) -> str:
    """The base rate of both kinds of model, on the small markets."""
    return ", ".join(f"{kind} {interval(one['base_rate'])}" for kind, one in found["kinds"].items())


def coverage_reached(found: Found) -> str:
    """Coverage by size of market and kind of model."""
    return "; ".join(
        f"{accounts:,} accounts: "
        + ", ".join(f"{kind} {interval(one['ways']['used']['coverage'])}" for kind, one in kinds.items())
        for accounts, kinds in _coverage_blocks(found)
    )


def coverage_misses(found: Found) -> str:
    """The worst of the sizes and kinds counts."""
    worst = max(
        abs(one["ways"]["used"]["coverage"]["mean"] - found["nominal"])
        for _, kinds in _coverage_blocks(found)
        for one in kinds.values()
    )
    return most(worst, floor=0.05, aim=0.03)


def _coverage_blocks(found: Found) -> Iterator[tuple[int, Found]]:
    yield found["accounts"], found["kinds"]
    if "larger" in found:
        yield found["larger"]["accounts"], found["larger"]["kinds"]


def undated_base(found: Found, *, choice: str) -> str:
    """The base rate of a list without dates."""
    one = found["choices"][choice]
    return f"{one['base_rate']:.3f} ({one['events']:,} of {one['rows']:,})"


def undated_reached(found: Found, *, choice: str, floor: str) -> str:
    """Ours, the best peer, and the paired differences to both the best peer and the one that is the floor."""
    one = found["choices"][choice]
    told = [interval(one["metrics"]["spearfish"]["roc_auc"], digits=4)]
    for name in dict.fromkeys((_best_peer(one), floor)):
        ours_less = interval(one["spearfish_minus"][name]["roc_auc"], digits=4, sign=True)
        peer = interval(one["metrics"][name]["roc_auc"], digits=4)
        told.append(f"{TITLES[name]} {peer}, ours less it {ours_less}")
    return "; ".join(told)


def undated_misses(found: Found, *, choice: str, least_auc: float, floor: str) -> str:
    """The floor: so much, and surely above a peer; the aim: above every peer."""
    one = found["choices"][choice]
    own, leads = value_of(one["metrics"]["spearfish"]["roc_auc"]), one["spearfish_minus"]
    if own < least_auc or leads[floor]["roc_auc"]["low"] <= 0:
        return "floor"
    return least(value_of(leads[_best_peer(one)]["roc_auc"]), floor=-1, aim=0)


def _best_peer(choice: Found) -> str:
    peers: list[str] = [name for name in choice["metrics"] if name != "spearfish"]
    return max(peers, key=lambda name: value_of(choice["metrics"][name]["roc_auc"]))


def small_base(found: Found) -> str:
    """The base rate of each list."""
    return ", ".join(f"{_list(name)} {one['base_rate']:.3f}" for name, one in found["curves"].items())


def small_reached(found: Found) -> str:
    """By list, the size and the peer to which it loses most, or of which it is least ahead."""
    told = []
    for name, one in found["curves"].items():
        leads = [
            (lead, f"{_list(name)}, {int(size):,} rows, {TITLES[peer]}")
            for size, peers in one["spearfish_minus"].items()
            for peer, lead in peers.items()
        ]
        lead, where = min(leads, key=lambda one: value_of(one[0]))
        told.append(f"{where}: {interval(lead, digits=4, sign=True)}")
    return f"worst of each list: {'; '.join(told)}"


def small_misses(found: Found) -> str:
    """Where it surely loses."""
    lost = [
        f"{_list(name)} {int(size):,} rows"
        for name, one in found["curves"].items()
        for size, leads in one["spearfish_minus"].items()
        if any(lead["high"] < 0 for lead in leads.values())
    ]
    return f"floor ({', '.join(lost)})" if lost else ""


def _list(name: str) -> str:
    return name.partition(":")[0].replace("_", " ")


def audit_reached(found: Found) -> str:
    """What was found of the late columns and the identifiers, and what was named wrongly."""
    one = found["lists"]["X Education leads"]
    split = (one["late"], one["identifiers"])
    found_of = (f"{len(part['found'])} of {len(part['found']) + len(part['missed'])}" for part in split)
    return f"{', '.join(found_of)}, {len(one['wrong'])} wrong"


def audit_misses(found: Found) -> str:
    """Six late columns and both identifiers, at most two wrong; the aim is no fault at all."""
    one = found["lists"]["X Education leads"]
    late, identifiers, wrong = (
        len(part) for part in (one["late"]["found"], one["identifiers"]["missed"], one["wrong"])
    )
    if late < 6 or identifiers or wrong > 2:
        return "floor"
    return "aim" if one["late"]["missed"] or wrong else ""


def number_reached(found: Found) -> str:
    """How far the number of hidden positives is off, and how often it is near."""
    one, markets = found["at_random"], len(found["seeds"])
    near = interval(counted(round(one["number_within_20_percent"] * markets), markets), digits=2)
    return f"off by {interval(one['number_off_by'])}; within .2 in {near} of {markets} markets"


def number_misses(found: Found) -> str:
    """How far it is off, on average."""
    return most(found["at_random"]["number_off_by"]["mean"], floor=0.2, aim=0.1)


def ingest_reached(found: Found) -> str:
    """The speed of ingest by shape of file, and its memory."""
    shapes = ", ".join(f"{run['ratio']:.3f} ({run['shape']})" for run in found["runs"])
    return f"{shapes}; {max(run['peak_megabytes'] for run in found['runs']) / 1000:.1f} GB"


def ingest_misses(found: Found) -> str:
    """By shape of file, where something is missed."""
    missed = {run["shape"]: least(run["ratio"], floor=1 / 3, aim=2 / 3) for run in found["runs"]}
    return ", ".join(f"{what} ({shape})" for shape, what in missed.items() if what)
