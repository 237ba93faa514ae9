"""What CRMs send becomes one strict request: ids, texts for numbers, empty texts, dates, whole objects."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic_core import PydanticCustomError
from starlette.requests import Request

from features.tables import Attribute
from serving.adapters import cells, hubspot, salesforce
from serving.adapters.signature import SECRET, Signing, is_signed, require_signature
from serving.problems import InvalidRequestError, UnauthorizedError
from serving.reading import parse_body

ATTRIBUTES = (
    Attribute("web_rank", "number", "web rank"),
    Attribute("partner", "boolean", "partner"),
    Attribute("signed_up", "date", "sign-up"),
    Attribute("account_type", "category", "type of account"),
    Attribute("company_type", "category", "type of company"),
)
LEVELS = {"industry": ["software"], "country": ["DE", "US"]}
LONG, SHORT = "001A0000006Vm9uIAC", "001A0000006Vm9u"
CONTACT, LEAD, DEAL = "003A0000006Vm9u", "00QA0000006Vm9u", "006A0000006Vm9u"
FACTS = {
    "Name": "Acme GmbH",
    "Website": "https://www.acme.example/de",
    "Industry": "software",
    "BillingCountry": "Germany",
    "NumberOfEmployees": "1,250",
    "AnnualRevenue": 1.0e7,
    "Type": "Customer",
    "Partner__c": "TRUE",
    "spear__Web_Rank__c": "12.5",
    "SignedUp": "2026-01-31",
    "BillingCity": "",
    "Description": "x",
}
FACTS_OF_LEAD: dict[str, Any] = {
    "website": "https://www.acme.example/de",
    "company": "Acme GmbH",
    "industry": "software",
    "country": "DE",
    "employees": 1250,
    "annual_revenue": 10_000_000,
    "attributes": {"web_rank": 12.5, "partner": True, "signed_up": "2026-01-31T00:00:00Z"},
}


def with_type(name: str, **more: str) -> dict[str, Any]:
    return {"lead": FACTS_OF_LEAD | {"attributes": FACTS_OF_LEAD["attributes"] | {name: "Customer"}} | more}


def asked_by(system: Any, model: Callable[..., Any], given: Any) -> list[dict[str, Any]]:
    record = parse_body(json.dumps(given).encode(), model=model(ATTRIBUTES))
    found = system.wanted_of(record, attributes=ATTRIBUTES, levels=LEVELS)
    return [json.loads(text) for text in found.requests]


def of_salesforce(given: Any) -> list[dict[str, Any]]:
    return asked_by(salesforce, salesforce.salesforce_model, given)


def of_hubspot(given: Any) -> list[dict[str, Any]]:
    return asked_by(hubspot, hubspot.hubspot_model, given)


@pytest.mark.parametrize("given", [LONG, SHORT, LONG.lower(), f" {LONG} "])
def test_15_and_18_characters_are_one_id(given: str) -> None:
    assert of_salesforce({"Id": given}) == [{"account_id": LONG}, {"account_id": SHORT}]


@pytest.mark.parametrize(
    ("given", "field", "what"),
    [
        ({"Id": LONG[:-1] + "D"}, "Id", "check characters"),
        ({"Id": LONG[:16]}, "Id", "no Salesforce id"),
        ({"Id": "acc-00"}, "Id", "no Salesforce id"),
        ({"Id": DEAL}, "Id", "another object"),
        ({"AccountId": LEAD}, "AccountId", "not the id of an account"),
        ({"Id": LEAD}, "(body)", "names no account"),
        ({"Id": "", "Name": None, "Title": "CEO"}, "(body)", "names no account"),
        ({"NumberOfEmployees": "many"}, "NumberOfEmployees", "is not a number"),
        ({"YearStarted": "1999.5"}, "YearStarted", "is not a whole number"),
        ({"Partner__c": "perhaps"}, "Partner", "neither true nor false"),
        ({"Name": ["a"]}, "Name", "not a single value"),
        ({"AsOf": "2026-01-31T09:30:00"}, "AsOf", "not a moment with a zone"),
    ],
)
def test_what_salesforce_sends_wrongly_is_told_by_its_own_names(given: Any, field: str, what: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        of_salesforce(given)
    assert caught.value.errors[0].field == field
    assert what in caught.value.errors[0].what


def test_a_whole_account_of_apex() -> None:
    given = {"attributes": {"type": "Account", "url": "/services/data/v62.0/sobjects/Account/x"}, "Id": LONG}
    when = {"AsOf": "2026-02-01T00:00:00.000+0000"}
    moment = {"as_of": "2026-02-01T00:00:00Z"}
    assert of_salesforce(given | FACTS | when) == [
        {"account_id": LONG} | moment,
        {"account_id": SHORT} | moment,
        with_type("account_type") | moment,
    ]


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        (
            {
                "Id": CONTACT,
                "AccountId": SHORT,
                "Name": "Ann Lee",
                "Email": "ann@acme.example",
                "Title": "CMO",
            },
            [
                {"account_id": LONG},
                {"account_id": SHORT},
                {"lead": {"email": "ann@acme.example", "title": "CMO"}},
            ],
        ),
        (
            {"Id": LEAD, "Name": "Ann Lee", "Company": "Acme", "Country": "Allemagne", "State": ""},
            [{"lead": {"company": "Acme", "country": "DE"}}],
        ),
        ({"SpearfishAccountId": "acc-1"}, [{"account_id": "acc-1"}]),
        ({"Spearfish_Account_Id__c": 17}, [{"account_id": "17"}]),
        ({"Name": "Acme", "Industry": "Narnian trade"}, [{"lead": {"company": "Acme"}}]),
    ],
    ids=["contact", "lead", "own id", "own number", "a word that nobody knows"],
)
def test_contacts_leads_and_own_ids(given: Any, asked: Any) -> None:
    assert of_salesforce(given) == asked


COMPANY = {
    "name": "Acme GmbH",
    "website": "https://www.acme.example/de",
    "industry": "software",
    "country": "Germany",
    "numberofemployees": "1250",
    "annualrevenue": "10000000",
    "type": "Customer",
    "partner": "true",
    "web_rank": "12.5",
    "signed_up": "1769817600000",
    "city": "",
    "hs_lastmodifieddate": "1769817600000",
}
VERSIONED = {
    name: {"value": value, "timestamp": 1, "source": "API", "versions": [{"name": name, "value": "old"}]}
    for name, value in COMPANY.items()
}
ACCOUNT = {"account_id": "2182162682"}


@pytest.mark.parametrize(
    "given",
    [
        {"hs_object_id": "2182162682", **COMPANY},
        {"objectId": 2182162682, "portalId": 62515, "objectTypeId": "0-2", **COMPANY},
        {"portalId": 62515, "companyId": 2182162682, "isDeleted": False, "properties": VERSIONED},
        {"id": "x", "properties": {"hs_object_id": "2182162682", **COMPANY}, "archived": False},
        {
            "callbackId": "ap-1",
            "origin": {"portalId": 62515, "actionDefinitionId": 2},
            "object": {"objectId": 2182162682, "objectType": "COMPANY"},
            "inputFields": COMPANY,
        },
    ],
    ids=["chosen properties", "an event", "a whole object", "an object of v3", "custom code"],
)
def test_a_company_of_hubspot(given: Any) -> None:
    assert of_hubspot(given) == [ACCOUNT, with_type("company_type")]


def test_a_contact_of_hubspot_stands_for_its_company() -> None:
    person = {"email": {"value": "ann@acme.example"}, "jobtitle": {"value": "CMO"}, "name": {}}
    company = {"company-id": 2182162682, "properties": VERSIONED}
    whole = {"vid": 51, "portal-id": 62515, "properties": person, "associated-company": company}
    lead = {"email": "ann@acme.example", "title": "CMO"}
    assert of_hubspot(whole) == [ACCOUNT, with_type("company_type", **lead)]
    flat = {"hs_object_id": "51", "email": "ann@acme.example", "associatedcompanyid": "", "company": "Acme"}
    assert of_hubspot(flat) == [{"lead": {"email": "ann@acme.example", "company": "Acme"}}]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"objectId": 7, "objectType": "DEAL"}, "objectType"),
        ({"hs_object_id": "acc-1"}, "hs_object_id"),
        ({"email": "a@b.example", "associatedcompanyid": "-1"}, "associatedcompanyid"),
        ({"portalId": 62515}, "(body)"),
        ({"name": "Acme", "properties": {"numberofemployees": {"value": "1e999"}}}, "numberofemployees"),
    ],
)
def test_what_hubspot_sends_wrongly(given: Any, field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        of_hubspot(given)
    assert caught.value.errors[0].field == field


@pytest.mark.parametrize(
    ("read", "given", "expected"),
    [
        (cells.text_of, "\tAcme\r\nof\x0bBerlin\n", "Acme of Berlin"),
        (cells.text_of, "\n\t", None),
        (cells.employees_of, "51-200", 101),
        (cells.employees_of, "", None),
        (cells.revenue_of, "$10M", 10_000_000),
        (cells.number_of, "-1.5E+3", -1500),
        (cells.moment_of, 1769851800000, "2026-01-31T09:30:00Z"),
        (cells.moment_of, "2026-01-31T10:30:00+0100", "2026-01-31T09:30:00Z"),
    ],
)
def test_single_values(read: Callable[[object], Any], given: object, expected: object) -> None:
    assert read(given) == expected


@pytest.mark.parametrize("given", ["1,25", "NaN", "inf", ".", "1e999", "٣", True, {}])
def test_what_is_no_number(given: object) -> None:
    with pytest.raises(PydanticCustomError):
        cells.number_of(given)


# HMAC-SHA-256 of 'POSThttps://scores.example.com/v1/hubspot/score?a=:{"name":"Åcme"}1769851800000', by
# `printf ... | openssl dgst -sha256 -hmac secret -binary | base64`.
BODY = '{"name":"Åcme"}'.encode()
SIGNED_AT = 1769851800.0
SIGNATURE = "efjj+f/RVh9wTYMs5yUIMECDgyOLr0xe9OKqn92RPkQ="


def request(signature: str, *, at: str = "1769851800000") -> Request:
    headers = {
        "host": "scores.example.com",
        "x-hubspot-signature-v3": signature,
        "x-hubspot-request-timestamp": at,
    }
    path = "/v1/hubspot/score"
    return Request(
        {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"a=%3a",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
    )


def test_a_signature_of_hubspot_lets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_signed(request(SIGNATURE))
    monkeypatch.setenv(SECRET, "secret")
    assert is_signed(request(SIGNATURE))
    require_signature(request(SIGNATURE), BODY, now=SIGNED_AT + 299)
    with pytest.raises(UnauthorizedError):
        require_signature(request(SIGNATURE), BODY)


@pytest.mark.parametrize(
    ("signature", "at", "body", "now"),
    [
        (SIGNATURE[:-2] + "A=", "1769851800000", BODY, SIGNED_AT),
        ("", "1769851800000", BODY, SIGNED_AT),
        ("é", "1769851800000", BODY, SIGNED_AT),
        (SIGNATURE, "1769851800001", BODY, SIGNED_AT),
        (SIGNATURE, "1769851800000", BODY + b" ", SIGNED_AT),
        (SIGNATURE, "1769851800000", BODY, SIGNED_AT + 301),
        (SIGNATURE, "1769851800000", BODY, SIGNED_AT - 301),
        (SIGNATURE, "soon", BODY, SIGNED_AT),
    ],
    ids=["wrong", "empty", "no base64", "other moment", "other body", "old", "future", "no moment"],
)
def test_a_wrong_signature_is_refused(
    monkeypatch: pytest.MonkeyPatch, signature: str, at: str, body: bytes, now: float
) -> None:
    monkeypatch.setenv(SECRET, "secret")
    with pytest.raises(UnauthorizedError, match="signature of HubSpot"):
        require_signature(request(signature, at=at), body, now=now)


def test_the_address_may_be_configured() -> None:
    signing = Signing.from_environment({SECRET: " s ", "SPEARFISH_HUBSPOT_URL": "https://a.example/x"})
    assert signing == Signing("s", "https://a.example/x")
    assert "s'" not in repr(signing)
    assert Signing.from_environment({}) is None
