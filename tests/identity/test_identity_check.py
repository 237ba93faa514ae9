"""What the identity check found, and that it still finds it on real companies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.checks.identity import FLOOR, check
from training.checks.identity_set import read_companies

RESULT = json.loads((Path(__file__).parents[2] / "results" / "identity.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("way", ["name", "name_and_country"])
def test_the_published_figures_reach_the_floor_without_domains(way: str) -> None:
    assert RESULT["part"] == "report"
    assert (RESULT["copies"], RESULT["look_alikes"]) == (5_000, 5_000)
    for figure, least in FLOOR.items():
        assert RESULT["ways"][way][figure]["value"] >= least


def test_real_companies_are_told_apart(shared_data: Path) -> None:
    companies = read_companies(shared_data / "company_universe" / "companies.parquet")
    document, _ = check(companies[::5], part="choose", copies=300, look_alikes=300)
    for row in document["ways"].values():
        # The upper end: with 300 copies the figure itself swings by a point.
        assert row["precision"]["high"] >= FLOOR["precision"]
        assert row["recall"]["value"] >= FLOOR["recall"]
