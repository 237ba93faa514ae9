"""What a key looks like, and what is kept of it.

A key is `spear_`, eight digits that may be shown, and 256 random bits. Kept is its SHA-256: a slow hash
guards passwords, which can be guessed; nobody guesses 256 bits, and every request would pay for a slow hash.
Time rule: none. Null rule: a text that is no key has no prefix.
"""

from __future__ import annotations

import re
import secrets
from hashlib import sha256

__all__ = ["digest_of", "new_key", "prefix_of"]

_FORM = re.compile(r"spear_([0-9a-f]{8})_[A-Za-z0-9_-]{43}", re.ASCII)


def new_key() -> str:
    """A new key. Its prefix is drawn apart from its secret, and tells nothing of it."""
    return f"spear_{secrets.token_hex(4)}_{secrets.token_urlsafe(32)}"


def prefix_of(key: str) -> str | None:
    """The part that may be shown.

    >>> prefix_of("spear_0a1b2c3d_" + "x" * 43), prefix_of("spear_0a1b2c3d")
    ('0a1b2c3d', None)
    """
    found = _FORM.fullmatch(key)
    return found.group(1) if found else None


def digest_of(key: str) -> str:
    """SHA-256 of the whole key, in hexadecimal."""
    return sha256(key.encode()).hexdigest()
