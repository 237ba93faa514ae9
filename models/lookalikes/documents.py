"""Suggestions as they are kept, handed on and written down: the one form that all who read them know.

Turns a suggestion into a JSON object in both languages, and such an object into the cells of a file. Time
rule: none. Null rule: an estimate without a value is null, and so is a bound without an end; a cell of what
is not known is empty.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from features.errors import ConfigError
from features.spreadsheets import write_csv
from models.lookalikes.estimates import Estimate
from models.lookalikes.explaining import NearSeed, Suggestion
from models.lookalikes.reasons import Reason

__all__ = ["AGAINST", "NEAREST", "REASONS", "columns_of", "document_of", "frame_of", "write_suggestions"]

Document = Mapping[str, Any]

REASONS, AGAINST, NEAREST = 4, 3, 3
"""How many of each a file has columns for."""

_FIRST: Final = ("place", "account_id", "name", "domain", "score")
_LAST: Final = (
    *("times_as_dense", "times_as_dense_low", "times_as_dense_high"),
    *("probability", "probability_low", "probability_high"),
    *(f"reason_{number}" for number in range(1, REASONS + 1)),
    *(f"against_{number}" for number in range(1, AGAINST + 1)),
    *(f"nearest_{number}" for number in range(1, NEAREST + 1)),
    *(f"nearest_name_{number}" for number in range(1, NEAREST + 1)),
    *(f"shared_with_{number}" for number in range(1, NEAREST + 1)),
)


def document_of(one: Suggestion) -> dict[str, Any]:
    """A suggestion as a JSON object."""
    return {
        "place": one.place,
        "account_id": one.account_id,
        "name": one.name,
        "domain": one.domain,
        "score": one.score,
        "times_as_dense": _estimate(one.lift),
        "probability": _estimate(one.chance),
        "blended": one.blended,
        "parts": dict(one.parts),
        "baseline": one.baseline,
        "other": one.other,
        "reasons_for": [_reason(reason) for reason in one.reasons_for],
        "reasons_against": [_reason(reason) for reason in one.reasons_against],
        "nearest": [_seed(seed) for seed in one.nearest],
    }


def _estimate(told: Estimate) -> dict[str, float | None]:
    return {"value": told.value, "low": _finite(told.low), "high": _finite(told.high)}


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _reason(told: Reason) -> dict[str, Any]:
    return {
        "attribute": told.attribute,
        "contribution": told.contribution,
        "sentence": told.words.en,
        "sentence_zh": told.words.zh,
    }


def _seed(told: NearSeed) -> dict[str, Any]:
    return {
        "account_id": told.account_id,
        "name": told.name,
        "distance": told.distance,
        "shared": [words.en for words in told.shared],
        "shared_zh": [words.zh for words in told.shared],
    }


def columns_of(*, parts: Iterable[str] = ()) -> list[str]:
    """The columns of a file, in order. parts: of the blend, where the order follows from one."""
    named = [f"{name}_part" for name in parts]
    return [*_FIRST, *(["blended", *named] if named else []), *_LAST]


def frame_of(documents: Iterable[Document], *, language: str = "en") -> pd.DataFrame:
    """One row for each suggestion, columns for people and for `spearfish lists draw`."""
    known = list(documents)
    parts = known[0]["parts"] if known else {}
    return pd.DataFrame([_row(one, language=language) for one in known], columns=columns_of(parts=parts))


def _row(one: Document, *, language: str) -> dict[str, Any]:
    suffix = "_zh" if language == "zh" else ""
    told: dict[str, Any] = {name: one[name] for name in _FIRST} | {"blended": one["blended"]}
    told |= {f"{name}_part": share for name, share in one["parts"].items()}
    for name in ("times_as_dense", "probability"):
        estimate = one[name]
        told |= {name: estimate["value"], f"{name}_low": estimate["low"], f"{name}_high": estimate["high"]}
    for column, side in (("reason", "reasons_for"), ("against", "reasons_against")):
        told |= {f"{column}_{n}": reason[f"sentence{suffix}"] for n, reason in enumerate(one[side], 1)}
    for number, seed in enumerate(one["nearest"], 1):
        told[f"nearest_{number}"] = seed["account_id"]
        told[f"nearest_name_{number}"] = seed["name"]
        told[f"shared_with_{number}"] = "; ".join(seed[f"shared{suffix}"])
    return told


def write_suggestions(documents: Iterable[Document], out: Path, *, language: str = "en") -> None:
    """A CSV file for a spreadsheet, and for `spearfish lists draw`. Raises ConfigError."""
    try:
        write_csv(frame_of(documents, language=language), out)
    except OSError as error:
        raise ConfigError("cannot write the file", got=error, fix="name another one") from error
