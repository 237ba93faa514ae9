"""Salesforce ids as SQL, for tables of any length; `identifiers.salesforce_id` says the same of one text.

Turns SQL for a text into SQL for the id that it names. Time rule: none. Null rule: NULL stays NULL, and what
is no id of 15 or 18 characters stays as it is.
"""

from __future__ import annotations

__all__ = ["is_odd_salesforce_id_sql", "salesforce_id_sql", "salesforce_letters_sql"]

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHORT, _LONG = "[A-Za-z0-9]{15}", "[A-Za-z0-9]{15}[A-Za-z0-5]{3}"


def salesforce_letters_sql(text: str) -> str:
    """SQL for the three letters that 15 characters get: each tells which of five are capital letters."""
    return " || ".join(_letter(text, start=start) for start in (1, 6, 11))


def _letter(text: str, *, start: int) -> str:
    capitals = " + ".join(
        f"CASE WHEN substr({text}, {start + place}, 1) BETWEEN 'A' AND 'Z' THEN {1 << place} ELSE 0 END"
        for place in range(5)
    )
    return f"substr('{_LETTERS}', 1 + {capitals}, 1)"


def salesforce_id_sql(text: str) -> str:
    """SQL for the id with 18 characters in its own case.

    What has 18 characters that contradict each other stays as it is; see `is_odd_salesforce_id_sql`.
    """
    return (
        f"CASE WHEN strlen({text}) NOT IN (15, 18) THEN {text}"
        f" WHEN regexp_full_match({text}, '{_SHORT}') THEN {text} || {salesforce_letters_sql(text)}"
        f" WHEN {is_odd_salesforce_id_sql(text)}"
        f" THEN list_filter([{_restored(text)}, {text}], lambda one: length(one) = 18)[1]"
        f" ELSE {text} END"
    )


def is_odd_salesforce_id_sql(text: str) -> str:
    """SQL that is true of 18 characters whose last three do not say what the others are."""
    return (
        f"(regexp_full_match({text}, '{_LONG}') AND {salesforce_letters_sql(text)} <> substr({text}, 16, 3))"
    )


def _restored(text: str) -> str:
    """The id in the case that its last letters tell; shorter where they call a digit a capital letter."""
    letter = f"upper(substr({text}, 16 + (place - 1) // 5, 1))"
    capital = f"((instr('{_LETTERS}', {letter}) - 1) >> ((place - 1) % 5)) & 1 = 1"
    one = f"substr({text}, place, 1)"
    cased = (
        f"CASE WHEN NOT ({capital}) THEN lower({one}) WHEN {one} BETWEEN '0' AND '9' THEN ''"
        f" ELSE upper({one}) END"
    )
    first = f"array_to_string(list_transform(range(1, 16), lambda place: {cased}), '')"
    return f"{first} || upper(substr({text}, 16, 3))"
