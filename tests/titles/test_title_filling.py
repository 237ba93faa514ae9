"""Contacts get level, department and role from their titles, at ingest and one by one."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from loading import KNOWN_ACCOUNTS, load

from features.errors import ConfigError
from features.mapping import load_config
from features.report import IngestReport
from features.titles.filling import TitleCounts, fill_contact_rows
from features.titles.roles import TitleSettings, buying_role

MAPPING = f"""{KNOWN_ACCOUNTS}
[[sources]]
table = "contacts"
path = "contacts.csv"
known_at = "Since"
consent = {{ assume = "consent: made-up people" }}
[sources.columns]
contact_id = "Contact"
account_id = "Account"
title = "Job"
seniority = "Level"
"""
COLUMNS = ("Contact", "Account", "Since", "Job", "Level")
JANUARY, JUNE = "2023-01-01T00:00:00Z", "2023-06-01T00:00:00Z"
PEOPLE = (
    ("c1", "a1", JANUARY, "IT Manager", ""),
    ("c1", "a1", JUNE, "Vice President Sales", ""),
    ("c2", "a1", JANUARY, "IT Manager", "director"),
    ("c3", "a1", JANUARY, "采购总监", ""),
    ("c4", "a1", JANUARY, "???", ""),
    ("c5", "a1", JANUARY, "", "staff"),
    ("c6", "nobody's", JANUARY, "CEO", ""),
)


def _ingest(folder: Path, *, more: str = "") -> tuple[IngestReport, pd.DataFrame]:
    (folder / "accounts.csv").write_text("Id\na1\n")
    pd.DataFrame(PEOPLE, columns=list(COLUMNS)).to_csv(folder / "contacts.csv", index=False)
    (folder / "mapping.toml").write_text(MAPPING + more)
    report, workspace = load(folder / "mapping.toml")
    contacts = pd.read_parquet(next(workspace.home.glob("snapshots/*/contacts.parquet")))
    return report, contacts.sort_values(["contact_id", "known_at"])


def _cells(contacts: pd.DataFrame, *columns: str) -> list[tuple[str | None, ...]]:
    found = contacts[list(columns)].astype(object)
    return [tuple(row) for row in found.where(found.notna(), None).to_numpy()]


def test_what_a_source_leaves_empty_comes_from_the_title_of_that_time(tmp_path: Path) -> None:
    _, contacts = _ingest(tmp_path)
    assert contacts["known_at"].astype(str).str[:10].tolist()[:2] == ["2023-01-01", "2023-06-01"]
    assert _cells(contacts, "contact_id", "seniority", "department", "role") == [
        ("c1", "manager", "information_technology", "evaluator"),
        ("c1", "vice_president", "sales", "decision_maker"),
        ("c2", "director", "information_technology", "influencer"),
        ("c3", "director", "purchasing", "influencer"),
        ("c4", None, None, None),
        ("c5", "staff", None, "user"),
    ]


def test_the_report_counts_titles(tmp_path: Path) -> None:
    report, _ = _ingest(tmp_path)
    # IT Manager, Vice President Sales, 采购总监, ??? and CEO: a level from four, a department from three.
    assert report.titles == TitleCounts(read=5, with_seniority=4, with_department=3, abstained=1)
    assert report.to_dict()["titles"] == {
        "read": 5,
        "with_seniority": 4,
        "with_department": 3,
        "abstained": 1,
    }
    assert "different job titles read: 5; a level from 4, a department from 3, neither from 1" in str(report)


def test_the_mapping_decides_on_roles(tmp_path: Path) -> None:
    more = '[titles.roles.purchasing]\ndirector = "evaluator"\n[titles.roles.any]\nstaff = "none"\n'
    _, contacts = _ingest(tmp_path, more=more)
    roles = dict(_cells(contacts, "contact_id", "role"))
    assert (roles["c3"], roles["c5"], roles["c2"]) == ("evaluator", None, "influencer")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('[titles.roles.any]\nstaff = "boss"\n', "decision_maker"),
        ('[titles.roles.any]\nintern = "user"\n', "c_level"),
        ("[titles]\nrole = 1\n", "roles"),
    ],
)
def test_a_wrong_table_of_roles_is_refused(more: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text(MAPPING + more)
    with pytest.raises(ConfigError, match=message):
        load_config(tmp_path / "mapping.toml")


@pytest.mark.parametrize("person", PEOPLE[:-1])
def test_one_contact_alone_is_filled_as_among_all(person: tuple[str, ...], tmp_path: Path) -> None:
    contact, _, since, title, level = person
    cells = {"title": title or None, "seniority": level or None, "department": None, "role": None}
    alone = fill_contact_rows([cells], settings=TitleSettings())[0]
    _, contacts = _ingest(tmp_path)
    row = contacts[
        (contacts["contact_id"] == contact) & (contacts["known_at"].astype(str).str[:10] == since[:10])
    ]
    assert _cells(row, *alone) == [tuple(alone.values())]


@pytest.mark.parametrize(
    ("level", "department", "role"),
    [
        ("c_level", "legal", "decision_maker"),
        ("director", "Business Development", "decision_maker"),
        ("director", "information_technology", "influencer"),
        ("manager", "Information Technology", "evaluator"),
        ("manager", "gardening", "influencer"),
        ("manager", None, "influencer"),
        ("staff", "finance", None),
        ("staff", None, "user"),
    ],
)
def test_roles_follow_from_level_and_department(level: str, department: str | None, role: str | None) -> None:
    assert buying_role(level, department=department, settings=TitleSettings()) == role


def test_another_table_of_roles_counts_for_people_who_were_read_before(tmp_path: Path) -> None:
    assert "evaluator" in set(_ingest(tmp_path)[1]["role"])
    changed = MAPPING + '[titles.roles.information_technology]\nmanager = "influencer"\n'
    (tmp_path / "mapping.toml").write_text(changed)
    _, workspace = load(tmp_path / "mapping.toml")
    assert "evaluator" not in set(workspace.tables().read("contacts")["role"])
    # Their file is gone, so that nobody can tell what it said itself.
    (tmp_path / "contacts.csv").unlink()
    (tmp_path / "mapping.toml").write_text(MAPPING)
    with pytest.raises(ConfigError, match=r"people keep their roles.*--rebuild"):
        load(tmp_path / "mapping.toml")
