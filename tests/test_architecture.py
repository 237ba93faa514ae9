"""The import arrows: which folder may know of which."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TRAINING_FILES = sorted((ROOT / "training").rglob("*.py"))
COMMAND_LINE = ROOT / "training" / "cli.py"


def imported_modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_declared_contracts_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", TRAINING_FILES, ids=lambda path: path.stem)
def test_training_knows_of_serving_only_the_store(path: Path) -> None:
    if path == COMMAND_LINE:
        return
    arrows = [name for name in imported_modules(ast.parse(path.read_text())) if name.startswith("serving")]
    assert [name for name in arrows if not name.startswith("serving.store")] == []


def test_the_command_line_imports_the_product_only_inside_its_functions() -> None:
    top = ast.Module(
        [
            node
            for node in ast.parse(COMMAND_LINE.read_text()).body
            if isinstance(node, ast.Import | ast.ImportFrom)
        ],
        [],
    )
    ours = {name for name in imported_modules(top) if name.split(".")[0] in {"serving", "models", "features"}}
    assert {name.rsplit(".", 1)[0] for name in ours} <= {"features.errors"}


def test_the_root_stays_small() -> None:
    allowed = {
        *{"features", "models", "serving", "training", "notebooks", "tests", "configs", "results", "docs"},
        *{"pyproject.toml", "README.md", "CHANGELOG.md", "Makefile", "requirements.lock"},
        *{".ci", ".gitignore"},
    }
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {line.split("/")[0] for line in tracked.stdout.splitlines()} <= allowed


def test_the_lock_file_pins_with_hashes_and_names_no_registry() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith((" ", "#"))]
    assert len(pins) > 100
    assert all("==" in pin and pin.endswith("\\") for pin in pins)
    assert not [line for line in lines if "://" in line or line.lstrip().startswith(("--index", "--find"))]
