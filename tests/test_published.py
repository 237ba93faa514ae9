"""The published figures are those of the result files."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from training.checks.results import ROOT, commit, stale, write_result
from training.publishing import DOCUMENTS, published
from training.publishing.documents import every_table
from training.publishing.markets import coverage_figures, hazard_figures

RESULTS = ROOT / "results"


@pytest.mark.parametrize("page", list(DOCUMENTS))
def test_the_pages_hold_the_figures_of_the_results(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert text == published(text, results=RESULTS, render=DOCUMENTS[page])


def test_the_figures_stand_between_the_marks(tmp_path: Path) -> None:
    estimate = {"mean": 0.76, "low": 0.75, "high": 0.77}
    names = ("model", "logistic_regression", "best", "gap_to_best", "ahead_of_logistic_regression")
    row = dict.fromkeys(names, estimate)
    found = {
        "seeds": [1, 2],
        "accounts": 5000,
        "test_accounts": 50000,
        "roc_auc": {"fit": row, "intent": row},
    }
    (tmp_path / "simulated_market.json").write_text(json.dumps(found))
    page = "a\n<!-- published: figures -->\nold\n<!-- published: end -->\nz\n"
    text = published(page, results=tmp_path, render=every_table)
    assert text.startswith("a\n<!-- published: figures -->\n**Simulated markets**")
    assert "old" not in text
    assert "| ICP fit | 0.760 (0.750 to 0.770) |" in text
    assert text.endswith("<!-- published: end -->\nz\n")


@pytest.mark.parametrize(
    "told",
    [{"commit": None}, {"commit": "0" * 40, "code": ["training"]}, {"commit": "HEAD+", "code": ["none"]}],
)
def test_a_result_of_unknown_code_is_named(told: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "some.json").write_text(json.dumps({"code": ["none"], **told}))
    assert stale(tmp_path) == ["some.json"]


def test_a_result_gets_old_by_its_own_code_alone(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        told = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com", *words]
        return subprocess.run(told, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()

    for name in ("measured.py", "other.py"):
        (tmp_path / name).write_text("first")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "first")
    result: Any = {"commit": git("rev-parse", "HEAD"), "code": ["measured.py"]}
    (tmp_path / "some.json").write_text(json.dumps(result))
    (tmp_path / "other.py").write_text("second")
    assert stale(tmp_path, root=tmp_path) == []
    assert commit(result["code"], root=tmp_path) == result["commit"]
    (tmp_path / "measured.py").write_text("second")
    assert stale(tmp_path, root=tmp_path) == ["some.json"]
    assert commit(result["code"], root=tmp_path) == result["commit"] + "+"
    assert commit(result["code"], root=tmp_path.parent) is None


def test_a_result_names_the_code_that_ran(tmp_path: Path) -> None:
    told = write_result({"figure": 1}, out=tmp_path / "new" / "some.json", also=[ROOT / "configs" / "a.toml"])
    assert json.loads((tmp_path / "new" / "some.json").read_text()) == told
    assert {"training/checks/results.py", "training/publishing/documents.py", "configs/a.toml"} <= set(
        told["code"]
    )
    assert not [name for name in told["code"] if name.startswith((".venv", "/"))]


def test_intervals_and_hazards_have_a_line_per_way_and_market() -> None:
    one = {"mean": 0.9, "low": 0.88, "high": 0.92}
    way = {"coverage": one, "coverage_of_each_account": one, "width": one}
    names = ("base_rate", "model", "best", "gap", "calibration_error", "coverage")
    row = {
        "hazard": "late_facts",
        "kind": "fit",
        "beats_the_best": 1,
        "markets": 3,
        **dict.fromkeys(names, one),
    }
    sizes = {"accounts": 2_000, "judged_accounts": 20_000}
    covered = {"seeds": [500, 699], "nominal": 0.9, **sizes}
    kinds = {"fit": {"base_rate": one, "ways": {"used": way, "bootstrap": way}}}
    lines = list(coverage_figures({**covered, "kinds": kinds}))
    assert lines[0].startswith("**Intervals**: 200 simulated markets of 2,000 accounts")
    assert [line.split(" | ")[2] for line in lines[4:]] == ["used", "bootstrap"]
    assert list(hazard_figures({**sizes, "hazards": [row]}))[-1].startswith(
        "| late facts | ICP fit | 0.900 ("
    )
    assert list(hazard_figures({**sizes, "hazards": [row]}))[-1].endswith("| 1 of 3 |")
