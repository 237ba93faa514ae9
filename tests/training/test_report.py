"""The report of a training: one page that stands alone, reads well, and says what the figures say."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser

from features.profile_settings import ProfileSettings, StatedTraitSettings
from features.workspace import Workspace
from models.card import Card
from models.inputs import input_references
from models.making import with_name
from models.profile import Condition, Profile, Trait
from training.audit.finding import Audit, Finding
from training.backtesting.evaluate import Estimate, Measured, evaluate
from training.fit import Training, Untrained
from training.ideal_profile.of_training import with_profile
from training.report import write_report
from training.report.first_screen import first_screen
from training.report.model import model_section
from training.report.page import profiles
from training.report.profile import profile_section
from training.report.segments import segments
from training.report.shift import shifts

pytestmark = pytest.mark.usefixtures("one_curve")
CUTOFF = datetime.fromisoformat("2025-01-01")
AUDIT = Audit(
    rows=10,
    events=5,
    columns=2,
    checked={},
    findings=(Finding("one_class", "blocks", "tags", "'a' <b> only with the event", "leave the column out"),),
)

COST = Measured(
    {name: {"roc_auc": Estimate(0.7, 0.6, 0.8, 0.5)} for name in ("probability", "without_directions")},
    {"without_directions": {"roc_auc": Estimate(-0.012, -0.02, -0.003, 0.0)}},
)


def with_card(training: Training, **more: object) -> Training:
    card = cast(Card, {**training.bundle.card, **more})
    return replace(training, bundle=replace(training.bundle, card=card))


@pytest.fixture(scope="module")
def audited(fit_training: Training) -> Training:
    """The fit model with a profile, something stated by sales, and a finding of the audit."""
    stated = StatedTraitSettings(column="employees", op="between", value=(51.0, 200.0))
    profiled = with_profile(fit_training, settings=ProfileSettings(stated=(stated,)))
    return with_card(profiled, audit=AUDIT.to_json())


@pytest.fixture(scope="module")
def metrics(fit_training: Training) -> dict[str, Estimate]:
    return evaluate(fit_training.learned.later, replicates=100)


@pytest.fixture(scope="module")
def written(
    audited: Training,
    metrics: dict[str, Estimate],
    tmp_path_factory: pytest.TempPathFactory,
    one_curve: None,
) -> Path:
    absent = Untrained("intent", "there is no <activity>", {})
    workspace = Workspace(tmp_path_factory.mktemp("report"))
    return write_report(
        workspace,
        [audited, absent],
        metrics={"fit": metrics},
        cutoff=CUTOFF,
        name="a_market",
        costs={"fit": COST},
    )


class Outline(HTMLParser):
    """What a reader with a screen reader, or without a network, depends on."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.pictures: list[dict[str, str | None]] = []
        self.links: list[str] = []
        self.names: set[str] = set()
        self.head_cells: list[dict[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "img":
            self.pictures.append(told)
        if tag == "th":
            self.head_cells.append(told)
        if tag == "a":
            self.links.append(told["href"] or "")
        if told.get("id"):
            self.names.add(told["id"] or "")


@pytest.fixture(scope="module")
def page(written: Path) -> str:
    return written.read_text(encoding="utf-8")


def test_the_page_stands_alone_and_is_small(page: str) -> None:
    outline = Outline(page)
    assert all((picture["src"] or "").startswith("data:image/") for picture in outline.pictures)
    assert not re.findall(r"""(?:src|href)\s*=\s*["'](?!#|data:)""", page)
    assert not re.findall(r"url\(|@import|<script", page)
    assert len(page.encode()) < 1_500_000


def test_every_part_can_be_found_and_read_aloud(page: str) -> None:
    outline = Outline(page)
    assert outline.headings.count(1) == 1
    steps = zip(outline.headings, outline.headings[1:], strict=False)
    assert all(later <= earlier + 1 for earlier, later in steps), "no level of headings is left out"
    assert {link.removeprefix("#") for link in outline.links} <= outline.names
    assert len(outline.pictures) >= 12
    assert all(len(picture["alt"] or "") > 30 for picture in outline.pictures)
    assert all("scope" in cell for cell in outline.head_cells)
    assert 'lang="zh-Hans"' in page


def test_each_profile_says_whose_it_is(audited: Training, page: str) -> None:
    """Where the fit models are named ones alone, none of their profiles is told as that of all accounts."""
    named = [
        replace(audited, bundle=with_name(audited.bundle, key=key, place=0)) for key in ("fit.emea", "fit.us")
    ]
    told = [(profile["of"], profile["anchor"]) for profile in profiles((*named, audited))]
    assert told == [
        (" of ICP fit, emea", "profile-fit-emea"),
        (" of ICP fit, us", "profile-fit-us"),
        ("", "profile"),
    ]
    assert "<h2>Ideal customer profile</h2>" in page


def test_few_traits_are_explained(audited: Training) -> None:
    found = Profile.of_card(audited.bundle.card)
    assert found is not None
    condition = Condition("employees", "between", None, 51, 201, "51 to 200 people", "员工51至200人")
    held = Trait("for", (condition,), found.later, found.earlier, 0.01)
    told = [profile_section(replace(found, candidates=9, traits=(held,) * n))["few"] for n in (0, 2, 5)]
    explained = "2 of 9 held: with more accounts that were won, more traits could be told from chance."
    assert told == ["", explained, ""]


def test_what_was_found_stands_on_the_page_escaped(page: str, audited: Training) -> None:
    assert "1 finding blocks (tags)" in page
    assert "&#39;a&#39; &lt;b&gt; only with the event" in page
    assert "leave the column out" in page
    assert "there is no &lt;activity&gt;" in page
    assert "What sales says, held against the data" in page
    assert "51 to 200 people" in page
    assert audited.bundle.version in page
    assert "Do not use it yet: the leakage audit blocks it (tags)." in page
    assert "They cost accuracy: ROC AUC 0.700 with them" in page
    assert "a difference of -0.012 (-0.020 to -0.003) on the same rows." in page
    assert "Would more accounts help?" in page
    assert "What more accounts brought" in page


@pytest.mark.parametrize("width", [1440, 390])
def test_it_fits_wide_and_narrow_screens(browser: Browser, written: Path, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, offline=True)
    opened = context.new_page()
    opened.goto(written.as_uri())
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    broken = "[...document.images].filter((each) => !each.naturalWidth).length"
    assert opened.evaluate(broken) == 0
    context.close()


def test_tenths_and_grades_hold_every_row(fit_training: Training, metrics: dict[str, Estimate]) -> None:
    section = model_section(fit_training, metrics=metrics)
    rows = len(fit_training.learned.later)
    for name in ("deciles", "grades"):
        assert sum(int(row["rows"].replace(",", "")) for row in section[name]) == rows
    sizes = [int(row["rows"]) for row in section["deciles"]]
    assert len(sizes) == 10
    assert max(sizes) - min(sizes) <= 1


def screen(
    training: Training,
    *,
    metrics: dict[str, Estimate],
    audit: Audit | None = None,
    low: float = 0.7,
    best: float = 0.5,
) -> dict[str, Any]:
    """best: the share of grade A with the event; NaN where nobody reached it."""
    grades = pd.DataFrame(
        {"accounts": [10, 0, 20, 30], "conversion": [best, np.nan, 0.1, 0.02], "low": 0.3, "high": 0.7},
        index=["A", "B", "C", "D"],
    )
    changed = metrics | {"roc_auc": Estimate(0.8, low, 0.9, 0.5)}
    return first_screen(training, metrics=changed, grades=grades, audit=audit)


@pytest.mark.parametrize(
    ("audit", "low", "word", "advice"),
    [
        (Audit(10, 5, 2, {}, ()), 0.7, "Works", "let sales work grade A first"),
        (None, 0.7, "Works", "No leakage audit was made."),
        (AUDIT, 0.7, "Blocked", "(tags)"),
        (Audit(10, 5, 2, {}, ()), 0.45, "Not shown to work", "not shown to beat a coin"),
    ],
)
def test_the_first_screen_says_what_to_do(
    fit_training: Training,
    metrics: dict[str, Estimate],
    *,
    audit: Audit | None,
    low: float,
    word: str,
    advice: str,
) -> None:
    told = screen(fit_training, metrics=metrics, audit=audit, low=low)
    assert told["word"] == word
    assert advice in "".join(told["do"])
    assert (told["rate"], told["event"], told["interval"]) == ("50%", "were won", " (30% to 70%)")
    assert (
        "50% of the time (30% to 70%), those of grade D had the event 2.0% of the time (30% to 70%). Of"
        in told["works"]
    )
    assert "percentage points on average" in told["sure"]


def test_the_first_screen_has_no_share_of_a_grade_that_nobody_reached(
    fit_training: Training, metrics: dict[str, Estimate]
) -> None:
    told = screen(fit_training, metrics=metrics, best=np.nan)
    assert told["rate"] is None
    assert told["works"].startswith("Accounts of grade D had the event 2.0% of the time")


def test_segments_count_by_hand(fit_training: Training) -> None:
    catalogue, count = fit_training.rows.catalogue, 80
    X = np.full((count, len(catalogue.names)), np.nan)
    X[:, catalogue.index("employees")] = [30, 100] * (count // 2)
    X[:, catalogue.index("industry")] = 0
    later = pd.DataFrame(
        {
            "account_id": [f"a{n}" for n in range(count)],
            "as_of": pd.to_datetime(["2024-03-31", "2024-04-01"] * (count // 2)),
            "label": [1, 0, 0, 0] * (count // 4),
            "probability": np.linspace(0.1, 0.4, count),
        }
    )
    found = {(one.by, one.name): one for one in segments(later, X, catalogue=catalogue)}
    small, middle = found["size", "up to 50 people"], found["size", "51 to 200"]
    assert (small.rows, small.events, small.base_rate) == (40, 20, 0.5)
    assert small.ranking is not None
    assert small.ratio.value == pytest.approx(20 / later["probability"][::2].sum())
    assert small.ratio.low < small.ratio.value < small.ratio.high
    assert (middle.rows, middle.events, middle.ranking) == (40, 0, None)
    assert found["quarter", "2024 Q1"].rows == found["quarter", "2024 Q2"].rows == 40
    assert found["industry", catalogue.feature("industry").levels[0].replace("_", " ")].rows == count


def test_a_shifted_input_is_named_and_an_unchanged_one_is_not(fit_training: Training) -> None:
    catalogue, X = fit_training.rows.catalogue, fit_training.rows.X
    other = X.copy()
    other[:, catalogue.index("employees")] *= 10

    def found(population: np.ndarray) -> list[str]:
        stored = {
            name: one.to_json() for name, one in input_references(population, catalogue=catalogue).items()
        }
        return [one.feature.name for one in shifts(with_card(fit_training, inputs=stored), least=0.1)]

    assert found(X) == []
    assert found(other) == ["employees"]
