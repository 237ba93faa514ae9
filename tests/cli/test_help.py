"""Help is shown as it was written: what looks like mark-up and is none is not swallowed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from rich.text import Text
from typer.testing import CliRunner

from training.cli.app import app

STYLES = {"bold", "/bold", "dim", "/dim", "italic", "/italic"}


def commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    def below(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
        yield path, command
        for name, one in getattr(command, "commands", {}).items():
            yield from below(one, (*path, name))

    yield from below(typer.main.get_command(app), ())


COMMANDS = dict(commands())


def written(command: Any) -> Iterator[str]:
    """Every text of a command that its help shows."""
    yield command.help or ""
    for parameter in command.params:
        yield getattr(parameter, "help", None) or ""


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: " ".join(path) or "spearfish")
def test_no_word_in_brackets_is_lost(path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    told = " ".join(written(COMMANDS[path]))
    words = [word for word in re.findall(r"\[+([a-z_./]+)\]+", told) if word not in STYLES]
    shown = CliRunner().invoke(app, [*path, "--help"], catch_exceptions=False).stdout
    for word in words:
        assert f"[{word}]" in shown, f"{word}: write \\\\[{word}]"
    for text in written(COMMANDS[path]):
        # What mark-up leaves of a text is what was meant: no tag but those of styles.
        assert {str(span.style) for span in Text.from_markup(text).spans} <= STYLES
    assert "\\[" not in shown


def test_settings_are_named_as_the_config_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert "what its [identity] says" in CliRunner().invoke(app, ["match", "--help"]).stdout
    assert "Take [serving] and [gate] from" in CliRunner().invoke(app, ["promote", "--help"]).stdout
