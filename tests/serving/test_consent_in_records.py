"""A person sent along who has opted out, here or there, is left out from when that is in force."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

import pytest
from loading import KNOWN_ACCOUNTS, NOW, VISITS, load

from features.catalogue import learn_catalogue
from features.privacy.forgetting import Request, plan, remember
from features.workspace import Workspace
from serving.desk import Snapshot
from serving.record_engine import ReadyRecordEngine
from serving.records import RECORD_ID, read_record
from serving.requests import parse_request

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


MAPPING = f"""{KNOWN_ACCOUNTS}
[[sources]]
table = "contacts"
path = "contacts.csv"
known_at = "Since"
consent = {{ opted_out = "Out" }}
columns = {{ contact_id = "Person", account_id = "Account", email = "Mail" }}
{VISITS}"""
PEOPLE = """Person,Account,Mail,Out,Since
out,a1,out@x.example,yes,2023-05-02T00:00:00Z
lost,unknown,,yes,2023-05-02T00:00:00Z
by@x.example,a1,,yes,2023-05-02T00:00:00Z
back,a1,,yes,2023-05-02T00:00:00Z
back,a1,,no,2023-05-20T00:00:00Z
in,a1,in@x.example,no,2023-05-02T00:00:00Z
"""


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workspace, Snapshot]]:
    """A workspace in which people have opted out, and its tables as a server holds them."""
    folder = tmp_path_factory.mktemp("known")
    (folder / "accounts.csv").write_text("Id\na1\n", encoding="utf-8")
    (folder / "contacts.csv").write_text(PEOPLE, encoding="utf-8")
    visit = "Account,Person,Kind,When\na1,in,web_visit,2023-05-01T00:00:00Z\n"
    (folder / "visits.csv").write_text(visit, encoding="utf-8")
    (folder / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    _, workspace = load(folder / "mapping.toml")
    held = Snapshot(workspace)
    yield workspace, held
    held.accounts.close()
    held.close()


def _counted(snapshot: Snapshot, who: str, *, as_of: datetime, contacts: list[dict[str, str]]) -> float:
    """How many visits count of a record in which two people visited, one of them `who`."""
    visit = {"channel": "web_visit", "direction": "inbound", "occurred_at": "2023-05-10T00:00:00Z"}
    visits = [visit | {"contact_id": who}, visit | {"contact_id": "in"}]
    body = {"record": {"account": {}, "activities": visits, "contacts": contacts}}
    request = parse_request(json.dumps(body).encode(), attributes=())
    record = read_record(request.record, attributes=(), now=NOW)
    engine = ReadyRecordEngine(learn_catalogue(snapshot.tables, cutoff=NOW))
    row = engine.build_one(snapshot.people.permitted(record.tables), RECORD_ID, as_of)
    engine.close()
    return float(row[engine.catalogue.index("engagement_count_30d")])


AGAIN = {"known_at": "2023-05-25T00:00:00Z", "consent_basis": "consent"}


@pytest.mark.parametrize(
    ("who", "contacts", "counted"),
    [
        ("in", [], 2),
        ("nobody knows", [], 2),
        ("out", [], 1),
        # However the record calls the person: by the address that the workspace keeps a hash of.
        ("OUT@x.example", [], 1),
        ("by@x.example", [], 1),
        # Also by a row that was set aside; and who came back counts again.
        ("lost", [], 1),
        ("back", [], 2),
        # What the record says of consent counts if it is the latest word.
        ("out", [{"contact_id": "out", "consent_basis": "consent"}], 1),
        ("out", [{"contact_id": "out"} | AGAIN], 2),
    ],
)
def test_who_opted_out_in_the_workspace_does_not_count_in_a_record(
    snapshot: tuple[Workspace, Snapshot], who: str, contacts: list[dict[str, str]], counted: int
) -> None:
    as_of = datetime.fromisoformat("2023-05-30")
    assert _counted(snapshot[1], who, as_of=as_of, contacts=contacts) == counted
    if who == "back":
        assert _counted(snapshot[1], who, as_of=datetime.fromisoformat("2023-05-15"), contacts=[]) == 1


def test_who_was_forgotten_does_not_count_in_a_record(snapshot: tuple[Workspace, Snapshot]) -> None:
    workspace, held = snapshot
    as_of = datetime.fromisoformat("2023-05-30")
    for who in ("gone", "Gone@x.example"):
        assert _counted(held, who, as_of=as_of, contacts=[{"contact_id": who}]) == 2
        remember(workspace, plan(workspace, Request(contacts=(who,))).people)
        assert _counted(held, who.lower(), as_of=as_of, contacts=[{"contact_id": who}]) == 1
