"""The endpoints for CRMs answer the numbers of POST /v1/score, bit for bit, on one level."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from in_process import ask, open_to_everybody, slug_of
from small_workspace import account_id

from features.workspace import Workspace
from serving.access.access import Access
from serving.access.managing import create_key
from serving.adapters.signature import SECRET, Signing
from serving.adapters.told import CrmScore
from serving.holder import DeskHolder
from serving.scoring import utc_now
from serving.store.door import StoreDoor
from serving.web.application import application
from serving.web.services import Services

SALESFORCE, HUBSPOT = "/v1/salesforce/score", "/v1/hubspot/score"
UNKNOWN = {"Id": "001A0000006Vm9uIAC"}
NEW = {"Name": "New Ltd", "Website": "new.example", "Industry": "software", "NumberOfEmployees": "250"}
NEW_OF_HUBSPOT = {
    "name": "New Ltd",
    "domain": "new.example",
    "industry": "software",
    "numberofemployees": "250",
}


@pytest.fixture(scope="module")
def holder(company: Workspace) -> Iterator[DeskHolder]:
    made = DeskHolder(company)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def app(holder: DeskHolder) -> Any:
    return open_to_everybody(holder)


def answer(app: Any, path: str, **body: Any) -> dict[str, Any]:
    found: dict[str, Any] = ask(app, "POST", path, json=body).raise_for_status().json()
    return found


def require_same(flat: dict[str, Any], whole: dict[str, Any]) -> None:
    """The numbers of the two answers are the same bits."""
    assert flat["score"] == whole["machine_score"]
    assert (flat["working_score"], flat["adjustment"]) == (whole["working_score"], whole["adjustment"])
    assert flat["as_of"] == whole["as_of"]
    for kind in ("fit", "intent"):
        half = whole[kind] or {}
        assert [flat[f"{kind}_{name}"] for name in ("probability", "score", "grade")] == [
            half.get(name) for name in ("probability", "score", "grade")
        ]
        assert flat[f"{kind}_unavailable_reason"] == whole[f"{kind}_unavailable_reason"]
    assert flat["grade"] == "/".join(flat[f"{kind}_grade"] or "none" for kind in ("fit", "intent"))
    halves = [whole[kind] for kind in ("fit", "intent") if whole[kind]]
    told = [reason["sentence"] for half in halves for reason in half["reasons_for"]]
    assert flat["reason_1"] is None or any(flat["reason_1"].endswith(sentence) for sentence in told)


@pytest.mark.parametrize("number", [0, 5, 6, 17])
def test_a_known_account_has_the_numbers_of_the_core(app: Any, number: int) -> None:
    name = account_id(number)
    whole = answer(app, "/v1/score", account_id=name)
    for path, field in ((SALESFORCE, "Spearfish_Account_Id__c"), (HUBSPOT, "spearfish_account_id")):
        # What is sent of an account that is known does not count: one account has one score.
        flat = answer(app, path, **{field: name, "industry": "BANKING"})
        require_same(flat, whole)
        assert (flat["matched_by"], flat["account_id"], flat["match_certainty"]) == ("account_id", name, 1.0)
        assert set(flat) == set(CrmScore.model_fields)
        assert not [value for value in flat.values() if isinstance(value, dict | list)]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (SALESFORCE, UNKNOWN | {"Website": "https://www.company7.example/about"}),
        (HUBSPOT, {"objectId": 815, "properties": {"domain": {"value": "company7.example", "versions": []}}}),
    ],
)
def test_an_account_that_is_not_ingested_yet_is_found_by_its_domain(app: Any, path: str, body: Any) -> None:
    flat = answer(app, path, **body)
    assert (flat["matched_by"], flat["account_id"]) == ("website_domain", account_id(7))
    require_same(flat, answer(app, "/v1/score", account_id=account_id(7)))


@pytest.mark.parametrize(
    ("path", "body"), [(SALESFORCE, UNKNOWN | NEW), (HUBSPOT, NEW_OF_HUBSPOT | {"hs_object_id": 1})]
)
def test_a_new_company_is_scored_by_what_is_sent(app: Any, path: str, body: Any) -> None:
    lead = {"company": "New Ltd", "website": "new.example", "industry": "software", "employees": 250}
    flat = answer(app, path, **body)
    require_same(flat, answer(app, "/v1/score", lead=lead))
    assert (flat["matched_by"], flat["account_id"], flat["intent_score"]) == ("none", None, None)


@pytest.mark.parametrize(
    ("path", "body", "status", "slug"),
    [
        (SALESFORCE, UNKNOWN, 404, "unknown-account"),
        (SALESFORCE, UNKNOWN | {"Name": "Nobody Ever Heard"}, 404, "unknown-account"),
        (SALESFORCE, {"Name": "Nobody Ever Heard"}, 422, "invalid-request"),
        (SALESFORCE, NEW | {"NumberOfEmployees": "-5"}, 422, "invalid-request"),
        (SALESFORCE, {"Website": "company1.example"}, 409, "ambiguous-domain"),
        (SALESFORCE, [UNKNOWN], 422, "invalid-request"),
        (HUBSPOT, {"hs_object_id": "1"}, 404, "unknown-account"),
        (HUBSPOT, {"objectType": "DEAL"}, 422, "invalid-request"),
        (HUBSPOT, {"email": "not an address"}, 422, "invalid-request"),
    ],
)
def test_what_is_wrong_with_a_record_is_a_4xx_that_is_not_sent_again(
    app: Any, path: str, body: Any, status: int, slug: str
) -> None:
    response = ask(app, "POST", path, json=body)
    assert (response.status_code, slug_of(response)) == (status, slug)
    assert "lead." not in response.text


def test_faults_of_the_core_are_told_by_the_names_of_the_crm(app: Any) -> None:
    errors = ask(app, "POST", SALESFORCE, json=NEW | {"NumberOfEmployees": "-5"}).json()["errors"]
    assert [error["field"] for error in errors] == ["NumberOfEmployees"]
    errors = ask(app, "POST", HUBSPOT, json={"name": "Nobody Ever Heard"}).json()["errors"]
    assert errors[0]["field"] == "(body)"
    assert "numberofemployees" in errors[0]["allowed"]


def test_a_collection_is_answered_record_by_record(app: Any) -> None:
    one, other = ({"SpearfishAccountId": account_id(n)} for n in (7, 8))
    rows = [one, UNKNOWN, UNKNOWN | {"Website": "company7.example"}, other, one, {"Id": "x"}, NEW, 3]
    found = answer(app, f"{SALESFORCE}/batch", accounts=rows)
    results = found["results"]
    assert [row["position"] for row in results] == list(range(len(rows)))
    assert [row["problem_status"] for row in results] == [None, 404, None, None, None, 422, None, 422]
    assert (found["succeeded"], found["failed"]) == (5, 3)
    assert [row["account_id"] for row in results] == [
        *(account_id(7), None, account_id(7), account_id(8), account_id(7), None, None, None)
    ]
    assert results[4]["request_id"] == results[0]["request_id"]
    for row, body in ((results[0], one), (results[6], NEW)):
        alone = answer(app, SALESFORCE, **body)
        assert {name: row[name] for name in alone} == alone | {"request_id": row["request_id"]}
    assert "accounts[5].Id" in results[5]["problem_detail"]


def test_sentences_are_in_the_language_of_the_reader(app: Any) -> None:
    headers = {"Accept-Language": "zh-CN"}
    told = ask(app, "POST", SALESFORCE, json={"SpearfishAccountId": "acc-10"}, headers=headers).json()
    assert str(told["reason_1"]).startswith(("契合度：", "意向："))


@pytest.mark.parametrize(("tag", "status"), [("salesforce", 200), ("nothing", 422)])
def test_the_document_of_one_group_is_short_enough_to_import(app: Any, tag: str, status: int) -> None:
    response = ask(app, "GET", f"/docs.json?tag={tag}")
    assert response.status_code == status
    if status == 200:
        assert list(response.json()["paths"]) == [SALESFORCE, f"{SALESFORCE}/batch"]
        assert len(response.text) < 100_000


def signed(body: bytes, *, secret: str = "secret") -> dict[str, str]:
    """The headers that HubSpot sends with a body."""
    at = str(round(time.time() * 1_000))
    url = f"https://scores.example.com{HUBSPOT}"
    signature = Signing(secret).signature(method="POST", url=url, body=body, timestamp=at)
    return {
        "Content-Type": "application/json",
        "X-HubSpot-Signature-v3": signature,
        "X-HubSpot-Request-Timestamp": at,
    }


def test_a_signature_stands_for_a_key_where_the_secret_is_known(
    holder: DeskHolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, body = StoreDoor(f"sqlite:///{tmp_path}/keys.db"), b'{"spearfish_account_id": "acc-07"}'
    create_key(door.open(), owner="another", scopes=["score"], who="test", now=utc_now())
    access = Access(door, limits=None)
    access.look()
    app = application(Services(answers=holder, access=access, door=door))

    def status(path: str, headers: dict[str, str], body: bytes = body) -> int:
        return ask(app, "POST", path, host="scores.example.com", content=body, headers=headers).status_code

    assert status(HUBSPOT, signed(body)) == 401
    monkeypatch.setenv(SECRET, "secret")
    assert status(HUBSPOT, signed(body)) == 200
    assert status(HUBSPOT, signed(body, secret="other")) == 401
    assert status(HUBSPOT, signed(body), body + b" ") == 401
    assert status(HUBSPOT, {"Content-Type": "application/json"}) == 401
    assert status(SALESFORCE, signed(body)) == 401
    door.close()
