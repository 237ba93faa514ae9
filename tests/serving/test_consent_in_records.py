"""A person sent along who has opted out is left out, from when that is in force."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from serving.records import read_record
from serving.requests import parse_request

NOW = datetime.fromisoformat("2024-01-01")
JUNE = datetime.fromisoformat("2023-06-01")


@pytest.mark.parametrize(
    ("contact", "opted_out_at"),
    [
        ({}, None),
        ({"consent_basis": "contract"}, None),
        # Without known_at people are known all along: an opt-out may be later than that.
        ({"opted_out_at": "2023-06-01T00:00:00Z"}, JUNE),
        ({"consent_basis": "none", "known_at": "2023-06-01T00:00:00Z"}, JUNE),
    ],
)
def test_an_opt_out_that_is_sent_along_is_read(
    contact: dict[str, str], opted_out_at: datetime | None
) -> None:
    body = {"record": {"account": {}, "contacts": [{"contact_id": "c"} | contact]}}
    request = parse_request(json.dumps(body).encode(), attributes=())
    record = read_record(request.record, attributes=(), now=NOW)
    (row,) = record.tables.sources["contacts"].to_pylist()
    assert row["opted_out_at"] == opted_out_at
    if opted_out_at is not None:
        assert record.account.newest_known_at == opted_out_at


@pytest.mark.parametrize(
    ("contact", "visitor"),
    [("Ann@X.example", " ann@x.example"), ("003A0000006Vm9u", "003A0000006Vm9uIAC")],
)
def test_people_and_their_dealings_meet_however_they_are_spelled(contact: str, visitor: str) -> None:
    visit = {
        "contact_id": visitor,
        "channel": "web_visit",
        "direction": "inbound",
        "occurred_at": "2023-05-01T00:00:00Z",
    }
    body = {"record": {"account": {}, "contacts": [{"contact_id": contact}], "activities": [visit]}}
    record = read_record(
        parse_request(json.dumps(body).encode(), attributes=()).record, attributes=(), now=NOW
    )
    (person,) = record.tables.sources["contacts"].to_pylist()
    (dealing,) = record.tables.sources["activities"].to_pylist()
    assert person["contact_id"] == dealing["contact_id"]
