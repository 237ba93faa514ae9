"""Which rows labels leave out, and when an event counts: worked out by hand on a few rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from label_tables import account, day, deal, tables, visit

from features.errors import ConfigError
from features.label_rules import rule_against
from features.label_settings import FitLabelSettings, IntentLabelSettings
from features.tables import Tables
from training.labels import (
    fit_labels,
    fit_population,
    intent_outcomes,
    intent_population,
    label_snapshots,
)

JUNE = day("2024-06-01")


def intent(**given: Any) -> IntentLabelSettings:
    return IntentLabelSettings.model_validate({"horizon_days": 30, "step_days": 30} | given)


def fit(**given: Any) -> FitLabelSettings:
    return FitLabelSettings.model_validate({"maturity_percentile": 0.5} | given)


@pytest.fixture(scope="module")
def some() -> Tables:
    """Five accounts: `p` became a partner on 2024-05-01, `y` is young, `t` was tested by us."""
    return tables(
        accounts=[
            account("a", region="EMEA", domain="a.example", labels=["Big", "new"]),
            account("b", region="emea", kind="customer"),
            account("p", region="APAC"),
            account("p", "2024-05-01", kind="Partner"),
            account("y", "2024-05-20", region="EMEA"),
            account("t"),
            account("t", "2024-03-01"),  # there twice
        ],
        activities=[visit("t", "2024-02-01", "internal_test"), visit("a", "2024-01-01")],
    )


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ({}, "abpty"),
        ({"where": {"region": "EMEA"}}, "aby"),
        ({"where": {"region": ["EMEA", "APAC"]}}, "abpy"),
        ({"where": {"labels": "big"}}, "a"),
        ({"minimum_account_days": 12}, "abpty"),
        ({"minimum_account_days": 13}, "abpt"),
        ({"exclude": [{"name": "x", "attribute": "kind", "values": ["partner", "customer"]}]}, "aty"),
        ({"exclude": [{"name": "x", "channel": "internal_test"}]}, "abpy"),
        ({"exclude": [{"name": "x", "accounts": ["A.example", "t", "nobody"]}]}, "bpy"),
        ({"exclude": [{"name": "x", "deal_types": ["renewal"]}]}, "abpty"),
    ],
)
def test_the_population_is_that_of_the_rules(some: Tables, given: Mapping[str, Any], left: str) -> None:
    for found in (
        intent_population(some, as_of=JUNE, settings=intent(**given)),
        fit_population(some, as_of=JUNE, settings=fit(**given)),
    ):
        assert "".join(found["account_id"]) == left


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({}, None),
        ({"minimum_account_days": 12}, None),
        ({"minimum_account_days": 13}, "too young accounts"),
        ({"where": {"region": "EMEA"}, "minimum_account_days": 13}, "too young accounts"),
        ({"where": {"region": "EMEA"}}, None),
        ({"where": {"region": "APAC"}}, "other region"),
    ],
)
def test_one_account_is_asked_for_alone(some: Tables, given: Mapping[str, Any], rule: str | None) -> None:
    known = day("2024-05-20")
    told = rule_against("y", as_of=JUNE, first_known_at=known, settings=fit(**given), connect=some.connect)
    assert told == rule


def test_a_fact_counts_from_when_it_was_known(some: Tables) -> None:
    rule = intent(exclude=[{"name": "partners", "attribute": "kind", "values": ["partner"]}])
    for moment, there in (("2024-05-01", True), ("2024-05-01T00:00:01", False)):
        population = intent_population(some, as_of=day(moment), settings=rule)
        assert ("p" in set(population["account_id"])) is there


def test_every_rule_is_counted_once_per_row_even_where_it_finds_none(some: Tables) -> None:
    rules = {
        "where": {"region": ["EMEA", "APAC"]},
        "exclude": [
            {"name": "our tests", "channel": "internal_test"},
            {"name": "partners", "attribute": "kind", "values": "partner"},
            {"name": "nobody", "accounts": "nobody"},
        ],
        "minimum_account_days": 30,
    }
    labels = label_snapshots(some, cutoff=day("2024-07-01"), settings=intent(**rules, history_days=30))
    assert labels.counts == {
        "left_out_other_region": 1,  # t, which the channel would leave out, too
        "left_out_our_tests": 0,
        "left_out_partners": 1,
        "left_out_nobody": 0,
        "left_out_too_young_accounts": 1,
        "lines_of_nobody": 1,
        "lines_of_nobody_that_match_no_account": 1,
    }
    assert labels.frame["account_id"].tolist() == ["a", "b"]


def test_deals_are_left_out_by_type_and_by_how_soon_they_were_closed() -> None:
    found = tables(
        accounts=[account("a"), account("b")],
        opportunities=[
            deal("new", "a", "2024-01-01", closed_at="2024-01-11", type="New business"),
            deal("renewed", "a", "2024-01-02", closed_at="2024-01-12", type="RENEWAL"),
            deal("at once", "b", "2024-01-03", closed_at="2024-01-03", outcome="lost"),
            deal("slow", "b", "2024-01-04", closed_at="2024-01-14", outcome="lost"),
        ],
    )
    rules = fit(minimum_deal_days=1, exclude=[{"name": "renewals", "deal_types": "renewal"}])
    labels = fit_labels(found, cutoff=day("2024-03-01"), settings=rules)
    assert labels.frame["opportunity_id"].tolist() == ["new", "slow"]
    assert labels.counts == {
        "known": 4, "open": 0, "too_young": 0, "account_unknown_at_creation": 0, "closed_at_once": 1,
        "left_out_renewals": 1, "used": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "labels"),
    [
        ({}, {"a": 1, "b": 1, "c": 0, "d": 0}),
        ({"exclude": [{"name": "renewals", "deal_types": "renewal"}]}, {"a": 1, "b": 0, "c": 0, "d": 0}),
        ({"product": "crm"}, {"a": 1, "b": 0, "c": 0, "d": 0}),
        ({"event": "won"}, {"a": 0, "b": 1, "c": 0, "d": 0}),
        ({"event": "stage", "stage": "SQL"}, {"a": 1, "b": 0, "c": 0, "d": 0}),
        ({"event": "stage", "stage": ["SQL", "Demo"]}, {"a": 1, "b": 1, "c": 0, "d": 0}),
        ({"event": "stage", "stage": "Demo", "product": "crm"}, {"a": 0, "b": 0, "c": 0, "d": 0}),
        ({"event": "activity", "channel": "sign_up"}, {"a": 0, "b": 0, "c": 1, "d": 0}),
    ],
)
def test_each_event_counts_within_the_window(given: Mapping[str, Any], labels: dict[str, int]) -> None:
    found = tables(
        accounts=[account(name) for name in "abcd"],
        opportunities=[
            deal("1", "a", "2024-06-02", product="crm"),
            deal("2", "b", "2024-06-03", closed_at="2024-06-20", type="Renewal", product="mail"),
        ],
        stage_changes=[
            {"opportunity_id": "1", "stage": "SQL", "occurred_at": "2024-06-10", "known_at": "2024-06-10"},
            {"opportunity_id": "1", "stage": "Demo", "occurred_at": "2024-07-01", "known_at": "2024-07-01"},
            {"opportunity_id": "2", "stage": "Demo", "occurred_at": "2024-06-30", "known_at": "2024-07-09"},
        ],
        activities=[
            visit("c", "2024-06-01", "sign_up"),
            visit("d", "2024-05-31", "sign_up"),
            visit("d", "2024-06-05", "sign_up", traffic="internal"),
        ],
    )
    outcomes = intent_outcomes(found, as_of=[JUNE], settings=intent(**given))
    assert dict(zip(outcomes["account_id"], outcomes["label"], strict=True)) == labels


@pytest.mark.parametrize(
    ("kept", "inside"),
    [
        ({}, "n"),
        ({"customers": "keep"}, "cn"),
        ({"open_opportunities": "keep"}, "no"),
        ({"customers": "keep", "open_opportunities": "keep"}, "cno"),
    ],
)
def test_the_population_can_keep_customers_and_open_opportunities(kept: dict[str, str], inside: str) -> None:
    found = tables(
        accounts=[account("c"), account("n"), account("o")],
        opportunities=[deal("1", "c", "2024-01-01", closed_at="2024-01-02"), deal("2", "o", "2024-02-01")],
    )
    population = intent_population(found, as_of=JUNE, settings=intent(population=kept))
    assert "".join(population["account_id"]) == inside


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"product": "cmr"}, r"product: the tables hold no such value .got 'cmr'; allowed crm.*'crm'"),
        ({"where": {"regoin": "EMEA"}}, "accounts have no such column .got 'regoin'.*did you mean 'region'"),
        ({"where": {"region": "EMAE"}}, "where region: .*got 'EMAE'.*did you mean 'emea'"),
        ({"exclude": [{"name": "x", "attribute": "kind", "values": "partnr"}]}, "did you mean 'partner'"),
        ({"exclude": [{"name": "x", "channel": "webvisit"}]}, "exclude x: .*did you mean 'web_visit'"),
        ({"exclude": [{"name": "x", "deal_types": "renewl"}]}, "did you mean 'renewal'"),
        ({"event": "stage", "stage": "SLQ"}, r"\[labels.intent\] stage: .*got 'SLQ'; allowed SQL"),
        ({"event": "activity", "channel": "signup"}, "activity: .*got 'signup'.*did you mean 'sign_up'"),
    ],
)
def test_a_name_that_the_tables_do_not_hold_is_refused_with_a_suggestion(
    given: Mapping[str, Any], told: str
) -> None:
    found = tables(
        accounts=[account("a", region="EMEA", kind="Partner")],
        activities=[visit("a", "2024-01-01"), visit("a", "2024-01-02", "sign_up")],
        opportunities=[deal("1", "a", "2024-02-01", product="crm", type="Renewal")],
        stage_changes=[
            {"opportunity_id": "1", "stage": "SQL", "occurred_at": "2024-02-01", "known_at": "2024-02-01"}
        ],
    )
    with pytest.raises(ConfigError, match=told):
        label_snapshots(found, cutoff=day("2024-07-01"), settings=intent(**given))
    if "event" not in given:
        with pytest.raises(ConfigError, match=told):
            fit_labels(found, cutoff=day("2024-07-01"), settings=fit(**given))


def test_an_exclusion_may_wait_for_its_first_account(some: Tables) -> None:
    waiting = intent(exclude=[{"name": "x", "attribute": "kind", "values": "reseller"}])
    label_snapshots(some, cutoff=day("2024-07-01"), settings=waiting)
