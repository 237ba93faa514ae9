"""The feature catalogue: pages that say what a feature is, whatever its values are, and load nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest

from features.catalogue import learn_catalogue
from features.declared import DeclaredFeature
from features.errors import ConfigError, WorkspaceError
from features.feature import Feature
from features.formula_rows import readable_columns
from features.point_in_time import build_features
from features.tables import Attribute, Tables
from features.workspace import Workspace
from training.catalogue.distribution import QUANTILES, distribution_of
from training.catalogue.pages import write_catalogue
from training.catalogue.words import column_words
from training.feature_table import FeatureTable, feature_table

AS_OF = pd.Timestamp("2024-06-01")
ACCOUNTS = 100
OWN = DeclaredFeature.model_validate(
    {
        "name": "long_visit_count_14d",
        "group": "engagement",
        "formula": "coalesce(sum(quantity), 0)",
        "where": "channel = 'web_visit' AND seconds >= 600",
        "window_days": 14,
        "unit": "visits",
        "sentence_en": "{value} long visits in the last 14 days",
        "sentence_zh": "过去14天内{value}次长访问",
    }
)


def table() -> FeatureTable:
    """A hundred accounts: half have employees, all one tier, nobody a web rank that was known in time."""
    accounts = [
        {
            "account_id": f"a{number:03}",
            "known_at": pd.Timestamp("2024-01-01"),
            "industry": "SaaS" if number % 4 else "<b>Bank</b>",
            "employees": number * number if number % 2 else None,
            "score": 7.0,
        }
        for number in range(ACCOUNTS)
    ]
    visits = [
        {
            "activity_id": f"{number}",
            "account_id": f"a{number:03}",
            "channel": "web_visit",
            "direction": "inbound",
            "quantity": 1,
            "seconds": 30 * number,
            "occurred_at": pd.Timestamp("2024-05-30"),
            "known_at": pd.Timestamp("2024-05-31"),
        }
        for number in range(60)
    ]
    frames = {"accounts": pd.DataFrame(accounts), "activities": pd.DataFrame(visits)}
    tables = Tables.from_frames(frames, attributes=(Attribute("score", "number", "score", "评分"),))
    tables = replace(tables, marks={"accounts": ["industry"]})
    learned = learn_catalogue(tables, cutoff=AS_OF, declared=[OWN])
    keys = pd.DataFrame({"account_id": [row["account_id"] for row in accounts], "as_of": AS_OF})
    matrix = build_features(tables, keys.astype({"as_of": "datetime64[us]"}), catalogue=learned).reset_index()
    matrix["industry"] = [learned.readable("industry", code) for code in matrix["industry"]]
    never = replace(learned.feature("employees"), name="never/told", formula='"never told"')
    catalogue = replace(
        learned,
        features=(*learned.features, never),
        attributes=(*learned.attributes, Attribute("never told", "number", "never told")),
    )
    return FeatureTable(
        "a <company>", AS_OF.to_pydatetime(), catalogue, matrix.assign(**{"never/told": np.nan})
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pages") / "catalogue"
    assert write_catalogue(table(), folder=place) == len(table().catalogue.features)
    return place


def page(folder: Path, name: str) -> str:
    return (folder / "features" / name).read_text(encoding="utf-8")


def words(html: str) -> str:
    """What people read: no tags, one blank between words."""
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<style>.*?</style>", "", html)).split())


def test_there_is_a_page_per_feature_and_language_and_every_link_leads_somewhere(folder: Path) -> None:
    pages = sorted(folder.rglob("*.html"))
    assert len(pages) == 2 * (len(table().catalogue.features) + 1)
    for path in pages:
        for target in re.findall(r'href="([^"#]+)', path.read_text(encoding="utf-8")):
            assert (path.parent / unquote(target)).resolve() in pages, (path.name, target)


def test_nothing_is_loaded_from_anywhere(folder: Path) -> None:
    for path in folder.rglob("*.html"):
        html = path.read_text(encoding="utf-8")
        assert not re.findall(r"""src=|<link|@import|url\(|//\w""", html), path.name


def test_a_page_says_what_the_declaration_says(folder: Path) -> None:
    told = words(page(folder, "web_visit_count_30d.html"))
    for expected in (
        "Web visits in the last 30 days",
        "How many web visits there were; a row that stands for many counts as many.",
        "coalesce(sum(quantity), 0)",
        "quantity &gt; 0 AND channel = &#39;web_visit&#39;",
        "the last 30 days before the moment, to the second",
        "Unit activities",
        "activities.occurred_at , activities.direction , activities.traffic , activities.known_at",
        "0 without activity in the window",
        "100 of 100 accounts have a value",
        "1 web visit in the last 30 days 过去30天内1次网站访问",
    ):
        assert expected in told, expected


def test_the_chinese_page_says_it_in_chinese(folder: Path) -> None:
    html = page(folder, "web_visit_count_30d.zh.html")
    assert '<html lang="zh">' in html
    for expected in (
        "网站访问的次数；一条记录代表多次时按多次计。",
        "窗口内无互动时为0",
        "100个客户中有100个有值",
    ):
        assert expected in words(html)


def test_every_feature_has_a_chinese_title_and_meaning(folder: Path) -> None:
    for path in (folder / "features").glob("*.zh.html"):
        title = re.search("<h1>(.*?)</h1>", path.read_text(encoding="utf-8"))
        assert title is not None
        assert re.search("[\u4e00-\u9fff]", title[1]), path.name


@pytest.mark.parametrize("table", ["activities", "intent_topics", "opportunities"])
def test_every_name_that_a_formula_may_hold_is_explained_or_plain(table: str) -> None:
    plain = {"channel", "direction", "topic", "product"}
    for language in ("en", "zh"):
        silent = {name for name in readable_columns(table) if not column_words(name, language=language)}
        assert silent <= plain


def test_a_declaration_of_the_company_s_own_has_a_page_like_any_other(folder: Path) -> None:
    told = words(page(folder, "long_visit_count_14d.html"))
    assert "declared in your config" in told
    assert "Unit visits" in told
    assert "0 without such rows" in told
    # 20 of the 60 visits took at least 600 seconds: numbers 20 to 59 are 40.
    assert "60.0 % of them are 0" in told


def test_marks_are_shown(folder: Path) -> None:
    assert "current value only" in words(page(folder, "industry.html"))
    assert "仅当前值" in words(page(folder, "industry.zh.html"))
    assert "current value only" not in words(page(folder, "employees.html"))
    index = words((folder / "index.html").read_text(encoding="utf-8"))
    assert index.count("current value only") == 1


def test_text_of_the_data_stays_text(folder: Path) -> None:
    html = page(folder, "industry.html")
    assert "<b>" not in html
    assert "&lt;b&gt;Bank&lt;/b&gt;" in html
    assert "a &lt;company&gt;" in (folder / "index.html").read_text(encoding="utf-8")


def test_an_empty_feature_and_a_constant_one_say_so(folder: Path) -> None:
    empty = page(folder, "never_told.html")
    assert "No account has a value at this moment" in empty
    assert "<rect" not in empty
    assert "0 of 100 accounts have a value" in words(empty)
    assert "Every known value is the same (7)" in page(folder, "score.html")


def test_a_catalogue_is_replaced_as_a_whole(folder: Path) -> None:
    stale = folder / "features" / "gone.html"
    stale.write_text("old")
    write_catalogue(table(), folder=folder)
    assert not stale.exists()
    assert [path.name for path in folder.parent.iterdir()] == ["catalogue"]


def test_nobody_s_files_are_written_over(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("my site")
    with pytest.raises(ConfigError, match="holds something else"):
        write_catalogue(table(), folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
    with pytest.raises(ConfigError, match="holds something else"):
        write_catalogue(table(), folder=tmp_path / "index.html")


def test_a_folder_that_is_no_workspace_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="workspace"):
        feature_table(Workspace(tmp_path / "nowhere"))


@pytest.mark.parametrize("names", [("A/b", "a b", "技术"), ("x" * 300, "x" * 301, "..")])
def test_any_name_of_a_feature_gives_a_file_of_its_own(tmp_path: Path, names: tuple[str, ...]) -> None:
    whole = table()
    features: tuple[Feature, ...] = tuple(
        replace(whole.catalogue.feature("employees"), name=name) for name in names
    )
    frame = pd.DataFrame({name: [1.0, 2.0] for name in names})
    catalogue = replace(whole.catalogue, features=features)
    write_catalogue(replace(whole, catalogue=catalogue, frame=frame), folder=tmp_path / "pages")
    assert len(list((tmp_path / "pages" / "features").iterdir())) == 2 * len(names)


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ([], []),
        ([np.nan], []),
        ([3.0, 3.0, np.nan], [("3", 2)]),
        ([0.0, 1.0, 1.0, 2.0], [("0", 1), ("1", 2), ("2", 1)]),
        ([0.5, 0.25, 0.5], [("0.25", 1), ("0.5", 2)]),
    ],
)
def test_few_values_have_a_bar_each(values: list[float], bars: list[tuple[str, int]]) -> None:
    found = distribution_of(pd.Series(values, dtype=float), kind="number")
    assert [(bar.label, bar.count) for bar in found.bars] == bars
    assert (found.known, found.accounts) == (sum(count for _, count in bars), len(values))


@pytest.mark.parametrize(
    "values",
    [
        np.arange(13.0),
        np.arange(1000.0) - 500,
        np.linspace(-1, 1, 77),
        np.concatenate([np.zeros(50), np.geomspace(1, 1e7, 200)]),
        np.concatenate([np.zeros(5), np.round(np.geomspace(1, 1e5, 300))]),
        np.geomspace(1e-6, 1e9, 40),
        np.array([5e12 + n for n in range(20)]),
    ],
)
def test_every_known_value_is_in_one_bar_that_spans_it(values: np.ndarray) -> None:
    found = distribution_of(pd.Series([*values, np.nan]), kind="number")
    assert sum(bar.count for bar in found.bars) == len(values) == found.known
    assert 1 < len(found.bars) <= 26
    for bar in found.bars:
        inside = (values >= bar.low) & (values <= bar.high)
        assert bar.count <= inside.sum()
    assert all(0 <= tick.place <= 100 for tick in found.ticks)
    assert found.quantiles[0] == values.min()
    assert found.quantiles[QUANTILES.index(1.0)] == values.max()


def test_levels_come_by_frequency_with_other_ones_last() -> None:
    found = distribution_of(
        pd.Series(["b", "a", "a", "__other__", "__other__", "__other__"]), kind="category"
    )
    assert [(bar.label, bar.count) for bar in found.bars] == [("a", 2), ("b", 1), ("__other__", 3)]
    flags = distribution_of(pd.Series([1.0, 0.0, 0.0, np.nan]), kind="flag")
    assert [(bar.label, bar.count) for bar in flags.bars] == [("no", 2), ("yes", 1)]
