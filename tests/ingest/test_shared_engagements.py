"""An engagement with several people counts for each by itself, so that an opt-out takes its own part away."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
from loading import load_preset

from features.catalogue import learn_catalogue
from features.point_in_time import build_features
from features.tables import Tables

# Ann (11) opts out on the first of May. The meeting 36 was with her and Bob (12), the e-mail 35 came from
# her and Cy (13), the call 32 was with her, the meeting 37 with Bob; at the call 33 nobody is named.
EXPORTS: Mapping[str, Mapping[str, str]] = {
    "hubspot": {
        "company": "id,property_name,property_createdate\n"
        "1,Ada,2023-01-01 0:00:00\n2,Bob Ltd,2023-01-01 0:00:00\n",
        "contact": "id,property_associatedcompanyid,property_createdate,property_lastmodifieddate,"
        "property_hs_email_optout\n"
        "11,1,2023-01-05 0:00:00,2023-05-01 10:00:00,true\n"
        "12,1,2023-01-05 0:00:00,2023-05-01 10:00:00,false\n"
        "13,1,2023-01-05 0:00:00,2023-05-01 10:00:00,false\n",
        "engagement_meeting": "engagement_id,start_time,end_time\n"
        "36,2023-04-10 13:00:00,2023-04-10 13:30:00\n37,2023-04-11 13:00:00,2023-04-11 13:30:00\n",
        "engagement_call": "engagement_id,property_hs_timestamp,property_hs_call_duration,"
        "property_hs_call_direction\n"
        "32,2023-04-04 10:00:00,300000,INBOUND\n33,2023-04-05 10:00:00,60000,INBOUND\n",
        "engagement_email": "engagement_id,property_hs_timestamp,property_hs_email_direction\n"
        "35,2023-04-07 10:00:00,INCOMING_EMAIL\n",
        # Of the companies that are linked, the one a person works for, else the first.
        "engagement_company": "engagement_id,company_id\n36,2\n36,1\n33,1\n",
        "engagement_contact": "engagement_id,contact_id\n36,12\n36,11\n37,12\n32,11\n35,11\n35,13\n",
    },
    "hubspot_reports": {
        "companies": "Record ID,Company name,Create Date\n1,Ada,2023-01-01\n2,Bob Ltd,2023-01-01\n",
        "contacts": "Record ID,Primary Associated Company ID,Create Date,Last Modified Date,"
        "Unsubscribed from all email\n"
        "11,1,2023-01-05,2023-05-01 10:00,Yes\n12,1,2023-01-05,2023-05-01 10:00,No\n"
        "13,1,2023-01-05,2023-05-01 10:00,No\n",
        "meetings": "Record ID,Associated Contact IDs,Associated Company IDs,Meeting start time\n"
        "36,12;11,2;1,2023-04-10 13:00\n37,12,,2023-04-11 13:00\n",
        "calls": "Record ID,Associated Contact IDs,Associated Company IDs,Activity date,Call direction,"
        "Call duration (HH:mm:ss)\n"
        "32,11,,2023-04-04 10:00,Inbound,00:05:00\n33,;,1,2023-04-05 10:00,Inbound,00:01:00\n",
        "emails": "Record ID,Associated Contact IDs,Activity date,Email direction\n"
        "35,11; 13,2023-04-07 10:00,Incoming email\n",
    },
}


@pytest.fixture(scope="module", params=list(EXPORTS))
def tables(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Tables:
    folder = tmp_path_factory.mktemp(request.param)
    return load_preset(request.param, folder=folder, files=EXPORTS[request.param])[1]


def test_each_person_of_an_engagement_has_a_row(tables: Tables) -> None:
    rows = tables.read("activities").sort_values("activity_id")
    told = rows[["activity_id", "account_id", "contact_id", "channel"]].fillna("").to_numpy().tolist()
    assert told == [
        ["32", "1", "11", "call"],
        ["33", "1", "", "call"],
        ["35", "1", "11", "email_reply"],
        ["35-13", "1", "13", "email_reply"],
        ["36", "1", "11", "meeting"],
        ["36-12", "1", "12", "meeting"],
        ["37", "1", "12", "meeting"],
    ]


def test_after_an_opt_out_no_part_of_the_person_is_left_and_all_of_the_others_is(tables: Tables) -> None:
    moments = [pd.Timestamp("2023-05-01"), pd.Timestamp("2023-05-02")]
    catalogue = learn_catalogue(tables, cutoff=moments[1])
    keys = pd.DataFrame({"account_id": ["1", "1"], "as_of": moments})
    found = build_features(tables, keys, catalogue=catalogue)
    # Meetings of 30 minutes, e-mails of 3, calls of 5 and of 1: 60 + 30 + 6 + 5 + 1, then without Ann's.
    assert found["engagement_minutes_90d"].tolist() == [102, 30 + 30 + 3 + 1]
    assert found["engagement_people_90d"].tolist() == [3, 2]


def test_who_is_added_to_an_engagement_later_has_a_part_of_it_and_nobody_has_two(tmp_path: Path) -> None:
    people = "engagement_contact"
    # At first Bob alone was at the meeting 36, and nobody was named at the call 32.
    before = {**EXPORTS["hubspot"], people: "engagement_id,contact_id\n36,12\n35,11\n"}
    load_preset("hubspot", folder=tmp_path, files=before)
    _, tables = load_preset("hubspot", folder=tmp_path, files={people: EXPORTS["hubspot"][people]})
    rows = tables.read("activities").set_index("activity_id")["contact_id"].dropna()
    expected = {"32": "11", "35": "11", "35-13": "13", "36": "11", "36-12": "12", "37": "12"}
    assert rows.sort_index().to_dict() == expected
