"""The formula that a page shows is the truth: run as SQL it gives what the engine computes faster."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from random_rows import AS_OF, ATTRIBUTES, CATALOGUE, all_keys, as_tables, tables_of_rows

from features.catalogue import Catalogue
from features.errors import ConfigError
from features.feature import FORMULA, Feature
from features.formula_rows import known_rows
from features.formulas import check_formula, columns_read
from features.point_in_time import FeatureEngine, RecordEngine, build_features

FORMULAS = replace(
    CATALOGUE,
    features=tuple(replace(f, aggregation=FORMULA) for f in CATALOGUE.features if f.kind != "category"),
)
CHOOSING = ("activities.direction", "activities.traffic")
BUILT = replace(CATALOGUE, features=tuple(f for f in CATALOGUE.features if f.kind != "category"))


@settings(max_examples=3, deadline=None, derandomize=True, phases=(Phase.generate,),
          suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
@given(rows=tables_of_rows)
def test_every_formula_gives_what_the_engine_computes(rows):
    tables, keys = as_tables(rows), all_keys()
    told = build_features(tables, keys, catalogue=FORMULAS)
    computed = build_features(tables, keys, catalogue=BUILT)
    for name in BUILT.names:
        np.testing.assert_allclose(told[name], computed[name], rtol=1e-9, atol=1e-9, err_msg=name)


def feature(**changes: object) -> Feature:
    plain = Feature("own", "engagement", "number", "activities", FORMULA, "{value}", "{value}", "own", "none")
    return replace(plain, **({"formula": "count(*)"} | changes))


def catalogue_of(*own: Feature) -> Catalogue:
    return replace(CATALOGUE, features=(*CATALOGUE.features[:3], *own))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"formula": "sum(quantity"}, "one expression of SQL"),
        ({"formula": "count(*); DROP TABLE accounts"}, "allowed columns, numbers"),
        ({"formula": "(SELECT count(*) FROM accounts)"}, "allowed columns, numbers"),
        ({"formula": "max(read_text('/etc/passwd'))"}, "allowed columns, numbers"),
        ({"formula": "random()"}, "allowed columns, numbers"),
        ({"formula": "sum(quantty)"}, "did you mean 'quantity'"),
        ({"formula": "sum(quantity)", "where": "known_at > 5"}, "got the column 'known_at'"),
        ({"formula": "sum(seconds / 60)"}, "sums of whole numbers"),
        ({"formula": "sum(quantity * 0.5)"}, "sums of whole numbers"),
        ({"formula": "max(channel)"}, "a number, or yes or no"),
        ({"formula": "quantity"}, "cannot be computed"),
        ({"formula": "sum(channel)"}, "cannot be computed"),
        ({"formula": "employees || 'x'", "table": "accounts"}, "allowed columns, numbers"),
        ({"formula": "industry + 1", "table": "accounts"}, "cannot be computed"),
    ],
)
def test_a_formula_that_cannot_be_computed_is_refused_with_its_name(changes, message):
    with pytest.raises(ConfigError, match="formula of the feature 'own'") as caught:
        check_formula(feature(**changes), attributes=ATTRIBUTES)
    assert message in str(caught.value)


def test_a_catalogue_with_a_formula_that_reads_files_is_not_run():
    with pytest.raises(ConfigError, match="cannot be computed"):
        RecordEngine(catalogue_of(feature(formula="count(*) + len(read_blob('secret'))")))


@pytest.mark.parametrize(
    ("changes", "columns"),
    [
        ({"window_days": 7}, ("activities.occurred_at", *CHOOSING, "activities.known_at")),
        (
            {"formula": "sum(quantity)", "where": "senior"},
            (
                *("activities.quantity", "activities.contact_id"),
                *("contacts.seniority", "contacts.known_at", *CHOOSING, "activities.known_at"),
            ),
        ),
        (
            {"formula": "employees / employees_year_before", "table": "accounts"},
            ("accounts.employees", "accounts.known_at"),
        ),
    ],
)
def test_the_columns_that_a_feature_is_made_of(changes, columns):
    assert columns_read(feature(**changes)) == columns


@pytest.mark.parametrize("outbound", [False, True])
@pytest.mark.parametrize("table", ["accounts", "activities", "intent_topics", "opportunities"])
def test_what_formulas_read_is_cut_at_the_moment(table, outbound):
    sql = known_rows(table, columns=["employees", "senior"], outbound=outbound)
    tables = "accounts|counted_activities|contacts|intent_topics|opportunities"
    read = re.findall(rf"(?:FROM|JOIN) (?:{tables}) AS", sql)
    cuts = re.findall(r"as_of > \w\.known_at|known_at < \w\.as_of(?! -)", sql)
    withdrawn = re.findall(r"coalesce\(\w\.withdrawn_at, TIMESTAMP '9999-[^)]*\) >= \w\.as_of", sql)
    assert len(read) == len(cuts) == len(withdrawn) >= 1


OWN = (
    feature(name="long", where="channel = 'web_visit' AND seconds >= 600", window_days=14),
    feature(name="senior", formula="count(DISTINCT contact_id)", where="senior", window_days=45),
    feature(name="ours", group="outreach", window_days=90),
    feature(name="lost", table="opportunities", group="relationship", formula="max(lost)"),
    feature(name="crm", table="intent_topics", group="topics", where="topic = 'crm'"),
    feature(name="per_head", table="accounts", group="firmographic", formula="score / nullif(employees, 0)"),
)


def _windowed(rows, account_id, as_of, days):
    return [
        row
        for row in rows["activities"]
        if row["account_id"] == account_id
        and max(row["known_at"], row["occurred_at"]) < as_of
        and (as_of - row["occurred_at"]).total_seconds() <= days * 86_400
    ]


@settings(max_examples=3, deadline=None, derandomize=True, phases=(Phase.generate,),
          suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
@given(rows=tables_of_rows)
def test_one_s_own_features_are_the_same_bits_on_every_path(rows):
    catalogue, tables, keys = catalogue_of(*OWN), as_tables(rows), all_keys()
    batch = build_features(tables, keys, catalogue=catalogue)
    for account_id, as_of in zip(keys["account_id"], keys["as_of"], strict=True):
        told = _windowed(rows, account_id, as_of, 14)
        visits = [r for r in told if r["channel"] == "web_visit" and (r["seconds"] or 0) >= 600]
        inbound = sum(row["direction"] != "outbound" for row in visits)
        assert batch.loc[(account_id, as_of), "long"] == inbound
        ours = [r for r in _windowed(rows, account_id, as_of, 90) if r["direction"] == "outbound"]
        assert batch.loc[(account_id, as_of), "ours"] == len(ours)
    for resident in (False, True):
        with FeatureEngine(tables, catalogue, threads=1, resident=resident) as engine:
            records = RecordEngine(catalogue)
            for account_id, as_of in zip(keys["account_id"], keys["as_of"], strict=True):
                expected = batch.loc[(account_id, as_of)].to_numpy().tobytes()
                assert engine.build_one(account_id, as_of.to_pydatetime()).tobytes() == expected
                given_rows = records.build_one(tables, account_id, as_of.to_pydatetime())
                assert given_rows.tobytes() == expected
            records.close()


def test_a_feature_of_one_s_own_survives_being_stored():
    catalogue = catalogue_of(*OWN)
    assert Catalogue.from_json(catalogue.to_json()) == catalogue


def test_every_feature_says_its_formula_and_meaning():
    for told in CATALOGUE.features:
        assert told.formula
        assert told.meaning_en.endswith("."), told.name
        assert told.meaning_zh.endswith("。"), told.name
        assert "{" not in told.meaning_en.replace("tier {1}", ""), told.name


@pytest.mark.parametrize(("withdrawn", "value"), [(None, 5.0), (-1, 2.0), (0, 5.0), (1, 5.0)])
def test_a_withdrawn_version_is_read_until_it_was_withdrawn(withdrawn, value):
    """Seconds after the moment at which the newer of two versions was deleted, or None."""
    known = [AS_OF[0] - pd.Timedelta(days=days) for days in (9, 8)]
    gone = None if withdrawn is None else AS_OF[0] + pd.Timedelta(seconds=withdrawn)
    versions = [
        {"account_id": "a", "known_at": known[0], "employees": 2, "withdrawn_at": None},
        {"account_id": "a", "known_at": known[1], "employees": 5, "withdrawn_at": gone},
    ]
    told = feature(name="told", table="accounts", group="firmographic", formula="employees")
    keys = pd.DataFrame({"account_id": ["a"], "as_of": [pd.Timestamp(AS_OF[0])]})
    built = build_features(as_tables({"accounts": versions}), keys, catalogue=catalogue_of(told))
    assert built[["employees", "told"]].to_numpy().tolist() == [[value, value]]


def test_the_moment_of_known_facts_is_what_counts():
    """A visit of 2023-07-01 that became known at the moment itself does not count yet."""
    row = {"activity_id": "1", "account_id": "a", "contact_id": None, "channel": "web_visit", "quantity": 1}
    row |= {"direction": "inbound", "occurred_at": AS_OF[0], "seconds": 700, "people": None}
    for hours, expected in ((1, 1.0), (0, 0.0)):
        known_at = AS_OF[0] - pd.Timedelta(hours=hours)
        rows = {"activities": [row | {"occurred_at": known_at - pd.Timedelta(days=1), "known_at": known_at}]}
        keys = pd.DataFrame({"account_id": ["a"], "as_of": [pd.Timestamp(AS_OF[0])]})
        built = build_features(as_tables(rows), keys, catalogue=catalogue_of(OWN[0]))
        assert built["long"].tolist() == [expected]
