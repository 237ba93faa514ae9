"""Turns a sheet of a workbook (.xlsx, .xlsm, .xlsb, .xls, .ods) into a CSV file in UTF-8.

A cell becomes the text of its value: whole numbers without a point, times in ISO 8601, true and false. A
formula counts with the value that was saved with it; without one, and when it failed, its text is kept, so
that the row is set aside by name. Time rule: times have no zone in a workbook; the source declares one.
Null rule: an empty cell is blank. A workbook is a zip: what would unpack to more than `UNPACKED_LIMIT`
is refused before anything is read.
"""

from __future__ import annotations

import csv
import datetime
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from features.errors import ConfigError
from features.text_files import TextFile, unique_header

__all__ = ["ENDINGS", "UNPACKED_LIMIT", "open_sheet"]

ENDINGS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
UNPACKED_LIMIT = 1 << 29
"""Bytes that the parts of a workbook may unpack to. A full sheet of a million rows stays below it."""

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_Cells = dict[tuple[int, int], str]


def open_sheet(path: Path, *, sheet: str | None, scratch: Path) -> TextFile:
    """A sheet, by default the first, as the CSV file `scratch`.

    Raises ConfigError for a file that is no workbook, that unpacks to too much, or that lacks the sheet.
    """
    try:
        if zipfile.is_zipfile(path):
            _require_modest(path)
        with CalamineWorkbook.from_path(str(path)) as book:
            chosen = _sheet(book, name=sheet, path=path)
            kept = _formulas_without_value(path, sheet=chosen.name)
            header = _write(chosen, kept=kept, target=scratch)
    except (CalamineError, zipfile.BadZipFile, ElementTree.ParseError, OSError) as error:
        raise ConfigError(
            f"{path} cannot be read as a workbook",
            got=error,
            allowed=", ".join(ENDINGS),
            fix="save it again, without a password",
        ) from error
    return TextFile(scratch, unique_header(header, path=path), ",")


def _require_modest(path: Path) -> None:
    """Raise ConfigError when the parts are too much, BadZipFile when they are not what the index says."""
    with zipfile.ZipFile(path) as parts:
        total = sum(part.file_size for part in parts.infolist())
        if total > UNPACKED_LIMIT:
            raise ConfigError(
                f"{path} unpacks to too much",
                got=f"{total:,} bytes from {path.stat().st_size:,}",
                allowed=f"{UNPACKED_LIMIT:,} bytes",
                fix="save the sheet as CSV",
            )
        if damaged := parts.testzip():
            raise zipfile.BadZipFile(f"its part {damaged} is damaged")


def _sheet(book: CalamineWorkbook, *, name: str | None, path: Path) -> CalamineSheet:
    if not book.sheet_names or (name is not None and name not in book.sheet_names):
        raise ConfigError(
            f"{path} has no such sheet",
            got=repr(name) if name else "none",
            allowed=", ".join(book.sheet_names),
            fix="correct `sheet` beside the table",
        )
    return book.get_sheet_by_name(name or book.sheet_names[0])


def _write(sheet: CalamineSheet, *, kept: _Cells, target: Path) -> list[str]:
    """Write the rows and return the header. Row numbers are those of the sheet."""
    rows = sheet.iter_rows()
    header: list[str] = []
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for number, row in enumerate(rows):
            texts = [kept.get((number, place)) or _as_text(cell) for place, cell in enumerate(row)]
            header = header or texts
            # A row of blanks would be no row to the reader of CSV, and later ones would change their number.
            writer.writerow(texts)
    return header


def _as_text(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 9e15 else repr(value)
        case datetime.datetime():
            return value.isoformat(sep=" ")
        case _:
            return str(value)


def _formulas_without_value(path: Path, *, sheet: str) -> _Cells:
    """Texts by (row, column), from zero, of formulas that were never computed and of errors."""
    if not zipfile.is_zipfile(path):
        return {}
    with zipfile.ZipFile(path) as parts:
        part = _part_of(parts, sheet=sheet)
        if part is None:
            return {}
        with parts.open(part) as content:
            return dict(_unsolved(ElementTree.iterparse(content)))


def _part_of(parts: zipfile.ZipFile, *, sheet: str) -> str | None:
    """The part that holds a sheet; None in a workbook of another kind."""
    names = set(parts.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return None
    book = ElementTree.fromstring(parts.read("xl/workbook.xml"))
    links = ElementTree.fromstring(parts.read("xl/_rels/workbook.xml.rels"))
    wanted = [entry.get(_LINK) for entry in book.iter(f"{_MAIN}sheet") if entry.get("name") == sheet]
    targets = [str(link.get("Target")).lstrip("/") for link in links if link.get("Id") in wanted]
    found = (target if target.startswith("xl/") else f"xl/{target}" for target in targets)
    return next((part for part in found if part in names), None)


def _unsolved(
    events: Iterator[tuple[str, ElementTree.Element]],
) -> Iterator[tuple[tuple[int, int], str]]:
    for _, element in events:
        if element.tag == f"{_MAIN}c":
            formula, value = element.findtext(f"{_MAIN}f"), element.findtext(f"{_MAIN}v")
            if element.get("t") == "e" and value:
                yield _place(str(element.get("r"))), value
            elif formula is not None and not value:
                yield _place(str(element.get("r"))), f"={formula}"
        elif element.tag == f"{_MAIN}row":
            element.clear()


def _place(reference: str) -> tuple[int, int]:
    """'C2' as (1, 2)."""
    letters = reference.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(reference[len(letters) :]) - 1, column - 1
