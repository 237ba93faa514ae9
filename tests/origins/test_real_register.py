"""Listed companies as a register beside a CRM made of some of them, through a mapping from end to end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from features.origins import EMPTY_ELSEWHERE, OTHER_VALUES, account_origins
from features.workspace import Workspace
from training.cli.app import app

MAPPING = """
[workspace]
name = "listed companies"

[identity]
merge = true

[origins]
keep = KEEP

[[sources]]
table = "accounts"
name = "our CRM"
path = "crm.csv"
known_at = "CreatedDate"
[sources.columns]
account_id = "Id"
name = "Name"
domain = "Website"
industry = "Industry"
employees = "NumberOfEmployees"
country = { column = "BillingCountry", normalise = "country" }
[sources.attributes]
customer_priority = { column = "CustomerPriority__c", type = "category" }
market_cap = { column = "Cap__c", type = "category" }

[[sources]]
table = "accounts"
name = "register"
origin = "universe"
path = "register.parquet"
extracted_at = "2025-06-30T00:00:00Z"
[sources.columns]
account_id = "symbol"
name = "name"
domain = "domain"
industry = "yahoo_sector"
city = "city"
country = { column = "country", normalise = "country" }
[sources.attributes]
market_cap = { column = "market_cap", type = "category" }
description = { column = "summary", type = "text" }
"""


def write_real(folder: Path, *, data: Path, companies: int, keep: tuple[str, ...] = ()) -> Path:
    """A third of the companies in the CRM, drawn at random, and four fifths in the register.

    The CRM has the sector by another standard, made sizes and priorities, and no description; market cap and
    country it has as the register does.
    """
    everybody = pd.read_parquet(data / "company_universe" / "companies.parquet")
    generator = np.random.default_rng(11)
    drawn = everybody.iloc[np.sort(generator.permutation(len(everybody))[:companies])].reset_index(drop=True)
    crm = drawn[generator.random(companies) < 1 / 3]
    made = pd.DataFrame(
        {
            "Id": [f"001{number:012d}" for number in range(len(crm))],
            "Name": crm["name"].to_numpy(),
            "Website": ("https://www." + crm["domain"]).to_numpy(),
            "Industry": crm["sector"].to_numpy(),
            "NumberOfEmployees": np.exp(generator.normal(6, 1.5, len(crm))).astype(int) + 1,
            "BillingCountry": crm["country"].to_numpy(),
            "CustomerPriority__c": generator.choice(["High", "Low"], len(crm)),
            "Cap__c": crm["market_cap"].to_numpy(),
            "CreatedDate": "2024-01-15T00:00:00Z",
        }
    )
    made.to_csv(folder / "crm.csv", index=False)
    drawn[generator.random(companies) < 0.8].to_parquet(folder / "register.parquet", index=False)
    mapping = folder / "mapping.toml"
    mapping.write_text(MAPPING.replace("KEEP", json.dumps(list(keep))), encoding="utf-8")
    return mapping


def run(folder: Path, *arguments: str) -> dict[str, Any]:
    place = ["--config", str(folder / "mapping.toml"), "-w", str(folder / "workspace"), "--json"]
    done = CliRunner().invoke(app, [*arguments, *place], catch_exceptions=False)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def loaded(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    write_real(folder, data=shared_data, companies=2_000)
    run(folder, "ingest")
    return folder


def test_a_register_is_merged_with_the_crm_and_compared(loaded: Path) -> None:
    workspace = Workspace(loaded / "workspace")
    comparison = workspace.manifest().comparison
    assert comparison.not_comparable == {
        "city": EMPTY_ELSEWHERE,
        "customer_priority": EMPTY_ELSEWHERE,
        "description": EMPTY_ELSEWHERE,
        "employees": EMPTY_ELSEWHERE,
        "industry": OTHER_VALUES,
    }
    origins = account_origins(workspace.tables())["origins"].map(len)
    # Four fifths of the CRM's companies are in the register, but for those of one name or web site.
    assert (origins == 2).sum() / comparison.accounts["crm"] == pytest.approx(0.8, abs=0.05)


def test_what_is_left_does_not_tell_the_origin(loaded: Path) -> None:
    check = run(loaded, "check-origin")
    assert check["told"] is False
    assert {"country", "market_cap"} == {column["column"] for column in check["columns"]}


def test_what_is_kept_tells_it_and_is_named(loaded: Path, shared_data: Path) -> None:
    write_real(loaded, data=shared_data, companies=2_000, keep=("industry", "description_*"))
    check = run(loaded, "check-origin")
    assert check["told"] is True
    assert [column["column"] for column in check["columns"]][:2] == ["description", "industry"]
    assert "plainly" in str(check["verdict"])
