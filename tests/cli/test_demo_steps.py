"""What a demo tells while it works, to those who watch and to those who read a file."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from rich.console import Console

from training.console import Output
from training.demo import telling


@pytest.fixture
def page() -> StringIO:
    return StringIO()


def output_to(page: StringIO, *, terminal: bool) -> Output:
    output = Output(as_json=False)
    output.errors = Console(width=100, file=page, force_terminal=terminal)
    return output


def test_a_file_has_a_line_for_each_step_once_it_begins(page: StringIO) -> None:
    with telling(output_to(page, terminal=False)) as progress:
        progress("simulate [accounts]", 1_000, 5_000)
        assert re.fullmatch(r" +0 s  simulate \[accounts\]\n", page.getvalue())
        progress("simulate [accounts]", 5_000, 5_000)
        progress("ingest", 0, 7)
        assert [line.partition(" s  ")[2] for line in page.getvalue().splitlines()] == [
            "simulate [accounts]",
            "ingest",
        ]
        before = page.getvalue()
    assert page.getvalue() == before


def test_a_terminal_has_bars(page: StringIO) -> None:
    with telling(output_to(page, terminal=True)) as progress:
        progress("ingest", 2, 7)
    assert "2/7" in page.getvalue()
    assert "━" in page.getvalue()
