"""Expansions over HTTP, on a real server with the process that does the work."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from people_with_keys import Person, people
from server_process import Server, until

from features.workspace import Workspace

CUSTOMERS = [f"acc-{n:02d}" for n in (3, *(n for n in range(10, 120, 3) if n % 2))]


@pytest.fixture(scope="module")
def person(keyed_server: Server, keyed: Workspace) -> Iterator[Person]:
    with people(keyed_server, keyed) as found:
        yield found


@pytest.fixture(scope="module")
def ann(person: Person) -> httpx.Client:
    return person("Ann")


def asked(client: httpx.Client, **question: Any) -> Any:
    """An expansion, once it is done."""
    answer = client.post("/v1/jobs/expand", json=question)
    assert answer.status_code == 202, answer.text
    where = answer.headers["location"]

    def over() -> bool:
        return client.get(where).json()["state"] not in ("queued", "running")

    until(over)
    return client.get(where).json()


def suggestions(client: httpx.Client, expansion: Any, **query: Any) -> Any:
    return client.get(f"/v1/expansions/{expansion['id']}/accounts", params=query).json()


@pytest.fixture(scope="module")
def by_customers(ann: httpx.Client) -> Any:
    return asked(ann, size=30)


def test_customers_are_the_seeds_where_none_are_named(ann: httpx.Client, by_customers: Any) -> None:
    assert (by_customers["state"], by_customers["steps_done"]) == ("done", by_customers["steps"])
    result = by_customers["result"]
    assert (result["accounts"], result["universe"], result["seeds"]) == (30, 120, len(CUSTOMERS))
    told = suggestions(ann, by_customers)["accounts"]
    assert [one["place"] for one in told] == list(range(1, 31))
    assert not {one["account_id"] for one in told} & set(CUSTOMERS)
    first = told[0]["why"]
    shares = [one["contribution"] for one in (*first["reasons_for"], *first["reasons_against"])]
    assert first["baseline"] + sum(shares) + first["other"] == pytest.approx(told[0]["score"])
    assert {one["account_id"] for one in first["nearest"]} <= set(CUSTOMERS)


def test_pages_hold_everybody_once(ann: httpx.Client, by_customers: Any) -> None:
    found, page = list[int](), dict[str, str]()
    while True:
        told = suggestions(ann, by_customers, limit=7, **page)
        found += [one["place"] for one in told["accounts"]]
        if told["next_page"] is None:
            break
        page = {"page": told["next_page"]}
    assert found == list(range(1, 31))


def test_the_file_is_what_the_pages_say(ann: httpx.Client, by_customers: Any) -> None:
    file = ann.get(f"/v1/expansions/{by_customers['id']}/file", headers={"Accept-Language": "zh"})
    rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
    told = suggestions(ann, by_customers)["accounts"]
    assert [row["account_id"] for row in rows] == [one["account_id"] for one in told]
    assert "：" in rows[0]["reason_1"]
    assert rows[0]["nearest_1"] == told[0]["why"]["nearest"][0]["account_id"]


def test_a_list_is_drawn_from_it(ann: httpx.Client, by_customers: Any) -> None:
    made = ann.post(
        "/v1/lists",
        json={"name": "Like ours", "owner": "Ann", "purpose": "try it", "pilot": False, "size": 10},
    ).json()
    body = {"kind": "first", "why": "first draw", "revision": 1, "expansion": by_customers["id"]}
    drawn = ann.post(f"/v1/lists/{made['id']}/draws", json=body)
    assert (drawn.status_code, drawn.json()["targets"]) == (201, 10)
    one = ann.get(f"/v1/lists/{made['id']}/accounts", params={"limit": 1}).json()["accounts"][0]
    why = ann.get(f"/v1/lists/{made['id']}/accounts/{one['account_id']}").json()["why"]
    told = {each["account_id"]: each for each in suggestions(ann, by_customers)["accounts"]}
    assert why == told[one["account_id"]]["why"]
    again = asked(ann, list_id=made["id"], size=5)
    assert again["seeds"] == again["result"]["seeds"] == 10


def test_seeds_are_named_found_by_a_filter_or_gone(ann: httpx.Client) -> None:
    named = asked(ann, account_ids=[*CUSTOMERS[:4], "acc-gone"], size=5)
    assert named["result"]["seeds"] == 4
    assert named["result"]["notes"][0].startswith("1 seeds are no accounts")
    found = asked(ann, filters={"industries": ["Banking"], "countries": ["US"]}, size=5)
    assert found["result"]["seeds"] == 20
    nobody = asked(ann, account_ids=["acc-gone"], size=5)
    assert (nobody["state"], nobody["problem"]["status"]) == ("failed", 422)
    assert "no seed is an account" in nobody["problem"]["detail"]


def test_a_blend_and_the_mode_of_intent_order_by_chances(ann: httpx.Client) -> None:
    blended = asked(ann, size=5, weights={"fit": 1.0, "intent": 1.0})
    one = suggestions(ann, blended)["accounts"][0]
    shares = {part["part"]: part["share"] for part in one["parts"]}
    assert one["blended"] == pytest.approx((shares["fit"] + shares["intent"]) / 2)
    intent = asked(ann, size=5, mode="intent")
    assert [one["part"] for one in suggestions(ann, intent)["accounts"][0]["parts"]] == ["intent"]


def test_what_cannot_be_asked_is_told_at_once(ann: httpx.Client) -> None:
    for question, told in (
        ({"account_ids": ["acc-00"], "list_id": 1}, "in one way"),
        ({"mode": "horizontal"}, "needs a product line"),
        ({"mode": "horizontal", "product": "crm"}, "opportunities carry no product"),
        ({"list_id": 999_999}, "no such list"),
        ({"size": 0}, "size"),
    ):
        answer = ann.post("/v1/jobs/expand", json=question)
        assert (answer.status_code in (404, 422), told in answer.text) == (True, True), answer.text


def test_a_colleague_reads_and_draws_from_an_expansion_that_is_done(
    person: Person, ann: httpx.Client, by_customers: Any
) -> None:
    ben, where = person("Ben"), f"/v1/expansions/{by_customers['id']}"
    assert ben.get(where).json() == by_customers
    assert suggestions(ben, by_customers) == suggestions(ann, by_customers)
    assert ben.get(f"{where}/file").content == ann.get(f"{where}/file").content
    told = {"name": "Like Ann's", "owner": "Ben", "purpose": "try it", "pilot": False, "size": 10}
    made = ben.post("/v1/lists", json=told).json()
    body = {"kind": "first", "why": "first draw", "revision": 1, "expansion": by_customers["id"]}
    once = {"Idempotency-Key": "draw"}
    first, again = (ben.post(f"/v1/lists/{made['id']}/draws", json=body, headers=once) for _ in range(2))
    assert (first.status_code, first.json()["targets"]) == (201, 10)
    # Although it could not be drawn for the first time once more.
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert ben.post(f"{where}/cancel").status_code == 404


def test_an_expansion_that_is_not_done_is_seen_by_nobody_else(person: Person, ann: httpx.Client) -> None:
    failed = asked(ann, account_ids=["acc-gone"], size=5)
    assert failed["state"] == "failed"
    where = f"/v1/expansions/{failed['id']}"
    assert [person("Ben").get(where + path).status_code for path in ("", "/accounts", "/file")] == [404] * 3


def test_an_expansion_is_cancelled(ann: httpx.Client) -> None:
    sent = ann.post("/v1/jobs/expand", json={}, headers={"Idempotency-Key": "expand"}).json()
    assert ann.post("/v1/jobs/expand", json={}, headers={"Idempotency-Key": "expand"}).json() == sent
    where = f"/v1/expansions/{sent['id']}"
    ended = ann.post(f"{where}/cancel")
    assert ended.json().get("state") in ("cancelled", None)
    if ended.status_code == 200:
        assert ann.get(f"{where}/accounts").json()["type"] == "urn:spearfish:problem:job-unfinished"
