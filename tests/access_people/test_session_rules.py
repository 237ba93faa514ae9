"""What a role allows, which cookie is read, and which requests are another site's."""

from __future__ import annotations

import hmac
from hashlib import sha256

import pytest
from starlette.requests import Request

from serving.access.roles import may
from serving.access.scopes import Scope
from serving.access.sessions import cookie_of, new_secret, session_of, token_of, why_foreign
from serving.store.people import Role

SESSION = "s" * 43
TOKEN = hmac.new(SESSION.encode(), b"spearfish csrf", sha256).hexdigest()


def request(scheme: str = "http", **headers: str) -> Request:
    told = {"host": "page.example:3000", **{name.replace("_", "-"): text for name, text in headers.items()}}
    pairs = [(name.lower().encode(), text.encode("latin-1")) for name, text in told.items()]
    return Request({"type": "http", "scheme": scheme, "method": "POST", "path": "/", "headers": pairs})


@pytest.mark.parametrize(
    ("role", "scope", "method", "allowed"),
    [
        ("viewer", "score", "POST", True),
        ("viewer", "lists", "GET", True),
        ("viewer", "lists", "HEAD", True),
        ("viewer", "lists", "POST", False),
        ("viewer", "lists", "DELETE", False),
        ("viewer", "activities", "GET", False),
        ("approver", "score", "POST", True),
        ("approver", "lists", "PATCH", True),
        ("approver", "activities", "POST", False),
        ("approver", "admin", "GET", False),
    ],
)
def test_a_role_allows(role: Role, scope: Scope, method: str, *, allowed: bool) -> None:
    assert may(role, scope=scope, method=method) is allowed


@pytest.mark.parametrize(
    ("scheme", "headers", "name"),
    [
        ("http", {}, "spearfish_session"),
        ("https", {}, "__Host-spearfish"),
        ("http", {"x_forwarded_proto": "https"}, "__Host-spearfish"),
        ("http", {"x_forwarded_proto": "http"}, "spearfish_session"),
        ("http", {"forwarded": 'for=192.0.2.7;proto="https"'}, "__Host-spearfish"),
        ("http", {"forwarded": "for=192.0.2.7;proto=http"}, "spearfish_session"),
    ],
)
def test_by_https_only_the_cookie_of_this_host_is_read(
    scheme: str, headers: dict[str, str], name: str
) -> None:
    assert cookie_of(request(scheme, **headers)) == name
    assert session_of(request(scheme, cookie=f"{name}={SESSION}", **headers)) == SESSION
    other = {"spearfish_session": "__Host-spearfish"}.get(name, "spearfish_session")
    assert session_of(request(scheme, cookie=f"{other}={SESSION}", **headers)) is None


@pytest.mark.parametrize("given", ["", "short", "s" * 44, "s" * 42 + "é", "s" * 42 + "%"])
def test_what_is_no_session_is_none(given: str) -> None:
    assert session_of(request(cookie=f"spearfish_session={given}")) is None


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({}, None),
        ({"sec_fetch_site": "same-origin", "origin": "http://page.example:3000"}, None),
        ({"sec_fetch_site": "cross-site"}, "another site"),
        ({"sec_fetch_site": "same-site"}, "another site"),
        ({"sec_fetch_site": "none"}, "another site"),
        ({"origin": "http://evil.example"}, "another origin"),
        ({"origin": "http://page.example:3001"}, "another origin"),
        ({"origin": "null"}, "another origin"),
        ({"X-CSRF-Token": ""}, "token of the session"),
        ({"X-CSRF-Token": TOKEN[:-1] + "x"}, "token of the session"),
        ({"X-CSRF-Token": "\u00e9"}, "token of the session"),
        ({"X-CSRF-Token": token_of("t" * 43)}, "token of the session"),
    ],
    ids=str,
)
def test_requests_of_another_site_are_told_apart(headers: dict[str, str], why: str | None) -> None:
    found = why_foreign(request(**({"X-CSRF-Token": TOKEN} | headers)), session=SESSION)
    assert found is None if why is None else why in (found or "")


def test_the_token_follows_from_the_session_and_secrets_differ() -> None:
    assert token_of(SESSION) == TOKEN
    assert SESSION not in TOKEN
    assert len({new_secret() for _ in range(100)}) == 100
    assert session_of(request(cookie=f"spearfish_session={new_secret()}")) is not None
