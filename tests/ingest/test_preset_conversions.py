"""What a lead did counts for its own company until the conversion, and for the account from then on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from loading import as_lines, load_preset

from features.report import IngestReport
from features.tables import Tables

Files = Mapping[str, str]

ACCOUNT = "id,name,website,created_date\n001A,Ada,ada.example,2020-01-01 00:00:00\n"
LEAD = "id,email,company,converted_account_id,converted_contact_id,converted_date,created_date\n"
TASK = "id,account_id,who_id,is_closed,type,call_type,completed_date_time,created_date\n"
EVENT = "id,account_id,who_id,start_date_time,created_date\n"
MEMBER = "id,lead_id,contact_id,has_responded,first_responded_date,created_date\n"

# Joe of Zed is converted on the first of June, at ten. His call T1 and his campaign go to the contact that
# he becomes, as Salesforce does it; his call T2 and his meeting stay with the lead.
BEFORE = {
    "account": ACCOUNT,
    "lead": f"{LEAD}00QA,joe@zed.example,Zed,,,,2023-01-01 00:00:00\n",
    "task": f"{TASK}T1,,00QA,true,Call,Inbound,2023-02-01 10:00:00,2023-02-01 10:00:00\n"
    "T2,,00QA,true,Call,Inbound,2023-02-02 10:00:00,2023-02-02 10:00:00\n",
    "event": f"{EVENT}U1,,00QA,2023-02-03 10:00:00,2023-02-03 10:00:00\n",
    "campaign_member": f"{MEMBER}M1,00QA,,true,2023-02-05,2023-02-04 10:00:00\n",
}
AFTER = {
    "account": ACCOUNT,
    "lead": f"{LEAD}00QA,joe@zed.example,Zed,001A,003A,2023-06-01,2023-01-01 00:00:00\n",
    "contact": "id,account_id,email,created_date\n003A,001A,joe@zed.example,2023-06-01 10:00:00\n",
    "task": f"{TASK}T1,001A,003A,true,Call,Inbound,2023-02-01 10:00:00,2023-02-01 10:00:00\n"
    "T2,,00QA,true,Call,Inbound,2023-02-02 10:00:00,2023-02-02 10:00:00\n"
    "T3,,003A,true,Call,Inbound,2023-06-05 10:00:00,2023-06-05 10:00:00\n",
    "event": f"{EVENT}U1,,00QA,2023-02-03 10:00:00,2023-02-03 10:00:00\n",
    "campaign_member": f"{MEMBER}M1,00QA,003A,true,2023-02-05,2023-02-04 10:00:00\n",
}
OF_THE_ACCOUNT = [
    "M1 | 001A | 2023-06-01 10:00:00 | ",
    "M1-response | 001A | 2023-06-01 10:00:00 | ",
    "T1 | 001A | 2023-06-01 10:00:00 | ",
    "T2 | 001A | 2023-06-01 23:59:59 | ",
    "T3 | 001A | 2023-06-05 10:00:00 | ",
    "U1 | 001A | 2023-06-01 23:59:59 | ",
]
OF_THE_LEAD = [
    "M1 | lead-zed.example | 2023-02-04 10:00:00 | 2023-06-01 09:59:59",
    "M1-response | lead-zed.example | 2023-02-05 23:59:59 | 2023-06-01 09:59:59",
    "T1 | lead-zed.example | 2023-02-01 10:00:00 | 2023-06-01 09:59:59",
    "T2 | lead-zed.example | 2023-02-02 10:00:00 | 2023-06-01 23:59:58",
    "U1 | lead-zed.example | 2023-02-03 10:00:00 | 2023-06-01 23:59:58",
]


def _load(
    folder: Path, exports: Sequence[Files], *, preset: str = "salesforce"
) -> tuple[IngestReport, Tables]:
    """Reads exports one after the other, each in the place of the one before."""
    for export in exports:
        for old in folder.glob("*.csv"):
            old.unlink()
        loaded = load_preset(preset, folder=folder, files=export)
    return loaded


def _lines(tables: Tables, columns: str = "activity_id account_id known_at withdrawn_at") -> list[str]:
    return as_lines(tables.read("activities"), columns)


Told = tuple[list[str], Mapping[str, int]]
"""Activities, and how many rows the last export had set aside."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    """What is told after each of several exports, by their order: "ba" is one before, then one after."""
    found: dict[str, Told] = {}
    for order in ("baba", "ab"):
        folder = tmp_path_factory.mktemp(order)
        for count, which in enumerate(order, start=1):
            report, tables = _load(folder, [BEFORE if which == "b" else AFTER])
            found[order[:count]] = _lines(tables), report.table("activities").quarantined
    return found


def test_what_a_lead_did_is_known_of_the_account_since_the_conversion(told: dict[str, Told]) -> None:
    assert told["a"] == (OF_THE_ACCOUNT, {})


@pytest.mark.parametrize("order", ["ba", "ab", "baba"])
def test_exports_around_a_conversion_tell_of_one_event_at_one_company_at_a_time(
    told: dict[str, Told], order: str
) -> None:
    assert told[order] == (sorted(OF_THE_ACCOUNT + OF_THE_LEAD), {})


def test_a_contact_that_was_there_before_keeps_what_it_did(tmp_path: Path) -> None:
    contact = "id,account_id,email,created_date\n003A,001A,joe@zed.example,2022-01-01 00:00:00\n"
    _, tables = _load(tmp_path, [{**AFTER, "contact": contact}])
    assert "T1 | 001A | 2023-02-01 10:00:00 | " in _lines(tables)


def test_a_conversion_without_a_date_is_known_by_the_last_change_or_set_aside(tmp_path: Path) -> None:
    lead = "id,email,converted_account_id,last_modified_date\n"
    lead += "00QA,joe@zed.example,001A,2023-07-01 08:00:00\n00QB,jim@zed.example,001A,\n"
    task = f"{TASK}T1,,00QA,true,Call,Inbound,2023-02-01 10:00:00,\n"
    task += "T2,,00QB,true,Call,Inbound,2023-02-01 10:00:00,\n"
    report, tables = _load(tmp_path, [{"account": ACCOUNT, "lead": lead, "task": task}])
    assert _lines(tables) == ["T1 | 001A | 2023-07-01 08:00:00 | "]
    assert report.table("activities").quarantined == {"wrong type": 1}


def test_an_activity_is_with_the_company_at_which_its_person_was(tmp_path: Path) -> None:
    files = {
        "account": "id,name,created_date\n001A,Ada,2020-01-01 00:00:00\n001B,Bob,2020-01-01 00:00:00\n",
        # 003A moved on the first of March, by the history of a field; 003B by versions; 003C has no history.
        "contact": "id,account_id,email,created_date\n003A,001B,,2022-01-01 00:00:00\n"
        "003B,001B,,2022-01-01 00:00:00\n003C,001B,,2022-01-01 00:00:00\n",
        "contact_field_history": "id,contact_id,field,old_value,new_value,created_date\n"
        "018A,003A,Account,001A,001B,2023-03-01 10:00:00\n",
        "contact_history": "id,_fivetran_start,account_id\n"
        "003B,2022-06-01 00:00:00,001A\n003B,2023-03-01 10:00:00,001B\n",
        "task": TASK
        + "".join(
            f"{month}-{person},,{person},true,Email,,2023-{month}-10 10:00:00,\n"
            for person in ("003A", "003B", "003C")
            for month in ("02", "03")
        ),
    }
    _, tables = _load(tmp_path, [files])
    assert _lines(tables, "activity_id account_id") == [
        *("02-003A | 001A", "02-003B | 001A", "02-003C | 001B"),
        *("03-003A | 001B", "03-003B | 001B", "03-003C | 001B"),
    ]


def test_a_response_without_a_day_was_given_by_the_last_change(tmp_path: Path) -> None:
    header = (
        "id,account_id,has_responded,first_responded_date,created_date,last_modified_date,system_modstamp\n"
    )
    member = header + (
        "M1,001A,true,2023-03-01,2023-01-05 00:00:00,2023-04-01 08:00:00,\n"
        "M2,001A,true,,2023-01-05 00:00:00,2023-04-01 08:00:00,2023-04-02 08:00:00\n"
        "M3,001A,true,,2023-01-05 00:00:00,,2023-04-02 08:00:00\n"
        "M4,001A,true,,2023-01-05 00:00:00,,\n"
    )
    report, tables = _load(tmp_path, [{"account": ACCOUNT, "campaign_member": member}])
    assert [line for line in _lines(tables, "activity_id occurred_at known_at") if "response" in line] == [
        "M1-response | 2023-03-01 23:59:59 | 2023-03-01 23:59:59",
        "M2-response | 2023-04-01 08:00:00 | 2023-04-01 08:00:00",
        "M3-response | 2023-04-02 08:00:00 | 2023-04-02 08:00:00",
    ]
    assert report.table("activities").quarantined == {"missing value": 1}


REPORTS = {
    "accounts": "Account ID,Account Name,Created Date\n001A,Ada,1/1/2020\n",
    "tasks": "Activity ID,Lead ID,Status,Date\nT1,00QA,Completed,2/1/2023\n",
    "events": "Activity ID,Lead ID,Start\nU1,00QA,2/3/2023 1:00 PM\n",
    "campaign_members": "Campaign ID,Lead ID,Responded,First Responded Date,Member First Associated Date\n"
    "M1,00QA,1,2/5/2023,2/4/2023\nM2,00QA,1,,2/4/2023\n",
}
REPORT_OF_LEADS = "Lead ID,Email,Company / Account,Converted Account ID,Converted Date,Created Date\n"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_reports_around_a_conversion_tell_of_one_event_at_one_company_at_a_time(
    tmp_path: Path, order: Sequence[int]
) -> None:
    before = {**REPORTS, "leads": f"{REPORT_OF_LEADS}00QA,joe@zed.example,Zed,,,1/1/2023\n"}
    after = {**REPORTS, "leads": f"{REPORT_OF_LEADS}00QA,joe@zed.example,Zed,001A,6/1/2023,1/1/2023\n"}
    _, tables = _load(tmp_path, [(before, after)[place] for place in order], preset="salesforce_reports")
    lead, account = "lead-zed.example", "001A | 2023-06-01 23:59:59 | "
    assert _lines(tables) == [
        f"M1-00QA-campaign_response | {account}",
        f"M1-00QA-campaign_response | {lead} | 2023-02-05 23:59:59 | 2023-06-01 23:59:58",
        f"M1-00QA-campaign_sent | {account}",
        f"M1-00QA-campaign_sent | {lead} | 2023-02-04 23:59:59 | 2023-06-01 23:59:58",
        # When the other response was given, nobody knows.
        f"M2-00QA-campaign_sent | {account}",
        f"M2-00QA-campaign_sent | {lead} | 2023-02-04 23:59:59 | 2023-06-01 23:59:58",
        f"T1 | {account}",
        f"T1 | {lead} | 2023-02-01 23:59:59 | 2023-06-01 23:59:58",
        f"U1 | {account}",
        f"U1 | {lead} | 2023-02-03 13:00:00 | 2023-06-01 23:59:58",
    ]
