"""What a browser that is signed in holds, and how a request of another site is told from its own.

A link and a session are 256 random bits each; kept is their SHA-256. The cookie is out of reach of scripts
and of other sites, and by its prefix of other hosts, too, where the page is served by HTTPS. What writes must
bring a token that follows from the session, which no other site can read, beside what browsers say of where a
request comes from. Time rule: the caller says what time it is. Null rule: a request without a cookie has no
session.
"""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from serving.store.people import Session

__all__ = [
    "IDLE_FOR",
    "LASTS_FOR",
    "TOKEN_HEADER",
    "cookie_of",
    "has_expired",
    "is_secure",
    "new_secret",
    "session_of",
    "token_of",
    "why_foreign",
]

IDLE_FOR = timedelta(days=3)
"""How long a session may be of no use before it expires."""

LASTS_FOR = timedelta(days=30)
"""How long a session lasts, however much it is used."""

TOKEN_HEADER = "X-CSRF-Token"
"""The header that brings the token of a session."""

_FORM = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def new_secret() -> str:
    """What a link or a session is: 43 characters of a URL."""
    return secrets.token_urlsafe(32)


def has_expired(session: Session, *, last_used_at: datetime, now: datetime) -> bool:
    """Whether a session lets nobody in any more, because of its age or because nobody used it."""
    return now >= min(session.expires_at, last_used_at + IDLE_FOR)


def is_secure(request: HTTPConnection) -> bool:
    """Whether the browser speaks HTTPS, to us or to a proxy that says so."""
    told = request.headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
    forwarded = request.headers.get("forwarded", "").lower().replace('"', "").rpartition(",")[2]
    said = "https" in (told, *(part.strip().removeprefix("proto=") for part in forwarded.split(";")))
    return request.scope["scheme"] == "https" or said


def cookie_of(request: HTTPConnection) -> str:
    """The name of the cookie. One that a neighbouring host or plain HTTP has planted is not read."""
    return "__Host-spearfish" if is_secure(request) else "spearfish_session"


def session_of(request: HTTPConnection) -> str | None:
    """The session that a request brings, known or not."""
    given = request.cookies.get(cookie_of(request), "")
    return given if _FORM.fullmatch(given) else None


def token_of(session: str) -> str:
    """The token of a session. It tells nothing of the session itself."""
    return hmac.new(session.encode(), b"spearfish csrf", sha256).hexdigest()


def why_foreign(request: HTTPConnection, *, session: str | None) -> str | None:
    """Why a request that writes is not one of the page's own; None when it is.

    session: whose token it must bring; None before there is one.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site != "same-origin":
        return "another site sent this"
    if origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower():
        return "another origin sent this"
    given = request.headers.get(TOKEN_HEADER, "")
    if session is not None and not hmac.compare_digest(given.encode(), token_of(session).encode()):
        return "the token of the session is missing or wrong"
    return None
