"""Field history of Salesforce becomes versions of accounts and contacts, each known since its change."""

from __future__ import annotations

import pytest
from loading import as_lines, load_preset

from features.report import IngestReport
from features.tables import Tables

TO_THE_MINUTE = "%Y-%m-%d %H:%M"

# Of 001A industry, size and parent are tracked: a lookup has two rows, one with the name. 001B never changed.
FILES = {
    "account": "id,name,created_date,industry,number_of_employees,parent_id,type\n"
    "001A,Ada,2022-01-01 00:00:00,Banking,300,001C,Customer\n"
    "001B,Bob,2022-02-01 00:00:00,Banking,7,,\n"
    "001C,Group,2022-02-01 00:00:00,,,,\n",
    "account_field_history": "id,account_id,field,old_value,new_value,created_date,is_deleted\n"
    "017A,001A,NumberOfEmployees,,100,2022-06-01 10:00:00,false\n"
    "017B,001A,NumberOfEmployees,100,300,2023-01-01 10:00:00,false\n"
    "017C,001A,Industry,Computer Software,Banking,2022-06-01 10:00:00,false\n"
    "017D,001A,Parent,,Group,2022-09-01 10:00:00,false\n"
    "017E,001A,Parent,,001C,2022-09-01 10:00:00,false\n"
    "017F,001A,created,,,2022-01-01 00:00:00,false\n",
    "contact": "id,account_id,created_date,last_modified_date,title,department,has_opted_out_of_email\n"
    "003A,001B,2022-01-05 00:00:00,2023-03-01 00:00:00,CFO,Finance,true\n"
    "003B,001A,2022-01-05 00:00:00,2023-03-01 00:00:00,CEO,,true\n"
    "003C,001A,2022-01-05 00:00:00,2023-03-01 00:00:00,,,false\n",
    # Ann (003A) moved from Ada to Bob, and opted out before; she is the only one whose consent has a history.
    "contact_history": "id,contact_id,field,old_value,new_value,created_date\n"
    "018A,003A,HasOptedOutOfEmail,false,true,2022-04-01 10:00:00\n"
    "018B,003A,Account,Ada,Bob,2022-08-01 10:00:00\n"
    "018C,003A,Account,001A,001B,2022-08-01 10:00:00\n"
    "018D,003A,Title,Accountant,CFO,2022-05-01 10:00:00\n",
}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[IngestReport, Tables]:
    return load_preset("salesforce", folder=tmp_path_factory.mktemp("field_histories"), files=FILES)


def test_an_account_is_what_it_was_before_and_after_each_change(loaded: tuple[IngestReport, Tables]) -> None:
    report, tables = loaded
    assert report.table("accounts").quarantined == {}
    accounts = tables.read("accounts")
    accounts["industry"] = accounts["industry"].str[:3]
    columns = "account_id known_at name industry employees parent_account account_type"
    assert as_lines(accounts, columns, time=TO_THE_MINUTE) == [
        "001A | 2022-01-01 00:00 | Ada | J62 |  |  | Customer",
        "001A | 2022-06-01 10:00 |  | K64 | 100.0 |  | ",
        "001A | 2022-09-01 10:00 |  |  |  | 001C | ",
        "001A | 2023-01-01 10:00 |  |  | 300.0 |  | ",
        "001B | 2022-02-01 00:00 | Bob | K64 | 7.0 |  | ",
        "001C | 2022-02-01 00:00 | Group |  |  |  | ",
    ]


def test_a_person_has_been_at_a_company_and_has_opted_out_since_the_change(
    loaded: tuple[IngestReport, Tables],
) -> None:
    report, tables = loaded
    assert report.table("contacts").quarantined == {}
    columns = "contact_id known_at account_id title department consent_basis opted_out_at"
    assert as_lines(tables.read("contacts"), columns, time=TO_THE_MINUTE) == [
        "003A | 2022-01-05 00:00 | 001A | Accountant | Finance | unknown | ",
        "003A | 2022-04-01 10:00 | 001A |  |  | unknown | 2022-04-01 10:00",
        # A title tells the department where nothing else does.
        "003A | 2022-05-01 10:00 | 001A | CFO | finance |  | ",
        "003A | 2022-08-01 10:00 | 001B |  |  |  | ",
        "003A | 2023-03-01 00:00 | 001B |  |  | unknown | 2023-03-01 00:00",
        "003B | 2022-01-05 00:00 | 001A | CEO |  | unknown | 2023-03-01 00:00",
        "003C | 2022-01-05 00:00 | 001A |  |  | unknown | ",
    ]


def test_what_never_changed_is_marked_as_of_today(loaded: tuple[IngestReport, Tables]) -> None:
    report, _ = loaded
    assert {"account_type", "employees", "industry", "name"} <= set(report.current_value_only["accounts"])
    assert "parent_account" not in report.current_value_only["accounts"]
