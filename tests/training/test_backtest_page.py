"""The page of a backtest: the same figures as its tables, in pictures, on one page that stands alone."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from features.errors import ConfigError
from features.settings import GRADES
from training.backtesting.directions import cost_sentence
from training.backtesting.evaluate import Estimate, Measured, grade_conversion, measure
from training.backtesting.report import BacktestReport, Followed
from training.backtesting.warning import measure_warning
from training.checks.results import ROOT
from training.cli.app import app
from training.report.backtest import check_page, write_backtest
from training.report.charts import ranking_charts
from training.report.dates import dates_section
from training.undated.report import NOT_TESTED, ColumnsReport, UndatedReport

MOMENTS = tuple(datetime.fromisoformat(day) for day in ("2024-03-01", "2024-06-01", "2024-09-01"))
DECILES = tuple(str(place) for place in range(1, 11))


def predicted(*, quiet: bool = False) -> pd.DataFrame:
    """Three dates of sixty accounts; quiet: nothing happened at the last."""
    random = np.random.default_rng(3)
    parts = []
    for moment in MOMENTS:
        label = (np.arange(60) % 5 == 0).astype(np.int64)
        chance = np.clip(0.15 + 0.2 * label + random.normal(0, 0.1, 60), 0.01, 0.9)
        place = (-chance).argsort().argsort()
        parts.append(
            pd.DataFrame(
                {
                    "cutoff": pd.Timestamp(moment),
                    "account_id": [f"a{number}" for number in range(60)],
                    "label": 0 if quiet and moment == MOMENTS[-1] else label,
                    "probability": chance,
                    "recency": random.random(60),
                    "without_directions": np.clip(chance + random.normal(0, 0.05, 60), 0.01, 0.9),
                    "grade": [GRADES[min(3, one // 6)] for one in place],
                    "decile": [str(1 + one // 6) for one in place],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def measured_parts(rows: pd.DataFrame) -> dict[str, Any]:
    columns = ("probability", "recency", "without_directions")
    return {
        "predictions": rows,
        "measured": measure(
            rows, columns=columns, probabilities=("probability", "without_directions"), replicates=60
        ),
        "grades": grade_conversion(rows, grades=GRADES, replicates=60),
        "deciles": grade_conversion(rows.assign(grade=rows["decile"]), grades=DECILES, replicates=60),
        "top_k": 5,
    }


def made(*, quiet: bool = False, warned: bool = True) -> BacktestReport:
    rows = predicted(quiet=quiet)
    had = rows[rows["label"] == 1]
    days = pd.DataFrame(
        {
            "cutoff": had["cutoff"],
            "account_id": had["account_id"],
            "happened_at": had["cutoff"] + pd.Timedelta(days=40),
            "reachable": True,
            "probability": np.arange(len(had)) % 30 + 1.0,
            "recent_activity": np.arange(len(had)) % 10 * 1.0,
            "random": 0.0,
        }
    )
    capacities = dict.fromkeys(MOMENTS, 4)
    return BacktestReport(
        **measured_parts(rows),
        event="opportunity_created",
        horizon_days=90,
        seeds=1,
        single_seed_roc_auc=None,
        followed=Followed.of(rows),
        learned_from={moment: {"rows": 500, "events": 50} for moment in MOMENTS},
        newest_fact=datetime.fromisoformat("2025-02-01"),
        warning=measure_warning([days], capacities=capacities, replicates=60) if warned else None,
    )


def page_of(report: BacktestReport | UndatedReport, folder: Path) -> str:
    path = folder / "page.html"
    write_backtest(report, path=path, name="a_<market>")
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def report() -> BacktestReport:
    return made()


@pytest.fixture(scope="module")
def page(report: BacktestReport, tmp_path_factory: pytest.TempPathFactory) -> str:
    return page_of(report, tmp_path_factory.mktemp("page"))


def test_the_page_stands_alone_and_every_link_leads_somewhere(page: str) -> None:
    assert not re.findall(r"""(?:src|href)\s*=\s*["'](?!#|data:)""", page)
    assert not re.findall(r"url\(|@import|<script", page)
    anchors = set(re.findall(r'id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= anchors
    assert page.count("<img") == 5 + 2 + 1 + 3
    assert "a &lt;market&gt;" in page
    assert len(page.encode()) < 1_000_000


def test_its_figures_are_those_of_the_backtest(page: str, report: BacktestReport) -> None:
    ours = report.measured.estimates["probability"]
    for name in ("roc_auc", "pr_auc", "recall_at_k", "calibration_slope", "log_loss"):
        assert f'{ours[name].shown}</td><td class="n">{ours[name].bounds}' in page
    assert "Precision among the top 5" in page
    for _, row in report.grades.iterrows():
        assert f"{row['conversion']:.1%}</td>" in page
    assert "Spearfish without the declared monotone effects" not in page, "it is no rival"
    assert cost_sentence(report.measured) in page.replace("&#43;", "+")
    assert "days since the last action" in page
    assert "With 4 accounts a week to call, sales would have called 100% (100% to 100%) of the 36" in page


def test_each_date_has_its_own_line(report: BacktestReport) -> None:
    found = dates_section(report.predictions, learned_from=report.learned_from)
    assert [row[0] for row in found["rows"]] == ["2024-03-01", "2024-06-01", "2024-09-01"]
    rows = report.predictions[report.predictions["cutoff"] == pd.Timestamp(MOMENTS[1])]
    auc = roc_auc_score(rows["label"], rows["probability"])
    line = found["rows"][1]
    assert line[1:4] == ("500 rows, 50 events", "60", "12")
    assert line[4].startswith("20.00% (")
    assert line[5].startswith(f"{auc:.3f} (")
    assert [chart.title for chart in found["charts"]] == ["Ranking at each date", "Precision at each date"]
    assert "from " in found["charts"][0].words


def test_a_date_at_which_nothing_happened_has_a_base_rate_and_no_ranking(tmp_path: Path) -> None:
    quiet = made(quiet=True, warned=False)
    found = dates_section(quiet.predictions, learned_from=quiet.learned_from)
    # Of sixty accounts none: (1 - p)^60 = 0.025 at p = 0.0596.
    assert found["rows"][2][4:] == ("0.00% (0.00% to 5.96%)", "-", "-")
    told = page_of(quiet, tmp_path)
    assert "nan" not in re.sub(r'src="[^"]+"', "", told)
    assert "How early was it?" not in told


def test_the_best_tenth_is_that_of_each_date(report: BacktestReport) -> None:
    """Dates with higher probabilities throughout do not fill it alone."""
    rows = report.predictions
    raised = rows.assign(probability=rows["probability"] + 10.0 * (rows["cutoff"] == rows["cutoff"].max()))
    metrics = report.measured.estimates["probability"]
    words = [
        next(
            chart.words for chart in ranking_charts(one, metrics=metrics) if "best-ranked hold" in chart.title
        )
        for one in (rows, raised)
    ]
    assert words[0] == words[1]
    best = rows.groupby("cutoff")["probability"].rank(ascending=False) <= 6
    assert f"The best-ranked tenth holds {rows.loc[best, 'label'].sum() / 36:.0%}" in words[0]


def undated() -> UndatedReport:
    rows = predicted().assign(repeat=0)
    rows["fold"] = pd.factorize(rows["cutoff"])[0]
    rows["opportunity_id"] = [f"o{number}" for number in range(len(rows))]
    rows["group"] = pd.factorize(rows["account_id"])[0]
    parts = measured_parts(rows.drop(columns="recency").assign(lightgbm=rows["recency"]).assign(recency=0.5))
    choice = ColumnsReport(
        features=("size", "visits"),
        rows=60,
        events=12,
        different_rows=60,
        seconds={},
        parts=(),
        **parts,
    )
    named = {name: told for name, told in choice.measured.estimates.items() if name != "recency"}
    ahead = {name: told for name, told in choice.measured.ahead.items() if name != "recency"}
    plain = ColumnsReport(**{**vars(choice), "measured": Measured(named, ahead)})
    return UndatedReport({"early": plain, "all": plain}, folds=3, repeats=1, seed=0)


def test_folds_say_first_that_time_was_not_tested(tmp_path: Path) -> None:
    told = page_of(undated(), tmp_path)
    assert told.index(NOT_TESTED) < told.index("in detail")
    assert "ICP fit, columns “early”" in told
    assert "Date by date" not in told
    assert "Each fold is ranked by itself" in told


def test_repeats_make_no_more_examples_to_be_sure_by(tmp_path: Path) -> None:
    once = undated()
    choice = once.choices["all"]
    twice = pd.concat([choice.predictions, choice.predictions.assign(repeat=1)], ignore_index=True)
    again = UndatedReport({"all": replace(choice, predictions=twice)}, folds=3, repeats=2, seed=0)
    rows, events = len(choice.predictions), choice.predictions["label"].sum()
    for told in (page_of(once, tmp_path), page_of(again, tmp_path)):
        assert f"Checked on {rows} other examples that it had not learned from" in told
        assert f"it happened in {events} of them. These are few" in told


@pytest.mark.parametrize("width", [1440, 390])
def test_it_fits_wide_and_narrow_screens(
    browser: Browser, report: BacktestReport, tmp_path: Path, width: int
) -> None:
    page_of(report, tmp_path)
    context = browser.new_context(viewport={"width": width, "height": 900}, offline=True)
    opened = context.new_page()
    opened.goto((tmp_path / "page.html").as_uri())
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.evaluate("[...document.images].filter((each) => !each.naturalWidth).length") == 0
    context.close()


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (-0.02, -0.001, "They cost accuracy: ROC AUC 0.800 with them and 0.810 without"),
        (0.001, 0.02, "They make it better"),
        (-0.02, 0.01, "No cost in accuracy is shown"),
    ],
)
def test_what_monotone_effects_cost_in_a_sentence(low: float, high: float, words: str) -> None:
    told = {"probability": {"roc_auc": Estimate(0.8, 0.7, 0.9, 0.5)}}
    told["without_directions"] = {"roc_auc": Estimate(0.81, 0.7, 0.9, 0.5)}
    ahead = {"without_directions": {"roc_auc": Estimate(-0.01, low, high, 0.0)}}
    assert cost_sentence(Measured(told, ahead)).startswith(words)
    assert cost_sentence(Measured({"probability": told["probability"]}, {})) == ""


@pytest.mark.parametrize(
    ("name", "words"), [("page.pdf", "a report is a page"), ("no/page.html", "a folder")]
)
def test_a_page_that_cannot_be_written_is_refused_before_the_work(
    tmp_path: Path, name: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        check_page(tmp_path / name)


def test_the_command_writes_it(
    report: BacktestReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def found(*_: object, **given: Any) -> BacktestReport:
        asked.update(given)
        return report

    monkeypatch.setattr("training.undated.backtest.backtest_workspace", found)
    page = tmp_path / "page.html"
    config = ROOT / "configs" / "simulated_market.toml"
    arguments = ["backtest", "--config", str(config), "--workspace", str(tmp_path), "--report"]
    done = CliRunner().invoke(app, [*arguments, str(page)])
    assert done.exit_code == 0, done.output
    assert "Buying intent, tested on the past of" in page.read_text(encoding="utf-8")
    asked.clear()
    refused = CliRunner().invoke(app, [*arguments, str(tmp_path / "page.txt")])
    assert isinstance(refused.exception, ConfigError)
    assert not asked, "refused before the work"


def test_a_page_that_could_not_be_written_in_the_end_says_so(report: BacktestReport, tmp_path: Path) -> None:
    # The folder was there when the work began.
    with pytest.raises(ConfigError, match="cannot write the report"):
        write_backtest(report, path=tmp_path / "gone" / "page.html", name="market")
