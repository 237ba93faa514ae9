"""What the command line prints, and where: one JSON object on standard output when asked for, otherwise
tables; progress, notes and errors always go to standard error, so that output can be piped.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console, ConsoleRenderable, RichCast
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from features.errors import SpearfishError

__all__ = ["Output", "ReportProgress", "show_error"]

ReportProgress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


class Output:
    """Where a command says things. `as_json` keeps standard output for one JSON object."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.errors = Console(stderr=True)
        self.people = self.errors if as_json else Console()

    def heading(self, text: str) -> None:
        self.people.print(Text(f"\n{text}", style="bold"))

    def note(self, text: str) -> None:
        """A sentence for people. Printed as it stands: brackets in data are not mark-up."""
        self.people.print(Text(text))

    def table(
        self, columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None
    ) -> None:
        """A table for people; numbers are set to the right."""
        rows = [list(row) for row in rows]
        table = Table(title=title, title_justify="left", title_style="bold")
        for position, column in enumerate(columns):
            numeric = bool(rows) and all(isinstance(row[position], int | float) for row in rows)
            table.add_column(column, justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Text(str(cell)) for cell in row))
        self.people.print(table)

    def show(self, renderable: ConsoleRenderable | RichCast) -> None:
        """Something that knows how to draw itself."""
        self.people.print(renderable)

    def result(self, document: Mapping[str, object]) -> None:
        """The command's result as one JSON object, when JSON was asked for."""
        if self.as_json:
            sys.stdout.write(json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n")
            sys.stdout.flush()

    @contextmanager
    def progress(self) -> Iterator[ReportProgress]:
        """A bar per step on standard error, drawn as the work calls back."""
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.errors) as bars:
            tasks = {}

            def report(what: str, done: int, total: int) -> None:
                if what not in tasks:
                    tasks[what] = bars.add_task(what, total=total)
                bars.update(tasks[what], completed=done, total=total)

            yield report


def show_error(error: SpearfishError, *, as_json: bool) -> None:
    """One sentence on standard error; with `as_json` also one object on standard output."""
    Console(stderr=True).print(Text(f"error: {error.sentence()}", style="red"), soft_wrap=True)
    parts = {"what": error.what, "got": error.got, "allowed": error.allowed, "fix": error.fix}
    if as_json:
        told = {name: None if part is None else str(part) for name, part in parts.items()}
        document = {"error": told | {"kind": type(error).__name__, "sentence": error.sentence()}}
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
