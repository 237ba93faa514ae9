"""The pages on models: every command, option, section and name in their samples exists."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
import typer

from features.profile_settings import ProfileSettings
from features.section import Section
from features.settings import BacktestSettings, GateSettings, RetrainSettings
from training.cli.app import app

FOLDER = Path(__file__).parents[2] / "training" / "docs"
PAGES = {page.name: page.read_text(encoding="utf-8") for page in sorted(FOLDER.glob("*.md"))}
COMMANDS = typer.main.get_group(app).commands
SECTIONS: dict[str, type[Section]] = {
    "backtest": BacktestSettings,
    "gate": GateSettings,
    "profile": ProfileSettings,
    "retrain": RetrainSettings,
}


def samples(language: str) -> list[str]:
    return [
        found for page in PAGES.values() for found in re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    ]


LINES = [line for sample in samples("sh") for line in sample.splitlines() if line.strip()]


@pytest.mark.parametrize("line", LINES)
def test_a_command_can_be_given_so(line: str) -> None:
    program, name, *given = shlex.split(line, comments=True)
    assert program == "spearfish"
    COMMANDS[name].make_context(name, given)


def test_every_command_of_learning_is_told() -> None:
    told = {shlex.split(line)[1] for line in LINES}
    assert told >= {"train", "tune", "backtest", "learning-curve", "audit", "profile", "promote", "retrain"}


@pytest.mark.parametrize("sample", samples("toml"))
def test_a_setting_is_one(sample: str) -> None:
    for name, section in tomllib.loads(sample).items():
        SECTIONS[name].model_validate(section)


@pytest.mark.parametrize("sample", samples("python"))
def test_a_name_of_ours_can_be_imported(sample: str) -> None:
    for node in ast.walk(ast.parse(sample)):
        if (
            isinstance(node, ast.ImportFrom)
            and node.module
            and node.module.startswith(("features", "training"))
        ):
            module = import_module(node.module)
            assert all(hasattr(module, one.name) for one in node.names)


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_points_at_is_there(page: str) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", PAGES[page])
    assert all((FOLDER / target).exists() for target in targets)
