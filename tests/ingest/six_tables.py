"""Rows of all six tables, good and bad, and a mapping with identity, changes, deletions and consent."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st
from small_sources import write_csv

Row = tuple[str, ...]
Export = dict[str, list[Row]]
"""By the name of a source, its rows."""

MAPPING = """
[workspace]
name = "test"

[identity]
merge = true
parent = "parent"
merged_into = "merged_into"

[[sources]]
table = "accounts"
name = "crm"
path = "crm*.csv"
time_zone = "UTC"
known_at = "Created"
changed_at = "Changed"
current_value_only = true
deleted = "Gone"
columns = { account_id = "Id", name = "Name", domain = "Site", industry = "Industry", employees = "Staff" }
[sources.attributes]
parent = { column = "Parent", type = "category" }
merged_into = { column = "Into", type = "record" }

[[sources]]
table = "accounts"
name = "register"
origin = "universe"
path = "register*.csv"
optional = true
known_at = "Updated"
columns = { account_id = "Id", name = "Name", domain = "Site", employees = "Staff", city = "City" }

[[sources]]
table = "contacts"
name = "people"
path = "people*.csv"
optional = true
time_zone = "UTC"
known_at = "Created"
changed_at = "Changed"
deleted = "Gone"
consent = { opted_out = "Out" }
[sources.columns]
contact_id = "Id"
account_id = "Account"
title = "Job"
email = "Mail"
opted_out_at = "OutSince"

[[sources]]
table = "activities"
name = "visits"
path = "visits*.csv"
optional = true
time_zone = "UTC"
known_immediately = true
[sources.columns]
account_id = "Account"
contact_id = "Person"
channel = "Kind"
direction = { value = "inbound" }
occurred_at = "When"
seconds = { column = "Minutes", scale = 60 }

[[sources]]
table = "intent_topics"
name = "topics"
path = "topics*.csv"
optional = true
time_zone = "UTC"
known_at_delay = "7 days"
columns = { account_id = "Account", topic = "Topic", occurred_at = "Week", score = "Score" }

[[sources]]
table = "opportunities"
name = "deals"
path = "deals*.csv"
optional = true
time_zone = "UTC"
known_at = "Seen"
deleted = "Gone"
[sources.columns]
opportunity_id = "Id"
account_id = "Account"
created_at = "Opened"
closed_at = "Closed"
outcome = "Outcome"
amount = "Amount"

[[sources]]
table = "stage_changes"
name = "stages"
path = "stages*.csv"
optional = true
time_zone = "UTC"
known_immediately = true
columns = { opportunity_id = "Deal", stage = "Stage", occurred_at = "Entered" }
"""

COLUMNS = {
    "crm": ("Id", "Name", "Site", "Industry", "Staff", "Parent", "Into", "Created", "Changed", "Gone"),
    "register": ("Id", "Name", "Site", "Staff", "City", "Updated"),
    "people": ("Id", "Account", "Job", "Mail", "Out", "OutSince", "Created", "Changed", "Gone"),
    "visits": ("Account", "Person", "Kind", "When", "Minutes"),
    "topics": ("Account", "Topic", "Week", "Score"),
    "deals": ("Id", "Account", "Opened", "Closed", "Outcome", "Amount", "Seen", "Gone"),
    "stages": ("Deal", "Stage", "Entered"),
}
TABLES = ("accounts", "contacts", "activities", "intent_topics", "opportunities", "stage_changes")
SURE: Export = {
    "crm": [("a1", "Ada Machines", "ada.example", "", "", "", "", "2023-01-01", "", "")],
    "register": [("u1", "Ada Machines", "ada.example", "", "", "2023-01-01T00:00:00Z")],
    "people": [("c9", "a1", "Angler", "", "", "", "2023-01-05", "", "")],
    "visits": [("a1", "c9", "form", "2023-02-03 10:00:00", "1")],
    "topics": [("a1", "crm", "2023-02-20", "50")],
    "deals": [("d1", "a1", "2023-01-10", "", "", "100", "2023-01-10", "")],
    "stages": [("d1", "lead", "2023-01-10")],
}
"""Good rows that no other contradicts: every table holds something."""

_ids = st.sampled_from(["a1", "a2", "a3", "u1", ""])
_accounts = st.sampled_from(["a1", "a2", "u1", "a9"])
_names = st.sampled_from(["Ada Machines", "Ada Machines Inc", "Zoe Foods", ""])
_sites = st.sampled_from(["ada.example", "zoe.example", ""])
_changed = st.sampled_from(["2023-01-10", "2023-03-05 09:30:00", "2023-05-20", "", "soon"])
_gone = st.sampled_from(["", "", "", "no", "yes"])
_people = st.sampled_from(["c1", "c2", "ann@ada.example", "bob@zoe.example"])

ROWS = {
    "crm": st.tuples(
        *(_ids, _names, _sites, st.sampled_from(["Software", ""]), st.sampled_from(["10", "25", "x", ""])),
        *(
            st.sampled_from(["a1", "a2", "a3", ""]),
            st.sampled_from(["", "", "", "a1", "a2", "u1"]),
            st.sampled_from(["2023-01-01", "2023-02-01"]),
            _changed,
            _gone,
        ),
    ),
    "register": st.tuples(
        *(st.sampled_from(["a1", "u1", "u2", ""]), _names, _sites, st.sampled_from(["10", "20", ""])),
        *(
            st.sampled_from(["Bonn", "Rome", ""]),
            st.sampled_from(["2023-01-01T00:00:00Z", "2023-05-01T00:00:00Z", ""]),
        ),
    ),
    "people": st.tuples(
        *(_people, _accounts, st.sampled_from(["Head of sales", "Angler", ""])),
        *(
            st.sampled_from(["ann@ada.example", "bob@zoe.example", "no address", ""]),
            st.sampled_from(["", "no", "yes"]),
        ),
        *(
            st.sampled_from(["", "2023-04-01"]),
            st.sampled_from(["2023-01-05", "2023-02-05"]),
            _changed,
            _gone,
        ),
    ),
    "visits": st.tuples(
        *(
            _accounts,
            st.sampled_from(["c1", "ann@ada.example", ""]),
            st.sampled_from(["web_visit", "email", "No"]),
        ),
        st.sampled_from(["2023-02-01 10:00:00", "2023-02-01 10:00:00.5", "2023-03-01", "2031-01-01", ""]),
        st.sampled_from(["1", "2", ""]),
    ),
    "topics": st.tuples(
        *(_accounts, st.sampled_from(["crm", "erp"]), st.sampled_from(["2023-02-06", "2023-02-13", "never"])),
        st.sampled_from(["10", "90", ""]),
    ),
    "deals": st.tuples(
        *(st.sampled_from(["d1", "d2"]), _accounts, st.sampled_from(["2023-01-15", "2023-02-15"])),
        *(
            st.sampled_from(["", "2023-03-15"]),
            st.sampled_from(["", "won", "lost"]),
            st.sampled_from(["100", "-1", ""]),
        ),
        *(st.sampled_from(["2023-02-20", "2023-03-20", "2023-04-20"]), _gone),
    ),
    "stages": st.tuples(
        st.sampled_from(["d1", "d2", "d9"]),
        st.sampled_from(["open", "offer"]),
        st.sampled_from(["2023-02-15", "2023-02-20 12:00:00", ""]),
    ),
}

exports = st.fixed_dictionaries({name: st.lists(row, min_size=6, max_size=16) for name, row in ROWS.items()})
"""Enough rows that most identifiers occur several times, with other cells."""


def write_export(folder: Path, export: Export, *, part: int) -> Path:
    """One more file of each source that has rows; returns the path of the mapping."""
    folder.mkdir(exist_ok=True)
    for name, rows in export.items():
        if rows:
            write_csv(folder / f"{name}{part}.csv", COLUMNS[name], rows)
    (folder / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    return folder / "mapping.toml"
