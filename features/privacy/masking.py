"""What reports and rows set aside show in place of personal data.

Turns a cell that tells of a person who they are into its kind and length, and addresses inside of other texts
into a mark, in SQL and in Python alike: enough to find the cell in the file and to mend the mapping. Time
rule: none. Null rule: nothing stays nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from features.bindings import Source
from features.contract import TABLES
from features.validation import literal

__all__ = [
    "ABOUT_PEOPLE",
    "kind_of",
    "kind_sql",
    "personal_columns",
    "shown_sql",
    "without_addresses",
    "without_addresses_sql",
    "without_values",
]

ABOUT_PEOPLE = ("contacts", "activities")
"""Tables whose files hold names and addresses beside what is bound."""

_ADDRESS = r"[^\s@,;:<>\"'()\[\]{}|=]+@[^\s@,;:<>\"'()\[\]{}|=]+"
_MARK = "[address]"
_NUMBER = r"[-+]?[0-9][0-9., ]*"
_TIME = r"[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4}.*"
_CHOICE = "true|false|yes|no|0|1"
_QUOTED = re.compile(r"(['\"]).*\1", re.DOTALL)


def kind_of(text: str) -> str:
    """What kind of text it is.

    >>> kind_of("Ann Lee"), kind_of("ann@example.com"), kind_of("2024-01-31"), kind_of("Yes")
    ('[text, 7 characters]', '[address, 15 characters]', '[time, 10 characters]', '[yes or no]')
    """
    if re.fullmatch(_CHOICE, text.strip(), re.IGNORECASE):
        return "[yes or no]"
    kinds = (("address", ".*@.*"), ("time", _TIME), ("number", _NUMBER))
    kind = next((kind for kind, way in kinds if re.fullmatch(way, text.strip(), re.DOTALL)), "text")
    return f"[{kind}, {len(text)} characters]"


def kind_sql(text: str) -> str:
    """SQL for `kind_of` of a SQL text."""
    bare = f"trim({text})"
    return (
        f"CASE WHEN {text} IS NULL THEN NULL"
        f" WHEN regexp_full_match({bare}, {literal(_CHOICE)}, 'i') THEN '[yes or no]'"
        f" ELSE concat('[', CASE WHEN contains({text}, '@') THEN 'address'"
        f" WHEN regexp_full_match({bare}, {literal(_TIME)}) THEN 'time'"
        f" WHEN regexp_full_match({bare}, {literal(_NUMBER)}) THEN 'number' ELSE 'text' END,"
        f" ', ', length({text}), ' characters]') END"
    )


def without_addresses(text: str) -> str:
    """The text with a mark for each address in it.

    >>> without_addresses('asked by "ann@example.com"')
    'asked by "[address]"'
    """
    return re.sub(_ADDRESS, _MARK, text)


def without_addresses_sql(text: str) -> str:
    """SQL for `without_addresses` of a SQL text."""
    return f"regexp_replace({text}, {literal(_ADDRESS)}, {literal(_MARK)}, 'g')"


def without_values(message: str, *, table: str) -> str:
    """An engine's message about rows of a table: of people, without the cell that it quotes."""
    if table in ABOUT_PEOPLE:
        message = _QUOTED.sub(lambda match: kind_of(match[0][1:-1]), message)
    return without_addresses(message)


def personal_columns(source: Source) -> frozenset[str]:
    """The source's own columns that fill a column of personal data."""
    personal = TABLES[source.table].personal
    return frozenset(
        binding.column
        for name, binding in source.columns.items()
        if name in personal and binding.column is not None
    )


def shown_sql(cells: Mapping[str, str], *, personal: frozenset[str]) -> str:
    """SQL for the cells of a row as JSON. cells: SQL text by name; those of `personal` are masked."""
    members = ", ".join(
        f"{literal(name)}, {kind_sql(f'CAST({cell} AS VARCHAR)') if name in personal else cell}"
        for name, cell in cells.items()
    )
    return without_addresses_sql(f"CAST(json_object({members}) AS VARCHAR)")
