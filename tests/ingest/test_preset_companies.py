"""Families, currencies, regions and codes of industries, as the presets read them from an export."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
from loading import load_preset

from features.presets import preset_text
from features.report import IngestReport
from features.tables import Tables

# A euro is 1.12998 dollars, the mean of 2025.
FILES: Mapping[str, Mapping[str, str]] = {
    "salesforce": {
        "account": "id,name,created_date,parent_id,industry,sic,naics_code,billing_country,"
        "billing_country_code,billing_state,billing_state_code,annual_revenue,currency_iso_code\n"
        "001A,Group,2023-01-01 00:00:00,,Other,7372,,,DE,,BY,1000000,EUR\n"
        "001B,Plant,2023-01-01 00:00:00,001A,,6021,522110,Austria,,Tyrol,,500,USD\n"
        "001C,Alone,2023-01-01 00:00:00,,Banking,7372,,,,,,500,\n",
        "task": "id,account_id,is_closed,task_subtype,completed_date_time\n"
        "00T1,001B,true,Email,2023-02-01 10:00:00\n",
        "opportunity": "id,account_id,created_date,close_date,is_closed,is_won,amount,currency_iso_code\n"
        "006A,001A,2023-03-01 09:00:00,2023-05-01,true,true,300,EUR\n"
        "006B,001A,2023-03-01 09:00:00,2023-05-01,true,true,-100.00,EUR\n"
        "006C,001C,2023-03-01 09:00:00,2023-05-01,true,true,500.50,USD\n"
        "006D,001C,2023-03-01 09:00:00,2023-05-01,true,true,70.25,\n"
        "006E,001C,2023-03-01 09:00:00,2023-05-01,true,true,70.25,XAU\n",
    },
    "hubspot": {
        "company": "id,property_name,property_createdate,property_hs_parent_company_id,property_industry,"
        "property_hs_country_code,property_hs_state_code,property_annualrevenue,"
        "property_hs_annual_revenue_currency_code\n"
        "001A,Group,2023-01-01 0:00:00,,,DE,BY,1000000,EUR\n"
        "001B,Plant,2023-01-01 0:00:00,001A,,,,500,USD\n001C,Alone,2023-01-01 0:00:00,,,,,500,\n",
        "engagement_company": "engagement_id,company_id\n00T1,001B\n",
        "engagement_email": "engagement_id,property_hs_timestamp\n00T1,2023-02-01 10:00:00\n",
        "deal": "deal_id,property_createdate,property_closedate,property_hs_is_closed_won,property_amount,"
        "property_deal_currency_code\n"
        "006A,2023-03-01 9:00:00,2023-05-01 9:00:00,true,300,EUR\n"
        "006B,2023-03-01 9:00:00,2023-05-01 9:00:00,true,-100.00,EUR\n"
        "006C,2023-03-01 9:00:00,2023-05-01 9:00:00,true,500.50,USD\n"
        "006D,2023-03-01 9:00:00,2023-05-01 9:00:00,true,70.25,\n"
        "006E,2023-03-01 9:00:00,2023-05-01 9:00:00,true,70.25,XAU\n",
        "deal_company": "deal_id,company_id\n006A,001A\n006B,001A\n006C,001C\n006D,001C\n006E,001C\n",
    },
    "salesforce_reports": {
        "accounts": "Account ID,Account Name,Created Date,Parent Account ID,Industry,SIC Code,NAICS Code,"
        "Annual Revenue,Annual Revenue Currency\n"
        '001A,Group,1/1/2023,,Other,7372,,"1,000,000",EUR\n'
        "001B,Plant,1/1/2023,001A,,6021,522110,500,USD\n001C,Alone,1/1/2023,,Banking,7372,,500,\n",
        "tasks": "Activity ID,Account ID,Status,Date,Task Subtype\n00T1,001B,Completed,2/1/2023,Email\n",
        "opportunities": "Opportunity ID,Account ID,Created Date,Close Date,Stage,Amount,Amount Currency\n"
        "006A,001A,3/1/2023,5/1/2023,Closed Won,300,EUR\n"
        "006B,001A,3/1/2023,5/1/2023,Closed Won,-100.00,EUR\n"
        "006C,001C,3/1/2023,5/1/2023,Closed Won,500.50,USD\n"
        "006D,001C,3/1/2023,5/1/2023,Closed Won,70.25,\n"
        "006E,001C,3/1/2023,5/1/2023,Closed Won,70.25,XAU\n",
    },
    "hubspot_reports": {
        "companies": "Record ID,Company name,Create Date,Parent Company,Annual Revenue,"
        "Annual Revenue Currency\n"
        '001A,Group,2023-01-01,,"1,000,000",EUR\n001B,Plant,2023-01-01,001A,500,USD\n001C,Alone,2023-01-01,,500,\n',
        "emails": "Record ID,Associated Company IDs,Activity date\n00T1,001B,2023-02-01 10:00\n",
        "deals": "Record ID,Associated Company IDs,Deal Stage,Amount,Currency,Create Date,Close Date\n"
        "006A,001A,Closed won,300,EUR,2023-03-01 09:00,2023-05-01 09:00\n"
        "006B,001A,Closed won,-100.00,EUR,2023-03-01 09:00,2023-05-01 09:00\n"
        "006C,001C,Closed won,500.50,USD,2023-03-01 09:00,2023-05-01 09:00\n"
        "006D,001C,Closed won,70.25,,2023-03-01 09:00,2023-05-01 09:00\n"
        "006E,001C,Closed won,70.25,XAU,2023-03-01 09:00,2023-05-01 09:00\n",
    },
}
INDUSTRIES = {"001A": "J58", "001B": "K64", "001C": "K64"}
"""Where "Other" tells nothing the code of software does; of two codes that of NAICS; "Banking" stays."""


def _load(folder: Path, *, preset: str, families: bool = False) -> tuple[IngestReport, Tables]:
    written = preset_text(preset)
    switched = written.replace('# parent = "parent_account"', 'parent = "parent_account"')
    assert switched != written
    text = switched if families else written
    return load_preset(preset, folder=folder, files=FILES[preset], text=text)


@pytest.fixture(scope="module")
def as_written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[IngestReport, Tables]]:
    """By preset, what its files give without an edit."""
    return {preset: _load(tmp_path_factory.mktemp(preset), preset=preset) for preset in FILES}


@pytest.mark.parametrize("preset", list(FILES))
def test_what_an_export_tells_of_companies_and_deals(
    as_written: dict[str, tuple[IngestReport, Tables]], preset: str
) -> None:
    report, tables = as_written[preset]
    accounts = tables.read("accounts").set_index("account_id").sort_index()
    assert accounts["annual_revenue"].tolist() == [1_129_980, 500, 500]
    assert accounts["parent_account"].fillna("").tolist() == ["", "001A", ""]
    if preset.startswith("salesforce"):
        assert accounts["industry"].str[:3].to_dict() == INDUSTRIES
    if preset == "salesforce":
        assert accounts["region"].fillna("").tolist() == ["BY", "Tyrol", ""]
        assert accounts["country"].fillna("").tolist() == ["DE", "AT", ""]
    if preset == "hubspot":
        assert accounts.loc["001A", ["country", "region"]].tolist() == ["DE", "BY"]
    deals = tables.read("opportunities").dropna(subset="amount").set_index("opportunity_id")["amount"]
    # 338.994 and -112.998 dollars; what has no rate is set aside and named, and the deal ends without it.
    assert deals.sort_index().to_dict() == {"006A": 339, "006B": -113, "006C": 500.5, "006D": 70.25}
    ended = tables.read("opportunities").dropna(subset="outcome").set_index("opportunity_id")["outcome"]
    assert ended.to_dict() == dict.fromkeys(("006A", "006B", "006C", "006D", "006E"), "won")
    (example,) = report.table("opportunities").examples
    assert (example.column, report.table("opportunities").quarantined) == ("amount", {"wrong type": 1})


@pytest.mark.parametrize("preset", list(FILES))
@pytest.mark.parametrize(("families", "owner"), [(False, "001B"), (True, "001A")])
def test_one_switch_rolls_subsidiaries_up(
    as_written: dict[str, tuple[IngestReport, Tables]],
    tmp_path: Path,
    preset: str,
    families: bool,
    owner: str,
) -> None:
    _, tables = _load(tmp_path, preset=preset, families=True) if families else as_written[preset]
    assert tables.read("activities")["account_id"].tolist() == [owner]
    assert set(pd.unique(tables.read("accounts")["account_id"])) == {"001A", "001C", owner}
