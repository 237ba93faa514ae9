"""What the server has acknowledged, as its clients remember it.

Turns replies into digests of answers and identifiers of writes, small enough for ten minutes of load. Time
rule: none. Null rule: what was not acknowledged is not here: it may be stored or not.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Acknowledged", "Ledger", "digest"]


def digest(answer: Mapping[str, Any]) -> bytes:
    """What two answers have in common exactly when they are the same, member by member, bit by bit."""
    text = json.dumps(answer, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()[:16]


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An answer that was received. request: place of what was asked, among all requests of the run."""

    content: bytes
    request: int


@dataclass
class Ledger:
    """Of one run. answers: by request_id. resets: requests whose connection ended before the reply."""

    answers: dict[str, Acknowledged] = field(default_factory=dict)
    activities: set[str] = field(default_factory=set)
    feedback: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def answered(self, answer: Mapping[str, Any], *, request: int) -> None:
        """Take in an answer."""
        self.answers[answer["request_id"]] = Acknowledged(digest(answer), request)

    def failed(self, what: str) -> None:
        """Take in what must not be."""
        self.failures.append(what)
