"""The published figures are those of the result files."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from training.checks.results import ROOT, commit, digest, stale, write_result
from training.publishing import DOCUMENTS, published
from training.publishing.documents import every_table
from training.publishing.markets import coverage_figures, hazard_figures
from training.publishing.shown import least, most
from training.publishing.yardsticks import missed_yardsticks

RESULTS = ROOT / "results"


@pytest.mark.parametrize("page", list(DOCUMENTS))
def test_the_pages_hold_the_figures_of_the_results(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert text == published(text, results=RESULTS, render=DOCUMENTS[page])


def test_no_yardstick_stands_in_the_readme_without_its_interval_and_its_base_rate() -> None:
    lines = DOCUMENTS["README.md"](RESULTS).splitlines()[2:]
    cells = {line.rsplit("`make ", 1)[1]: line.strip("| ").split(" | ") for line in lines}
    assert {"hubspot_free_tier` |", "interval_coverage` |", "small_tables` |"} <= set(cells)
    for result, (what, base, _, reached, *_) in cells.items():
        if not result.startswith(("serving_", "ingest_speed", "lookalike_speed", "list_page")):
            alone = re.findall(r"[+-]?\d*\.\d+(?! \(|\d| to |\)|,? in )", reached.replace("within .2", ""))
            assert (what, alone) == (what, [])
            assert re.search(r"\d", base), what


def test_what_is_missed_is_told(tmp_path: Path) -> None:
    def lead(value: float) -> dict[str, float]:
        return {"value": value, "low": value - 0.001, "high": value + 0.001}

    sizes = {"80": {"catboost": lead(0.0005)}, "2000": {"catboost": lead(-0.002)}}
    curve = {"roc_auc": {}, "rows": 9, "base_rate": 0.4, "draws": {}, "spearfish_minus": sizes}
    told = list(missed_yardsticks({"small_tables": {"curves": {"leads: early": curve}}}))
    assert told[2].endswith(
        ": the floor (leads 2,000 rows). Asked: surely behind nowhere; reached: worst of each list: "
        "leads, 2,000 rows, CatBoost, untuned: -0.0020 (-0.0030 to -0.0010)."
    )
    assert list(missed_yardsticks({})) == []


@pytest.mark.parametrize(
    ("value", "missed"), [(0.01, ""), (0.02, ""), (0.025, "aim"), (0.03, "aim"), (0.031, "floor")]
)
def test_a_floor_and_an_aim_are_reached_at_their_figure(value: float, missed: str) -> None:
    assert most(value, floor=0.03, aim=0.02) == least(-value, floor=-0.03, aim=-0.02) == missed


def test_the_figures_stand_between_the_marks(tmp_path: Path) -> None:
    estimate = {"mean": 0.76, "low": 0.75, "high": 0.77}
    names = ("model", "logistic_regression", "best", "gap_to_best", "ahead_of_logistic_regression")
    row = dict.fromkeys((*names, "calibration_error", "base_rate"), estimate)
    found = {
        "seeds": [1, 2],
        "accounts": 5000,
        "test_accounts": 50000,
        "roc_auc": {"fit": row, "intent": row},
    }
    (tmp_path / "simulated_market.json").write_text(json.dumps(found))
    page = "a\n<!-- published: figures -->\nold\n<!-- published: end -->\nz\n"
    text = published(page, results=tmp_path, render=every_table)
    assert text.startswith("a\n<!-- published: figures -->\n**Missed**")
    assert "gap of fit to the best ranker, ROC AUC: the floor. Asked: .03, aim .02; reached: 0.760 (" in text
    assert "\n\n**Simulated markets**" in text
    assert "old" not in text
    assert "| ICP fit | 0.760 (0.750 to 0.770) |" in text
    assert text.endswith("<!-- published: end -->\nz\n")


@pytest.mark.parametrize(
    "told",
    [{"commit": None}, {"digest": None}, {"digest": digest(["some"])}, {"commit": "HEAD+"}, {"code": []}],
)
def test_a_result_of_unknown_code_is_named(told: dict[str, object], tmp_path: Path) -> None:
    known = {"commit": "HEAD", "code": ["none"], "digest": digest(["none"])}
    (tmp_path / "some.json").write_text(json.dumps(known))
    assert stale(tmp_path) == []
    (tmp_path / "some.json").write_text(json.dumps({**known, **told}))
    assert stale(tmp_path) == ["some.json"]


def test_a_result_gets_old_by_its_own_code_alone(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        told = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com", *words]
        return subprocess.run(told, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()

    (tmp_path / "data").mkdir()
    for name in ("measured.py", "other.py", "data/words.txt"):
        (tmp_path / name).write_text("first")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "first")
    code = ["data", "measured.py"]
    result: Any = {"commit": git("rev-parse", "HEAD"), "code": code, "digest": digest(code, root=tmp_path)}
    (tmp_path / "some.json").write_text(json.dumps(result))
    (tmp_path / "other.py").write_text("second")
    assert stale(tmp_path, root=tmp_path) == []
    assert commit(code, root=tmp_path) == result["commit"]
    for name in ("measured.py", "data/words.txt"):
        (tmp_path / name).write_text("second")
        assert stale(tmp_path, root=tmp_path) == ["some.json"]
        assert commit(code, root=tmp_path) == result["commit"] + "+"
        (tmp_path / name).write_text("first")
    began = (tmp_path / "measured.py").stat().st_mtime
    assert commit(code, since=began + 1, root=tmp_path) == result["commit"]
    assert commit(code, since=began - 1, root=tmp_path) == result["commit"] + "+"
    (tmp_path / "measured.py").unlink()
    assert stale(tmp_path, root=tmp_path) == ["some.json"]
    assert commit(code, root=tmp_path.parent) is None


def test_a_result_names_the_code_that_ran(tmp_path: Path) -> None:
    told = write_result({"figure": 1}, out=tmp_path / "new" / "some.json", also=[ROOT / "configs" / "a.toml"])
    assert json.loads((tmp_path / "new" / "some.json").read_text()) == told
    assert {"training/checks/results.py", "training/publishing/documents.py", "configs/a.toml"} <= set(
        told["code"]
    )
    assert not [name for name in told["code"] if name.startswith((".venv", "/"))]


def test_intervals_and_hazards_have_a_line_per_way_and_market() -> None:
    one = {"mean": 0.9, "low": 0.88, "high": 0.92}
    bins = {"worst_bin": {"bin": 3, **one}, "top_bin": {"bin": 20, **one}}
    way = {"coverage": one, "coverage_of_each_account": one, "width": one, **bins}
    names = ("base_rate", "model", "best", "gap", "calibration_error", "coverage")
    row = {
        "hazard": "late_facts",
        "kind": "fit",
        "beats_the_best": 1,
        "markets": 3,
        **dict.fromkeys(names, one),
    }
    sizes = {"accounts": 2_000, "judged_accounts": 20_000}
    ways = {"used": way, "bootstrap": {**way, "markets": 50}}
    kinds = {"fit": {"base_rate": one, "learners": {"boosted trees": 200}, "ways": ways}}
    block = {"seeds": [500, 699], "judged_markets": 10, "kinds": kinds}
    covered = {**sizes, **block, "nominal": 0.9, "step_days": 90, "larger": {**block, "accounts": 3_000}}
    lines = list(coverage_figures(covered))
    assert lines[2] == (
        "200 markets of 2,000 accounts, judged on 10 others; learned by: ICP fit boosted trees (200 markets)"
    )
    assert [line.split(" | ")[2] for line in lines[6:8]] == ["used", "bootstrap (on 50 markets)"]
    assert "| 0.900 (0.880 to 0.920), bin 3 |" in lines[6]
    assert lines[9].startswith("200 markets of 3,000 accounts")
    assert list(hazard_figures({**sizes, "hazards": [row]}))[-1].startswith(
        "| late facts | ICP fit | 0.900 ("
    )
    assert list(hazard_figures({**sizes, "hazards": [row]}))[-1].endswith("| 1 of 3 |  |")
    asked = {**row, "audit_names_the_leak": 3, "audit_blocks_others": 1}
    assert list(hazard_figures({**sizes, "hazards": [asked]}))[-1].endswith("| 1 of 3 | 3 of 3, others 1 |")
