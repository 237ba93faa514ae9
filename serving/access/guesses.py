"""How often sign-in links may be guessed from one address.

Turns the address of whoever tried a link that nobody made into the seconds that they must wait. Links that
were made do not count, so that many people behind one address get in; while an address has guessed too often,
nobody there does. Its buckets are those of `serving.access.limits`, in a file of their own: as large however
many addresses there are, and shared by the workers of one machine. Time rule: the machine's clock. Null rule:
who comes without an address shares one bucket.
"""

from __future__ import annotations

import time
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from pathlib import Path

from serving.access.limits import Limits
from serving.problems import TooManyRequestsError

__all__ = ["GUESSES_AT_ONCE", "GUESSES_PER_MINUTE", "Guesses"]

GUESSES_PER_MINUTE = 30
GUESSES_AT_ONCE = 30
"""A link is told from a guess by 256 bits: what is spared is the store, and the log."""

_OWN_PREFIX = 64
"""Bits of an IPv6 address that its holder does not choose."""


class Guesses:
    """For the one thread of an event loop. file: of the buckets; None counts for this worker alone."""

    def __init__(self, file: Path | None) -> None:
        self._limits = Limits(file)

    def require_few(self, address: str | None) -> None:
        """Raise TooManyRequestsError where an address has guessed too often."""
        wait = self._limits.wait(_bucket(address), **_bounds())
        if wait:
            raise TooManyRequestsError(
                "too many sign-in links were guessed from this address",
                wait=wait,
                allowed=f"{GUESSES_PER_MINUTE} wrong links a minute, {GUESSES_AT_ONCE} at once",
            )

    def note(self, address: str | None) -> None:
        """Count a guess."""
        self._limits.take(_bucket(address), **_bounds())

    def close(self) -> None:
        """Let go of the file."""
        self._limits.close()


def _bounds() -> dict[str, float]:
    return {"per_minute": GUESSES_PER_MINUTE, "burst": GUESSES_AT_ONCE, "now": time.time()}


def _bucket(address: str | None) -> int:
    """The bucket of an address; of all that one holder of IPv6 addresses may choose from, the same.

    >>> _bucket("2001:db8::1") == _bucket("2001:db8::ffff"), _bucket("192.0.2.7") == _bucket("192.0.2.8")
    (True, False)
    """
    told = address or ""
    try:
        parsed = ip_address(told)
    except ValueError:
        parsed = None
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        told = str(mapped) if mapped else f"{int(parsed) >> (128 - _OWN_PREFIX):x}::"
    elif parsed is not None:
        told = str(parsed)
    return int.from_bytes(sha256(told.encode()).digest()[:6])
