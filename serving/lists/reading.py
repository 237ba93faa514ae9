"""Suggestions from a file: CSV or NDJSON, a row for each account.

Turns a file into suggestions, or into an error that names the row. CSV: account_id, and as far as they are
there score, blended (which the order follows instead, where it is there), probability, probability_low,
probability_high, segment, reason_1 and so on, against_1 and so on, nearest_1 (identifiers), nearest_name_1
and shared_with_1 and so on: what `models.lookalikes.documents` writes. NDJSON: objects of
`serving.lists.requests.SuggestedAccount`. Time rule: none. Null rule: an empty cell is not known.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from features.errors import ConfigError, InputError
from features.spreadsheets import unguarded
from serving.lists.drawing import Suggestion
from serving.lists.requests import SuggestedAccount
from serving.reading import parse_body

__all__ = ["read_entries", "read_suggestions"]

_NUMBERS = ("score", "probability", "probability_low", "probability_high")
_WORDS = {"reason": "reasons_for", "against": "reasons_against"}
_SEEDS = {"nearest": "account_id", "nearest_name": "name", "shared_with": "shared"}


def read_suggestions(file: Path) -> Iterator[Suggestion]:
    """The suggestions of a file. Raises ConfigError, InputError."""
    rows = _from_csv(file) if file.suffix.lower() == ".csv" else _lines(file)
    for number, row in enumerate(rows, start=1):
        try:
            yield parse_body(row, model=SuggestedAccount).suggestion()
        except InputError as error:
            raise InputError(f"row {number}: {error.what}", got=error.got, allowed=error.allowed) from error


def read_entries(file: Path) -> list[str]:
    """Accounts and domains, one a line; lines that begin with # say nothing."""
    lines = (line.decode("utf-8", "replace").strip() for line in _lines(file))
    return [line for line in lines if line and not line.startswith("#")]


def _lines(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as opened:
            yield from (line for line in opened if line.strip())
    except OSError as error:
        raise ConfigError("the file cannot be read", got=error, fix="name another one") from error


def _from_csv(file: Path) -> Iterator[bytes]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            for row in csv.DictReader(opened):
                yield json.dumps(_row(row)).encode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("the file cannot be read as UTF-8", got=error, fix="name another one") from error


def _row(row: Mapping[str, str]) -> dict[str, Any]:
    given = {column: unguarded(value) for column, value in row.items() if column and (value or "").strip()}
    told: dict[str, Any] = {name: given[name] for name in ("account_id", "segment") if name in given}
    told |= {name: _number(given[name]) for name in _NUMBERS if name in given}
    if "blended" in given:
        told["score"] = _number(given["blended"])
    nearest: dict[int, dict[str, Any]] = {}
    for column, value in given.items():
        word, _, number = column.rpartition("_")
        if not number.isdigit():
            continue
        if word in _WORDS:
            told.setdefault(_WORDS[word], []).append({"sentence": value})
        elif word in _SEEDS:
            shown: Any = value.split("; ") if word == "shared_with" else value
            nearest.setdefault(int(number), {})[_SEEDS[word]] = shown
    seeds = [nearest[number] for number in sorted(nearest) if "account_id" in nearest[number]]
    return told | ({"nearest": seeds} if seeds else {})


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
