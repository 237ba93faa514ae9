"""A mapping declares how a column is read: `normalise`."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from loading import KNOWN_ACCOUNTS, load

from features.dry_run import dry_run
from features.errors import ConfigError
from features.mapping import load_config
from features.tables import open_engine
from features.validation import Reason

MAPPING = (
    KNOWN_ACCOUNTS
    + """
domain = { column = "Web", normalise = "domain" }
country = { column = "Land", normalise = "country" }
industry = { column = "Industry", normalise = "industry" }
employees = { column = "Staff", normalise = "employees" }
annual_revenue = { column = "Revenue", normalise = "revenue_usd" }
technologies = { column = "Tools", normalise = "technologies" }
[sources.attributes.sector]
column = "Industry"
type = "category"
normalise = "industry_section"
"""
)

ROWS = [
    {"Id": "a", "Web": "https://www.Acme.co.uk/x", "Land": "德国", "Industry": "SaaS", "Staff": "51-200"}
    | {"Revenue": "$10M", "Tools": "AWS, Node.js"},
    {"Id": "b", "Web": "n/a", "Land": "Atlantis", "Industry": "Other", "Staff": "unknown", "Revenue": "-"},
    {"Id": "c", "Staff": "1e9"},
    {"Id": "d", "Revenue": "plenty"},
]


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    pd.DataFrame(ROWS).to_csv(tmp_path / "accounts.csv", index=False)
    (tmp_path / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    return tmp_path / "mapping.toml"


def test_declared_columns_hold_one_spelling(mapping: Path) -> None:
    report, workspace = load(mapping)
    accounts = workspace.tables().read("accounts").set_index("account_id")
    one = accounts.loc["a"]
    assert (one["domain"], one["country"], one["employees"]) == ("acme.co.uk", "DE", 101)
    assert one["industry"].startswith("J62 ")
    assert one["sector"] == "J Information and communication"
    assert one["annual_revenue"] == 10_000_000
    assert one["technologies"].tolist() == ["amazon web services", "node.js"]
    assert accounts.loc["b"].drop("known_at").isna().all()
    assert report.table("accounts").unread == {"country": 1, "industry": 1, "sector": 1}
    assert "could not be read, and are empty: accounts.country 1" in str(report)
    assert report.table("accounts").quarantined == {Reason.WRONG_TYPE: 2}
    assert {json.loads(example.row or "")["Id"] for example in report.table("accounts").examples} == {
        "c",
        "d",
    }
    allowed = {example.column: example.allowed for example in report.table("accounts").examples}
    assert allowed["employees"] == "a whole number from 0 to 5,000,000, as normalise = 'employees' reads it"


def test_a_dry_run_counts_what_could_not_be_read(mapping: Path) -> None:
    unreadable = {
        column.column: column.unreadable
        for source in dry_run(load_config(mapping)).sources
        for column in source.columns
    }
    assert unreadable == {"Id": 0, "Web": 0, "Land": 1, "Industry": 1, "Staff": 1, "Revenue": 1, "Tools": 0}


def test_an_unknown_normaliser_is_refused_by_name(mapping: Path) -> None:
    mapping.write_text(MAPPING.replace('"country" }', '"contry" }'), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"normalise.*contry.*did you mean 'country'"):
        load_config(mapping)


def test_the_function_of_sql_reads_each_row() -> None:
    with open_engine() as connection:
        texts = "SELECT CASE WHEN i % 3 = 0 THEN NULL ELSE i || 'k' END FROM range(9000) r(i)"
        read = f"SELECT normalise('employees', text)::BIGINT FROM ({texts}) s(text)"
        found = connection.execute(f"SELECT count(n), sum(n) FROM ({read}) s(n)").fetchone()
    counted = [i * 1000 for i in range(5001) if i % 3]
    assert found == (len(counted), sum(counted))
