"""The word lists beside this module: what is data in the reading of company names.

Turns a text file into pairs (left=right, parted by blanks) or phrases (parted by / and by lines); lines that
begin with # are comments. Time rule: none. Null rule: none; the files are part of the package.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["word_pairs", "word_phrases"]

_FOLDER = Path(__file__).parent / "data"


@cache
def word_pairs(name: str) -> tuple[tuple[str, str], ...]:
    """Every left=right of the file, in its order."""
    found = (pair.partition("=") for line in _lines(name) for pair in line.split())
    return tuple((left, right) for left, _, right in found)


@cache
def word_phrases(name: str) -> frozenset[tuple[str, ...]]:
    """Every phrase of the file, as words."""
    return frozenset(tuple(phrase.split()) for line in _lines(name) for phrase in line.split("/"))


def _lines(name: str) -> list[str]:
    lines = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]
