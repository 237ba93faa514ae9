"""Rows of one person meet, however their file writes who it is."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loading import KNOWN_ACCOUNTS, VISITS, load

from features.catalogue import learn_catalogue
from features.identity.identifiers import salesforce_id
from features.point_in_time import build_features
from features.privacy.identifiers import person_identifier, salesforce_person_sql
from features.privacy.suppression import KINDS, Forgotten

MAPPING = (
    KNOWN_ACCOUNTS
    + """
[[sources]]
table = "contacts"
path = "contacts.csv"
known_at = "Since"
[sources.columns]
contact_id = "Person"
account_id = "Account"
opted_out_at = "Out"
"""
    + VISITS
)
LETTERS = "abcXYZ019"


@settings(deadline=None)
@given(st.sampled_from(["003", "00Q", "001", "abc"]), st.text(LETTERS, min_size=11, max_size=13))
def test_sql_spells_as_the_function_does(prefix: str, rest: str) -> None:
    text = prefix + rest
    sql = f"SELECT {salesforce_person_sql('id')} FROM (SELECT ?::VARCHAR AS id)"
    found = duckdb.execute(sql, [text]).fetchone()
    of_a_person = len(text) == 15 and prefix in ("003", "00Q")
    expected = salesforce_id(text) if of_a_person else text
    assert found == (expected,)
    assert person_identifier(text) == expected


@pytest.mark.parametrize("visitor", ["003A0000006Vm9u", "003A0000006Vm9uIAC"])
@pytest.mark.parametrize("contact", ["003A0000006Vm9u", "003A0000006Vm9uIAC"])
def test_an_opt_out_finds_the_dealings_under_the_other_spelling(
    tmp_path: Path, contact: str, visitor: str
) -> None:
    (tmp_path / "accounts.csv").write_text("Id\na1\n")
    (tmp_path / "contacts.csv").write_text(
        f"Person,Account,Since,Out\n{contact},a1,2023-01-01T00:00:00Z,2023-06-01T00:00:00Z\n"
    )
    (tmp_path / "visits.csv").write_text(
        "Account,Person,Kind,When\n"
        f"a1,{visitor},web_visit,2023-05-20T00:00:00Z\na1,other,web_visit,2023-05-21T00:00:00Z\n"
    )
    (tmp_path / "mapping.toml").write_text(MAPPING)
    tables = load(tmp_path / "mapping.toml")[1].tables()
    moments = pd.to_datetime(["2023-06-01", "2023-06-02"]).astype("datetime64[us]")
    keys = pd.DataFrame({"account_id": "a1", "as_of": moments})
    catalogue = learn_catalogue(tables, cutoff=pd.Timestamp("2023-06-03").to_pydatetime())
    built = build_features(tables, keys, catalogue=catalogue).reset_index()
    assert built["engagement_count_30d"].tolist() == [2, 1]


def test_an_address_is_found_behind_a_picture_that_is_one_long_word() -> None:
    picture, listed = "A" * 1_000_000, Forgotten(b"secret", dict.fromkeys(KINDS, frozenset()))
    listed = listed.adding("email", ["ann@example.com"])
    assert listed.masked(f"{picture} ann@example.com") == f"{picture} {'*' * 15}"
