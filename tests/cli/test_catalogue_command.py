"""`spearfish features --catalogue`: pages of a workspace and what its config declares, or a refusal."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Done, spearfish

CONFIG = """
[workspace]
name = "test"

[parameters]
folder = "HERE"

[[sources]]
table = "accounts"
path = "{folder}/accounts.csv"
known_at = "Updated"
[sources.columns]
account_id = "Id"
name = "Name"
employees = "Staff"
annual_revenue = "Revenue"

[[features]]
name = "revenue_per_employee"
group = "firmographic"
formula = "annual_revenue / nullif(employees, 0)"
unit = "one currency"
sentence_en = "revenue per employee: {value}"
sentence_zh = "人均营收：{value}"
"""
ACCOUNTS = """Id,Name,Staff,Revenue,Updated
a1,Ada,10,1000,2023-01-01T00:00:00Z
b2,Bob,0,1000,2023-01-01T00:00:00Z
c3,Cem,4,,2023-01-01T00:00:00Z
a1,Ada,20,,2023-06-01T00:00:00Z
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a config, and a workspace `home` that was ingested with it."""
    folder = tmp_path_factory.mktemp("company")
    config = CONFIG.replace("HERE", folder.as_posix())
    (folder / "config.toml").write_text(config, encoding="utf-8")
    (folder / "accounts.csv").write_text(ACCOUNTS, encoding="utf-8")
    done = spearfish("ingest", "--config", folder / "config.toml", "--json", home=folder / "home")
    assert done.code == 0, done.err
    return folder


def features(place: Path, *arguments: object) -> Done:
    return spearfish("features", "--catalogue", *arguments, "--json", home=place / "home")


def test_the_pages_hold_what_the_config_declares(place: Path) -> None:
    done = features(place, "--config", place / "config.toml")
    assert done.code == 0, done.err
    assert done.document["catalogue"] == str(place / "home" / "catalogue" / "index.html")
    # 1,000 / 20 for a1; nobody at b2; no revenue of c3.
    told = {line["feature"]: line for line in done.document["features"]}["revenue_per_employee"]
    assert (told["filled"], told["middle"]) == ("33%", "50")
    pages = place / "home" / "catalogue" / "features"
    assert "人均营收" in (pages / "revenue_per_employee.zh.html").read_text(encoding="utf-8")


def test_a_past_moment_shows_what_was_known_then(place: Path) -> None:
    out = place / "then"
    arguments = ("--config", place / "config.toml", "--as-of", "2023-02-01", "--catalogue-folder", out)
    done = features(place, *arguments)
    assert done.code == 0, done.err
    page = (out / "features" / "revenue_per_employee.html").read_text(encoding="utf-8")
    assert "2023-02-01 00:00:00 UTC" in page
    assert "revenue per employee: 100" in page


@pytest.mark.parametrize(
    ("arguments", "home", "message"),
    [
        ((), "nowhere", "ingest"),
        (("--catalogue-folder", "."), "home", "holds something else"),
        (("--as-of", "2022-01-01"), "home", "no account was known yet"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    place: Path, arguments: tuple[str, ...], home: str, message: str
) -> None:
    given = [place if each == "." else each for each in arguments]
    done = spearfish("features", "--catalogue", *given, "--json", home=place / home)
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err


def test_a_formula_that_cannot_be_computed_is_named(place: Path) -> None:
    wrong = place / "wrong.toml"
    config = (place / "config.toml").read_text(encoding="utf-8")
    wrong.write_text(config.replace("nullif(employees, 0)", "headcount"), encoding="utf-8")
    done = features(place, "--config", wrong)
    assert done.code == 2
    assert "'revenue_per_employee' cannot be computed" in done.err
    assert "headcount" in done.err
