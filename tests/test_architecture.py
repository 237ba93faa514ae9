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
COMMAND_LINE = ROOT / "training" / "cli"


def imported_modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_with_the_module(tree: ast.Module) -> Iterator[str]:
    """What importing the module imports: everything outside functions and outside TYPE_CHECKING."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield from imported_modules(node)


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


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
def test_only_the_command_line_knows_of_serving_beyond_the_store(path: Path) -> None:
    if COMMAND_LINE in path.parents:
        return
    arrows = [name for name in imported_modules(ast.parse(path.read_text())) if within(name, "serving")]
    assert [name for name in arrows if not within(name, "serving.store")] == []


@pytest.mark.parametrize("path", TRAINING_FILES, ids=lambda path: path.stem)
def test_nothing_else_imports_the_command_line(path: Path) -> None:
    """The door for everything else is the functions that the commands call."""
    if COMMAND_LINE not in path.parents:
        names = imported_modules(ast.parse(path.read_text()))
        assert [name for name in names if within(name, "training.cli")] == []


@pytest.mark.parametrize("path", sorted(COMMAND_LINE.rglob("*.py")), ids=lambda path: path.stem)
def test_the_command_line_imports_the_product_only_inside_its_functions(path: Path) -> None:
    """Beside the standard library: typer, the errors and its own modules."""
    names = imported_with_the_module(ast.parse(path.read_text()))
    foreign = [name for name in names if name.split(".")[0] not in sys.stdlib_module_names]
    assert [name for name in foreign if not within(name, "typer", "features.errors", "training.cli")] == []


def test_importing_the_command_line_loads_nothing_heavy() -> None:
    """So that `spearfish --help` answers at once."""
    code = "import sys, training.cli; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy = {*{"bentoml", "duckdb", "lightgbm", "mlflow"}, *{"numpy", "pandas", "pyarrow", "pydantic"}}
    assert heavy & set(done.stdout.split()) == set()


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
