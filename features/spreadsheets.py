"""CSV files that people open in a spreadsheet.

Turns a frame into a file that Excel reads as it was written, and a cell of such a file back into its text.
Time rule: none. Null rule: an empty cell stays empty.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

__all__ = ["unguarded", "write_csv"]

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_csv(frame: pd.DataFrame, file: Path) -> None:
    """Write the columns of a frame, without its index, in UTF-8.

    The file begins with a byte-order mark, without which Excel takes UTF-8 for another encoding; a text
    that a spreadsheet would take for a formula starts with an apostrophe. Raises OSError.
    """
    texts = [column for column, kind in frame.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    guarded = frame.assign(**{str(column): frame[column].map(_guarded) for column in texts})
    guarded.to_csv(file, index=False, encoding="utf-8-sig")


def unguarded(text: str) -> str:
    """The text for which `write_csv` wrote this cell.

    >>> unguarded("'=1+1"), unguarded("'s-Hertogenbosch")
    ('=1+1', "'s-Hertogenbosch")
    """
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA_STARTS) else text


def _guarded(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell
