"""The gate: who may pass, and for what.

Turns a request and the scope that its endpoint needs into the caller, or into a refusal. While no key was
ever made, everybody on the machine that the service runs on may pass, and nobody else: neither from another
machine nor through a page of another site whose name was made to lead here (DNS rebinding). Time rule: a key
ends when the clock says so. Null rule: a caller without a key has none.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import HTTPConnection

from serving.access.callers import Caller
from serving.access.limits import Limits
from serving.access.local import is_loopback, name_of
from serving.access.ring import KeyRing
from serving.access.scopes import Scope
from serving.access.tally import Tally
from serving.problems import (
    AccessUnknownError,
    NotAllowedError,
    NotLocalError,
    TooManyRequestsError,
    UnauthorizedError,
)
from serving.store.keys import StoredKey

__all__ = ["Gate", "Known"]

_FORWARDED = ("forwarded", "via", "x-real-ip", "x-forwarded-")
"""How headers begin in which a proxy says of somebody behind it, who is not on this machine."""

_CREATE = "make a key with `spearfish keys create NAME --scope score`"
_SEND = "send the header Authorization: Bearer YOUR_KEY"


@dataclass(frozen=True)
class Known:
    """What a worker knows of keys. ring: None before they were read, and long after; fresh: just read."""

    ring: KeyRing | None
    fresh: bool


class Gate:
    """Lets requests pass or not, by what is known of the keys now. For the one thread of an event loop."""

    def __init__(
        self, known: Callable[[], Known], *, limits: Limits, tally: Tally, now: Callable[[], datetime]
    ) -> None:
        self._known, self._limits, self._tally, self._now = known, limits, tally, now

    def admit(self, request: HTTPConnection, *, needs: Scope | None, here: bool = False) -> Caller:
        """The caller. needs: None for what holds no data, which needs no key either.

        here: whether this machine needs no key even where there are some. Raises UnauthorizedError,
        NotAllowedError, TooManyRequestsError, AccessUnknownError.
        """
        known = self._known()
        if here and _is_local(request):
            return Caller()
        if known.ring is None:
            if needs is None:
                return Caller()
            raise _unknown()
        if not known.ring:
            self._require_local(request)
            return Caller()
        return Caller() if needs is None else Caller(self._key(request, needs=needs, known=known))

    def _require_local(self, request: HTTPConnection) -> None:
        if _is_local(request):
            return
        self._tally.refuse("not-local")
        address, host = _address_of(request) or "nowhere", request.headers.get("host", "no host")
        raise NotLocalError(
            "no API key is configured, so only the machine that the service runs on may ask",
            got=f"a request from {address} to {host}",
            fix=_CREATE,
        )

    def _key(self, request: HTTPConnection, *, needs: Scope, known: Known) -> StoredKey:
        key = self._valid_key(request, known=known)
        if needs not in key.scopes:
            self._tally.refuse("missing-scope", prefix=key.prefix)
            raise NotAllowedError(
                f"this needs the scope {needs}",
                got=f"a key with {', '.join(key.scopes)}",
                fix=f"make a key with `spearfish keys create NAME --scope {needs}`",
            )
        wait = self._limits.take(key.id, per_minute=key.per_minute, burst=key.burst, now=time.time())
        if wait:
            self._tally.refuse("too-many-requests", prefix=key.prefix)
            raise TooManyRequestsError(
                "this key has used up its limit",
                wait=wait,
                allowed=f"{key.per_minute} requests a minute, {key.burst} at once",
            )
        self._tally.use(key.prefix)
        return key

    def _valid_key(self, request: HTTPConnection, *, known: Known) -> StoredKey:
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise self._unauthorized("no-key", "there is no API key", fix=_SEND)
        key = known.ring.find(text.strip()) if known.ring else None
        if key is None:
            if not known.fresh:
                raise _unknown()
            raise self._unauthorized("unknown-key", "this API key is not known", fix=_CREATE)
        if key.revoked_at is not None:
            raise self._unauthorized("revoked-key", "this API key was revoked", prefix=key.prefix)
        if key.expires_at is not None and key.expires_at <= self._now():
            raise self._unauthorized("expired-key", "this API key has expired", prefix=key.prefix)
        return key

    def _unauthorized(self, reason: str, what: str, *, prefix: str = "", fix: str = _CREATE) -> Exception:
        self._tally.refuse(reason, prefix=prefix)
        return UnauthorizedError(what, fix=fix)


def _address_of(request: HTTPConnection) -> str:
    return request.client.host if request.client else ""


def _is_local(request: HTTPConnection) -> bool:
    """Whether somebody on this machine asks, by a name of this machine and through no proxy."""
    here = is_loopback(_address_of(request)) and is_loopback(name_of(request.headers.get("host", "")))
    return here and not any(name.startswith(_FORWARDED) for name in request.headers)


def _unknown() -> AccessUnknownError:
    return AccessUnknownError("the keys cannot be read from the store now", fix="try again in a moment")
