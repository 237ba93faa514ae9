"""The keys that a worker knows, in memory.

Turns the text that a request brings into the key that it is. Time rule: an end is reached when the clock says
so. Null rule: a text that is no key of ours finds none.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from serving.access.secrets import digest_of, prefix_of
from serving.store.keys import StoredKey

__all__ = ["KeyRing"]

_NOBODY = "0" * 64


class KeyRing:
    """Every key that was ever made, revoked ones included. Never changes."""

    def __init__(self, keys: Iterable[StoredKey], *, change: str) -> None:
        self.change = change
        self._keys = {key.prefix: key for key in keys}

    def __bool__(self) -> bool:
        """Whether a key was ever made: from then on every request needs one."""
        return bool(self._keys)

    def find(self, text: str) -> StoredKey | None:
        """The key of this text, revoked or not. Takes as long for a wrong secret as for a right one."""
        key = self._keys.get(prefix_of(text) or "")
        same = hmac.compare_digest(digest_of(text), key.digest if key else _NOBODY)
        return key if same else None
