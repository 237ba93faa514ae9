"""What field histories of Salesforce tell: what was first, what came later, and who left for no company."""

from __future__ import annotations

from pathlib import Path

import pytest
from loading import as_lines, load_preset, reversed_rows

from features.report import IngestReport
from features.tables import Tables

# The type of 001A changed twice in one second. 003A left Ada, and writes from a mail provider; 003C left as
# well, and writes from zoe.example. 003B opted out in June. 003D came to Bob in May.
FILES = {
    "account": "id,name,created_date,type,number_of_employees\n"
    "001A,Ada,2015-01-01 00:00:00,Customer,300\n"
    "001B,Bob,2015-01-01 00:00:00,Partner,7\n",
    "account_field_history": "id,account_id,field,old_value,new_value,created_date\n"
    "0171,001A,Type,Prospect,Partner,2023-01-01 10:00:00\n"
    "0172,001A,Type,Partner,Customer,2023-01-01 10:00:00\n"
    "0173,001A,NumberOfEmployees,100,300,2023-02-01 10:00:00\n",
    "contact": "id,account_id,created_date,last_modified_date,title,has_opted_out_of_email,email\n"
    "003A,,2022-01-05 00:00:00,2023-03-01 00:00:00,CFO,false,x@gmail.com\n"
    "003B,001B,2022-01-05 00:00:00,2023-03-01 00:00:00,CEO,true,\n"
    "003C,,2022-01-05 00:00:00,2023-03-01 00:00:00,CFO,false,x@zoe.example\n"
    "003D,001B,2022-01-05 00:00:00,2023-03-01 00:00:00,CTO,false,\n",
    "contact_history": "id,contact_id,field,old_value,new_value,created_date\n"
    "0181,003A,Account,001A,,2022-08-01 10:00:00\n"
    "0182,003A,Title,CFO,CEO,2022-09-01 10:00:00\n"
    "0183,003A,Title,CEO,CFO,2022-09-01 10:00:00\n"
    "0184,003B,HasOptedOutOfEmail,false,true,2022-06-01 10:00:00\n"
    "0185,003C,Account,001A,,2022-08-01 10:00:00\n"
    "0186,003D,Account,,001B,2022-05-01 10:00:00\n",
    "lead": "id,converted_account_id,converted_contact_id,converted_date,created_date,last_modified_date,"
    "has_opted_out_of_email\n"
    "00QB,001B,003B,2022-01-05,2021-06-01 00:00:00,2022-01-05 10:00:00,false\n",
}


@pytest.fixture(scope="module", params=["as written", "reversed"])
def loaded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[IngestReport, Tables]:
    files = reversed_rows(FILES) if request.param == "reversed" else FILES
    return load_preset("salesforce", folder=tmp_path_factory.mktemp("histories"), files=files)


def test_of_two_changes_in_one_second_the_later_counts(loaded: tuple[IngestReport, Tables]) -> None:
    assert as_lines(loaded[1].read("accounts"), "account_id known_at account_type employees") == [
        "001A | 2015-01-01 00:00:00 | Prospect | 100.0",
        "001A | 2023-01-01 10:00:00 | Customer | ",
        "001A | 2023-02-01 10:00:00 |  | 300.0",
        "001B | 2015-01-01 00:00:00 | Partner | 7.0",
        "lead-zoe.example | 2022-01-05 23:59:59 |  | ",
    ]


def test_what_was_before_the_first_change_is_marked(tmp_path: Path) -> None:
    only_ada = "\n".join(FILES["account"].splitlines()[:2]) + "\n"
    files = {"account": only_ada, "account_field_history": FILES["account_field_history"]}
    report, _ = load_preset("salesforce", folder=tmp_path, files=files)
    assert set(report.current_value_only["accounts"]) == {"account_type", "employees", "name"}


def test_who_is_at_no_company_is_at_none_since_the_change(loaded: tuple[IngestReport, Tables]) -> None:
    report, tables = loaded
    assert report.table("contacts").quarantined == {}
    columns = "contact_id known_at account_id title withdrawn_at opted_out_at"
    assert as_lines(tables.read("contacts"), columns) == [
        "003A | 2022-01-05 00:00:00 | 001A | CFO | 2022-08-01 10:00:00 | ",
        "003B | 2022-01-05 00:00:00 | 001B | CEO |  | ",
        "003B | 2022-06-01 10:00:00 | 001B |  |  | 2022-06-01 10:00:00",
        "003B | 2023-03-01 00:00:00 | 001B |  |  | 2023-03-01 00:00:00",
        "003C | 2022-01-05 00:00:00 | 001A | CFO | 2022-08-01 10:00:00 | ",
        "003C | 2022-08-01 10:00:00 | lead-zoe.example |  |  | ",
        # Before, nobody could have said at which company she was.
        "003D | 2022-05-01 10:00:00 | 001B | CTO |  | ",
        # By the history of the contact, not by its last change in March 2023.
        "00QB | 2022-01-05 23:59:59 | 001B |  |  | 2022-06-01 10:00:00",
    ]
