"""The report of a training: one self-contained page that a marketing manager can read.

Turns trainings and their metrics into HTML with inline plots; nothing is loaded from anywhere. Time rule:
figures are from later slices than the rows that were learned from. Null rule: a model that could not be
trained is named with the reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from features.origin_report import share
from features.privacy.counts import assumed_sentences
from features.settings import GRADES
from features.workspace import Workspace
from models.bundle import Kind
from training.audit.finding import Audit
from training.evaluate import Estimate, grade_conversion
from training.fit import Training, Untrained
from training.origin_check import OriginCheck
from training.plots import as_svg, curves, importance

__all__ = ["write_report"]

_TITLES: dict[Kind, str] = {"fit": "ICP fit", "intent": "Buying intent"}
_WORDS = {
    "roc_auc": ("Ranking (ROC AUC)", "how often an account with the event is ranked above one without"),
    "pr_auc": ("Precision averaged over recall (PR AUC)", "the base is the share of events"),
    "lift_at_k": ("Lift among the top {k}", "events among the best-ranked against all"),
    "brier": ("Brier score", "squared error of the probability; lower is better"),
    "calibration_slope": ("Calibration slope", "1 when probabilities are neither too bold nor too timid"),
    "calibration_error": ("Calibration error", "mean gap between predicted and observed rates"),
}
_STRONGEST = 12


def write_report(
    workspace: Workspace,
    found: Sequence[Training | Untrained],
    *,
    metrics: Mapping[Kind, Mapping[str, Estimate]],
    cutoff: datetime,
    name: str,
    origins: Mapping[Kind, OriginCheck | str] | None = None,
) -> Path:
    """Write the page to the workspace's `reports/`, named by cutoff and content; returns its path.

    origins: by model, how well the origin of an account could be told, or why that could not be measured.
    """
    checks = origins or {}
    template = _environment().get_template("report.html.j2")
    page = template.render(
        name=name,
        cutoff=cutoff.date().isoformat(),
        models=[
            _model(one, metrics=metrics[one.kind]) | {"origin": _origin(one, check=checks.get(one.kind))}
            for one in found
            if isinstance(one, Training)
        ],
        absent=[
            {"title": _TITLES[one.kind], "reason": one.reason} for one in found if isinstance(one, Untrained)
        ],
    )
    folder = workspace.home / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(page.encode()).hexdigest()[:8]
    path = folder / f"training-{cutoff.date().isoformat()}-{digest}.html"
    path.write_text(page, encoding="utf-8")
    return path


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )


def _model(training: Training, *, metrics: Mapping[str, Estimate]) -> dict[str, Any]:
    card = training.bundle.card
    return {
        "title": _TITLES[training.kind],
        "version": training.bundle.version,
        "meaning": card["meaning"]["en"],
        "label": card["label"].replace("_", " "),
        "base_rate": f"{card['base_rate']:.1%}",
        "headline": _headline(training, metrics=metrics),
        "counts": [(what.replace("_", " "), f"{count:,}") for what, count in training.counts.items()],
        "metrics": list(_metric_rows(metrics)),
        "grades": list(_grade_rows(training)),
        "features": list(_feature_rows(training)),
        "plots": as_svg(curves(training.learned.later)),
        "audit": Audit.from_json(card["audit"]) if "audit" in card else None,
        "parameters": list(card["parameters"].items()),
        "assumed": assumed_sentences(card.get("consent_assumed", {})),
    }


def _origin(training: Training, *, check: OriginCheck | str | None) -> dict[str, Any] | None:
    """Whether the model could have learned where accounts come from; None when they come from one place."""
    facts = training.bundle.card.get("origins")
    if facts is None:
        return None
    told = {"left_out": list(facts["left_out"].items()), "kept": list(facts["kept"].items())}
    if check is None or isinstance(check, str):
        return told | {"verdict": check or "", "sides": (), "columns": [], "facts": ""}
    counts = ", ".join(f"{count:,} {side}" for side, count in check.accounts.items())
    left = f"{check.several:,} of several origins are left out"
    return told | {
        "verdict": check.verdict,
        "sides": check.sides,
        "facts": f"{counts} accounts of one origin (base rate {share(check.base_rate)}); {left}."
        f" By emptiness alone: ROC AUC {check.by_emptiness}.",
        "columns": [
            (
                one.column,
                f"{one.alone:.3f}",
                f"{one.lost:.3f}",
                *(share(one.filled[side]) for side in check.sides),
            )
            for one in check.columns[:_STRONGEST]
        ],
    }


def _headline(training: Training, *, metrics: Mapping[str, Estimate]) -> str:
    rates = {row["grade"]: row for row in _grade_rows(training)}
    auc = metrics["roc_auc"]
    return (
        f"Accounts of grade A had the event {rates['A']['conversion']} of the time, those of grade D "
        f"{rates['D']['conversion']}. Of two accounts, one with the event and one without, the model ranks "
        f"the right one first {auc.value:.0%} of the time "
        f"(95 % interval {auc.low:.0%} to {auc.high:.0%}; chance: 50%)."
    )


def _metric_rows(metrics: Mapping[str, Estimate]) -> Iterator[dict[str, str]]:
    for name, (title, words) in _WORDS.items():
        found = metrics[name]
        yield {
            "title": title.format(k=10),
            "words": words,
            "value": f"{found.value:.3f}",
            "interval": f"{found.low:.3f} to {found.high:.3f}",
            "base": f"{found.base:.3f}",
        }


def _grade_rows(training: Training) -> Iterator[dict[str, str]]:
    later, bundle = training.learned.later, training.bundle
    scores = bundle.reference.scores(later["probability"].to_numpy())
    rows = later.assign(grade=bundle.cuts.grades(scores))
    for grade, row in grade_conversion(rows, grades=GRADES, replicates=300).iterrows():
        yield {
            "grade": str(grade),
            "accounts": f"{int(row['accounts']):,}",
            "events": f"{int(row['events']):,}",
            "conversion": f"{row['conversion']:.1%}",
            "interval": f"{row['low']:.1%} to {row['high']:.1%}",
            "lift": f"{row['lift']:.2f}",
        }


def _feature_rows(training: Training) -> Iterator[dict[str, Any]]:
    strongest = importance(training).head(_STRONGEST)
    longest = float(strongest.max()) or 1.0
    for name, value in strongest.items():
        feature = training.bundle.catalogue.feature(str(name))
        yield {
            "name": name,
            "group": feature.group,
            "mark": "current value only" if feature.current_value_only else "",
            "value": f"{value:.3f}",
            "width": round(100 * value / longest),
        }
