"""The cells of an export.

Turns a value into the text that an import reads: a point before decimals, moments in UTC, nothing that a
spreadsheet would take for a formula, no line breaks. Time rule: Salesforce takes ISO 8601, HubSpot
milliseconds since 1970. Null rule: what is not there must not leave an older value in the CRM: Salesforce
clears a field for `#N/A`; HubSpot clears none, so texts say `none`, and a number stays until there is one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from features.identity.identifiers import salesforce_id
from serving.answers import iso
from serving.exporting.layout import FIELDS, MATCHES, Crm, Kind, Match
from serving.flat_reasons import shortened

__all__ = ["Found", "cells_of", "columns_of", "found_by", "identifier_of", "safe_text"]

_FORMULAS = ("=", "+", "-", "@")
_NOTHING: dict[tuple[Crm, bool], str] = {
    ("salesforce", True): "#N/A",
    ("salesforce", False): "#N/A",
    ("hubspot", True): "none",
    ("hubspot", False): "",
}


def safe_text(text: str) -> str:
    """A text that no spreadsheet calculates, on one line, at most as long as a field.

    >>> safe_text("=HYPERLINK(A1)"), safe_text("3 demos"), safe_text("a\\nb")
    ("'=HYPERLINK(A1)", '3 demos', 'a b')
    """
    line = " ".join(text.split())
    return shortened(f"'{line}" if line.startswith(_FORMULAS) else line)


def columns_of(rows: pd.DataFrame, *, crm: Crm) -> list[list[str]]:
    """The cells of the fields, a list for each field of `FIELDS`. rows: with those columns."""
    return [cells_of(rows[field.column].tolist(), kind=field.kind, crm=crm) for field in FIELDS]


def cells_of(values: Sequence[Any], *, kind: Kind, crm: Crm) -> list[str]:
    """The cells of one field."""
    write, nothing = _WRITERS[kind], _NOTHING[crm, kind == "text"]
    if kind == "moment" and crm == "hubspot":
        write = _milliseconds
    return [nothing if _is_absent(value) else write(value) for value in values]


def _is_absent(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _milliseconds(moment: datetime) -> str:
    return str(int(moment.replace(tzinfo=UTC).timestamp()) * 1_000)


_WRITERS: dict[Kind, Callable[[Any], str]] = {
    "number": lambda value: f"{value:.2f}",
    "share": lambda value: f"{value:.6f}",
    "text": safe_text,
    "flag": lambda value: "true" if value else "false",
    "moment": iso,
}


def identifier_of(match: Match, *, crm: Crm, account_id: str, domain: str | None) -> str | None:
    """What an account is found by in the CRM; None where it cannot be.

    >>> identifier_of("id", crm="salesforce", account_id="001A0000006Vm9u", domain=None)
    '001A0000006Vm9uIAC'
    >>> identifier_of("id", crm="hubspot", account_id="lead: acme", domain="acme.example") is None
    True
    """
    if match == "domain":
        found = domain
    elif match == "external":
        found = account_id
    elif crm == "hubspot":
        found = account_id if account_id.isascii() and account_id.isdigit() else None
    else:
        whole = salesforce_id(account_id)
        found = whole if whole is not None and whole.startswith("001") else None
    # An identifier cannot be changed so that nobody calculates it.
    return None if not found or found != safe_text(found) else found


@dataclass(frozen=True)
class Found:
    """By what accounts are found in a CRM, and of each what it is found by; None where it cannot be."""

    match: Match
    of: Sequence[str | None]


def found_by(accounts: Sequence[tuple[str, str | None]], *, crm: Crm, match: Match | None) -> Found:
    """What each account is found by. accounts: identifier and domain.

    match: None takes the first way by which any account is found. What two accounts share finds neither: the
    CRM would not know which of them is meant.
    """
    for each in MATCHES[crm] if match is None else (match,):
        told = [identifier_of(each, crm=crm, account_id=name, domain=domain) for name, domain in accounts]
        counts = Counter(one for one in told if one is not None)
        once = [one if one is not None and counts[one] == 1 else None for one in told]
        if match is not None or counts:
            return Found(each, once)
    return Found("external", once)
