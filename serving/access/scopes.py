"""The scopes of a key: what its owner may ask for.

Time rule: none. Null rule: none. No scope holds another: a key has the ones that it was given.
"""

from __future__ import annotations

from typing import Literal

__all__ = ["SCOPES", "Scope"]

Scope = Literal["score", "activities", "lists", "admin"]

SCOPES: dict[Scope, str] = {
    "score": "Scores, reasons, what is known of an account, and what the models are.",
    "activities": "Send activities and feedback.",
    "lists": "Target account lists and expansions.",
    "admin": "What concerns everybody who uses the service.",
}
"""Each scope and what it allows."""
