"""Files of lists: CSV, or a workbook of Excel.

Turns lines of cells into a file that appears whole or not at all, and that is the same, byte for byte, for
the same lines. Time rule: a workbook says the moment that its list was handed over, never that of writing.
Null rule: an empty cell is empty.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Literal
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from features.errors import ConfigError
from serving.exporting.files import appearing

__all__ = ["write", "write_file"]

_SHEET = "list"
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_PLAIN_FILE = 0o600 << 16
"""Date and rights of each part of a workbook: nobody needs them, and they would tell when it was written."""


def write_file(out: Path, lines: Iterable[Sequence[str]], *, file_format: str, at: datetime) -> None:
    """As `write`, to a file. Raises ConfigError where it cannot be written."""
    with appearing(out, text=False) as file:
        write(file, lines, file_format=file_format, at=at)


def write(file: IO[bytes], lines: Iterable[Sequence[str]], *, file_format: str, at: datetime) -> None:
    """Write lines, the header first. at: when the list was handed over.

    CSV for people begins with a byte-order mark, without which Excel takes UTF-8 for another encoding; that
    for a CRM does not: an importer may take the mark for a part of the first heading.
    """
    if file_format == "xlsx":
        _write_workbook(file, lines, at=at)
        return
    if file_format == "csv":
        file.write(codecs.BOM_UTF8)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    csv.writer(text, lineterminator="\n").writerows(lines)
    # Whoever opened the file closes it.
    text.detach()


def _write_workbook(file: IO[bytes], lines: Iterable[Sequence[str]], *, at: datetime) -> None:
    """One sheet, whose cells are all texts: nothing in them is calculated."""
    try:
        from openpyxl import Workbook
        from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, WriteOnlyCell
        from openpyxl.writer.excel import ExcelWriter
    except ImportError as error:
        raise ConfigError("workbooks of Excel need openpyxl", fix="install it, or ask for csv") from error
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_SHEET)

    def cell(text: str) -> Any:
        told = ILLEGAL_CHARACTERS_RE.sub("", text)
        if not told.startswith(("=", "#")):
            return told or None
        # By itself it would be a formula, or an error.
        made = WriteOnlyCell(sheet, told)
        made.data_type = "s"
        return made

    for line in lines:
        sheet.append([cell(text) for text in line])
    book.properties.created = book.properties.modified = at
    # `Workbook.save` would put the moment of writing into the file, and into each part of it.
    ExcelWriter(book, _Undated(file, "w", ZIP_DEFLATED, allowZip64=True)).save()


class _Undated(ZipFile):
    """An archive whose parts say nothing of when they were written."""

    def open(
        self, name: str | ZipInfo, mode: Literal["r", "w"] = "r", *args: Any, **options: Any
    ) -> IO[bytes]:
        if isinstance(name, ZipInfo):
            name.date_time, name.external_attr = _EARLIEST, _PLAIN_FILE
        return super().open(name, mode, *args, **options)
