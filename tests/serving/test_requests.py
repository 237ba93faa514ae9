"""What a request may hold, and how each fault is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from features.contract import TABLES
from features.tables import Attribute
from serving.problems import InvalidRequestError, MalformedJsonError
from serving.requests import LIST_LIMITS, parse_request, request_model

ATTRIBUTES = (
    Attribute("web_rank", "number", "web rank"),
    Attribute("tags", "set", "tags"),
    Attribute("partner", "boolean", "partner"),
    Attribute("signed_up", "date", "sign-up"),
)
ACTIVITY = {"channel": "web_visit", "direction": "inbound", "occurred_at": "2025-01-01T00:00:00Z"}


def parse(request: object) -> Any:
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    return parse_request(body, attributes=ATTRIBUTES)


def record(**account: Any) -> dict[str, Any]:
    return {"record": {"account": account}}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00"),
        ("2026-01-31T09:30:00+02:00", "2026-01-31T07:30:00"),
        ("2026-01-31T09:30:00.999999-05:30", "2026-01-31T15:00:00"),
    ],
)
def test_times_become_naive_utc_in_whole_seconds(written: str, read: str) -> None:
    assert parse({"account_id": "a", "as_of": written}).as_of.isoformat() == read


@pytest.mark.parametrize(
    ("request_", "field", "part"),
    [
        ({}, "(body)", "exactly one of account_id, domain, record"),
        ({"account_id": "a", "domain": "b.example"}, "(body)", "account_id, domain"),
        ({"account_id": None}, "(body)", "none"),
        ([], "(body)", "an object"),
        ("text", "(body)", "an object"),
        ({"acount_id": "a"}, "acount_id", "did you mean 'account_id'?"),
        ({"account_id": 7}, "account_id", "put the value in quotes"),
        ({"account_id": ""}, "account_id", "at least this long: 1"),
        ({"account_id": "a" * 201}, "account_id", "at most this long: 200"),
        ({"account_id": "a\u0000b"}, "account_id", "control characters"),
        ({"account_id": "a", "as_of": "2026-01-31"}, "as_of", "with a zone"),
        ({"account_id": "a", "as_of": "2026-01-31T00:00:00"}, "as_of", "with a zone"),
        ({"account_id": "a", "as_of": "2026-02-30T00:00:00Z"}, "as_of", "a date that exists"),
        ({"account_id": "a", "as_of": "1700000000"}, "as_of", "with a zone"),
        ({"account_id": "a", "as_of": 1700000000}, "as_of", "with a zone"),
        ({"account_id": "a", "as_of": "0001-01-01T00:00:00+10:00"}, "as_of", "a date that exists"),
        ({"account_id": "a", "as_of": "1800-01-01T00:00:00Z"}, "as_of", "1900"),
        ({"record": {}}, "record.account", "add it"),
        (record(employees="12"), "record.account.employees", "a whole number"),
        (record(employees=1.5), "record.account.employees", "a whole number"),
        (record(employees=-1), "record.account.employees", "at least 0"),
        (record(employees=True), "record.account.employees", "a whole number"),
        (record(annual_revenue="much"), "record.account.annual_revenue", "a number"),
        (record(technologies="crm"), "record.account.technologies", "square brackets"),
        (record(attributes={"web_rnk": 1}), "record.account.attributes.web_rnk", "did you mean 'web_rank'?"),
        (record(attributes={"partner": "yes"}), "record.account.attributes.partner", "true or false"),
        (record(attributes={"signed_up": "2025"}), "record.account.attributes.signed_up", "with a zone"),
        ({"record": {"account": {}, "activities": {}}}, "record.activities", "square brackets"),
        (
            {"record": {"account": {}, "activities": [ACTIVITY | {"channel": "Web Visit"}]}},
            "record.activities[0].channel",
            "[a-z]",
        ),
        (
            {"record": {"account": {}, "activities": [ACTIVITY, ACTIVITY | {"direction": "in"}]}},
            "record.activities[1].direction",
            "inbound, outbound, mutual",
        ),
        (
            {"record": {"account": {}, "contacts": [{"contact_id": "c", "seniority": "directr"}]}},
            "record.contacts[0].seniority",
            "did you mean 'director'?",
        ),
        (
            {"record": {"account": {}, "activities": [ACTIVITY] * (LIST_LIMITS["activities"] + 1)}},
            "record.activities",
            "at most this long: 5000",
        ),
    ],
)
def test_a_fault_names_the_field_and_the_way_out(request_: object, field: str, part: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse(request_)
    (error,) = caught.value.errors
    assert error.field == field
    assert part in f"{error.what} {error.got} {error.allowed} {error.fix}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        '{"account_id": "a"}'.encode("utf-16"),
        b'\xef\xbb\xbf{"account_id": "a"}',
        b'{"account_id": "\\ud800"}',
        b'{"account_id": "a"} {}',
        b'{"account_id": "a", "account_id": "b"}',
        b'{"record": {"account": {"annual_revenue": NaN}}}',
        b'{"record": {"account": {"annual_revenue": -Infinity}}}',
        b"[" * 100_000,
        b'{"record":' * 5_000 + b"1" + b"}" * 5_000,
    ],
)
def test_what_is_no_sound_json_is_refused_as_such(body: bytes) -> None:
    with pytest.raises(MalformedJsonError):
        parse(body)


def test_a_field_of_any_length_is_named_shortly() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse(b'{"%s": 1}' % (b"k" * 1_000_000))
    assert caught.value.errors[0].field == "k" * 117 + "..."


@pytest.mark.parametrize("number", [b"1e999", b"-1e999"])
def test_a_number_that_overflows_is_not_infinity(number: bytes) -> None:
    with pytest.raises(InvalidRequestError, match="finite number"):
        parse(b'{"record": {"account": {"annual_revenue": ' + number + b"}}}")


def test_every_fault_is_listed() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse(record(employees="x", industry=3, nonsense=1))
    assert {error.field.rsplit(".", 1)[-1] for error in caught.value.errors} == {
        "employees",
        "industry",
        "nonsense",
    }


def test_the_request_knows_every_column_of_the_contract() -> None:
    sent = request_model(ATTRIBUTES).model_fields["record"].annotation.__args__[0]
    account = set(sent.model_fields["account"].annotation.model_fields)
    assert account == {*TABLES["accounts"].column_names, "attributes"} - {"account_id"}
    for name in ("contacts", "activities", "intent_topics", "opportunities"):
        (row,) = sent.model_fields[name].annotation.__args__
        # No score depends on an address: nobody need send one.
        assert set(row.model_fields) == set(TABLES[name].column_names) - {"account_id", "email"}, name


def test_domains_are_compared_as_the_tables_hold_them() -> None:
    assert parse({"domain": " WWW.Example.COM "}).domain == "example.com"
