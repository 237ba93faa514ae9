"""Long lists read a column at a time say what the models say of them, and refuse what the models refuse."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from itertools import product
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.contract import TABLES
from features.errors import InputError
from features.privacy.identifiers import person_identifier
from features.tables import OPT_OUT_SCHEMA, Attribute, Tables
from serving.log.entries import kept_request
from serving.plain_rows import PlainRows
from serving.reading import parse_body
from serving.record_tables import together
from serving.records import Record, read_record
from serving.requests import ScoreRequest, parse_request, request_model

NOW = datetime.fromisoformat("2026-03-15T10:30:00")
ATTRIBUTES = (Attribute("web_rank", "number", "web rank"), Attribute("tags", "set", "tags"))
TIMES = [
    *("2025-01-01T00:00:00Z", "2026-03-15T10:30:00Z", "1900-01-01T00:00:00Z", "2024-02-29T23:59:59Z"),
    *("2026-03-15T10:30:01Z", "1899-12-31T23:59:59Z", "2023-02-29T00:00:00Z", "0000-01-01T00:00:00Z"),
    *("2025-01-01T24:00:00Z", "2025-01-01T00:00:60Z", "2025-01-01T00:00:00+01:00", "2025-01-01T00:00:00.5Z"),
    *("2025-01-01 00:00:00Z", "2025-01-01t00:00:00z", "٢٠٢٥-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    *(
        "2025-01-01T00:00:00Z\n",
        "2025-13-01T00:00:00Z",
        "2024-04-31T00:00:00Z",
        "2025-1-01T00:00:00Z",
        "2025-01-01T00:00:00",
    ),
]
SOUND = st.datetimes(datetime.fromisoformat("2020-01-01"), NOW).map(
    lambda moment: f"{moment.replace(microsecond=0).isoformat()}Z"
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x7f", min_codepoint=32), max_size=6)
NAMES = TEXTS.filter(bool)
PEOPLE = st.sampled_from([None, "c-1", "Ann@X.example", "003A0000006Vm9u", ""])
COUNTS = st.none() | st.integers(0, 100_000)
ACTIVITIES = st.fixed_dictionaries(
    {
        "channel": st.sampled_from(["web_visit", "email_click", "a" * 40]),
        "direction": st.sampled_from(["inbound", "outbound", "mutual"]),
        "occurred_at": SOUND,
    },
    optional={
        "activity_id": st.none() | NAMES | st.just("(row 1)"),
        "known_at": st.none() | SOUND,
        "contact_id": PEOPLE,
        "quantity": st.integers(0, 10_000_000),
        "seconds": COUNTS,
        "people": COUNTS,
        "traffic": st.sampled_from([None, "internal", "bot"]),
    },
)
TOPICS = st.fixed_dictionaries(
    {
        "topic": st.sampled_from(["crm", "erp: new", 'a"b']) | NAMES,
        "occurred_at": SOUND,
        "score": st.floats(0, 100) | st.integers(0, 100),
    },
    optional={"known_at": st.none() | SOUND},
)
FACTS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.none() | TEXTS,
        "domain": st.sampled_from([None, "WWW.Example.com"]),
        "employees": st.none() | st.integers(0, 5_000_000),
        "technologies": st.none() | st.lists(NAMES, max_size=3),
        "known_at": st.none() | SOUND,
        "attributes": st.none() | st.fixed_dictionaries({"web_rank": st.floats(-9, 9)}),
    },
)
RECORDS = st.fixed_dictionaries(
    {"account": FACTS},
    optional={
        "earlier_versions": st.lists(FACTS, max_size=3),
        "contacts": st.lists(st.fixed_dictionaries({"contact_id": NAMES}), max_size=2),
        "activities": st.lists(ACTIVITIES, max_size=8),
        "intent_topics": st.lists(TOPICS, max_size=5),
    },
)
REQUESTS = st.fixed_dictionaries({"record": RECORDS}, optional={"as_of": SOUND})
ODD = st.one_of(
    *(st.none(), st.booleans(), st.integers(-2, 2**70), st.floats(), st.text(max_size=3)),
    *(st.sampled_from(TIMES), st.just([]), st.just({}), st.just("x\u0000"), st.just("a" * 10_001)),
    st.sampled_from(["Web_Visit", "in", 10_000_001, 1.0, 100.5, -0.0, float("nan"), float("inf")]),
)

WHO = ["contact_id"]
PARTS = [b"", b'"a":1,', b"\xff", b"NaN", b":", b'"', b"{", b" ", b"0", b"\\u003a"]


class Nobody:
    """Nobody is forgotten, and identifiers stay."""

    def forgets(self, name: str, *, kind: str = "contact") -> bool:
        return False

    def pseudonym(self, name: str) -> str:
        return f"kept {name}"

    def listed(self) -> object:
        return None


def as_json(request: object) -> bytes:
    return json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def long(body: bytes) -> bytes:
    """Long enough to be read plainly: spaces mean nothing."""
    return body + b" " * 1_000


def read(body: bytes, *, plainly: bool) -> tuple[ScoreRequest, Record] | str:
    """The request and its tables, or what is wrong with them."""
    try:
        if plainly:
            request = parse_request(long(body), attributes=ATTRIBUTES)
        else:
            request = parse_body(long(body), model=request_model(ATTRIBUTES))
        return request, read_record(request.record, attributes=ATTRIBUTES, now=NOW)
    except InputError as error:
        return f"{type(error).__name__}: {error} {getattr(error, 'errors', '')}"


def require_alike(body: bytes) -> None:
    plainly, slowly = read(body, plainly=True), read(body, plainly=False)
    if isinstance(plainly, str) or isinstance(slowly, str):
        assert plainly == slowly
        return
    (request, record), (other, wanted) = plainly, slowly
    assert (request.as_of, record.account, record.deals) == (other.as_of, wanted.account, wanted.deals)
    assert record.tables.sources.keys() == wanted.tables.sources.keys()
    for name in wanted.tables.sources:
        assert rows(record, name).equals(rows(wanted, name)), name
        assert rows(record, name).schema.equals(rows(wanted, name).schema)


def rows(record: Record, name: str) -> pa.Table:
    return rows_of(record.tables, name)


def rows_of(tables: Tables, name: str) -> pa.Table:
    table = tables.sources.get(name)
    return table if isinstance(table, pa.Table) else tables.schema(name).empty_table()


def is_plain(request: Any) -> bool:
    return isinstance(request.record.activities, PlainRows)


@settings(max_examples=400, deadline=None)
@given(request_=REQUESTS)
def test_sound_records_are_read_plainly_and_alike(request_: Any) -> None:
    body = as_json(request_)
    require_alike(body)
    if b"\\" not in body and not re.search(rb'[:,[]":', body):
        assert "activities" not in request_["record"] or is_plain(
            parse_request(long(body), attributes=ATTRIBUTES)
        )


@settings(max_examples=800, deadline=None)
@given(request_=REQUESTS, odd=ODD, data=st.data())
def test_one_odd_value_is_refused_in_the_same_words(request_: Any, odd: Any, data: st.DataObject) -> None:
    holder: Any = request_
    while True:
        keys = sorted(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(holder[key], dict | list) or not holder[key] or data.draw(st.integers(0, 9)) == 0:
            break
        holder = holder[key]
    if isinstance(holder, dict) and data.draw(st.booleans()):
        holder[data.draw(st.sampled_from(["known_at", "email", "account_id", "odd", "quantity", ""]))] = odd
    else:
        holder[key] = odd
    require_alike(as_json(request_))


@settings(max_examples=400, deadline=None)
@given(request_=REQUESTS, data=st.data())
def test_a_broken_body_is_refused_in_the_same_words(request_: Any, data: st.DataObject) -> None:
    body = as_json(request_)
    place = data.draw(st.integers(0, len(body)))
    part = data.draw(
        st.sampled_from([b"", b'"a":1,', b"\xff", b"NaN", b":", b'"', b"{", b" ", b"0", b"\\u003a"])
    )
    gone = data.draw(st.integers(0, 3))
    require_alike(body[:place] + part + body[place + gone :])


@pytest.mark.parametrize(
    "activity",
    [
        '"channel":"a","channel":"b","direction":"inbound","occurred_at":"2025-01-01T00:00:00Z"',
        '"channel":"a","direction":"inbound","occurred_at":"2025-01-01T00:00:00Z","seconds" : 1,"seconds":1',
        # As many colons in a text as one key has.
        '"activity_id":"\\u003a","channel":"a","channel":"a","direction":"inbound",'
        '"occurred_at":"2025-01-01T00:00:00Z"',
        '"activity_id":"a:b","activity_id":"c","channel":"a","direction":"inbound",'
        '"occurred_at":"2025-01-01T00:00:00Z"',
    ],
)
def test_a_key_that_is_given_twice_is_refused(activity: str) -> None:
    body = f'{{"record":{{"account":{{}},"activities":[{{{activity}}}]}}}}'.encode()
    found = read(body, plainly=True)
    assert isinstance(found, str)
    assert "is given twice" in found
    assert found == read(body, plainly=False)


@pytest.mark.parametrize("year", [1899, 1900, 1904, 2000, 2023, 2024, 2100, 9999])
def test_a_day_is_plain_where_it_exists(year: int) -> None:
    now = datetime.fromisoformat("9999-12-31T23:59:59")
    for month, day in product(range(14), (0, 1, 28, 29, 30, 31, 32)):
        text = f"{year}-{month:02}-{day:02}T23:59:59Z"
        topic = {"topic": "crm", "occurred_at": text, "score": 1}
        body = long(as_json({"record": {"account": {}, "intent_topics": [topic]}}))
        try:
            exists = datetime.fromisoformat(text[:-1]) if year >= 1900 else None
        except ValueError:
            exists = None
        try:
            rows = parse_request(body, attributes=ATTRIBUTES).record.intent_topics
        except InputError:
            assert exists is None, text
            continue
        assert isinstance(rows, PlainRows)
        assert rows.newest == exists
        assert rows.is_sound(TABLES["intent_topics"], now=now)


@settings(max_examples=200, deadline=None)
@given(request_=REQUESTS)
def test_what_the_log_keeps_is_the_request_without_people(request_: Any) -> None:
    found = read(as_json(request_), plainly=True)
    if isinstance(found, str):
        return
    kept = kept_request(found[0], people=Nobody())
    told = json.loads(kept)["record"]
    people = [row["contact_id"] for row in request_["record"].get("activities", []) if row.get("contact_id")]
    names = [row["contact_id"] for row in told.get("activities", []) if row.get("contact_id")]
    assert names == [f"kept {person_identifier(name)}" for name in people]
    again = read(kept.encode(), plainly=False)
    assert not isinstance(again, str)
    for name in ("accounts", "activities", "intent_topics"):
        first, second = rows(found[1], name), rows(again[1], name)
        if name == "activities":
            first, second = first.drop_columns(WHO), second.drop_columns(WHO)
        assert first.equals(second)


@settings(max_examples=150, deadline=None)
@given(requests=st.lists(st.tuples(REQUESTS, st.booleans()), min_size=1, max_size=4), data=st.data())
def test_the_tables_of_many_records_are_those_of_each(
    requests: list[tuple[Any, bool]], data: st.DataObject
) -> None:
    found = [read(as_json(request), plainly=plainly) for request, plainly in requests]
    tables = [one[1].tables for one in found if not isinstance(one, str)]
    if not tables:
        return
    out = [{"contact_id": "c-1", "known_at": NOW, "opted_out_at": NOW}]
    lost = pa.Table.from_pylist(out, schema=OPT_OUT_SCHEMA)
    tables = [replace(one, opt_outs=lost) if data.draw(st.booleans()) else one for one in tables]
    made = together(tables)
    for name in ("accounts", "contacts", "activities", "intent_topics", "opportunities"):
        expected = [
            row | renamed(row, place=place)
            for place, one in enumerate(tables)
            for row in rows_of(one, name).to_pylist()
        ]
        assert rows_of(made, name).to_pylist() == expected
        assert rows_of(made, name).schema.equals(made.schema(name))
    expected = [
        row | renamed(row, place=place)
        for place, one in enumerate(tables)
        for row in (out if one.opt_outs is not None else ())
    ]
    assert (made.opt_outs.to_pylist() if isinstance(made.opt_outs, pa.Table) else []) == expected


def renamed(row: dict[str, Any], *, place: int) -> dict[str, str]:
    names = {key: f"{place} {row[key]}" for key in ("contact_id", "activity_id") if row.get(key) is not None}
    return names | ({"account_id": f"(record {place})"} if "account_id" in row else {})
