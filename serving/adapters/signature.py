"""HubSpot's signature of a request, version 3.

Turns a request into the certainty that HubSpot sent it: HMAC-SHA-256 of method, address, body and timestamp
with the secret of the app, as base64. The comparison takes the same time for every wrong signature. Time
rule: a request is at most five minutes old, or ahead of our clock. Null rule: without
SPEARFISH_HUBSPOT_SECRET nothing is ever signed, and an API key is needed as everywhere.
"""

from __future__ import annotations

import hmac
import os
import re
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request

from serving.problems import UnauthorizedError

__all__ = ["PARAMETERS", "SECRET", "URL", "Signing", "is_signed", "require_signature"]

SECRET, URL = "SPEARFISH_HUBSPOT_SECRET", "SPEARFISH_HUBSPOT_URL"
SIGNATURE, TIMESTAMP = "X-HubSpot-Signature-v3", "X-HubSpot-Request-Timestamp"
_WINDOW = 300_000
"""Milliseconds."""

_DECODED = re.compile("%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)
"""What HubSpot decodes in an address before it signs it; nothing else."""

PARAMETERS = tuple(
    {
        "name": name,
        "in": "header",
        "required": False,
        "description": f"{what} In place of a key, where the server knows the secret of the HubSpot app.",
        "schema": {"type": "string"},
    }
    for name, what in ((SIGNATURE, "Signature of HubSpot."), (TIMESTAMP, "When it was signed."))
)


@dataclass(frozen=True)
class Signing:
    """secret: of the HubSpot app. url: the address that HubSpot calls; None takes it from the request."""

    secret: str = field(repr=False)
    url: str | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Signing | None:
        """SPEARFISH_HUBSPOT_SECRET and SPEARFISH_HUBSPOT_URL; None without a secret."""
        given = os.environ if environment is None else environment
        secret = given.get(SECRET, "").strip()
        return cls(secret, given.get(URL, "").strip() or None) if secret else None

    def signature(self, *, method: str, url: str, body: bytes, timestamp: str) -> str:
        """What HubSpot writes into its header."""
        address = _DECODED.sub(lambda found: chr(int(found[1], 16)), url)
        signed = method.encode() + address.encode() + body + timestamp.encode()
        return b64encode(hmac.digest(self.secret.encode(), signed, "sha256")).decode()


def is_signed(request: Request) -> bool:
    """Whether a request is to be let in by its signature, which the endpoint then checks."""
    return SIGNATURE in request.headers and Signing.from_environment() is not None


def require_signature(request: Request, body: bytes, *, now: float | None = None) -> None:
    """Raises UnauthorizedError for a signature that is wrong, or too old. now: seconds since 1970."""
    signing = Signing.from_environment()
    if signing is None or not is_signed(request):
        return
    timestamp, given = request.headers.get(TIMESTAMP, ""), request.headers[SIGNATURE]
    expected = signing.signature(
        method=request.method, url=signing.url or _address(request), body=body, timestamp=timestamp
    )
    right = hmac.compare_digest(given.strip().encode(), expected.encode())
    if not right or not _is_fresh(timestamp, now=time.time() if now is None else now):
        raise UnauthorizedError(
            "the signature of HubSpot is wrong, or older than five minutes",
            fix=f"check {SECRET}, the clock, and that the proxy passes the host's name on, or set {URL}",
        )


def _is_fresh(timestamp: str, *, now: float) -> bool:
    if not re.fullmatch(r"\d{1,15}", timestamp, re.ASCII):
        return False
    return abs(now * 1_000 - int(timestamp)) <= _WINDOW


def _address(request: Request) -> str:
    """What HubSpot called: it calls by HTTPS alone, whatever the proxy speaks to us."""
    scope = request.scope
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
    query = scope["query_string"].decode("latin-1")
    return f"https://{request.headers.get('host', '')}{path}" + (f"?{query}" if query else "")
