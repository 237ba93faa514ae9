"""Files of lists: CSV, or a workbook of Excel.

Turns lines of cells into a file that appears whole or not at all. Time rule: none. Null rule: an empty cell
is empty.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from features.errors import ConfigError
from serving.exporting.files import appearing

__all__ = ["as_csv", "workbook", "write_file"]

_SHEET = "list"


def write_file(out: Path, lines: Iterable[Sequence[str]], *, file_format: str) -> None:
    """Write lines, the header first. Raises ConfigError where the file cannot be written."""
    with appearing(out, text=file_format != "xlsx") as file:
        if file_format == "xlsx":
            workbook(lines, file)
        else:
            for part in as_csv(lines):
                file.write(part)


def as_csv(lines: Iterable[Sequence[str]]) -> Iterator[str]:
    """The text of a CSV file, line by line."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    for line in lines:
        writer.writerow(line)
        yield sink.getvalue()
        sink.seek(0)
        sink.truncate()


def workbook(lines: Iterable[Sequence[str]], file: IO[Any]) -> None:
    """Write a workbook with one sheet, whose cells are all texts: nothing in them is calculated."""
    try:
        from openpyxl import Workbook  # type: ignore[import-untyped]  # it has no types
        from openpyxl.cell.cell import (  # type: ignore[import-untyped]  # it has no types
            ILLEGAL_CHARACTERS_RE,
            WriteOnlyCell,
        )
    except ImportError as error:
        raise ConfigError("workbooks of Excel need openpyxl", fix="install it, or ask for csv") from error
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_SHEET)
    for line in lines:
        cells = [WriteOnlyCell(sheet) for _ in line]
        for cell, text in zip(cells, line, strict=True):
            cell.value = ILLEGAL_CHARACTERS_RE.sub("", text)
            cell.data_type = "s"
        sheet.append(cells)
    book.save(file)
