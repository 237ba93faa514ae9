"""The published figures: what `results/*.json` says, as the tables of the README.

Turns result files into Markdown between two marks of the README. Time rule: none. Null
rule: a result that is not there has no table.

    python -m training.published
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from training.audit_figures import audit_figures
from training.backtest_report import RANKERS
from training.results import ROOT
from training.title_figures import title_figures
from training.undated_figures import small_figures, undated_figures

__all__ = ["figures", "published"]

START, END = "<!-- published: figures -->\n", "<!-- published: end -->"
_SHOWN = ("roc_auc", "pr_auc", "precision_at_k", "recall_at_k")
_KINDS = {"fit": "ICP fit", "intent": "buying intent"}


def figures(results: Path) -> str:
    """Every table, in Markdown."""
    parts = []
    for name, render in _TABLES.items():
        path = results / f"{name}.json"
        if path.is_file():
            parts.append("\n".join(render(json.loads(path.read_text(encoding="utf-8")))))
    return "\n\n".join(parts) + "\n"


def published(readme: str, *, results: Path) -> str:
    """The README's text with the present figures between its marks."""
    before, _, rest = readme.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}{figures(results)}{END}{after}"


def _hubspot(found: Mapping[str, Any]) -> Iterator[str]:
    cutoffs = found["cutoffs"]
    events, rows = sum(one["events"] for one in cutoffs), sum(one["accounts"] for one in cutoffs)
    yield (
        f"**HubSpot free tier**: who of the free companies pays within {found['horizon_days']} days; "
        f"{len(cutoffs)} cutoffs, {events} events among {rows:,} rows (base rate {events / rows:.2%}), "
        f"mean over cutoffs, {found['seeds']} seeds, 95 % intervals by company."
    )
    yield ""
    yield f"| ranker | ROC AUC | PR AUC | precision at {found['top_k']} | recall at {found['top_k']} |"
    yield "|---|---|---|---|---|"
    for ranker, title in RANKERS.items():
        # The report's own name for the model's probabilities.
        metrics = found["metrics"].get("spearfish" if ranker == "probability" else ranker)
        if metrics is not None:
            shown = " | ".join(_interval(metrics[name]["value"], metrics[name]) for name in _SHOWN)
            yield f"| {title} | {shown} |"
    yield ""
    for ranker, metrics in found["spearfish_minus"].items():
        if ranker.startswith("logistic_regression"):
            lead = metrics["roc_auc"]
            verdict = "better" if lead["low"] > 0 else "not shown to be better"
            yield f"ROC AUC above {RANKERS[ranker]}: {_interval(lead['value'], lead)}, {verdict}."


def _market(found: Mapping[str, Any]) -> Iterator[str]:
    seeds = found["seeds"]
    yield (
        f"**Simulated markets**: trained on {found['accounts']:,} accounts, judged on "
        f"{found['test_accounts']:,} others; {len(seeds)} markets (seeds {seeds[0]} to {seeds[-1]}), "
        "mean ROC AUC with 95 % intervals."
    )
    yield ""
    yield "| model | Spearfish | logistic regression | best possible | gap to the best | above logistic |"
    yield "|---|---|---|---|---|---|"
    for kind, title in _KINDS.items():
        row = found["roc_auc"][kind]
        names = ("model", "logistic_regression", "best", "gap_to_best", "ahead_of_logistic_regression")
        yield f"| {title} | " + " | ".join(_interval(row[name]["mean"], row[name]) for name in names) + " |"


def _identity(found: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"**Identity**: {found['copies']:,} companies with spoiled names and {found['look_alikes']:,} others "
        f"that only look alike, matched with {found['accounts']:,} accounts; 95 % intervals."
    )
    yield ""
    yield "| matched by | precision | recall | left for a person |"
    yield "|---|---|---|---|"
    for way, one in found["ways"].items():
        shares = " | ".join(_interval(one[name]["value"], one[name]) for name in ("precision", "recall"))
        yield f"| {way.replace('_', ' ')} | {shares} | {one['in_review']:,} |"


_TABLES: dict[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {
    "hubspot_free_tier": _hubspot,
    "simulated_market": _market,
    "identity": _identity,
    "job_titles": title_figures,
    "x_education_leads": partial(undated_figures, title="X Education"),
    "online_shoppers": partial(undated_figures, title="Online Shoppers"),
    "small_tables": small_figures,
    "audit": audit_figures,
}


def _interval(value: float, bounds: Mapping[str, float | None]) -> str:
    if bounds["low"] is None or bounds["high"] is None:
        return f"{value:.3f}"
    return f"{value:.3f} ({bounds['low']:.3f} to {bounds['high']:.3f})"


def main() -> None:
    """The command: bring the README up to date."""
    readme = ROOT / "README.md"
    readme.write_text(
        published(readme.read_text(encoding="utf-8"), results=ROOT / "results"), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
