"""A model as the page shows it: what it is, whether it works, how sure that is, what to do, and all beneath.

Turns a training into what the template reads. Time rule: figures are of the later slices. Null rule: what was
not measured is left out, or says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from features.origin_report import share
from features.privacy.counts import assumed_sentences
from features.settings import GRADES
from models.card import Kind, ModelKey, kind_of, name_of
from training.audit.finding import KINDS, Audit
from training.backtesting.directions import cost_sentence
from training.backtesting.evaluate import Estimate, Measured
from training.contributions import Contributions
from training.fit import Training
from training.meanings import label_notes
from training.origins.check import OriginCheck
from training.plots import beeswarm as draw_beeswarm
from training.plots import png_once
from training.report.charts import (
    calibration_chart,
    decile_chart,
    effect_charts,
    png_chart,
    ranking_charts,
)
from training.report.data import data_rows, quarter_rows
from training.report.first_screen import first_screen
from training.report.learning_curve import curve_section
from training.report.rivals import Rivals, find_rivals, rival_chart, rival_rows
from training.report.segments import Segment, segments
from training.report.shares import conversions, digits_of
from training.report.shift import shifts

__all__ = ["conversion_rows", "metric_rows", "model_section", "rated_tenths", "title_of"]

_TITLES: dict[Kind, str] = {"fit": "ICP fit", "intent": "Buying intent"}
_WORDS = {
    "roc_auc": ("Ranking (ROC AUC)", "how often an account with the event is ranked above one without"),
    "pr_auc": ("Precision averaged over recall (PR AUC)", "the base is the share of events"),
    "precision_at_k": ("Precision among the top {k}", "share of the best-ranked with the event"),
    "recall_at_k": ("Recall among the top {k}", "share of all events that the best-ranked hold"),
    "lift_at_k": ("Lift among the top {k}", "events among the best-ranked against all"),
    "brier": ("Brier score", "squared error of the probability; lower is better"),
    "log_loss": ("Log loss", "surprise at what happened; lower is better"),
    "calibration_slope": ("Calibration slope", "1 when probabilities are neither too bold nor too timid"),
    "calibration_error": ("Calibration error", "mean gap between predicted and observed rates"),
}
_STRONGEST = 12
_REPLICATES = 300
_DECILES = tuple(str(place) for place in range(1, 11))
_SHIFTED = 10
_LARGE, _SOME = 0.25, 0.1


def title_of(key: ModelKey) -> str:
    """A model in words, as in ICP fit or ICP fit, emea."""
    name = name_of(key)
    return _TITLES[kind_of(key)] + (f", {name}" if name else "")


def model_section(
    training: Training,
    *,
    metrics: Mapping[str, Estimate],
    check: OriginCheck | str | None = None,
    beeswarm: Figure | None = None,
    cost: Measured | None = None,
) -> dict[str, Any]:
    """What the template reads of a model. beeswarm: where it is drawn already.

    cost: with the declared monotone effects and without, where they are declared.
    """
    card, later = training.bundle.card, training.learned.later
    grades, deciles = _grades(training), rated_tenths(later)
    audit = Audit.from_json(card["audit"]) if "audit" in card else None
    contributions = Contributions.of(training)
    swarm = png_chart(
        png_once(beeswarm or draw_beeswarm(training, contributions=contributions)),
        title="What each feature does, account by account",
        words="Each dot is an account: to the right the feature raises the score, to the left it lowers it. "
        "Its colour tells the value: from low (blue) to high (orange), grey where it is unknown.",
    )
    base, rivals = float(later["label"].mean()), find_rivals(training)
    return {
        "title": title_of(training.key),
        "anchor": training.key.replace(".", "-"),
        "version": training.bundle.version,
        "first": first_screen(training, metrics=metrics, grades=grades, audit=audit, rivals=rivals),
        "grades": list(conversion_rows(grades)),
        "metrics": list(metric_rows(metrics)),
        "charts": [
            *ranking_charts(later, metrics=metrics),
            calibration_chart(deciles, metrics=metrics),
            decile_chart(deciles, base=base),
        ],
        "deciles": list(conversion_rows(deciles)),
        "rivals": None if rivals is None else _beside(rivals),
        "curve": curve_section(training),
        "key": training.key,
        "cost": "" if cost is None else cost_sentence(cost),
        "features": list(_feature_rows(contributions)),
        "beeswarm": swarm,
        "effects": list(effect_charts(contributions)),
        "segments": list(_segment_rows(training)),
        "shifts": list(_shift_rows(training)),
        "audit": audit,
        "checked": [] if audit is None else [(KINDS[kind], told) for kind, told in audit.checked.items()],
        "origin": _origin(training, check=check),
        "data": list(data_rows(training)),
        "quarters": list(quarter_rows(training.rows.frame)),
        "counts": [(what.replace("_", " "), f"{count:,}") for what, count in training.counts.items()],
        "notes": [note.removeprefix(f"{card['name']}: ") for note in label_notes(card)],
        "assumed": assumed_sentences(card.get("consent_assumed", {})),
        "card": list(_card_rows(training)),
        "parameters": list(card["parameters"].items()),
        "later": f"{len(later):,} rows from {_day(later['as_of'].min())} to {_day(later['as_of'].max())}",
        "base_rate": f"{base:.1%}",
    }


def _beside(rivals: Rivals) -> dict[str, Any]:
    """The model and what it has to beat, as a table and a picture."""
    return {
        "rows": list(rival_rows(rivals.measured)),
        "chart": rival_chart(rivals.measured),
        "facts": f"{rivals.rows:,} rows from {rivals.since} on, {rivals.events:,} of them with the event",
        "base_rate": f"{rivals.base_rate:.1%}",
    }


def _grades(training: Training) -> pd.DataFrame:
    later, bundle = training.learned.later, training.bundle
    scores = bundle.reference.scores(later["probability"].to_numpy())
    rows = later.assign(grade=bundle.cuts.grades(scores))
    return conversions(rows, grades=GRADES, replicates=_REPLICATES)


def rated_tenths(later: pd.DataFrame) -> pd.DataFrame:
    """As `conversions`, by tenth of the rows, the best first, with the mean probability as `predicted`.

    later: account_id, label, probability. Of fewer than ten rows some tenths have none.
    """
    ordered = later.sort_values("probability", ascending=False, kind="stable")
    place = pd.Series(range(len(ordered)), index=ordered.index) * len(_DECILES) // max(1, len(ordered))
    rows = ordered.assign(grade=(place + 1).astype(str))
    found = conversions(rows, grades=_DECILES, replicates=_REPLICATES)
    return found.assign(predicted=rows.groupby("grade")["probability"].mean())


def conversion_rows(found: pd.DataFrame) -> Iterator[dict[str, str]]:
    """What the table of grades or tenths reads; those without rows are left out."""
    form = f".{digits_of(float(found['base'].iloc[0]))}%"
    for name, row in found[found["accounts"] > 0].iterrows():
        yield {
            "name": str(name),
            "rows": f"{int(row['accounts']):,}",
            "events": f"{int(row['events']):,}",
            "conversion": f"{row['conversion']:{form}}",
            "interval": _bounds(row["low"], row["high"], form=form),
            "lift": f"{row['lift']:.2f}",
            "lift_interval": _bounds(row["lift_low"], row["lift_high"], form=".2f"),
        }


def _bounds(low: float, high: float, *, form: str) -> str:
    """An interval; nothing where there is none."""
    return "" if np.isnan(low) else f"{low:{form}} to {high:{form}}"


def metric_rows(metrics: Mapping[str, Estimate], *, top_k: int = 10) -> Iterator[dict[str, str]]:
    """What the table of measures reads. top_k: how many are the best-ranked."""
    for name, (title, words) in _WORDS.items():
        if name in metrics:
            found = metrics[name]
            yield {
                "title": title.format(k=top_k),
                "words": words,
                "value": found.shown,
                "interval": found.bounds,
                "base": f"{found.base:.3f}",
            }


def _feature_rows(contributions: Contributions) -> Iterator[dict[str, Any]]:
    strongest = contributions.importance.head(_STRONGEST)
    longest = float(strongest.max()) or 1.0
    for name, value in strongest.items():
        feature = contributions.catalogue.feature(str(name))
        yield {
            "name": name,
            "group": feature.group,
            "mark": "current value only" if feature.current_value_only else "",
            "value": f"{value:.3f}",
            "width": round(100 * value / longest),
        }


def _segment_rows(training: Training) -> Iterator[dict[str, Any]]:
    later = training.learned.later
    X = training.rows.X[later["position"].to_numpy()]
    found: dict[str, list[Segment]] = {}
    for one in segments(later.reset_index(drop=True), X, catalogue=training.rows.catalogue):
        found.setdefault(one.by, []).append(one)
    for by, parts in found.items():
        if len(parts) > 1:
            yield {"by": by, "rows": [_segment_row(one) for one in parts]}


def _segment_row(one: Segment) -> dict[str, Any]:
    ranking = "too few" if one.ranking is None else one.ranking.shown
    weak = one.ranking is not None and one.ranking.high < 0.5
    ratio = one.ratio
    return {
        "name": one.name,
        "rows": f"{one.rows:,}",
        "events": f"{one.events:,}",
        "base": f"{one.base_rate:.1%}",
        "ranking": ranking,
        "interval": "" if one.ranking is None else one.ranking.bounds,
        "ratio": "-" if np.isnan(ratio.value) else f"{ratio.value:.2f}",
        "ratio_interval": _bounds(ratio.low, ratio.high, form=".2f"),
        "weak": weak,
    }


def _shift_rows(training: Training) -> Iterator[dict[str, str]]:
    for one in shifts(training, least=_SOME)[:_SHIFTED]:
        yield {
            "name": one.feature.name,
            "group": one.feature.group,
            "psi": f"{one.found.psi:.2f}",
            "chance": f"{one.found.by_chance:.2f}",
            "word": "large" if one.found.psi >= _LARGE else "some",
        }


def _card_rows(training: Training) -> Iterator[tuple[str, str]]:
    card, bundle = training.bundle.card, training.bundle
    yield "name and version", f"{bundle.name} {bundle.version}"
    yield "the probability is", card["meaning"]["en"]
    yield "the event", card["label"].replace("_", " ")
    yield "horizon", f"{card['horizon_days']} days" if card["horizon_days"] else "none"
    yield "learned from what was known before", card["cutoff"]
    yield "base rate of the rows", f"{card['base_rate']:.1%}"
    yield (
        "kind",
        "gradient boosted trees (LightGBM), calibrated linearly on the log-odds"
        + ("" if bundle.linear is None else ", grown upon lines"),
    )
    if "interval" in card:
        yield "intervals", card["interval"]["meaning"]["en"]
    yield "made for", "ranking accounts and choosing whom to work on, by people who read the reasons"
    yield "not made for", "decisions about single persons, or accounts unlike those it learned from"
    yield "trained with", f"LightGBM {card['lightgbm_version']} on {card['machine']}"
    yield "data", card["data_fingerprint"][:12]


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


def _day(moment: pd.Timestamp) -> str:
    return moment.date().isoformat()
