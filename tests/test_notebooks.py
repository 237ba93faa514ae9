"""The notebooks run from top to bottom, and a command keeps what they show."""

from __future__ import annotations

import ast
import json
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from features.errors import InputError
from training.notebooks import execute

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.py"))


@pytest.fixture
def own_tracking() -> Iterator[None]:
    """A notebook has a process of its own, in which it may set MLflow's address; here others follow."""
    yield
    if "mlflow" in sys.modules:
        sys.modules["mlflow"].set_tracking_uri(None)


@pytest.mark.usefixtures("own_tracking")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_runs(path: Path) -> None:
    left = runpy.run_path(str(path))
    assert len(left["comparison"]) >= 2
    assert left["comparison"].notna().all(axis=None)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_imports_public_names_only(path: Path) -> None:
    imported = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    names = [name.name for node in imported for name in node.names]
    assert names
    assert not [name for name in names if name.startswith("_")]


def test_an_executed_notebook_keeps_its_outputs(tmp_path: Path) -> None:
    script = tmp_path / "sums.py"
    script.write_text(
        "# %% [markdown]\n# # Sums\n\n# %%\nfrom pathlib import Path\nPath(__file__).stem, 40 + 2\n"
    )
    (made,) = execute([script], out=tmp_path / "executed")
    words, code = json.loads(made.read_text())["cells"]
    assert words["source"] == ["# Sums"]
    assert code["outputs"][0]["data"]["text/plain"] == ["('sums', 42)"]


def test_a_notebook_that_stops_is_named_with_its_error(tmp_path: Path) -> None:
    script = tmp_path / "torn.py"
    script.write_text("# %%\n1 / 0\n")
    with pytest.raises(InputError, match=r"(?s)torn\.py stops at an error.*ZeroDivisionError"):
        list(execute([script], out=tmp_path))
