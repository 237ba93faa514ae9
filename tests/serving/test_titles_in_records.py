"""A contact that is sent along with a title only counts as what the title says."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from serving.records import read_record
from serving.requests import parse_request

NOW = datetime.fromisoformat("2024-01-01")


@pytest.mark.parametrize(
    ("contact", "expected"),
    [
        ({"title": "SVP Sales"}, ("vice_president", "sales", "decision_maker")),
        ({"title": "SVP Sales", "seniority": "staff"}, ("staff", "sales", "user")),
        ({"title": "???"}, (None, None, None)),
        ({}, (None, None, None)),
    ],
)
def test_a_title_that_is_sent_along_is_read(
    contact: dict[str, str], expected: tuple[str | None, str | None, str | None]
) -> None:
    body = {"record": {"account": {}, "contacts": [{"contact_id": "c"} | contact]}}
    request = parse_request(json.dumps(body).encode(), attributes=())
    record = read_record(request.record, attributes=(), now=NOW)
    row = record.tables.sources["contacts"].to_pylist()[0]
    assert (row["seniority"], row["department"], row["role"]) == expected
