"""What Salesforce and HubSpot have merged, as their exports tell it, is one account; people's rights hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
from loading import load_preset, reversed_rows

from features.report import IngestReport
from features.tables import Tables

# 001A went into 001B, and that into 001C. 003X went into 003Y; 003Z is somebody else. In HubSpot, 003W went
# into 003Y as well, and is no longer in the export.
FILES: Mapping[str, Mapping[str, str]] = {
    "salesforce": {
        "account": "id,name,created_date,last_modified_date,is_deleted,master_record_id,_fivetran_synced,"
        "number_of_employees\n"
        "001A,Ada,2022-01-01 00:00:00,2023-03-01 00:00:00,true,001B,2023-03-02 00:00:00,10\n"
        "001B,Bea,2022-06-01 00:00:00,2023-04-01 00:00:00,true,001C,2023-04-02 00:00:00,20\n"
        "001C,Cea,2022-09-01 00:00:00,2023-05-01 00:00:00,false,,2023-05-02 00:00:00,30\n",
        "contact": "id,account_id,created_date,last_modified_date,is_deleted,master_record_id,"
        "has_opted_out_of_email,_fivetran_synced\n"
        "003X,001A,2022-02-01 00:00:00,2023-03-05 00:00:00,true,003Y,true,2023-03-06 00:00:00\n"
        "003Y,001C,2022-02-01 00:00:00,2023-03-10 00:00:00,false,,false,2023-03-11 00:00:00\n"
        "003Z,001C,2022-02-01 00:00:00,2023-03-10 00:00:00,false,,false,2023-03-11 00:00:00\n",
        # What the record that is left says of itself does not take back what the other one said.
        "contact_history": "id,_fivetran_start,is_deleted,account_id,has_opted_out_of_email\n"
        "003Y,2023-03-12 00:00:00,false,001C,false\n",
        "task": "id,account_id,who_id,is_closed,task_subtype,completed_date_time\n"
        "00T1,001A,003X,true,Email,2023-02-01 10:00:00\n00T2,001C,003Y,true,Email,2023-02-02 10:00:00\n"
        "00T3,001B,003Z,true,Email,2023-02-03 10:00:00\n",
        "opportunity": "id,account_id,created_date,close_date,is_closed,is_won,amount\n"
        "006A,001A,2022-03-01 09:00:00,2022-05-01,true,true,300\n",
    },
    "hubspot": {
        # 001A is no longer in the export, 001B is there as deleted.
        "company": "id,property_name,property_createdate,property_hs_merged_object_ids,is_deleted,"
        "_fivetran_synced,property_numberofemployees\n"
        "001B,Bea,2022-06-01 0:00:00,001A,true,2023-04-02 0:00:00,20\n"
        "001C,Cea,2022-09-01 0:00:00,001B;001A,false,2023-05-02 0:00:00,30\n",
        "contact": "id,property_associatedcompanyid,property_createdate,property_lastmodifieddate,"
        "property_hs_merged_object_ids,property_hs_email_optout,_fivetran_deleted,_fivetran_synced\n"
        "003X,001A,2022-02-01 0:00:00,2023-03-05 0:00:00,,true,TRUE,2023-03-06 0:00:00\n"
        "003Y,001C,2022-02-01 0:00:00,2023-03-10 0:00:00,003X;003W,false,FALSE,2023-03-11 0:00:00\n"
        "003Z,001C,2022-02-01 0:00:00,2023-03-10 0:00:00,,false,FALSE,2023-03-11 0:00:00\n",
        "engagement_company": "engagement_id,company_id\n00T1,001A\n00T2,001C\n00T3,001B\n",
        "engagement_contact": "engagement_id,contact_id\n00T1,003X\n00T2,003Y\n00T3,003Z\n",
        "engagement_email": "engagement_id,property_hs_timestamp\n"
        "00T1,2023-02-01 10:00:00\n00T2,2023-02-02 10:00:00\n00T3,2023-02-03 10:00:00\n",
        "deal": "deal_id,property_createdate,property_closedate,property_hs_is_closed_won,property_amount\n"
        "006A,2022-03-01 9:00:00,2022-05-01 9:00:00,true,300\n",
        "deal_company": "deal_id,company_id\n006A,001A\n",
        # What the record that is left says of itself does not take back what the other one said.
        "contact_property_history": "contact_id,timestamp,name,value\n"
        "003Y,2023-01-01 0:00:00,hs_email_optout,false\n003Y,2023-03-10 0:00:00,hs_email_optout,false\n",
        "contact_form_submission": "contact_id,form_id,conversion_id,timestamp\n"
        "003W,form-1,c-1,2023-02-04 10:00:00\n",
    },
}

VISITS = {"salesforce": 3, "hubspot": 4}
PEOPLE = {"salesforce": ("003X", "003Y"), "hubspot": ("003W", "003X", "003Y")}
"""Who is one person, and has opted out."""
SINCE = {"salesforce": "2023-03-12", "hubspot": "2023-03-10"}
"""The last change of what tells of 003Y."""


@pytest.fixture(scope="module")
def as_written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[IngestReport, Tables]]:
    """By preset, what its files give in the order in which they are written."""
    return {
        preset: load_preset(preset, folder=tmp_path_factory.mktemp(preset), files=files)
        for preset, files in FILES.items()
    }


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("preset", list(FILES))
def test_what_the_crm_merged_is_one_account(
    as_written: dict[str, tuple[IngestReport, Tables]], tmp_path: Path, preset: str, reverse: bool
) -> None:
    report, tables = as_written[preset]
    if reverse:
        report, tables = load_preset(preset, folder=tmp_path, files=reversed_rows(FILES[preset]))
    assert report.identity.merged == 2
    with tables.connect() as connection:
        stands_for = dict(connection.execute("SELECT account_id, identity FROM merged_accounts").fetchall())
    assert stands_for == {"001A": "001C", "001B": "001C"}
    accounts = tables.read("accounts")
    assert set(accounts["account_id"]) == {"001C"}
    # The end of a record that was merged away is not the end of the company.
    lasting = accounts[accounts["withdrawn_at"].isna()].sort_values("known_at").dropna(subset="name")
    assert lasting[["name", "employees"]].to_numpy().tolist() == [["Cea", 30]]
    assert tables.read("activities")["account_id"].tolist() == ["001C"] * VISITS[preset]
    assert set(tables.read("opportunities")["account_id"]) == {"001C"}
    assert report.table("activities").quarantined == report.table("opportunities").quarantined == {}


@pytest.mark.parametrize("preset", list(FILES))
def test_who_opted_out_under_a_merged_record_has_opted_out(
    as_written: dict[str, tuple[IngestReport, Tables]], preset: str
) -> None:
    _, tables = as_written[preset]
    with tables.connect() as connection:
        told = connection.execute(
            "SELECT contact_id, max_by(opted_out_at IS NOT NULL, known_at) FROM consent_told GROUP BY ALL"
        ).fetchall()
        since = connection.execute(
            "SELECT min(opted_out_at) FROM consent_told WHERE contact_id = '003Y'"
        ).fetchone()
    gone = dict.fromkeys(PEOPLE[preset], True)
    assert dict(told) == gone | {"003Z": False}
    assert since == (pd.Timestamp(SINCE[preset]),)
