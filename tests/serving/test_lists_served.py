"""Lists over HTTP, on a real server: made, read, decided of, reviewed, compared and handed over."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx
import pytest
from people_with_keys import Person, people
from server_process import Server

from features.workspace import Workspace
from serving.lists.drawing import Suggestion, draw
from serving.lists.known import known_in
from serving.scoring import utc_now
from serving.store import Store

_numbers = count(1)


@pytest.fixture(scope="module")
def person(keyed_server: Server, keyed: Workspace) -> Iterator[Person]:
    with people(keyed_server, keyed) as found:
        yield found


def new_list(client: httpx.Client, **told: Any) -> int:
    given = {"name": f"List no. {next(_numbers)}", "owner": "Ann", "purpose": "try it", "pilot": False}
    answer = client.post("/v1/lists", json=given | {"size": 5} | told)
    assert answer.status_code == 201, answer.text
    number: int = answer.json()["id"]
    return number


def drawn(workspace: Workspace, number: int, scores: dict[str, float], *, kind: Any = "first") -> None:
    """A draw as the command makes it."""
    detail = {
        "baseline": 0.25,
        "other": 0.0,
        "reasons_for": [
            {"sentence": "industry: banking", "sentence_zh": "行业：banking", "contribution": 0.5}
        ],
        "nearest": [{"account_id": "acc-03", "name": "=2+5", "distance": 0.5, "shared": ["country: US"]}],
    }
    with Store.open(workspace.store_url) as store:
        known = known_in(workspace.tables(), store, list_id=number, account_ids=list(scores))
        with store.writing() as connection:
            draw(
                connection,
                list_id=number,
                suggestions=[Suggestion(name, score, detail=detail) for name, score in scores.items()],
                facts=known.facts,
                same=known.same,
                kind=kind,
                why="due",
                who="Ann",
                now=utc_now(),
            )


def on(client: httpx.Client, number: int, **query: Any) -> Any:
    answer = client.get(f"/v1/lists/{number}/accounts", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def of(client: httpx.Client, number: int) -> Any:
    return client.get(f"/v1/lists/{number}").json()["target_list"]


FREE = ["acc-00", "acc-01", "acc-02", "acc-05", "acc-06", "acc-08"]
"""Accounts without a deal."""


def test_a_list_goes_from_its_first_draw_to_a_file(person: Person, keyed: Workspace) -> None:
    ann, ben = person("Ann"), person("Ben")
    number = new_list(ann, segments=[{"name": "north"}])
    drawn(keyed, number, {name: 10 - place for place, name in enumerate(FREE)})
    assert [one["account_id"] for one in on(ann, number)["accounts"]] == FREE[:5]
    decision = {"account_id": FREE[5], "kind": "pin", "reason": "asked for us", "segment": "north"}
    made = ann.post(f"/v1/lists/{number}/decisions", json=decision)
    assert (made.status_code, made.json()["decision"]["made_by"]) == (201, "Ann")
    found = of(ann, number)
    moved = ann.post(
        f"/v1/lists/{number}/state", json={"action": "submit", "revision": found["revision"]}
    ).json()["target_list"]
    for client, side in ((ann, "marketing"), (ben, "sales")):
        body = {"side": side, "decision": "approved", "revision": moved["revision"]}
        told = client.post(f"/v1/lists/{number}/approvals", json=body)
        assert told.status_code == 200, told.text
    assert [one["approver"] for one in told.json()["approvals"]] == ["Ann", "Ben"]
    assert told.json()["target_list"]["state"] == "approved"
    export = ben.post(f"/v1/lists/{number}/exports", json={"format": "csv"}).json()
    assert (export["targets"], export["who"], export["unfound"]) == (6, "Ben", 0)
    file = ben.get(export["file_url"])
    assert file.headers["content-disposition"].startswith("attachment; ")
    rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert {row["account_id"]: row["segment"] for row in rows} == {
        **dict.fromkeys(FREE[:5], ""),
        FREE[5]: "north",
    }
    # What a spreadsheet would calculate is a text.
    assert {row["nearest_name_1"] for row in rows if row["account_id"] != FREE[5]} == {"'=2+5"}
    book = ben.post(f"/v1/lists/{number}/exports", json={"format": "xlsx"}).json()
    assert ben.get(book["file_url"]).content.startswith(b"PK")
    assert [one["format"] for one in ben.get(f"/v1/lists/{number}/exports").json()["exports"]] == [
        "xlsx",
        "csv",
    ]


def test_pages_are_sorted_and_filtered_by_the_server(person: Person, keyed: Workspace) -> None:
    ann = person("Ann")
    number = new_list(ann, size=10)
    drawn(keyed, number, {name: 10 - place for place, name in enumerate(FREE)})
    found, page = list[str](), dict[str, str]()
    while True:
        told = on(ann, number, sort="name", limit=2, **page)
        found += [one["name"] for one in told["accounts"]]
        assert told["total"] == len(FREE)
        if told["next_page"] is None:
            break
        page = {"page": told["next_page"]}
    assert found == sorted(found)
    assert len(found) == len(FREE)
    assert [one["account_id"] for one in on(ann, number, search="COMPANY 5")["accounts"]] == ["acc-05"]
    assert on(ann, number, industry="beekeeping")["total"] == 1
    assert on(ann, number, minimum_score=9.5)["total"] == 1
    wrong = ann.get(f"/v1/lists/{number}/accounts", params={"sort": "score", **page})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "page")
    wrong = ann.get(f"/v1/lists/{number}/accounts", params={"sort": "luck"})
    assert wrong.json()["errors"][0]["allowed"].startswith("score, ")


def test_an_account_has_its_reasons_and_decisions(person: Person, keyed: Workspace) -> None:
    ann = person("Ann")
    number = new_list(ann)
    drawn(keyed, number, {"acc-00": 0.75})
    at = f"/v1/lists/{number}/accounts/acc-00"
    told = ann.get(at, headers={"Accept-Language": "zh"}).json()
    assert told["why"]["reasons_for"] == [
        {"sentence": "行业：banking", "attribute": None, "contribution": 0.5}
    ]
    assert told["why"]["baseline"] + 0.5 + told["why"]["other"] == told["why"]["score"] == 0.75
    assert told["why"]["nearest"][0]["shared"] == ["country: US"]
    drop = ann.post(
        f"/v1/lists/{number}/decisions", json={"account_id": "acc-00", "kind": "drop", "reason": "no"}
    ).json()["decision"]
    told = ann.get(at).json()
    assert (told["account"]["status"], told["decisions"][0]["reason"]) == ("dropped", "no")
    again = ann.post(
        f"/v1/lists/{number}/decisions", json={"account_id": "acc-00", "kind": "pin", "reason": "yes"}
    )
    assert (again.status_code, again.json()["type"]) == (409, "urn:spearfish:problem:list-changed")
    assert "Ann at" in again.json()["detail"]
    ended = ann.post(f"/v1/lists/{number}/decisions/{drop['id']}/end", json={"why": "mistaken"}).json()
    assert (ended["decision"]["in_force"], ended["decision"]["ended_by"]) == (False, "Ann")
    assert on(ann, number)["total"] == 1
    unknown = ann.get(f"/v1/lists/{number}/accounts/acc-01")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:spearfish:problem:unknown-account")


def test_versions_are_compared(person: Person, keyed: Workspace) -> None:
    ann, ben = person("Ann"), person("Ben")
    number = new_list(ann)
    drawn(keyed, number, {"acc-00": 3, "acc-01": 2})
    approve(ann, ben, number)
    drawn(keyed, number, {"acc-01": 2, "acc-05": 1, "acc-03": 9}, kind="refresh")
    told = ann.get(f"/v1/lists/{number}/diff").json()
    assert [(one["account_id"], one["change"]) for one in told["changes"]] == [
        ("acc-00", "dropped"),
        ("acc-05", "added"),
    ]
    assert (told["earlier"], told["later"], told["added"], told["dropped"]) == (1, 2, 1, 1)
    newest = ann.get(f"/v1/lists/{number}/versions").json()["versions"][0]
    assert newest["left_out"] == [{"rule": "customers", "accounts": 1}]
    assert ann.get(f"/v1/lists/{number}/left_out").json()["accounts"][0]["account_id"] == "acc-03"
    assert ann.get(f"/v1/lists/{number}/changes").json()["changes"][0]["action"] == "refresh"
    assert on(ann, number, version=1)["total"] == 2


def settle(client: httpx.Client, number: int, action: str) -> Any:
    body = {"action": action, "revision": of(client, number)["revision"]}
    answer = client.post(f"/v1/lists/{number}/proposal", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_refresh_is_a_proposal_until_it_is_accepted_or_discarded(person: Person, keyed: Workspace) -> None:
    ann, ben = person("Ann"), person("Ben")
    number = new_list(ann, size=2)
    drawn(keyed, number, {"acc-00": 3, "acc-01": 2})
    approve(ann, ben, number)
    before = of(ann, number)

    def proposed(kind: str) -> set[str]:
        body = {
            "kind": kind,
            "why": "the second quarter",
            "revision": of(ann, number)["revision"],
            "suggestions": [
                {"account_id": name, "score": score}
                for name, score in (("acc-00", 1.0), ("acc-05", 9.0), ("acc-06", 8.0))
            ],
        }
        answer = ann.post(f"/v1/lists/{number}/draws", json=body)
        assert answer.status_code == 201, answer.text
        return {one["account_id"] for one in on(ann, number)["accounts"]}

    # Who is suggested still keeps the place; what a rebuild proposes is the machine's order alone.
    assert proposed("refresh") == {"acc-00", "acc-05"}
    detail = ann.get(f"/v1/lists/{number}").json()
    assert (detail["proposal"]["kind"], detail["proposal"]["beside"]) == ("refresh", 1)
    early = ann.post(
        f"/v1/lists/{number}/state",
        json={"action": "submit", "revision": detail["target_list"]["revision"]},
    )
    assert (early.status_code, "is a proposal" in early.json()["detail"]) == (409, True)
    assert proposed("rebuild") == {"acc-05", "acc-06"}
    told = settle(ann, number, "discard")
    assert told["proposal"] is None
    restored = ("state", "version", "approved_version", "refreshed_at", "rebuilt_at")
    assert {name: told["target_list"][name] for name in restored} == {name: before[name] for name in restored}
    assert {one["account_id"] for one in on(ann, number)["accounts"]} == {"acc-00", "acc-01"}
    assert proposed("refresh") == {"acc-00", "acc-05"}
    # What was discarded has left no version to compare with.
    compared = ann.get(f"/v1/lists/{number}/diff").json()
    assert (compared["earlier"], compared["later"], compared["added"]) == (1, 3, 1)
    pin = {"account_id": "acc-08", "kind": "pin", "reason": "asked for us"}
    assert ann.post(f"/v1/lists/{number}/decisions", json=pin).status_code == 201
    told = settle(ann, number, "discard")["target_list"]
    # What a person entered meanwhile is there, as a draft beside what was approved.
    assert (told["state"], told["approved_version"]) == ("draft", 1)
    assert {one["account_id"] for one in on(ann, number)["accounts"]} == {"acc-00", "acc-01", "acc-08"}
    assert proposed("refresh") == {"acc-00", "acc-08"}
    assert settle(ann, number, "accept")["proposal"] is None
    approve(ann, ben, number)
    assert of(ann, number)["state"] == "approved"


def approve(ann: httpx.Client, ben: httpx.Client, number: int) -> None:
    revision = of(ann, number)["revision"]
    told = ann.post(f"/v1/lists/{number}/state", json={"action": "submit", "revision": revision}).json()
    for client, side in ((ann, "marketing"), (ben, "sales")):
        body = {"side": side, "decision": "approved", "revision": told["target_list"]["revision"]}
        assert client.post(f"/v1/lists/{number}/approvals", json=body).status_code == 200


def test_the_second_writer_is_told_and_nothing_is_overwritten(person: Person) -> None:
    ann, ben = person("Ann"), person("Ben")
    number = new_list(ann)
    assert ann.patch(f"/v1/lists/{number}", json={"revision": 1, "owner": "Cat"}).status_code == 200
    late = ben.patch(f"/v1/lists/{number}", json={"revision": 1, "owner": "Dan"})
    assert (late.status_code, of(ann, number)["owner"]) == (409, "Cat")
    assert "Ann at" in late.json()["detail"]
    assert "edit (owner)" in late.json()["detail"]
    assert late.json()["errors"][0]["allowed"] == "revision 2"


@pytest.mark.parametrize(
    "asked", ["/v1/lists?state=", "/v1/lists?state=old", "/v1/plan?reps=5&wins_per_rep=8&win_rate=1e-302"]
)
def test_what_is_no_choice_and_no_rate_is_refused(client: httpx.Client, asked: str) -> None:
    answer = client.get(asked)
    assert answer.status_code == 422
    assert answer.json()["errors"] or "is no share" in answer.json()["detail"]


def test_a_list_sent_twice_is_made_once(person: Person) -> None:
    ann, ben = person("Ann"), person("Ben")
    body = {"name": f"List no. {next(_numbers)}", "owner": "Ann", "purpose": "try it"}
    sent = [ann.post("/v1/lists", json=body, headers={"Idempotency-Key": "one"}) for _ in range(2)]
    assert sent[0].json() == sent[1].json()
    assert sent[1].headers["Idempotency-Replayed"] == "true"
    other = ben.post("/v1/lists", json=body, headers={"Idempotency-Key": "one"})
    assert (other.status_code, "another list has it" in other.json()["detail"]) == (422, True)


def test_who_does_a_thing_is_not_said_by_the_request(person: Person) -> None:
    ann = person("Ann")
    number = new_list(ann)
    body = {"side": "sales", "decision": "approved", "revision": 1, "approver": "Ben"}
    refused = ann.post(f"/v1/lists/{number}/approvals", json=body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "approver")


def test_what_is_not_there_and_what_is_wrong_is_said(person: Person) -> None:
    ann = person("Ann")
    missing = ann.get("/v1/lists/999999")
    assert (missing.status_code, missing.json()["type"]) == (404, "urn:spearfish:problem:unknown-list")
    wrong = ann.post("/v1/lists", json={"name": "x", "owner": "Ann"})
    assert [one["field"] for one in wrong.json()["errors"]] == ["purpose"]
    assert ann.get("/v1/lists/x").json()["errors"][0]["field"] == "id"
    number = new_list(ann)
    early = ann.post(f"/v1/lists/{number}/exports", json={"format": "hubspot"})
    assert (early.status_code, early.json()["type"]) == (409, "urn:spearfish:problem:list-state")
