"""A marked column that is always filled: named in any case, blocked where its values follow the outcome."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from features.contract import TABLES
from features.mapping import Config
from features.tables import Tables
from models.bundle import Kind
from training.audit.beyond import beyond_creation
from training.audit.columns import AuditTable, Column, raw_table
from training.audit.running import audit_table
from training.audit.sources import audit_tables
from training.market.settings import MarketSettings

ROWS = 2_000
GENERATOR = np.random.default_rng(5)
LABEL = (np.arange(ROWS) % 4 == 0).astype(np.int64)


def flag(won: float, lost: float) -> NDArray[np.float64]:
    """1 in these shares of the rows with the event and without, else 0; no cell is empty."""
    return (GENERATOR.random(ROWS) < np.where(LABEL == 1, won, lost)).astype(np.float64)


SIZE = flag(0.6, 0.3)
"""An honest fact: those with the event are twice as often large."""

STATUS = flag(0.75, 0.15)
"""Rewritten once something came of it, but not always, so that it neither ranks too well nor excludes."""


def table(*columns: Column, dated: bool = True) -> AuditTable:
    return AuditTable(columns, LABEL, np.arange(ROWS), dated=dated)


def proven(name: str, values: NDArray[np.float64]) -> Column:
    return Column(name, values, source=name, fact=True)


def marked(name: str, values: NDArray[np.float64]) -> Column:
    return Column(name, values, marked=True, source=name, fact=True)


def blocked(*columns: Column) -> list[str]:
    return [finding.column for finding in beyond_creation(table(*columns))]


def test_a_full_column_that_follows_the_outcome_blocks() -> None:
    (finding,) = beyond_creation(table(proven("size", SIZE), marked("status", STATUS)))
    assert (finding.kind, finding.severity, finding.column) == ("current_value_only", "blocks", "status")
    assert finding.why.startswith("every row is filled; beyond the 1 columns that times prove it tells ")
    told = finding.figures["told"]
    assert isinstance(told, float)
    assert told > 0.1
    assert blocked(proven("size", SIZE), proven("status", STATUS)) == []


def test_an_honest_fact_of_which_only_today_s_value_is_known_does_not_block() -> None:
    assert blocked(marked("size", SIZE)) == []
    assert blocked(proven("other", flag(0.5, 0.4)), marked("size", SIZE)) == []


def test_what_values_known_at_creation_explain_does_not_block() -> None:
    assert blocked(marked("status", STATUS)) == ["status"]
    assert blocked(proven("first_status", STATUS), marked("status", STATUS)) == []


def test_two_copies_do_not_explain_each_other_away() -> None:
    assert blocked(proven("size", SIZE), marked("status", STATUS), marked("stage", STATUS)) == [
        "status",
        "stage",
    ]


def test_what_is_blocked_counts_no_longer_as_known_at_creation() -> None:
    """A doubtful column that says the same must not pass because a full one has said it."""
    partly = np.where(GENERATOR.random(ROWS) < 0.5, STATUS, np.nan)
    assert blocked(proven("size", SIZE), marked("status", STATUS), marked("partly", partly)) == [
        "status",
        "partly",
    ]


def test_chance_blocks_nothing() -> None:
    columns = [marked(f"fact_{number}", flag(0.3, 0.3)) for number in range(20)]
    assert blocked(proven("size", SIZE), *columns) == []


def test_too_few_rows_of_a_class_block_nothing() -> None:
    kept = np.r_[np.flatnonzero(LABEL)[:39], np.flatnonzero(LABEL == 0)]
    few = AuditTable((marked("status", STATUS[kept]),), LABEL[kept], np.arange(len(kept)), dated=True)
    assert list(beyond_creation(few)) == []


@pytest.mark.parametrize("name", ["size", "status"])
def test_a_list_without_dates_names_every_column_that_nothing_proves(name: str) -> None:
    """There nothing is known at creation but what is filled from the start: it is named, not blocked."""
    frame = pd.DataFrame({"size": SIZE, "status": STATUS, "won": LABEL})
    late = np.where(LABEL == 1, "x", "")
    audit = audit_table(raw_table(frame.assign(late=late), outcome="won"))
    (warned,) = (one for one in audit.findings if one.kind == "current_value_only" and not one.column)
    assert warned.severity == "warns"
    assert name in warned.why.partition("taken on trust: ")[2].split(", ")
    assert "late" not in warned.why.partition("taken on trust: ")[2].split(", ")
    assert {one.column for one in audit.blocking} == {"late"}


MARKS = {table.name: tuple(set(table.column_names) - set(table.key)) for table in TABLES.values()}
"""Every column of every table."""


@pytest.mark.parametrize("kind", ["fit", "intent"])
def test_a_market_that_leaks_nothing_is_not_blocked_though_everything_is_marked(
    market: Tables, config: Config, settings: MarketSettings, kind: Kind
) -> None:
    """Every marked column that has a part in the model is named all the same."""
    facts = (*MARKS["accounts"], *(one.name for one in market.attributes))
    everything = replace(market, marks=MARKS | {"accounts": facts})
    audit = audit_tables(everything, kind=kind, cutoff=settings.end, config=config)
    assert audit.blocking == ()
    named = {one.column for one in audit.findings if one.kind == "current_value_only"}
    assert {"industry", "employees", "opportunities.outcome"} <= named
    if kind == "intent":
        assert {"contacts.seniority", "activities.channel", "activities.seconds"} <= named


def test_people_of_today_are_told_with_what_is_made_of_them(
    market: Tables, config: Config, settings: MarketSettings
) -> None:
    marks = {"contacts": TABLES["contacts"].with_made(["title"])}
    audit = audit_tables(replace(market, marks=marks), kind="intent", cutoff=settings.end, config=config)
    (finding,) = (one for one in audit.findings if one.kind == "current_value_only")
    assert (finding.column, finding.severity) == ("contacts.seniority", "warns")
    assert "where its source is silent, made from title" in finding.why
    assert isinstance(finding.figures["features"], int)
    assert finding.figures["features"] >= 8
