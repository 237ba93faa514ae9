"""What an answer was computed from, to the last bit, in a few hundred bytes.

Turns features and contributions, float64, and the versions of everything into compressed bytes, and back.
Time rule: none. Null rule: NaN is missing, and comes back as the NaN that it was.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from features.errors import WorkspaceError
from features.feature import Language
from models.bundle import machine_type
from models.card import ModelKey
from serving.compression import compressed, decompressed
from serving.own_version import own_version

__all__ = ["Evidence", "versions_here"]

Row = NDArray[np.float64]

_FORMAT = 1
_LITTLE_ENDIAN = np.dtype("<f8")


@cache
def versions_here() -> dict[str, str]:
    """What a score may depend on beside the model: LightGBM, the type of machine, and ourselves."""
    return {"lightgbm": version("lightgbm"), "machine": machine_type(), "spearfish": own_version()}


@dataclass(frozen=True)
class Evidence:
    """language: of the answer's sentences. snapshot: the tables that were read.

    fingerprints: by model of the release. versions: as `versions_here`.
    rows: by model, features, float64 (k,). contributions: by model that answered, float64 (k,), log-odds.
    newer: how many activities counted beside the tables, and the place of the last in the store's order.
    """

    language: Language
    snapshot: str
    fingerprints: Mapping[ModelKey, str]
    versions: Mapping[str, str]
    rows: Mapping[ModelKey, Row]
    contributions: Mapping[ModelKey, Row]
    newer: tuple[int, int] = (0, 0)

    def to_bytes(self) -> bytes:
        """A line of JSON that says what is there, then the numbers one after the other; all compressed."""
        parts = {"rows": self.rows, "contributions": self.contributions}
        header = {
            "format": _FORMAT,
            "language": self.language,
            "snapshot": self.snapshot,
            "fingerprints": dict(self.fingerprints),
            "versions": dict(self.versions),
            **({"newer": list(self.newer)} if self.newer[0] else {}),
            **{name: [[key, len(row)] for key, row in part.items()] for name, part in parts.items()},
        }
        numbers = [row.astype(_LITTLE_ENDIAN, copy=False) for part in parts.values() for row in part.values()]
        line = json.dumps(header, separators=(",", ":")).encode()
        return compressed(b"\n".join([line, b"".join(row.tobytes() for row in numbers)]))

    @classmethod
    def from_bytes(cls, content: bytes) -> Evidence:
        """What `to_bytes` made. Raises WorkspaceError for anything else."""
        try:
            line, _, numbers = decompressed(content).partition(b"\n")
            header: dict[str, Any] = json.loads(line)
            values = np.frombuffer(numbers, dtype=_LITTLE_ENDIAN).astype(np.float64)
            rows, rest = _taken(values, header["rows"])
            counted, last = header.get("newer", (0, 0))
            contributions, _ = _taken(rest, header["contributions"])
            return cls(
                cast("Language", header["language"]),
                header["snapshot"],
                header["fingerprints"],
                header["versions"],
                rows,
                contributions,
                (counted, last),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise WorkspaceError(
                "what an answer was computed from cannot be read",
                got=type(error).__name__,
                fix="restore the store from a backup",
            ) from error


def _taken(values: Row, sizes: list[tuple[str, int]]) -> tuple[dict[str, Row], Row]:
    """The next numbers by name, and those that are left."""
    taken: dict[str, Row] = {}
    for key, size in sizes:
        taken[key], values = values[:size], values[size:]
    return taken, values
