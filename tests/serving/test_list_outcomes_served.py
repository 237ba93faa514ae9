"""What became of a list, over HTTP: counts of a list of the past, and what cannot be answered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from followed_lists import approved_at, at, new_list
from people_with_keys import Person, people
from server_process import Server
from slow_outcomes import SlowVersion, slow_outcomes

from features.workspace import Workspace
from serving.store import Store, lists

MOMENT, DAYS = "2025-03-10T12:00:00", 120
SUGGESTED = [f"acc-{n:02d}" for n in range(10, 60)]
REJECTED = SUGGESTED[40:]


@pytest.fixture(scope="module")
def person(keyed_server: Server, keyed: Workspace) -> Iterator[Person]:
    with people(keyed_server, keyed) as found:
        yield found


@pytest.fixture(scope="module")
def followed(keyed: Workspace) -> int:
    """A list that was approved before the deals of most of its accounts."""
    with Store.open(keyed.store_url) as store:
        number = new_list(store, "Followed", now="2025-03-01")
        approved_at(store, number, MOMENT, suggested=SUGGESTED, dropped=REJECTED, pinned=["acc-00"])
    return number


def test_a_list_is_followed_from_its_approval_on(person: Person, keyed: Workspace, followed: int) -> None:
    told = person("Ann").get(f"/v1/lists/{followed}/outcomes", params={"days": DAYS})
    assert told.status_code == 200, told.text
    found = told.json()
    held = {name: (name not in REJECTED, True) for name in SUGGESTED} | {"acc-00": (True, False)}
    version = SlowVersion(followed, 1, at(MOMENT), None, held)
    tables = keyed.tables()
    frames = {name: tables.read(name) for name in ("accounts", "opportunities", "activities")}
    # The second after the newest that is known of accounts and deals.
    newest = max(frames[name].known_at.max() for name in ("accounts", "opportunities"))
    until = newest.to_pydatetime() + timedelta(seconds=1)
    slow = slow_outcomes(frames, [version], list_id=followed, days=DAYS, now=until, until=until)
    assert (found["list_id"], found["days"], found["moments"], found["ripe_moments"]) == (
        followed,
        DAYS,
        1,
        1,
    )
    for name, accounts in (("accepted", 40), ("added", 1), ("rejected", 10)):
        group, counts = found[name], slow["groups"][name]
        assert group["accounts"] == accounts
        assert group["ripe"] == accounts - group["customers"] - group["open_deals"] == counts["ripe"]
        assert (group["opened"], group["won"]) == (counts["opened"], counts["won"])
        assert (group["deals_ended"], group["deals_won"]) == (counts["ended"], counts["ended_won"])
    assert found["accepted"]["won"] > 0
    rate = found["accepted"]["win_rate"]
    assert rate["value"] == pytest.approx(found["accepted"]["won"] / found["accepted"]["ripe"])
    assert rate["low"] < rate["value"] < rate["high"]
    others = found["comparable"]
    assert others["known"] == 120
    assert others["free"] == others["known"] - 51 - others["customers"] - others["open_deals"]
    matched = found["against_comparable"]
    assert matched["matched"] + matched["without_comparable"] == matched["accepted"]
    assert matched["won"]["verdict"] in ("higher", "lower", "unclear", "not_enough")
    # Ten were rejected: too few to say anything of them.
    assert found["against_rejected"]["won"]["verdict"] == "not_enough"
    assert person("Ann").get(told.request.url).content == told.content


def test_what_is_too_early_says_when_it_is_not(person: Person, followed: int) -> None:
    found = person("Ann").get(f"/v1/lists/{followed}/outcomes").json()
    assert (found["days"], found["accepted"]["ripe"]) == (365, 0)
    assert found["accepted"]["too_early"] > 30
    assert found["accepted"]["first_ripe_at"] == "2026-03-10T12:00:00Z"
    assert (found["accepted"]["win_rate"], found["against_comparable"]["won"]["difference"]) == (None, None)


def test_a_change_of_a_list_is_not_forgotten(person: Person, keyed: Workspace) -> None:
    """What was worked out once is worked out anew when a list has changed."""
    with Store.open(keyed.store_url) as store:
        number = new_list(store, "Growing", now="2025-03-01")
        approved_at(store, number, "2025-05-01T00:00:00", suggested=["acc-06"])
        first = person("Ann").get(f"/v1/lists/{number}/outcomes", params={"days": 30}).json()
        names = ["acc-06", "acc-08"]
        approved_at(store, number, "2025-06-01T00:00:00", suggested=names, kind="refresh")
    later = person("Ann").get(f"/v1/lists/{number}/outcomes", params={"days": 30}).json()
    assert [one["accepted"]["accounts"] for one in (first, later)] == [1, 2]


def test_what_cannot_be_answered_says_why(person: Person, keyed: Workspace, followed: int) -> None:
    ann = person("Ann")
    unknown = ann.get("/v1/lists/999999/outcomes")
    assert (unknown.status_code, unknown.json()["title"]) == (404, "No such list")
    for days in ("0", "3661", "soon"):
        wrong = ann.get(f"/v1/lists/{followed}/outcomes", params={"days": days})
        assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "days")
        assert wrong.headers["content-type"] == "application/problem+json"
    with Store.open(keyed.store_url) as store:
        number = new_list(store, "Nobody approved it", now="2025-03-01")
    early = ann.get(f"/v1/lists/{number}/outcomes", headers={"Accept-Language": "zh"})
    assert early.status_code == 409
    assert "名单尚无已批准的版本" in early.json()["detail"]


def test_an_archived_list_goes_on_telling(person: Person, keyed: Workspace) -> None:
    with Store.open(keyed.store_url) as store:
        number = new_list(store, "Over", now="2025-03-01")
        approved_at(store, number, MOMENT, suggested=["acc-07"])
        with store.reading() as connection:
            revision = lists.find(connection, list_id=number).revision
    ann = person("Ann")
    body: dict[str, Any] = {"action": "archive", "revision": revision}
    assert ann.post(f"/v1/lists/{number}/state", json=body).status_code == 200
    found = ann.get(f"/v1/lists/{number}/outcomes", params={"days": 90}).json()
    assert (found["accepted"]["accounts"], found["accepted"]["ripe"]) == (1, 1)
