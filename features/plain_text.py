"""What the cells of large CSV files do not hold, told by their bytes.

Turns files without a quote, in which every delimiter parts two cells, into a `Lacking`: what lies in none of
their cells need not be looked for in each of millions. Time rule: none. Null rule: an empty cell holds
nothing.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np

from features.text_files import TextFile

__all__ = ["UNSEEN", "Lacking", "lacking_in"]

_PIECE = 1 << 20
_SMALL = 1 << 22
"""Bytes of files up to which looking takes longer than it saves."""

_SPACE, _LINE_FEED, _CARRIAGE_RETURN = b" \n\r"
_OTHER_BLANKS = (b"\t", b"\f", b"\xc2\xa0")
_BEGIN_FORMULAS = b"=#"


@dataclass(frozen=True)
class Lacking:
    """blanks: no cell begins or ends with one. formulas: no cell begins as a formula or a spreadsheet's error
    does. addresses: there is no sign that every e-mail address or full telephone number has."""

    blanks: bool = False
    formulas: bool = False
    addresses: bool = False

    @property
    def nothing(self) -> bool:
        return not (self.blanks or self.formulas or self.addresses)

    def both(self, other: Lacking) -> Lacking:
        return Lacking(
            self.blanks and other.blanks,
            self.formulas and other.formulas,
            self.addresses and other.addresses,
        )


UNSEEN: Final = Lacking()
"""Nothing is known of the cells."""


def lacking_in(groups: Mapping[TextFile, Collection[Path]]) -> Lacking:
    """What is in none of the files, by how they are read. One with a quote may hold anything."""
    files = [(file, shape) for shape, paths in groups.items() for file in paths]
    plain = all(_is_plain(file, shape=shape) for file, shape in files)
    if not plain or sum(file.stat().st_size for file, _ in files) <= _SMALL:
        return UNSEEN
    found = Lacking(blanks=True, formulas=True, addresses=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for file, shape in files:
            look = partial(_look, file, delimiter=ord(shape.delimiter))
            pieces = iter(range(0, file.stat().st_size, _PIECE))
            # A few at a time, so that a large file is not read to the end without need.
            while not found.nothing and (few := list(islice(pieces, _AT_ONCE))):
                for told in pool.map(look, few):
                    found = found.both(told)
    return found


_AT_ONCE = 16


def _is_plain(file: Path, *, shape: TextFile) -> bool:
    separates = len(shape.delimiter) == 1 and shape.delimiter.isascii() and shape.delimiter != " "
    return separates and not shape.quoted and file.suffix != ".gz"


def _piece(file: Path, *, start: int) -> bytes:
    """It begins with the end of the one before, so that what stands side by side is seen so."""
    with file.open("rb") as opened:
        opened.seek(max(start - 1, 0))
        piece = opened.read(start + _PIECE - opened.tell())
        return piece if opened.read(1) else piece + b"\n"


def _look(file: Path, start: int, *, delimiter: int) -> Lacking:
    piece = _piece(file, start=start)
    if b'"' in piece:
        return UNSEEN
    signs = np.frombuffer(piece, np.uint8)
    parted = (signs == delimiter) | (signs == _LINE_FEED)
    if _CARRIAGE_RETURN in piece:
        parted |= signs == _CARRIAGE_RETURN
    before, after = parted[:-1], parted[1:]
    # Looking for one byte takes a tenth of the time of looking for two.
    rare = [blank for blank in _OTHER_BLANKS if blank != bytes([delimiter]) and blank[-1:] in piece]
    others = any(blank in piece for blank in rare)
    space = signs == _SPACE
    return Lacking(
        blanks=not (others or np.any(space[:-1] & after) or np.any(space[1:] & before)),
        formulas=not any(np.any((signs[1:] == sign) & before) for sign in _BEGIN_FORMULAS if sign in piece),
        addresses=b"@" not in piece and b"+" not in piece,
    )
