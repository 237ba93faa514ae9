"""The gate: who may pass, and for what.

Turns a request and the scope that its endpoint needs into the caller, or into a refusal. A request with the
header Authorization is judged by that alone, any other by the session in its cookie. While no key was ever
made and nobody was ever invited, everybody on the machine that the service runs on may pass, and nobody else:
neither from another machine nor through a page of another site, be it one whose name was made to lead here
(DNS rebinding). Time rule: a key and a session end when the clock says so. Null rule: a caller without a key
and a session has neither.
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
from serving.access.roles import READING, may
from serving.access.scopes import Scope
from serving.access.sessions import has_expired, session_of, why_foreign
from serving.access.signed_in import SignedIn
from serving.access.tally import Tally
from serving.problems import (
    AccessUnknownError,
    ForeignRequestError,
    NotAllowedError,
    NotLocalError,
    TooManyRequestsError,
    UnauthorizedError,
)
from serving.store.keys import StoredKey
from serving.store.people import Session

__all__ = ["PERSON_AT_ONCE", "PERSON_PER_MINUTE", "Gate", "Known", "by_session"]

PERSON_PER_MINUTE = 1_200
"""Requests that a person may make in a minute: the page sends a few with each click."""

PERSON_AT_ONCE = 200

_FORWARDED = ("forwarded", "via", "x-real-ip", "x-forwarded-")
"""How headers begin in which a proxy says of somebody behind it, who is not on this machine."""

_CREATE = "make a key with `spearfish keys create NAME --scope score`"
_SEND = "send the header Authorization: Bearer YOUR_KEY, or sign in on the page"
_SIGN_IN = "sign in by a new link: spearfish users link NAME"


def by_session(request: HTTPConnection) -> str | None:
    """The session that a request is to be judged by; None where it brings none, or the header of a key."""
    return None if "authorization" in request.headers else session_of(request)


@dataclass(frozen=True)
class Known:
    """What a worker knows of keys and sessions.

    ring, people: None before they were read, and long after; fresh: just read.
    """

    ring: KeyRing | None
    people: SignedIn | None
    fresh: bool

    @property
    def open(self) -> bool:
        """Whether no key was ever made and nobody was ever invited."""
        return not (self.ring or (self.people and self.people.anybody))


class Gate:
    """Lets requests pass or not, by what is known of the keys now. For the one thread of an event loop."""

    def __init__(
        self, known: Callable[[], Known], *, limits: Limits, tally: Tally, now: Callable[[], datetime]
    ) -> None:
        self._known, self._limits, self._tally, self._now = known, limits, tally, now

    def admit(self, request: HTTPConnection, *, needs: Scope | None, here: bool = False) -> Caller:
        """The caller. needs: None for what holds no data, which needs no key either.

        here: whether this machine needs no key even where there are some. Raises UnauthorizedError,
        NotAllowedError, ForeignRequestError, TooManyRequestsError, AccessUnknownError.
        """
        known = self._known()
        if here and _is_local(request):
            return Caller()
        if known.ring is None or known.people is None:
            if needs is None:
                return Caller()
            raise _unknown()
        if known.open:
            self._require_local(request)
            self._require_own(request, session=None)
            return Caller()
        if needs is None:
            return Caller()
        session = by_session(request)
        if session is None:
            return Caller(self._key(request, needs=needs, known=known))
        return Caller(session=self._session(request, session, needs=needs, known=known))

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

    def _require_own(self, request: HTTPConnection, *, session: str | None) -> None:
        """Refuse what another site makes a browser send. session: whose token it must bring."""
        if request.scope["method"] in READING:
            return
        why = why_foreign(request, session=session)
        if why is not None:
            self._tally.refuse("cross-site")
            raise ForeignRequestError(why, fix="load the page again, and do it there")

    def _session(self, request: HTTPConnection, text: str, *, needs: Scope, known: Known) -> Session:
        session, now = self._valid_session(text, known=known), self._now()
        role, method = session.user.role, request.scope["method"]
        if not may(role, scope=needs, method=method):
            self._tally.refuse("role")
            raise NotAllowedError(
                f"{role}s may not do this",
                got=f"{method} where the scope {needs} is needed",
                fix="ask whoever runs the service for another role: spearfish users role NAME approver",
            )
        self._require_own(request, session=text)
        wait = self._limits.take(
            -1 - session.user.id, per_minute=PERSON_PER_MINUTE, burst=PERSON_AT_ONCE, now=time.time()
        )
        if wait:
            self._tally.refuse("too-many-requests")
            raise TooManyRequestsError(
                "this person has used up the limit",
                wait=wait,
                allowed=f"{PERSON_PER_MINUTE} requests a minute, {PERSON_AT_ONCE} at once",
            )
        self._tally.use_session(session, now=now)
        return session

    def _valid_session(self, text: str, *, known: Known) -> Session:
        session = known.people.find(text) if known.people else None
        if session is None:
            if not known.fresh:
                raise _unknown()
            raise self._unauthorized("ended-session", "this session has ended", fix=_SIGN_IN)
        if has_expired(session, last_used_at=self._tally.last_use(session), now=self._now()):
            raise self._unauthorized("expired-session", "this session has expired", fix=_SIGN_IN)
        return session

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
            raise self._unauthorized("no-key", "there is no API key, and nobody is signed in", fix=_SEND)
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
