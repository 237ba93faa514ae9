"""The notebooks run from top to bottom."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.py"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_runs(path: Path) -> None:
    left = runpy.run_path(str(path))
    comparison = left["comparison"]
    assert len(comparison) == 2
    assert ((comparison > 0) & (comparison < 1)).all().all()
