"""The notebooks run from top to bottom, and a command keeps what they show."""

from __future__ import annotations

import ast
import importlib
import json
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from features.errors import InputError
from training.notebooks import execute

OURS = ("features", "models", "serving", "training")
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


def not_public(code: str) -> Iterator[str]:
    """What is imported from our packages though it is promised to nobody."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            # A whole module gives access to everything in it.
            yield from (name.name for name in node.names if name.name.partition(".")[0] in OURS)
        elif isinstance(node, ast.ImportFrom) and node.level:
            yield ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] in OURS:
            module = str(node.module)
            checks = f"{module}.".startswith("training.checks.")
            public = () if checks else getattr(importlib.import_module(module), "__all__", ())
            yield from (f"{module}.{name.name}" for name in node.names if name.name not in public)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_imports_public_names_only(path: Path) -> None:
    code = path.read_text(encoding="utf-8")
    assert any(f"from {package}." in code for package in OURS)
    assert list(not_public(code)) == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("from training.api import labels\nfrom pathlib import Path\nimport pandas as pd", []),
        ("from training.api import _opened, labels", ["training.api._opened"]),
        ("from training.api import known_accounts", ["training.api.known_accounts"]),
        ("from training.fit import *", ["training.fit.*"]),
        ("from training.checks.market import market_tables", ["training.checks.market.market_tables"]),
        ("from training import checks", ["training.checks"]),
        ("import training.fit as fit", ["training.fit"]),
        ("def late():\n    from .fit import matrix", ["from .fit import matrix"]),
    ],
    ids=["public", "private", "passed on", "everything", "a check", "checks", "a module", "relative"],
)
def test_what_is_promised_to_nobody_is_found(code: str, found: list[str]) -> None:
    assert list(not_public(code)) == found


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
