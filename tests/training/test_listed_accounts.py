"""Lists of accounts to leave out: every common spelling finds its account, and what finds none is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from label_tables import account, day, tables

from features.label_settings import FitLabelSettings
from features.listed_accounts import lines_without_account
from features.tables import Tables
from training.labels import fit_labels, fit_population
from training.meanings import label_notes

LONG, SHORT = "001A0000006Vm9uIAC", "001A0000006Vm9u"


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """Five accounts; `b` stands for `b-old` as well."""
    file = tmp_path_factory.mktemp("listed") / "identity.parquet"
    pair = "SELECT 'b-old' AS account_id, 'b' AS identity, 1 AS place, 'domain' AS rule, 1e0 AS score"
    duckdb.sql(f"COPY ({pair}) TO '{file}' (FORMAT parquet)")
    found = tables(
        accounts=[
            account("a", domain="acme.com"),
            account("b", domain="www.beta.co.uk"),
            account("s", domain="shop.acme.com"),
            account("m", domain="gmail.com"),
            account(LONG),
        ]
    )
    return replace(found, merged=Path(file))


def listing(*lines: str) -> FitLabelSettings:
    return FitLabelSettings.model_validate({"exclude": [{"name": "old rivals", "accounts": lines}]})


@pytest.mark.parametrize(
    ("line", "left_out"),
    [
        ("a", "a"),
        ("ACME.com", "as"),
        ("www.acme.com", "as"),
        ("https://www.acme.com/about?x=1", "as"),
        ("sales@acme.com", "as"),
        ("shop.acme.com", "s"),
        ("beta.co.uk", "b"),
        ("WWW.Beta.co.uk", "b"),
        ("b-old", "b"),
        (LONG, "0"),
        (SHORT, "0"),
        (LONG.lower(), "0"),
        ("ann@gmail.com", ""),
        ("nobody", ""),
        ("co.uk", ""),
    ],
)
def test_every_spelling_finds_its_account(some: Tables, line: str, left_out: str) -> None:
    stays = fit_population(some, as_of=day("2024-01-01"), settings=listing(line))["account_id"]
    assert {"a", "b", "s", "m", LONG} - set(stays) == {LONG if name == "0" else name for name in left_out}
    missing = lines_without_account(some, settings=listing(line))
    assert missing["lines_of_old_rivals_that_match_no_account"] == (not left_out)


def test_lines_that_match_no_account_are_told(some: Tables) -> None:
    settings = listing("acme.com", "nobody", "Acme Ltd", SHORT)
    counts = fit_labels(some, cutoff=day("2024-01-01"), settings=settings).counts
    assert counts["lines_of_old_rivals"] == 4
    notes = list(label_notes({"name": "ICP fit", "counts": counts}))
    assert "ICP fit: 2 of 4 lines of the list old rivals match no account" in notes
