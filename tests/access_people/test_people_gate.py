"""Who passes the gate by a session, and who does not."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from gate_worker import Browser, Worker, change, invite, redeem, sign_in
from in_process import slug_of

from serving.access.gate import PERSON_AT_ONCE
from serving.access.inviting import invite_person, renew_link
from serving.access.managing import create_key
from serving.scoring import utc_now
from serving.store import audit, people
from serving.store.people import Side

HTTPS = {"X-Forwarded-Proto": "https"}


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    found: str = request.getfixturevalue("own_postgresql_url")
    return found


@pytest.fixture
def worker(url: str) -> Iterator[Worker]:
    made = Worker(url)
    yield made
    made.door.close()


@pytest.fixture
def other(url: str, worker: Worker) -> Iterator[Worker]:
    """Another worker of the same service."""
    made = Worker(url)
    yield made
    made.door.close()


def test_a_person_has_a_name_and_a_number_that_no_key_has(worker: Worker) -> None:
    ada, bo = sign_in(worker), sign_in(worker, "Bo")
    assert ada(worker, "GET", "/score").json() == ["Ada", -2, "person-1"]
    assert bo(worker, "GET", "/score").json() == ["Bo", -3, "person-2"]


def test_from_the_first_person_on_nobody_passes_without_a_sign_in(worker: Worker) -> None:
    """Even after the last one was disabled."""
    assert worker.ask("GET", "/score").json() == ["local", None, ""]
    invite(worker)
    refused = worker.ask("GET", "/score")
    assert (refused.status_code, slug_of(refused)) == (401, "unauthorized")
    assert "sign in" in refused.json()["detail"]
    change(worker, people.remove, name="Ada")
    worker.access.look()
    assert worker.ask("GET", "/score").status_code == 401
    assert worker.ask("GET", "/docs.json").status_code != 401
    assert redeem(worker, "x" * 43).status_code == 404, "a link needs nothing beside itself"


def test_a_link_lets_in_once(worker: Worker) -> None:
    token = invite(worker)
    assert redeem(worker, token).status_code == 201
    again = redeem(worker, token)
    assert (again.status_code, slug_of(again)) == (410, "used-link")
    assert "set-cookie" not in again.headers
    assert "spearfish users link" in again.json()["detail"]


def test_a_link_that_was_withdrawn_or_has_expired_says_so(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = invite(worker)
    second = renew_link(worker.door.open(), name="ada", who="root", now=utc_now(), hours=2).text
    assert slug_of(redeem(worker, first)) == "withdrawn-link"
    later = utc_now() + timedelta(hours=2)
    monkeypatch.setattr("serving.web.routes.sessions.utc_now", lambda: later)
    expired = redeem(worker, second)
    assert (expired.status_code, slug_of(expired)) == (410, "expired-link")


@pytest.mark.parametrize(("headers", "name"), [({}, "spearfish_session"), (HTTPS, "__Host-spearfish")])
def test_the_cookie_is_out_of_reach(worker: Worker, headers: dict[str, str], name: str) -> None:
    answer = redeem(worker, invite(worker), **headers)
    told = answer.headers["set-cookie"]
    (cookie,) = SimpleCookie(told).values()
    assert (cookie.key, cookie["path"], cookie["domain"]) == (name, "/", "")
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "strict", str(30 * 86_400))
    assert bool(cookie["secure"]) is (headers == HTTPS)
    assert len(cookie.value) == 43
    assert cookie.value not in answer.text
    seen = worker.ask("GET", "/v1/session", headers={"Cookie": f"{name}={cookie.value}"} | headers)
    assert seen.json()["name"] == "Ada"
    # Over HTTPS a cookie that plain HTTP may have planted is not read.
    crossed = {} if headers else HTTPS
    assert worker.ask("GET", "/v1/session", headers={"Cookie": f"{name}={cookie.value}"} | crossed).is_error


def test_roles_read_and_write_what_they_may(worker: Worker) -> None:
    viewer, approver = sign_in(worker, "Vi"), sign_in(worker, "Al", "approver")
    seen = {
        (who, method, path): browser(worker, method, path).status_code
        for who, browser in (("viewer", viewer), ("approver", approver))
        for method, path in (("POST", "/score"), ("GET", "/lists"), ("POST", "/lists"), ("GET", "/admin"))
    }
    assert seen == {
        ("viewer", "POST", "/score"): 200,
        ("viewer", "GET", "/lists"): 200,
        ("viewer", "POST", "/lists"): 403,
        ("viewer", "GET", "/admin"): 403,
        ("approver", "POST", "/score"): 200,
        ("approver", "GET", "/lists"): 200,
        ("approver", "POST", "/lists"): 200,
        ("approver", "GET", "/admin"): 403,
    }
    refused = viewer(worker, "POST", "/lists")
    assert slug_of(refused) == "missing-scope"
    assert "spearfish users role" in refused.json()["detail"]
    told = viewer(worker, "GET", "/v1/session").json()
    assert (told["kind"], told["role"], told["may_read"], told["may_write"]) == (
        "person",
        "viewer",
        ["score", "lists"],
        ["score"],
    )


@pytest.mark.parametrize(
    ("own", "allowed"), [("marketing", {"marketing"}), ("sales", {"sales"}), (None, {"marketing", "sales"})]
)
def test_people_approve_for_their_own_side(worker: Worker, own: Side | None, allowed: set[str]) -> None:
    made = invite_person(worker.door.open(), name="Ada", role="approver", side=own, who="root", now=utc_now())
    browser = Browser(redeem(worker, made.text))
    headers = {"Cookie": browser.cookie, "X-CSRF-Token": browser.token}
    for side in ("marketing", "sales"):
        body = {"side": side, "decision": "approved", "revision": 1}
        answer = worker.ask("POST", "/v1/lists/1/approvals", json=body, headers=headers)
        assert slug_of(answer) == ("unknown-list" if side in allowed else "missing-scope")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "0" * 64},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/lists"), ("POST", "/score"), ("DELETE", "/v1/session")]
)
def test_another_site_cannot_write_by_the_cookie(
    worker: Worker, headers: dict[str, str], method: str, path: str
) -> None:
    browser = sign_in(worker, role="approver")
    refused = browser(worker, method, path, **headers)
    assert (refused.status_code, slug_of(refused)) == (403, "cross-site")
    assert browser(worker, "GET", "/lists", **headers).status_code == 200, "what reads shows nobody anything"
    own = {"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1"}
    assert browser(worker, method, path, **own).status_code == 200


def test_another_site_signs_nobody_in_and_writes_nothing_here(worker: Worker) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert slug_of(worker.ask("POST", "/lists", headers=foreign)) == "cross-site", "while all is open"
    token = invite(worker)
    assert slug_of(redeem(worker, token, **foreign)) == "cross-site"
    assert redeem(worker, token).status_code == 201, "the link was not used up"


def test_a_key_wins_over_a_cookie(worker: Worker) -> None:
    browser = sign_in(worker)
    key = create_key(worker.door.open(), owner="CRM", scopes=["score"], who="root", now=utc_now()).text
    worker.access.look()
    by_key = browser(worker, "POST", "/score", **{"Authorization": f"Bearer {key}", "X-CSRF-Token": ""})
    assert by_key.json() == ["CRM", 1, key[6:14]]
    assert browser(worker, "GET", "/lists", Authorization=f"Bearer {key}").status_code == 403
    for wrong in (f"Bearer {key[:-1]}", "Basic QWRhOng=", "Bearer"):
        assert browser(worker, "GET", "/score", Authorization=wrong).status_code == 401
    told = worker.ask("GET", "/v1/session", headers={"Authorization": f"Bearer {key}"}).json()
    assert (told["kind"], told["name"], told["may_write"], told["csrf_token"]) == (
        "key",
        "CRM",
        ["score"],
        None,
    )


def test_who_signed_in_on_one_worker_is_known_on_all(worker: Worker, other: Worker) -> None:
    browser = sign_in(worker)
    assert browser(other, "GET", "/score").json()[0] == "Ada"


def test_a_session_ends_at_once_on_every_worker(worker: Worker, other: Worker) -> None:
    """No look of the thread in between: the very next request is refused."""
    first, second = sign_in(worker), Browser(redeem(worker, renew_text(worker)))
    assert [each(other, "GET", "/score").status_code for each in (first, second)] == [200, 200]
    left = first(worker, "DELETE", "/v1/session")
    assert left.json() == {"signed_out": True}
    assert "max-age=0" in left.headers["set-cookie"].lower()
    assert [first(each, "GET", "/score").status_code for each in (worker, other)] == [401, 401]
    assert second(other, "GET", "/score").status_code == 200, "the other browser stays signed in"
    change(worker, people.change_role, name="Ada", role="approver", side=None)
    assert second(other, "POST", "/lists").status_code == 200
    change(other, people.change_role, name="Ada", role="viewer", side=None)
    assert second(worker, "POST", "/lists").status_code == 403
    change(other, people.remove, name="Ada")
    assert [second(each, "GET", "/score").status_code for each in (worker, other)] == [401, 401]
    assert "spearfish users link" in second(worker, "GET", "/score").json()["detail"]


def renew_text(worker: Worker) -> str:
    return renew_link(worker.door.open(), name="Ada", who="root", now=utc_now()).text


def test_a_browser_has_one_session(worker: Worker) -> None:
    first = sign_in(worker)
    second = Browser(redeem(worker, renew_text(worker), Cookie=first.cookie))
    assert first(worker, "GET", "/score").status_code == 401
    assert second(worker, "GET", "/score").status_code == 200


def at(worker: Worker, monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    monkeypatch.setattr(worker.access._gate, "_now", lambda: moment)


def test_a_session_expires_three_days_after_its_last_use(
    worker: Worker, other: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, began = sign_in(worker), utc_now()
    two, four, six = (began + timedelta(days=days) for days in (2, 4, 6))
    at(worker, monkeypatch, two)
    assert browser(worker, "GET", "/score").status_code == 200
    # Another worker hears of that use through the store.
    worker.access.write()
    at(worker, monkeypatch, four)
    at(other, monkeypatch, four)
    other.access._taken_at -= 61
    assert browser(other, "GET", "/score").status_code == 200
    at(worker, monkeypatch, six)
    expired = browser(worker, "GET", "/score")
    assert (expired.status_code, slug_of(expired)) == (401, "unauthorized")
    assert "expired" in expired.json()["detail"]
    assert browser(worker, "GET", "/score").status_code == 401, "being refused is no use"


def test_a_session_expires_after_thirty_days_however_much_it_is_used(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, began = sign_in(worker), utc_now()
    for day in range(1, 30):
        at(worker, monkeypatch, began + timedelta(days=day))
        assert browser(worker, "GET", "/score").status_code == 200
    at(worker, monkeypatch, began + timedelta(days=30))
    assert browser(worker, "GET", "/score").status_code == 401


def test_people_have_a_limit_each(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, bo = sign_in(worker), sign_in(worker, "Bo")
    # No time passes, however slow the machine is: nothing flows back into the bucket.
    moment = time.time()
    monkeypatch.setattr(time, "time", lambda: moment)
    assert {ada(worker, "GET", "/score").status_code for _ in range(PERSON_AT_ONCE)} == {200}
    refused = ada(worker, "GET", "/score")
    assert (refused.status_code, int(refused.headers["retry-after"])) == (429, 1)
    assert bo(worker, "GET", "/score").status_code == 200


@pytest.mark.parametrize("token", ["", "x" * 42, "x" * 44, "x" * 42 + "/", 7, None])
def test_what_is_no_link_is_told_apart_from_a_wrong_one(worker: Worker, token: Any) -> None:
    assert redeem(worker, token).status_code == 422
    wrong = redeem(worker, "x" * 43)
    assert (wrong.status_code, slug_of(wrong)) == (404, "unknown-link")


def test_a_guess_waits_for_nobody_who_writes(worker: Worker) -> None:
    invite(worker)
    with worker.door.open().writing():
        assert redeem(worker, "x" * 43).status_code == 404


def test_without_the_store_known_sessions_go_on_for_a_while(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = sign_in(worker)
    assert browser(worker, "GET", "/score").status_code == 200
    worker.access._fault = "the store does not answer"
    worker.access._read_at -= 10
    assert browser(worker, "GET", "/score").status_code == 200
    browser.cookie = f"spearfish_session={'x' * 43}"
    unknown = browser(worker, "GET", "/score")
    assert (unknown.status_code, slug_of(unknown)) == (503, "access-unknown"), "it may be a new one"
    worker.access._read_at -= 300
    assert browser(worker, "GET", "/score").status_code == 503


def test_while_the_store_is_slow_nobody_new_is_taken_for_a_stranger(
    worker: Worker, other: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = sign_in(worker)
    assert known(other, "GET", "/score").status_code == 200
    new = sign_in(worker, "Bo")
    monkeypatch.setattr("serving.access.access._PATIENCE", 0.05)
    with other.access._looks:
        assert known(other, "GET", "/score").status_code == 200
        waits = new(other, "GET", "/score")
    assert (waits.status_code, slug_of(waits)) == (503, "access-unknown")
    assert int(waits.headers["retry-after"]) > 0
    monkeypatch.undo()
    assert new(other, "GET", "/score").status_code == 200


def test_the_audit_log_names_who_and_neither_log_nor_store_holds_a_secret(
    worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = invite(worker)
    browser = Browser(redeem(worker, token))
    redeem(worker, token)
    browser(worker, "POST", "/lists")
    browser(worker, "DELETE", "/v1/session")
    change(worker, people.remove, name="Ada")
    worker.access.write()
    with worker.door.open().reading() as connection:
        entries, refused = audit.entries(connection), audit.refusals(connection)
    assert [(each.who, each.action, each.subject) for each in reversed(entries)] == [
        ("root", "user invited", "Ada"),
        ("Ada", "signed in", "Ada"),
        ("Ada", "signed out", "Ada"),
        ("root", "user disabled", "Ada"),
    ]
    assert [(each.reason, each.count) for each in refused] == [("role", 1)]
    kept = f"{caplog.text}{[each.__dict__ for each in caplog.records]}{entries}{refused}"
    assert "person-1" in kept
    for secret in (token, browser.secret, browser.token):
        assert secret not in kept
