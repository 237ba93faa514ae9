"""Each preset reads who has opted out, and since when, from what its system exports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
from loading import load_preset

FILES: Mapping[str, Mapping[str, str]] = {
    "salesforce": {
        "account": "id,name,created_date\n001A,Ada,2023-01-01 00:00:00\n",
        "contact": "id,account_id,created_date,last_modified_date,email,has_opted_out_of_email\n"
        "003A,001A,2023-01-05 0:00:00,2023-03-01 10:00:00,Ann@ada.example,true\n"
        "003B,001A,2023-01-05 0:00:00,2023-03-01 10:00:00,bob@ada.example,false\n"
        "003C,001A,2023-01-05 0:00:00,,,TRUE\n"
        "003D,001A,2023-01-05 0:00:00,2023-03-01 10:00:00,,\n"
        "003E,001A,2023-01-05 0:00:00,2023-03-01 10:00:00,,true\n",
        # The history of a field tells the moment; it has been opted in again since.
        "contact_history": "id,_fivetran_start,account_id,has_opted_out_of_email\n"
        "003E,2023-02-01 10:00:00,001A,true\n"
        "003E,2023-04-01 10:00:00,001A,false\n",
        # 00Q2 became 003A, who has opted out since, and 00Q3 became 003B, who has not.
        "lead": "id,converted_account_id,converted_date,last_modified_date,has_opted_out_of_email,"
        "converted_contact_id\n"
        "00Q1,001A,2023-02-01,2023-03-02 10:00:00,true,\n"
        "00Q2,001A,2023-02-01,2023-02-01 10:00:00,false,003A\n"
        "00Q3,001A,2023-02-01,2023-02-01 10:00:00,false,003B\n",
    },
    "salesforce_reports": {
        "accounts": "Account ID,Account Name,Created Date\n001A,Ada,1/1/2023\n",
        "contacts": "Contact ID,Account ID,Created Date,Last Modified Date,Email,Email Opt Out\n"
        "003A,001A,1/5/2023,3/1/2023,ann@ada.example,1\n"
        "003B,001A,1/5/2023,3/1/2023,bob@ada.example,0\n"
        "003C,001A,1/5/2023,,,1\n",
        "leads": "Lead ID,Converted Account ID,Converted Date,Last Modified Date,Email Opt Out\n"
        "00Q1,001A,2/1/2023,3/2/2023,1\n",
    },
    "hubspot": {
        "company": "id,property_name,property_createdate\n1,Ada,2023-01-01 0:00:00\n",
        "contact": "id,property_associatedcompanyid,property_createdate,property_lastmodifieddate,"
        "property_email,property_hs_email_optout,property_hs_legal_basis\n"
        "11,1,2023-01-05 0:00:00,2023-03-01 10:00:00,ann@ada.example,true,\n"
        "12,1,2023-01-05 0:00:00,2023-03-01 10:00:00,bob@ada.example,false,"
        "Freely given consent from contact\n"
        "13,1,2023-01-05 0:00:00,2023-03-01 10:00:00,,,Legitimate interest – other\n",
        "contact_property_history": "contact_id,name,value,timestamp\n"
        "11,hs_email_optout,true,2023-02-01 10:00:00\n"
        "11,firstname,Ann,2023-02-03 10:00:00\n",
    },
    "hubspot_reports": {
        "companies": "Record ID,Company name,Create Date\n1,Ada,2023-01-01\n",
        "contacts": "Record ID,Email,Primary Associated Company ID,Create Date,Last Modified Date,"
        "Unsubscribed from all email,Legal basis for processing contact's data\n"
        "11,ann@ada.example,1,2023-01-05,2023-03-01 10:00,Yes,\n"
        "12,bob@ada.example,1,2023-01-05,2023-03-01 10:00,No,Performance of a contract\n",
    },
}
EXPECTED = {
    "salesforce": [
        "003A 2023-01-05 unknown 2023-03-01 10:00",
        "003B 2023-01-05 unknown",
        "003C 2023-01-05 unknown 2023-01-05 00:00",
        "003D 2023-01-05",
        "003E 2023-01-05 unknown 2023-03-01 10:00",
        "003E 2023-02-01 unknown 2023-02-01 10:00",
        "003E 2023-04-01 unknown",
        "00Q1 2023-02-01 unknown 2023-03-02 10:00",
        "00Q2 2023-02-01 unknown 2023-03-01 10:00",
        "00Q3 2023-02-01 unknown",
    ],
    "salesforce_reports": [
        "003A 2023-01-05 unknown 2023-03-01 00:00",
        "003B 2023-01-05 unknown",
        "003C 2023-01-05 unknown 2023-01-05 00:00",
        "00Q1 2023-02-01 unknown 2023-03-02 00:00",
    ],
    "hubspot": [
        "11 2023-01-05 unknown 2023-03-01 10:00",
        "11 2023-02-01 unknown 2023-02-01 10:00",
        "12 2023-01-05 consent",
        "13 2023-01-05 legitimate_interest_other",
    ],
    "hubspot_reports": ["11 2023-01-05 unknown 2023-03-01 10:00", "12 2023-01-05 contract"],
}


@pytest.mark.parametrize("preset", list(FILES))
def test_a_preset_reads_who_has_opted_out(tmp_path: Path, preset: str) -> None:
    report, tables = load_preset(preset, folder=tmp_path, files=FILES[preset])
    assert report.table("contacts").quarantined == {}
    rows = tables.read("contacts").sort_values(["contact_id", "known_at"])
    assert [_line(row) for row in rows.to_dict("records")] == EXPECTED[preset]
    assert rows.loc[rows["contact_id"].isin(("003B", "12")), "email"].str.len().eq(64).all()


def _line(row: Mapping[str, object]) -> str:
    out = row["opted_out_at"]
    parts = (
        row["contact_id"],
        pd.Timestamp(str(row["known_at"])).date(),
        row["consent_basis"],
        f"{pd.Timestamp(str(out)):%Y-%m-%d %H:%M}" if pd.notna(out) else None,
    )
    return " ".join(str(part) for part in parts if isinstance(part, str) or pd.notna(part))
