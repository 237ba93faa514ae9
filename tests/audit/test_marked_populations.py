"""Columns of which only today's value is known warn, also where they are no feature but a rule reads them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from features.catalogue import Catalogue
from features.contract import TABLES
from features.feature import Feature
from features.label_settings import FitLabelSettings, IntentLabelSettings
from features.mapping import Config
from features.tables import Attribute, Tables
from training.audit.marked import marked_columns
from training.audit.sources import audit_tables
from training.market.settings import MarketSettings


def feature(name: str, formula: str, *, table: str = "accounts") -> Feature:
    return Feature(name, "firmographic", "number", table, "formula", "", "", name, "", formula=formula)


CATALOGUE = Catalogue(
    (
        feature("revenue_per_head", "annual_revenue_usd / employees"),
        feature("staff", "employees"),
        feature("staff_of_pilot", "if(pilot, 1, 0)"),
        feature("wins", "sum(won)", table="opportunities"),
    )
)
PILOT = Attribute("pilot", "boolean", "pilot", current_value_only=True)
CHOSEN, COUNTED, HAPPENED = "who is in the population", "which deals count", "what happened is read"


def told(settings: FitLabelSettings | IntentLabelSettings, **marks: tuple[str, ...]) -> dict[str, Any]:
    """By column: the features made of it, and the first words of each rule."""
    marked = Tables({}, (PILOT,), marks=marks).current_value_only
    found = marked_columns(CATALOGUE, settings=settings, marked=marked, attributes=[PILOT])
    return {one.name: (one.features, [rule.partition(" follow")[0] for rule in one.rules]) for one in found}


def test_a_marked_column_warns_by_what_is_made_of_it() -> None:
    found = told(IntentLabelSettings(), accounts=("employees", "region"), opportunities=("amount",))
    assert found == {
        "accounts.employees": (("revenue_per_head", "staff"), []),
        "accounts.pilot": (("staff_of_pilot",), []),
    }


@pytest.mark.parametrize(
    ("settings", "marks", "rules"),
    [
        (FitLabelSettings(where={"region": ("emea",)}), "accounts.region", [CHOSEN]),
        (
            FitLabelSettings.model_validate(
                {"exclude": [{"name": "partners", "attribute": "region", "values": ["apac"]}]}
            ),
            "accounts.region",
            [CHOSEN],
        ),
        (
            FitLabelSettings.model_validate({"exclude": [{"name": "renewals", "deal_types": ["Renewal"]}]}),
            "opportunities.type",
            [COUNTED],
        ),
        (FitLabelSettings(product="CRM"), "opportunities.product", [COUNTED]),
        (IntentLabelSettings(event="won"), "opportunities.outcome", [HAPPENED, CHOSEN]),
        (FitLabelSettings(), "opportunities.outcome", [HAPPENED]),
        (IntentLabelSettings(event="activity", channel=("signup",)), "activities.channel", [HAPPENED]),
        (
            IntentLabelSettings.model_validate({"exclude": [{"name": "own staff", "channel": "intranet"}]}),
            "activities.channel",
            [CHOSEN],
        ),
    ],
)
def test_a_rule_of_the_labels_rests_on_a_marked_column_that_is_no_feature(
    settings: FitLabelSettings | IntentLabelSettings, marks: str, rules: list[str]
) -> None:
    table, _, column = marks.partition(".")
    assert column in {*TABLES[table].column_names} - {*TABLES[table].key}
    found = told(settings, **{table: (column,)})
    features, words = found[marks]
    assert features == (("wins",) if column == "outcome" else ())
    assert [word[: len(rule)] for word, rule in zip(words, rules, strict=True)] == rules


def test_the_audit_names_the_column_that_chooses_the_population_and_what_to_do(
    market: Tables, config: Config, settings: MarketSettings
) -> None:
    fit = config.model.fit.model_copy(update={"leave_out": ("region*",)})
    labels = config.labels.fit.model_copy(update={"where": {"region": ("emea",)}})
    narrow = config.model_copy(
        update={
            "model": config.model.model_copy(update={"fit": fit}),
            "labels": config.labels.model_copy(update={"fit": labels}),
        }
    )
    some = replace(market, attributes=(), marks={"accounts": ("region",)})
    audit = audit_tables(some, kind="fit", cutoff=settings.end, config=narrow)
    (one,) = (finding for finding in audit.findings if finding.kind == "current_value_only")
    assert (one.column, one.severity, one.figures) == ("region", "warns", {"features": 0, "rules": 1})
    assert "who is in the population follows it" in one.why
    assert one.fix.endswith("or take the rule out of the config")
