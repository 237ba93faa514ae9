"""What came of reading a cell: a value, nothing to read, or a text that could not be read.

Time rule: none. Null rule: an empty cell, or one of the usual marks for "unknown", holds nothing; it is no
fault. A text that holds something else than expected is `unread`: ingest counts it and shows it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

__all__ = ["NOTHING", "UNREAD", "Reading", "plain", "tidy"]

ValueT = TypeVar("ValueT")

_UNKNOWN = frozenset(
    {"", "-", "--", "?", "n/a", "na", "#n/a", "nan", "none", "null", "nil", "unknown", "not available"}
    | {"not provided", "undisclosed", "tbd", "未知", "无", "不详", "unbekannt", "inconnu", "desconocido"}
)


@dataclass(frozen=True)
class Reading(Generic[ValueT]):
    """value: None where there is none. unread: the cell held something that could not be read."""

    value: ValueT | None = None
    unread: bool = False


NOTHING: Reading[Any] = Reading()
UNREAD: Reading[Any] = Reading(unread=True)


def tidy(text: str | None) -> str | None:
    """The cell with its full-width forms narrowed, its blanks single and trimmed; None where it says nothing.

    >>> tidy("　５１－２００  人 "), tidy("N/A"), tidy(None)
    ('51-200 人', None, None)
    """
    if text is None:
        return None
    bare = " ".join(unicodedata.normalize("NFKC", text).split())
    return None if bare.casefold() in _UNKNOWN else bare


def plain(text: str) -> str:
    """Letters, digits and single blanks only, without accents, in lower case: for look-up in word lists.

    >>> plain("Côte d’Ivoire")
    'cote d ivoire'
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(re.findall(r"\w+", bare.replace("_", " ")))
