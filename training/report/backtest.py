"""The page of a backtest: what a model would have said at past dates, and what then happened, in pictures.

Turns a backtest, by cutoffs or by folds, into one self-contained page with the charts and tables that a
training's report has. Time rule: that of the backtest; where time was not tested the page says so first. Null
rule: a figure that rows do not define is a dash, and a date at which nothing happened has no ranking.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from features.errors import ConfigError
from features.model_keys import Kind, kind_of
from features.privacy.counts import assumed_sentences
from training.backtesting.directions import competing, cost_sentence
from training.backtesting.evaluate import Measured
from training.backtesting.metrics import PROBABILITY_METRICS, RANKING_METRICS
from training.backtesting.report import RANKERS, BacktestReport
from training.meanings import about
from training.report.charts import calibration_chart, decile_chart, ranking_charts
from training.report.dates import dates_section
from training.report.first_screen import beside, headline, sure, works
from training.report.model import conversion_rows, metric_rows, title_of
from training.report.page import render
from training.report.rivals import Rivals, rival_chart, rival_rows
from training.report.shares import digits_of, with_exact
from training.report.warned import warned_section, warned_sentence
from training.undated.peers import TITLES
from training.undated.report import NOT_TESTED, ColumnsReport, UndatedReport

__all__ = ["check_page", "write_backtest"]


def check_page(path: Path) -> None:
    """ConfigError for a page that cannot be written, before the work is done."""
    if path.suffix.lower() != ".html":
        raise ConfigError(
            "a report is a page", got=repr(path.suffix), allowed="a name that ends in .html", fix="rename it"
        )
    if path.is_dir() or not path.parent.is_dir():
        raise ConfigError("not a file in a folder that exists", got=path, fix="name another file")


def write_backtest(report: BacktestReport | UndatedReport, *, path: Path, name: str) -> None:
    """Write the page. name: of the workspace. Raises ConfigError for a file that cannot be written."""
    page = _undated_page(report) if isinstance(report, UndatedReport) else _dated_page(report)
    try:
        path.write_text(render("backtest.html.j2", name=name, **page), encoding="utf-8")
    except OSError as error:
        raise ConfigError("cannot write the report", got=error, fix="name another file") from error


def _dated_page(report: BacktestReport) -> dict[str, Any]:
    title = title_of(report.key or report.kind)
    of = title if "ours" not in report.predictions.columns else report.title
    moments = [_day(moment) for moment in report.learned_from]
    notes = [note for note in (report.note, *report.notes, *assumed_sentences(report.assumed)) if note]
    if report.development:
        notes.append("these dates are those for choosing, and figures of what was chosen on them flatter")
    section = _section(
        report.predictions,
        measured=report.measured,
        grades=report.grades,
        deciles=report.deciles,
        kind=report.kind,
        top_k=report.top_k,
        names={**RANKERS, "probability": report.title},
    )
    section["first"]["what"] = _asked(report, moments=moments)
    section["first"]["early"] = "" if report.warning is None else warned_sentence(report.warning)
    return {
        "of": of,
        "tested": f"at {len(moments)} past {_date_or_dates(len(moments))}, {_between(moments)}",
        "notes": [_sentence(note) for note in notes],
        "time_tested": True,
        "sections": [
            {
                **section,
                "title": of,
                "anchor": "model",
                "dates": dates_section(report.predictions, learned_from=report.learned_from),
                "warning": None if report.warning is None else warned_section(report.warning),
            }
        ],
    }


def _undated_page(report: UndatedReport) -> dict[str, Any]:
    folds = f"{report.repeats} x {report.folds} folds"
    return {
        "of": title_of(report.key),
        "tested": f"by {folds}, without dates",
        "notes": [NOT_TESTED, *map(_sentence, assumed_sentences(report.assumed))],
        "time_tested": False,
        "sections": list(_choices(report, folds=folds)),
    }


def _choices(report: UndatedReport, *, folds: str) -> Iterator[dict[str, Any]]:
    several = len(report.choices) > 1
    for number, (name, choice) in enumerate(report.choices.items()):
        rows = choice.predictions.assign(
            account_id=choice.predictions["group"],
            cutoff=choice.predictions["repeat"] * report.folds + choice.predictions["fold"],
        )
        section = _section(
            rows,
            measured=choice.measured,
            grades=choice.grades,
            deciles=choice.deciles,
            kind=kind_of(report.key),
            top_k=choice.top_k,
            names=TITLES,
        )
        section["first"]["what"] = _folded(choice, folds=folds, of=about(report.about))
        section["first"]["early"] = ""
        # Each repeat asks of the same rows again, which makes them no more; and folds know no later.
        once = rows[rows["repeat"] == rows["repeat"].min()]
        section["first"]["sure"] = sure(once, metrics=choice.measured.estimates["probability"], kind="other")
        shown = title_of(report.key) + (f", columns “{name.replace('_', ' ')}”" if several else "")
        yield {**section, "title": shown, "anchor": f"model-{number}", "dates": None, "warning": None}


def _section(
    rows: pd.DataFrame,
    *,
    measured: Measured,
    grades: pd.DataFrame,
    deciles: pd.DataFrame,
    kind: Kind,
    top_k: int,
    names: Mapping[str, str],
) -> dict[str, Any]:
    """What both kinds of backtest have. rows: account_id, cutoff, label, probability, grade, decile."""
    told, rate = competing(measured), float(rows["label"].mean())
    metrics = told.estimates["probability"]
    found = with_exact(grades, rows=rows)
    tenths = with_exact(deciles, rows=rows.assign(grade=rows["decile"]))
    tenths = tenths.assign(predicted=rows.groupby("decile")["probability"].mean())
    shown = metrics["roc_auc"].low > 0.5
    rivals = Rivals(told, len(rows), int(rows["label"].sum()), "") if told.ahead else None
    return {
        "first": {
            **headline(kind, grades=found, base=rate),
            "tone": "good" if shown else "bad",
            "word": "Works" if shown else "Not shown to work",
            "works": works(metrics["roc_auc"], grades=found),
            "simpler": "" if rivals is None else beside(rivals, of="these predictions"),
            "sure": sure(rows, metrics=metrics),
        },
        "base_rate": f"{rate:.{digits_of(rate)}%}",
        "pr_base": f"{metrics['pr_auc'].base:.3f}",
        "rows": f"{len(rows):,}",
        "charts": [
            *ranking_charts(rows, metrics=metrics),
            calibration_chart(tenths, metrics=metrics),
            decile_chart(tenths, base=rate),
        ],
        "metrics": list(
            metric_rows({one: metrics[one] for one in (*RANKING_METRICS, *PROBABILITY_METRICS)}, top_k=top_k)
        ),
        "rivals": None
        if rivals is None
        else {"rows": list(rival_rows(told, names=names)), "chart": rival_chart(told, names=names)},
        "grades": list(conversion_rows(found)),
        "deciles": list(conversion_rows(tenths)),
        "cost": cost_sentence(measured),
    }


def _asked(report: BacktestReport, *, moments: list[str]) -> str:
    rows, accounts = len(report.predictions), report.predictions["account_id"].nunique()
    when = "that date" if len(moments) == 1 else "each of these dates"
    event = report.event.replace("_", " ")
    what = (
        f"whether opportunities that were opened in the next {report.horizon_days} days would be won"
        if report.kind == "fit"
        else f"which accounts would have the event ({event}) within {report.horizon_days} days"
    )
    return (
        f"A test against history: at {when} the model was trained anew, from nothing but what was known "
        f"then, and asked {what}. {rows:,} predictions of {accounts:,} accounts were then held against what "
        "happened."
    )


def _folded(choice: ColumnsReport, *, folds: str, of: str) -> str:
    return (
        f"{choice.rows:,} opportunities that were won or lost{of}, told from {len(choice.features):,} "
        f"features: in {folds} each was predicted by a model that had learned from the others, equal ones "
        "kept together."
    )


def _between(moments: list[str]) -> str:
    return moments[0] if len(moments) == 1 else f"{moments[0]} to {moments[-1]}"


def _date_or_dates(count: int) -> str:
    return "date" if count == 1 else "dates"


def _sentence(note: str) -> str:
    return f"{note[0].upper()}{note[1:]}{'' if note.endswith('.') else '.'}"


def _day(moment: datetime) -> str:
    return moment.date().isoformat()
