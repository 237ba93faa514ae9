"""What reports and rows set aside show in place of personal data.

Turns a cell that tells of a person who they are into its kind and length, and addresses and telephone numbers
inside of other texts into a mark, in SQL and in Python alike: enough to find the cell in the file and to mend
the mapping. Time rule: none. Null rule: nothing stays nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from features.bindings import Source
from features.contract import TABLES
from features.validation import literal

__all__ = [
    "ABOUT_PEOPLE",
    "cell_sql",
    "filled_columns",
    "kind_of",
    "kind_sql",
    "personal_columns",
    "row_sql",
    "tells_of_a_person_sql",
    "without_addresses",
    "without_addresses_sql",
    "without_values",
]

ABOUT_PEOPLE = ("contacts", "activities")
"""Tables whose files hold names and addresses beside what is bound."""

_ADDRESS = r"[^\s@,;:<>\"'()\[\]{}|=]+@[^\s@,;:<>\"'()\[\]{}|=]+"
_MARK = "[address]"
_TELEPHONE = r"[+][0-9](?:[ ().\-/]{0,3}[0-9]){7,14}"
"""In the way that is the same everywhere, with the country's code: any other one is a number like another."""

_TELEPHONE_MARK = "[telephone number]"
_NUMBER = r"[-+]?[0-9][0-9., ]*"
_TIME = r"[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4}.*"
_CHOICE = "true|false|yes|no|0|1"
_PLAIN = r"[-+]?[0-9]{1,6}([.,][0-9]{1,6})?|[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4}[0-9T:.,Z+ -]*"
"""A number too short for a telephone's, or a time."""

_IDENTIFIERS = frozenset(("account_id", "contact_id", "activity_id"))
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
    """The text with a mark for each address and each telephone number in it.

    >>> without_addresses('asked by "ann@example.com" (+49 30 123-456)')
    'asked by "[address]" ([telephone number])'
    """
    return re.sub(_TELEPHONE, _TELEPHONE_MARK, re.sub(_ADDRESS, _MARK, text))


def without_addresses_sql(text: str) -> str:
    """SQL for `without_addresses` of a SQL text."""
    masked = f"regexp_replace({text}, {literal(_ADDRESS)}, {literal(_MARK)}, 'g')"
    return f"regexp_replace({masked}, {literal(_TELEPHONE)}, {literal(_TELEPHONE_MARK)}, 'g')"


def tells_of_a_person_sql(text: str) -> str:
    """SQL of whether there is an e-mail address or a telephone number in a text. Most texts lack the sign."""
    return (
        f"(contains({text}, '@') AND regexp_matches({text}, {literal(_ADDRESS)})"
        f" OR contains({text}, '+') AND regexp_matches({text}, {literal(_TELEPHONE)}))"
    )


def without_values(message: str, *, table: str) -> str:
    """An engine's message about rows of a table: of people, without the cell that it quotes."""
    if table in ABOUT_PEOPLE:
        message = _QUOTED.sub(lambda match: kind_of(match[0][1:-1]), message)
    return without_addresses(message)


def personal_columns(source: Source) -> frozenset[str]:
    """The source's own columns that fill a column of personal data."""
    personal = TABLES[source.table].personal
    return frozenset(name for name, fills in filled_columns(source).items() if personal.intersection(fills))


def cell_sql(text: str, *, table: str, fills: Collection[str]) -> str:
    """SQL for what may be shown of a cell. fills: the columns of the table that it fills.

    Of people, a name may stand in any column that it does not belong in: nothing is shown but identifiers,
    which are one word, short numbers, times, and what the column may hold.
    """
    if table not in ABOUT_PEOPLE:
        return without_addresses_sql(text)
    if TABLES[table].personal.intersection(fills):
        return kind_sql(text)
    plain = r"\S+" if _IDENTIFIERS.intersection(fills) else _PLAIN
    shown = " OR ".join(
        f"regexp_full_match({text}, {literal(way)})" for way in (plain, *_allowed(table, fills=fills))
    )
    return f"CASE WHEN {shown} THEN {without_addresses_sql(text)} ELSE {kind_sql(text)} END"


def _allowed(table: str, *, fills: Collection[str]) -> Iterator[str]:
    """What columns that take few words may hold."""
    for column in TABLES[table].columns:
        if column.name in fills:
            yield from (column.pattern,) if column.pattern else ()
            yield from map(re.escape, column.allowed or ())


def row_sql(cells: Mapping[str, str], *, table: str, fills: Mapping[str, Collection[str]]) -> str:
    """SQL for the cells of a row as JSON. cells: SQL by name; fills: by name, columns of the table."""
    members = ", ".join(
        f"{literal(name)}, {_member(cell, table=table, fills=fills.get(name, ()))}"
        for name, cell in cells.items()
    )
    return without_addresses_sql(f"CAST(json_object({members}) AS VARCHAR)")


def _member(cell: str, *, table: str, fills: Collection[str]) -> str:
    if table not in ABOUT_PEOPLE:
        return cell
    return cell_sql(f"CAST({cell} AS VARCHAR)", table=table, fills=fills)


def filled_columns(source: Source) -> dict[str, list[str]]:
    """By the source's own column, the columns of the table that it fills."""
    found: dict[str, list[str]] = {}
    for name, binding in source.columns.items():
        if binding.column is not None:
            found.setdefault(binding.column, []).append(name)
    return found
