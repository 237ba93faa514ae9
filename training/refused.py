"""What the gate and the audit raise where they refuse models.

Turns the keys of the models into an error that those who promote unattended can ask which ones they are. Time
rule: none. Null rule: none.
"""

from __future__ import annotations

from collections.abc import Iterable

from features.errors import InputError
from models.card import ModelKey

__all__ = ["RefusedError"]


class RefusedError(InputError):
    """The gate or the audit refuses models. `models` holds their keys, each once."""

    def __init__(
        self, what: str, *, models: Iterable[ModelKey], got: object, fix: str, allowed: object = None
    ) -> None:
        self.models = tuple(dict.fromkeys(models))
        super().__init__(what, got=got, allowed=allowed, fix=fix)
