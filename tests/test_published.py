"""The README's figures are those of the result files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.published import ROOT, published, stale

RESULTS = ROOT / "results"


def test_the_readme_holds_the_figures_of_the_results() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme == published(readme, results=RESULTS)


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
    text = published("a\n<!-- published: figures -->\nold\n<!-- published: end -->\nz\n", results=tmp_path)
    assert text.startswith("a\n<!-- published: figures -->\n**Simulated markets**")
    assert "old" not in text
    assert "| ICP fit | 0.760 (0.750 to 0.770) |" in text
    assert text.endswith("<!-- published: end -->\nz\n")


@pytest.mark.parametrize("commit", [None, "0" * 40])
def test_a_result_of_unknown_code_is_named(commit: str | None, tmp_path: Path) -> None:
    (tmp_path / "some.json").write_text(json.dumps({"commit": commit}))
    assert stale(tmp_path) == ["some.json"]
