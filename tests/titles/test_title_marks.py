"""Of a title of which only today's value is known, level, department and role are of today, too."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from loading import KNOWN_ACCOUNTS, VISITS, load

from features.contract import TABLES
from features.feature import Feature
from features.report import IngestReport
from features.workspace import Workspace
from training.catalogue.pages import write_catalogue
from training.feature_table import feature_table

CONTACTS = """
[[sources]]
table = "contacts"
path = "contacts.csv"
name = "people"
known = "start_of_time"
current_value_only = {marked}
consent = {{ assume = "consent: made-up people" }}
[sources.columns]
contact_id = "Person"
account_id = "Account"
title = "Job"
"""
HISTORY = """
[[sources]]
table = "contacts"
path = "history.csv"
name = "changes of people"
known_at = "Since"
consent = { assume = "consent: made-up people" }
[sources.columns]
contact_id = "Person"
account_id = "Account"
title = "Job"
"""
TITLES = ("Vice President Sales", "IT Manager", "")
WITH_TITLES = ("title", "seniority", "department", "role")


def _load(
    folder: Path, *, marked: bool, titles: tuple[str, ...] = TITLES, more: str = ""
) -> tuple[IngestReport, Workspace]:
    """Three people of an account, each of whom visited twenty times."""
    (folder / "accounts.csv").write_text("Id\na1\n")
    people = {"Person": ["p0", "p1", "p2"], "Account": "a1", "Job": titles}
    pd.DataFrame(people).to_csv(folder / "contacts.csv", index=False)
    when = [f"2023-06-{day:02}T10:00:00Z" for day in range(1, 21)]
    visits = [("a1", person, "web_visit", moment) for person in people["Person"] for moment in when]
    columns = ["Account", "Person", "Kind", "When"]
    pd.DataFrame(visits, columns=columns).to_csv(folder / "visits.csv", index=False)
    text = KNOWN_ACCOUNTS + CONTACTS.format(marked=str(marked).lower()) + VISITS + more
    (folder / "mapping.toml").write_text(text)
    return load(folder / "mapping.toml")


def _marked(features: tuple[Feature, ...]) -> set[str]:
    return {feature.name for feature in features if feature.current_value_only}


def test_the_mark_of_a_title_reaches_report_features_and_pages(tmp_path: Path) -> None:
    report, workspace = _load(tmp_path, marked=True)
    assert set(report.current_value_only["contacts"]) == {"account_id", *WITH_TITLES}
    assert "contacts.department, contacts.role, contacts.seniority, contacts.title" in str(report)
    assert set(workspace.tables().current_value_only) >= {f"contacts.{name}" for name in WITH_TITLES}
    table = feature_table(workspace)
    found = _marked(table.catalogue.features)
    named = {name for name in table.catalogue.names if "senior_people" in name}
    assert len(named) >= 8
    assert found == named
    write_catalogue(table, folder=tmp_path / "pages")
    for feature in ("engagement_senior_people_30d", "web_visit_count_30d"):
        page = (tmp_path / "pages" / "features" / f"{feature}.html").read_text(encoding="utf-8")
        assert ("current value only" in page) is (feature in named), feature


def test_a_title_with_times_gives_no_mark(tmp_path: Path) -> None:
    report, workspace = _load(tmp_path, marked=False)
    assert report.current_value_only == {}
    assert _marked(feature_table(workspace).catalogue.features) == set()


@pytest.mark.parametrize(
    ("titles", "marked"),
    [(("", "", ""), {"account_id"}), (("???", "", ""), {"account_id", "title"})],
    ids=["without titles", "with one that says nothing"],
)
def test_what_no_title_fills_is_not_marked(tmp_path: Path, titles: tuple[str, ...], marked: set[str]) -> None:
    """Where every title stands in the history, what comes of it has times."""
    history = {"Person": ["p0"], "Account": "a1", "Job": "CEO", "Since": "2023-01-01T00:00:00Z"}
    pd.DataFrame(history).to_csv(tmp_path / "history.csv", index=False)
    report, workspace = _load(tmp_path, marked=True, titles=titles, more=HISTORY)
    assert set(report.current_value_only["contacts"]) == marked
    table = feature_table(workspace)
    assert "engagement_senior_people_30d" in table.catalogue.names
    assert _marked(table.catalogue.features) == set()


def test_a_workspace_of_before_gets_the_marks_with_the_next_ingest(tmp_path: Path) -> None:
    """Though no file has changed and none is read again."""
    _, workspace = _load(tmp_path, marked=True)
    manifest = workspace.manifest()
    old = replace(manifest, current_value_only={"contacts": ("account_id", "title")})
    workspace.manifest_path.write_text(old.to_json(), encoding="utf-8")
    report, workspace = load(tmp_path / "mapping.toml")
    assert report.table("contacts").loaded == 0
    assert set(workspace.manifest().current_value_only["contacts"]) == {"account_id", *WITH_TITLES}
    json.dumps(report.to_dict())


def test_what_is_made_from_a_column_is_declared_after_it() -> None:
    """So that one pass over the columns finds all that is made of any."""
    for table in TABLES.values():
        names = table.column_names
        for position, column in enumerate(table.columns):
            assert set(column.made_from) <= set(names[:position]), column.name
    assert TABLES["contacts"].with_made(["seniority"]) == {"seniority", "role"}
    assert TABLES["contacts"].with_made(["email"]) == {"email"}


def test_what_a_source_told_stays_marked_once_the_mapping_names_it_no_longer(tmp_path: Path) -> None:
    """Its rows are still there."""
    _, workspace = _load(tmp_path, marked=True)
    before = workspace.manifest().current_value_only
    (tmp_path / "mapping.toml").write_text(KNOWN_ACCOUNTS + VISITS)
    for day in ("2023-07-01", "2023-07-02"):
        (tmp_path / f"visits_{day}.csv").write_text(
            f"Account,Person,Kind,When\na1,p0,web_visit,{day}T00:00:00Z\n"
        )
        report, workspace = load(tmp_path / "mapping.toml")
        assert report.changed
        assert len(workspace.tables().read("contacts")) == 3
        assert report.current_value_only == workspace.manifest().current_value_only == before


def test_a_mark_that_is_taken_back_is_gone(tmp_path: Path) -> None:
    _load(tmp_path, marked=True)
    report, workspace = _load(tmp_path, marked=False)
    assert report.current_value_only == workspace.manifest().current_value_only == {}
