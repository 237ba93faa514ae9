"""Segments of an account, read once, as the rules of labels find them; features that models share."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.catalogue import Catalogue, learn_catalogue
from features.declared import DeclaredFeature
from features.label_rules import left_out
from features.label_settings import FitLabelSettings
from features.point_in_time import FeatureEngine
from features.tables import Attribute, Tables
from serving.desk import Desk
from serving.segments import Segments
from serving.shared_features import shared_features

START = datetime.fromisoformat("2025-01-01")
TIER = Attribute(name="tier", type="category", label="tier")


def histories() -> Tables:
    """Accounts whose facts change, are told again, are withheld and withdrawn, some at one moment."""
    random = np.random.default_rng(3)
    rows = [
        {
            "account_id": f"a{number}",
            "known_at": START + timedelta(days=day),
            "withdrawn_at": START + timedelta(days=day + 2) if random.random() < 0.2 else None,
            "country": random.choice(["DE", "fr", None]),
            "employees": int(random.integers(1, 3)) if random.random() < 0.7 else None,
            "technologies": [["CRM"], ["chat", "crm"], [], None][int(random.integers(0, 4))],
            "tier": random.choice(["One", "two", None]),
        }
        for number in range(40)
        for day in sorted(random.choice(8, size=3, replace=False).tolist())
    ]
    frame = pd.DataFrame(rows).astype({"employees": "Int64"})
    return Tables.from_frames({"accounts": frame}, attributes=(TIER,))


@pytest.mark.parametrize(
    "where",
    [
        {"country": ("de",)},
        {"country": ("FR",), "tier": ("two", "one")},
        {"technologies": ("CRM",)},
        {"employees": ("1",), "country": ("DE", "FR")},
    ],
)
def test_one_look_finds_what_the_rules_of_labels_find(where: dict[str, tuple[str, ...]]) -> None:
    tables = histories()
    moments = [START + timedelta(days=day) for day in range(10)]
    keys = pd.DataFrame([(f"a{n}", at) for n in range(40) for at in moments], columns=["account_id", "as_of"])
    with tables.connect() as connection:
        expected = left_out(connection, keys, settings=FitLabelSettings(where=where))

        def outside(account_id: str, as_of: datetime) -> str | None:
            columns = ("country", "employees", "technologies", "tier")
            one = Segments(account_id, as_of, columns, tables.schema("accounts"), connection.cursor)
            return one.outside(where)

        found = [outside(row.account_id, row.as_of.to_pydatetime()) for row in keys.itertuples()]
    assert found == [None if pd.isna(one) else one for one in expected]
    assert 0 < sum(one is None for one in found) < len(found)


def test_what_is_read_is_read_once_and_unknown_columns_are_for_others_to_refuse() -> None:
    tables, asked = histories(), []

    def connect() -> Any:
        asked.append(1)
        return tables.connect()

    one = Segments("a1", START, ("country", "region of the moon"), tables.schema("accounts"), connect)
    assert (one.holds({"country": ("DE",)}), one.holds({"region of the moon": ("far",)})) == (True, False)
    assert [one.outside({"country": (name,)}) for name in ("DE", "FR")] == 2 * ["other country"]
    assert asked == [1]


def test_models_that_differ_in_categories_share_one_row(desk: Desk) -> None:
    catalogue = desk.release.of_kind("intent")[0].scorer.bundle.catalogue
    place = catalogue.index("industry")
    own = replace(catalogue.features[place], levels=("retail", "beekeeping"))
    features = (own, *catalogue.features[place + 1 :])
    segment = replace(catalogue, features=features)
    other: Catalogue = replace(catalogue, engagement_channels=catalogue.engagement_channels[:1])
    shared, apart = shared_features({"intent": catalogue, "intent.bees": segment, "intent.odd": other})
    assert shared.catalogue.names[: len(catalogue.names)] == catalogue.names
    assert len(shared.catalogue.names) == len(catalogue.names) + 1
    assert (list(shared.positions), list(apart.positions)) == (["intent", "intent.bees"], ["intent.odd"])
    moment = datetime.fromisoformat("2025-12-01")

    engines = [FeatureEngine(desk.snapshot.tables, one) for one in (shared.catalogue, catalogue, segment)]
    together, *alone = (engine.build_one("acc-06", moment) for engine in engines)
    for key, row in zip(("intent", "intent.bees"), alone, strict=True):
        np.testing.assert_array_equal(together[shared.positions[key]], row)
    assert alone[1][0] == 1.0


def test_a_column_that_a_model_does_not_know_is_not_read_by_its_formulas() -> None:
    told = {"account_id": "a", "employees": [10, 25], "employees_year_before": 7.0, "tier": "1"}
    frame = pd.DataFrame(told | {"known_at": pd.to_datetime(["2024-01-01", "2026-03-01"])})
    later = Attribute(name="employees_year_before", type="number", label="later")
    tables = Tables.from_frames({"accounts": frame}, attributes=(TIER, later))
    formula = "employees - employees_year_before"
    grown = {"name": "grown", "group": "firmographic", "formula": formula}
    words = {"sentence_en": "{value}", "sentence_zh": "{value}"}
    known, cutoff = replace(tables, attributes=(TIER,)), datetime.fromisoformat("2027-01-01")
    old = learn_catalogue(known, cutoff=cutoff, declared=[DeclaredFeature.model_validate(grown | words)])
    other = replace(old, attributes=(replace(TIER, type="number"),))
    parts = shared_features({"old": old, "new": learn_catalogue(tables, cutoff=cutoff), "other": other})
    assert [list(one.positions) for one in parts] == [["old"], ["new"], ["other"]]
    with FeatureEngine(tables, parts[0].catalogue) as engine:
        row = engine.build_one("a", datetime.fromisoformat("2026-06-01"))
    assert row[parts[0].positions["old"]][old.index("grown")] == 25 - 10
