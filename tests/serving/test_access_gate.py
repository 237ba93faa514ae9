"""Who may pass: without keys, with them, and when it cannot be known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from in_process import ask, slug_of
from sqlalchemy import delete, event, update
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response

from features.errors import InputError
from serving.access.access import Access
from serving.access.limits import Limits
from serving.access.managing import create_key
from serving.answers import ProblemDetails
from serving.problems import AccessUnknownError
from serving.scoring import utc_now
from serving.store import audit, keys
from serving.store.door import StoreDoor
from serving.store.schema import api_keys, key_changes
from serving.store.store import Store
from serving.web.application import application
from serving.web.endpoint import Call, Endpoint, Operation
from serving.web.services import Services


async def tell(call: Call) -> Response:
    key = call.caller.key
    return JSONResponse({"owner": key.owner if key else None})


def probe(path: str, scope: Any) -> Endpoint:
    told = Operation(path[1:], "", "", "probes", answer=ProblemDetails, answer_description="")
    return Endpoint("GET", path, scope, told, tell)


class Nothing:
    """Answers nobody asks for here."""

    def attributes(self) -> tuple[()]:
        return ()

    def count_problem(self, slug: str) -> None:
        pass


@pytest.fixture
def door(tmp_path: Path) -> Iterator[StoreDoor]:
    made = StoreDoor(f"sqlite:///{tmp_path}/store.db")
    yield made
    made.close()


@pytest.fixture
def access(door: StoreDoor, tmp_path: Path) -> Access:
    made = Access(door, limits=tmp_path / "limits")
    made.look()
    return made


@pytest.fixture
def app(access: Access, door: StoreDoor) -> Starlette:
    answers: Any = Nothing()
    services = Services(answers=answers, access=access, door=door)
    return application(services, endpoints=(probe("/score", "score"), probe("/lists", "lists")))


def make(door: StoreDoor, access: Access, *scopes: str, **options: Any) -> str:
    """A key that the worker knows of."""
    made = create_key(
        door.open(), owner="CRM", scopes=scopes or ("score",), who="Ada", now=utc_now(), **options
    )
    access.look()
    return made.text


def get(app: Starlette, path: str = "/score", *, key: str | None = None, **options: Any) -> httpx.Response:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return ask(app, "GET", path, headers=headers, **options)


@pytest.mark.parametrize(
    ("address", "host", "status"),
    [
        ("127.0.0.1", "127.0.0.1:3000", 200),
        ("127.0.0.1", "localhost", 200),
        ("::1", "[::1]:3000", 200),
        ("::ffff:127.0.0.1", "127.0.0.1", 200),
        ("192.0.2.7", "127.0.0.1", 403),
        ("192.0.2.7", "192.0.2.1", 403),
        # A page of another site whose name was made to lead here.
        ("127.0.0.1", "rebound.example", 403),
        ("127.0.0.1", "localhost.example", 403),
    ],
)
def test_without_a_key_only_this_machine_is_answered(
    app: Starlette, address: str, host: str, status: int
) -> None:
    response = get(app, address=address, host=host)
    assert response.status_code == status
    if status == 403:
        assert slug_of(response) == "not-local"
        assert "spearfish keys create" in response.json()["detail"]
        assert get(app, "/docs.json", address=address, host=host).status_code == 403


@pytest.mark.parametrize(
    ("headers", "address", "status"),
    [
        ({}, "127.0.0.1", 200),
        # As a proxy on this machine asks for somebody else.
        ({"X-Forwarded-For": "192.0.2.7"}, "127.0.0.1", 401),
        ({}, "192.0.2.7", 401),
        ({"Authorization": "of a scorer"}, "192.0.2.7", 403),
        ({"Authorization": "of an admin"}, "192.0.2.7", 200),
    ],
)
def test_metrics_are_for_this_machine_and_for_admins(
    app: Starlette, access: Access, door: StoreDoor, headers: dict[str, str], *, address: str, status: int
) -> None:
    keys_of = {"of a scorer": make(door, access), "of an admin": make(door, access, "admin")}
    sent = headers | {name: f"Bearer {keys_of[who]}" for name, who in headers.items() if who in keys_of}
    assert ask(app, "GET", "/metrics", address=address, headers=sent).status_code == status


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "Via"])
def test_without_a_key_nobody_behind_a_proxy_is_answered(app: Starlette, header: str) -> None:
    assert ask(app, "GET", "/score", headers={header: "127.0.0.1"}).status_code == 403


@pytest.mark.parametrize(
    ("method", "address", "status"), [("TRACE", "127.0.0.1", 405), ("X", "192.0.2.7", 403)]
)
def test_methods_that_nobody_knows_are_problems_behind_the_gate_too(
    app: Starlette, method: str, address: str, status: int
) -> None:
    response = ask(app, method, "/score", address=address)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert response.headers.get("allow") == ({405: "GET, HEAD"}.get(status))


def test_from_the_first_key_on_everybody_needs_one(app: Starlette, access: Access, door: StoreDoor) -> None:
    key = make(door, access)
    assert get(app).headers["www-authenticate"] == 'Bearer realm="spearfish"'
    assert get(app, key=key, address="192.0.2.7", host="crm.example").json() == {"owner": "CRM"}
    assert get(app, "/docs.json", address="192.0.2.7", host="crm.example").status_code == 200
    assert get(app, "/overview.json").status_code == 401


def wrong(key: str) -> dict[str, str]:
    last = "A" if key[-1] != "A" else "B"
    return {
        "none": "",
        "another scheme": f"Basic {key}",
        "a prefix alone": f"Bearer {key[:14]}",
        "another secret": f"Bearer {key[:-1]}{last}",
        "another prefix": f"Bearer spear_00000000_{key[15:]}",
        "no key": "Bearer \u00e9",
    }


@pytest.mark.parametrize("kind", sorted(wrong("x" * 20)))
def test_a_key_is_all_or_nothing(app: Starlette, access: Access, door: StoreDoor, kind: str) -> None:
    given = wrong(make(door, access))[kind]
    response = ask(app, "GET", "/score", headers={"Authorization": given.encode("latin-1")})
    assert (response.status_code, slug_of(response)) == (401, "unauthorized")


def test_a_key_does_what_its_scopes_say(app: Starlette, access: Access, door: StoreDoor) -> None:
    scorer, lister = make(door, access), make(door, access, "lists", "admin")
    assert [get(app, key=key).status_code for key in (scorer, lister)] == [200, 403]
    refused = get(app, "/lists", key=scorer)
    assert slug_of(refused) == "missing-scope"
    assert "--scope lists" in refused.json()["detail"]


def test_a_revoked_key_is_refused_and_does_not_open_the_door(
    app: Starlette, access: Access, door: StoreDoor
) -> None:
    key = make(door, access)
    with door.open().writing() as connection:
        assert keys.revoke(connection, prefix=key[6:14], who="Ada", now=utc_now())
        assert not keys.revoke(connection, prefix=key[6:14], who="Ada", now=utc_now())
    assert get(app, key=key).status_code == 200, "the worker has not looked yet"
    access.look()
    assert "was revoked" in get(app, key=key).json()["detail"]
    assert get(app).status_code == 401


def test_a_key_ends(app: Starlette, access: Access, door: StoreDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    key = make(door, access, expires_at=utc_now() + timedelta(hours=1))
    assert get(app, key=key).status_code == 200
    later = utc_now() + timedelta(hours=1)
    monkeypatch.setattr(access._gate, "_now", lambda: later)
    assert "has expired" in get(app, key=key).json()["detail"]


def test_known_keys_go_on_without_a_store_for_a_while(
    app: Starlette, access: Access, door: StoreDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, stranger = make(door, access), "spear_00000000_" + "x" * 43
    access._read_at -= 10
    assert get(app, key=key).status_code == 200
    unknown = get(app, key=stranger)
    assert (unknown.status_code, slug_of(unknown)) == (503, "access-unknown")
    assert int(unknown.headers["retry-after"]) > 0
    access._read_at -= 300
    assert get(app, key=key).status_code == 503
    with pytest.raises(AccessUnknownError, match="keys are not known"):
        access.require_ready()
    access.look()
    assert get(app, key=key).status_code == 200
    assert get(app, key=stranger).status_code == 401


def test_keys_are_read_again_after_the_store_was_restored(
    app: Starlette, access: Access, door: StoreDoor
) -> None:
    """Into one that has counted as many changes, and where another key was made or revoked."""
    first, lost = make(door, access), make(door, access)
    with door.open().writing() as connection:
        connection.execute(delete(api_keys).where(api_keys.c.prefix == lost[6:14]))
    since = create_key(door.open(), owner="CRM", scopes=("score",), who="Ada", now=utc_now()).text
    with door.open().writing() as connection:
        connection.execute(update(key_changes).values(number=2))
    access.look()
    assert [get(app, key=key).status_code for key in (first, lost, since)] == [200, 401, 200]
    with door.open().writing() as connection:
        connection.execute(
            update(api_keys).where(api_keys.c.prefix == first[6:14]).values(revoked_at=utc_now())
        )
    access.look()
    assert get(app, key=first).status_code == 200, "nothing tells of it"
    access._taken_at -= 61
    access.look()
    assert get(app, key=first).status_code == 401


def test_before_the_keys_are_known_nobody_passes(door: StoreDoor, tmp_path: Path) -> None:
    unread = Access(StoreDoor(f"sqlite:///{tmp_path}/nowhere/store.db"), limits=None)
    unread.look()
    answers: Any = Nothing()
    app = application(
        Services(answers=answers, access=unread, door=door), endpoints=(probe("/score", "score"),)
    )
    assert get(app).status_code == 503
    assert get(app, "/").status_code == 200


def test_a_key_that_asks_too_often_waits(app: Starlette, access: Access, door: StoreDoor) -> None:
    key, other = make(door, access, per_minute=2, burst=3), make(door, access)
    assert [get(app, key=key).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = get(app, key=key)
    assert 1 <= int(refused.headers["retry-after"]) <= 30
    assert "2 requests a minute, 3 at once" in refused.json()["detail"]
    assert get(app, key=other).status_code == 200


def test_a_request_with_a_key_asks_no_database(app: Starlette, access: Access, door: StoreDoor) -> None:
    key, asked = make(door, access), []
    event.listen(door.open().engine, "before_cursor_execute", lambda *_: asked.append(1))
    assert get(app, key=key).status_code == 200
    assert asked == []


def test_large_headers_are_refused(app: Starlette) -> None:
    response = ask(app, "GET", "/score", headers={"Cookie": "c" * 20_000})
    assert (response.status_code, slug_of(response)) == (431, "headers-too-large")


def test_uses_and_refusals_reach_the_store(app: Starlette, access: Access, door: StoreDoor) -> None:
    key = make(door, access)
    for given in (key, key, None, "nonsense", None):
        get(app, key=given)
    get(app, "/lists", key=key)
    access.write()
    access.write()
    with door.open().reading() as connection:
        (stored,) = keys.every_key(connection)
        counted = {(each.reason, each.prefix): each.count for each in audit.refusals(connection)}
        (created,) = audit.entries(connection)
    hour = utc_now().replace(minute=0, second=0)
    assert stored.last_used_at in (hour, hour - timedelta(hours=1))
    assert counted == {("no-key", ""): 2, ("unknown-key", ""): 1, ("missing-scope", key[6:14]): 1}
    assert (created.action, created.subject, created.who) == ("key created", key[6:14], "Ada")


def test_the_store_holds_no_key(door: StoreDoor, access: Access, tmp_path: Path) -> None:
    key = make(door, access)
    door.close()
    held = b"".join(path.read_bytes() for path in tmp_path.glob("store.db*"))
    assert key.encode() not in held
    assert key[15:].encode() not in held
    assert key[6:14].encode() in held


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"owner": "ada@example.com"}, "no e-mail address"),
        ({"owner": " "}, "name of a system"),
        ({"scopes": ("scores",)}, "did you mean 'score'"),
        ({"scopes": ()}, "needs a scope"),
        ({"burst": 0}, "1 to 1,000,000"),
        ({"burst": 10**10}, "1 to 1,000,000"),
        ({"per_minute": 10**8}, "1 to 6,000,000"),
        ({"expires_at": datetime.fromisoformat("2026-01-01")}, "would have expired"),
    ],
    ids=str,
)
def test_keys_that_cannot_be_made(door: StoreDoor, given: dict[str, Any], told: str) -> None:
    options = {"owner": "CRM", "scopes": ("score",)} | given
    store: Store = door.open()
    with pytest.raises(InputError, match=told):
        create_key(store, who="Ada", now=utc_now(), **options)


@pytest.mark.parametrize(("per_minute", "burst"), [(60, 1), (60, 3), (120, 5), (15, 2)])
def test_a_bucket_holds_its_burst_and_fills_by_the_minute(
    tmp_path: Path, per_minute: int, burst: int
) -> None:
    """Against a bucket that is kept as a number of tokens, which two workers take turns at."""
    workers = [Limits(tmp_path / "limits"), Limits(tmp_path / "limits")]
    tokens, before = float(burst), 1e9
    for step in range(200):
        now = 1e9 + (step * step % 37) / 8 + step / 4
        now = max(now, before)
        tokens = min(burst, tokens + (now - before) * per_minute / 60)
        before = now
        wait = workers[step % 2].take(5, per_minute=per_minute, burst=burst, now=now)
        if tokens >= 1:
            tokens -= 1
            assert wait == 0
        else:
            assert wait == pytest.approx((1 - tokens) * 60 / per_minute, abs=1e-5)
    for one in workers:
        one.close()


def test_on_a_full_disk_each_worker_counts_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    limits = Limits(tmp_path / "limits")
    assert limits.take(1, per_minute=60, burst=1, now=1e9) == 0
    assert limits.take(1, per_minute=60, burst=1, now=1e9) == pytest.approx(1.0)
    limits.close()


def test_a_clock_that_was_set_back_locks_nobody_out() -> None:
    limits = Limits(None)
    assert limits.take(1, per_minute=60, burst=2, now=2e9) == 0
    assert limits.take(1, per_minute=60, burst=2, now=1e9) == 0
