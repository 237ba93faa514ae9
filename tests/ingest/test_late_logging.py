"""Who logs an activity later than it happened makes it known later, in whatever shape it is exported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from loading import load_preset

FILES: Mapping[str, Mapping[str, str]] = {
    "salesforce": {
        "account": "id,name,created_date\n001A,Ada,2023-01-01 00:00:00\n",
        "campaign_member": "id,account_id,created_date,has_responded,first_responded_date\n"
        "00v1,001A,2023-02-10 08:00:00,true,2023-02-03\n"
        "00v2,001A,2023-02-01 08:00:00,true,2023-02-03\n",
        "event": "id,account_id,start_date_time,created_date\n"
        "00U1,001A,2023-04-10 13:00:00,2023-04-12 08:30:00\n",
    },
    "salesforce_reports": {
        "accounts": "Account ID,Account Name,Created Date\n001A,Ada,1/1/2023\n",
        "tasks": "Activity ID,Account ID,Status,Date,Created Date\n"
        "00T1,001A,Completed,4/2/2023,4/5/2023\n"
        '00T2,001A,Completed,4/2/2023,"4/2/2023, 9:00 AM"\n'
        "00T3,001A,Completed,4/2/2023,\n"
        '00T4,001A,Completed,4/2/2023,"4/10/2023, 9:00 AM"\n',
        "events": "Activity ID,Account ID,Start,Created Date\n"
        "00U1,001A,4/10/2023 1:00 PM,4/12/2023 8:30 AM\n"
        "00U2,001A,4/10/2023 1:00 PM,4/1/2023\n",
    },
    "hubspot": {
        "company": "id,property_name,property_createdate\n1,Ada,2023-01-01 0:00:00\n",
        "engagement_company": "engagement_id,company_id\n31,1\n36,1\n",
        "engagement_call": "engagement_id,property_hs_timestamp,property_hs_createdate\n"
        "31,2023-04-02 10:00:00,2023-04-04 09:00:00\n",
        "engagement_meeting": "engagement_id,property_hs_meeting_start_time,property_hs_createdate\n"
        "36,2023-04-10 13:00:00,2023-04-01 09:00:00\n",
    },
    "hubspot_reports": {
        "companies": "Record ID,Company name,Create Date\n1,Ada,2023-01-01\n",
        "calls": "Record ID,Associated Company IDs,Activity date,Create date\n"
        "31,1,2023-04-02 10:00,2023-04-04 09:00\n",
        "emails": "Record ID,Associated Company IDs,Activity date,Create date\n34,1,2023-04-06,\n",
        "meetings": "Record ID,Associated Company IDs,Meeting start time,Create date\n"
        "36,1,2023-04-10 13:00,2023-04-11\n",
        "tasks": "Record ID,Associated Company IDs,Task status,Completed at,Create date\n"
        "38,1,Completed,2023-04-11 13:00,2023-04-01 10:00\n",
    },
}
EXPECTED = {
    "salesforce": {
        "00v1": ("2023-02-10 08:00:00", "2023-02-10 08:00:00"),
        "00v1-response": ("2023-02-03 23:59:59", "2023-02-10 08:00:00"),
        "00v2": ("2023-02-01 08:00:00", "2023-02-01 08:00:00"),
        "00v2-response": ("2023-02-03 23:59:59", "2023-02-03 23:59:59"),
        "00U1": ("2023-04-10 13:00:00", "2023-04-12 08:30:00"),
    },
    "salesforce_reports": {
        "00T1": ("2023-04-02 00:00:00", "2023-04-05 23:59:59"),
        "00T2": ("2023-04-02 00:00:00", "2023-04-02 23:59:59"),
        "00T3": ("2023-04-02 00:00:00", "2023-04-02 23:59:59"),
        # The tenth comes before the second by its letters.
        "00T4": ("2023-04-02 00:00:00", "2023-04-10 09:00:00"),
        "00U1": ("2023-04-10 13:00:00", "2023-04-12 08:30:00"),
        "00U2": ("2023-04-10 13:00:00", "2023-04-10 13:00:00"),
    },
    "hubspot": {
        "31": ("2023-04-02 10:00:00", "2023-04-04 09:00:00"),
        "36": ("2023-04-10 13:00:00", "2023-04-10 13:00:00"),
    },
    "hubspot_reports": {
        "31": ("2023-04-02 10:00:00", "2023-04-04 09:00:00"),
        "34": ("2023-04-06 00:00:00", "2023-04-06 23:59:59"),
        "36": ("2023-04-10 13:00:00", "2023-04-11 23:59:59"),
        "38": ("2023-04-11 13:00:00", "2023-04-11 13:00:00"),
    },
}


@pytest.mark.parametrize("preset", list(FILES))
def test_what_is_logged_later_is_known_later(tmp_path: Path, preset: str) -> None:
    _, tables = load_preset(preset, folder=tmp_path, files=FILES[preset])
    rows = tables.read("activities")
    happened, known = (rows[name].dt.strftime("%Y-%m-%d %H:%M:%S") for name in ("occurred_at", "known_at"))
    assert dict(zip(rows["activity_id"], zip(happened, known, strict=True), strict=True)) == EXPECTED[preset]
