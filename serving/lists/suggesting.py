"""What the machine said of accounts, as a list takes it.

Turns suggestions as `models.lookalikes.documents` keeps them into those of a draw. Time rule: none. Null
rule: an estimate without a value has its bounds alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from serving.lists.drawing import Suggestion

__all__ = ["suggestion_of"]

_KEPT = ("baseline", "other", "reasons_for", "reasons_against", "nearest", "parts", "times_as_dense")


def suggestion_of(document: Mapping[str, Any]) -> Suggestion:
    """One account. Where the order follows from a blend, that is its score, and likeness stays beside it."""
    chance, blended = document["probability"], document["blended"]
    told = {name: document[name] for name in _KEPT}
    return Suggestion(
        document["account_id"],
        document["score"] if blended is None else blended,
        chance["value"],
        chance["low"],
        chance["high"],
        detail=told if blended is None else told | {"likeness": document["score"]},
    )
