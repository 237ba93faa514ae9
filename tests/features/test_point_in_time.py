"""Point-in-time truth: the SQL agrees with plain Python, and nothing from the future can change a bit."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from oracle import features_of
from random_rows import ACCOUNTS, AS_OF, CATALOGUE, RULES, all_keys, as_tables, shuffled, tables_of_rows

from features.point_in_time import FeatureEngine, RecordEngine, build_features

# Shrinking runs the SQL hundreds of times; the first counterexample says enough.
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)

proving = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    phases=NO_SHRINKING,
    suppress_health_check=[HealthCheck.too_slow],
)


def assert_same_bits(left: pd.DataFrame, right: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(left, right, check_exact=True)


@settings(proving, max_examples=60)
@given(rows=tables_of_rows, anonymous=st.sampled_from((True, True, False)))
def test_the_sql_agrees_with_plain_python_bit_for_bit(rows, anonymous):
    keys, catalogue = all_keys(), replace(CATALOGUE, rules=replace(RULES, anonymous=anonymous))
    built = build_features(as_tables(rows), keys, catalogue=catalogue)
    for (account_id, as_of), row in built.iterrows():
        expected = features_of(rows, account_id, as_of.to_pydatetime(), catalogue)
        wrong = [
            (name, got, want)
            for name, got, want in zip(CATALOGUE.names, row, expected, strict=True)
            if got != want and not (np.isnan(got) and np.isnan(want))
        ]
        assert not wrong, (account_id, as_of, wrong)


def test_a_person_of_two_rare_channels_is_one_person():
    moment = pd.Timestamp("2023-07-14").to_pydatetime()
    visits = [
        {"activity_id": channel, "account_id": "a", "contact_id": "ann", "channel": channel, "quantity": 1,
         "direction": "inbound", "occurred_at": moment, "known_at": moment}
        for channel in ("chat", "email", "web_visit")
    ]  # fmt: skip
    keys = pd.DataFrame({"account_id": ["a"], "as_of": [pd.Timestamp("2023-07-20")]})
    row = build_features(as_tables({"activities": visits}), keys, catalogue=CATALOGUE).iloc[0]
    assert (row["engagement_other_people_7d"], row["engagement_people_7d"]) == (1.0, 1.0)


def known_from(rows, moment: datetime):
    """The same rows, none known before `moment`; activities and deals are others."""
    return {
        table: [
            row
            | {"known_at": max(row["known_at"], moment)}
            | {name: f"late {row[name]}" for name in ("activity_id", "opportunity_id") if name in row}
            for row in found
        ]
        for table, found in rows.items()
    }


@settings(proving, max_examples=10)
@given(rows=tables_of_rows, later=tables_of_rows, as_of=st.sampled_from(AS_OF))
def test_rows_that_become_known_later_change_nothing(rows, later, as_of):
    keys = all_keys().query("as_of == @as_of")
    late = known_from(later, as_of)
    both = as_tables({table: rows[table] + late[table] for table in rows})
    before = build_features(as_tables(rows), keys, catalogue=CATALOGUE)
    assert_same_bits(build_features(both, keys, catalogue=CATALOGUE), before)
    assert_same_bits(build_features(both.known_before(as_of), keys, catalogue=CATALOGUE), before)


@proving
@given(
    rows=tables_of_rows, seed=st.integers(0, 1_000), threads=st.sampled_from((1, 2)), resident=st.booleans()
)
def test_order_of_rows_threads_and_company_change_nothing(rows, seed, threads, resident):
    tables, keys = as_tables(rows), all_keys()
    batch = build_features(tables, keys, catalogue=CATALOGUE)
    other = as_tables(shuffled(rows, seed=seed))
    with FeatureEngine(other, CATALOGUE, threads=threads, resident=resident) as engine:
        assert_same_bits(engine.build(keys), batch)
        records = RecordEngine(CATALOGUE)
        for account_id, as_of in zip(keys["account_id"], keys["as_of"], strict=True):
            expected = batch.loc[(account_id, as_of)].to_numpy()
            alone = engine.build_one(account_id, as_of.to_pydatetime())
            given_rows = records.build_one(tables, account_id, as_of.to_pydatetime())
            assert alone.tobytes() == given_rows.tobytes() == expected.tobytes()
        records.close()


@pytest.mark.parametrize(
    ("row", "name", "value"),
    [
        ({"occurred_at": "2023-07-13", "known_at": "2023-07-19 23:59:59"}, "web_visit_count_7d", 1.0),
        ({"occurred_at": "2023-07-13", "known_at": "2023-07-20 00:00:00"}, "web_visit_count_7d", 0.0),
        ({"occurred_at": "2023-07-12 23:59:59", "known_at": "2023-07-13"}, "web_visit_count_7d", 0.0),
        ({"occurred_at": "2023-07-12 23:59:59", "known_at": "2023-07-13"}, "web_visit_count_30d", 1.0),
        ({"occurred_at": "2023-07-20", "known_at": "2023-07-01"}, "web_visit_count_30d", 0.0),
        ({"occurred_at": "2023-01-21"}, "web_visit_count_180d", 1.0),
        ({"occurred_at": "2023-01-20 23:59:59"}, "web_visit_count_180d", 0.0),
        ({"occurred_at": "2023-01-20 23:59:59"}, "engagement_count_lifetime", 1.0),
        ({"occurred_at": "2022-07-20"}, "web_visit_days_since", 365.0),
        ({"occurred_at": "2022-07-20"}, "engagement_days_since_first", 365.0),
        ({"occurred_at": "2022-07-20", "quantity": 0}, "engagement_days_since_first_record", 365.0),
        ({"occurred_at": "2022-07-20", "quantity": 0}, "engagement_records_lifetime", 1.0),
        ({"occurred_at": "2022-07-20"}, "web_visit_decayed_30d", 0.0),
        ({"direction": "outbound"}, "engagement_count_30d", 0.0),
        ({"direction": "mutual"}, "engagement_count_30d", 1.0),
        ({"direction": "mutual"}, "relationship_days_since_two_way", 5.5),
        ({"quantity": 14}, "web_visit_trend", (14 / 4 + 1) / 1),
        ({"quantity": 0}, "engagement_days_since", np.nan),
        ({"quantity": 0}, "engagement_days_since_record", 5.5),
        ({"quantity": 3, "people": 9}, "engagement_people_7d", 9.0),
        ({"seconds": 90}, "web_visit_minutes_7d", 1.5),
        ({"channel": "meeting", "quantity": 2}, "meeting_minutes_7d", 60.0),
        ({"channel": "meeting", "quantity": 2, "seconds": 0}, "meeting_minutes_7d", 0.0),
        ({"channel": "chat", "direction": "outbound"}, "engagement_minutes_7d", 0.0),
        ({"seconds": 90, "traffic": "bot"}, "web_visit_minutes_7d", 0.0),
        ({"traffic": "internal"}, "engagement_days_since", np.nan),
        ({"seconds": 90}, "engagement_weighted_minutes_30d", 0.75),
        ({"quantity": 2, "occurred_at": "2023-07-12", "known_at": "2023-07-13"}, "web_visit_decayed_7d", 1.0),
    ],
)
def test_one_activity_counts_as_worked_out_by_hand(row, name, value):
    """The moment is 2023-07-20 00:00:00, a week after a Monday's row that became known at its last second."""
    default = {"occurred_at": "2023-07-14 12:00:00", "known_at": "2023-07-15", "direction": "inbound"}
    times = {key: pd.Timestamp(text) for key, text in (default | row).items() if key.endswith("_at")}
    activity = {
        "activity_id": "1",
        "account_id": "a",
        "contact_id": None,
        "channel": "web_visit",
        "quantity": 1,
    }
    rows = {"activities": [activity | default | row | times]}
    keys = pd.DataFrame({"account_id": ["a"], "as_of": [pd.Timestamp("2023-07-20")]})
    built = build_features(as_tables(rows), keys, catalogue=CATALOGUE)
    np.testing.assert_array_equal(built[name], [value])


def version(known_at: str, **facts: object) -> dict[str, object]:
    return {"account_id": "a", "contact_id": "ann", "known_at": pd.Timestamp(known_at)} | facts


@pytest.mark.parametrize(
    ("table", "versions", "name", "value"),
    [
        ("contacts", [version("2023-07-19 23:59:59", seniority="c_level")],
         "web_visit_senior_people_7d", 1.0),
        ("contacts", [version("2023-07-19 23:59:59", seniority="c_level")],
         "engagement_weighted_minutes_90d", 2.0),
        ("contacts", [version("2023-07-20", seniority="c_level")], "engagement_weighted_minutes_90d", 0.5),
        ("contacts", [version("2023-07-01", seniority="staff"), version("2023-07-02", seniority="director")],
         "engagement_weighted_minutes_90d", 1.5),
        ("contacts", [version("2023-07-20", seniority="c_level")], "engagement_senior_people_7d", 0.0),
        ("contacts", [version("2023-07-01", seniority="vice_president"), version("2023-07-02")],
         "web_visit_senior_people_7d", 1.0),
        ("contacts", [version("2023-07-01", seniority="c_level"), version("2023-07-02", seniority="staff")],
         "web_visit_senior_people_7d", 0.0),
        ("accounts", [version("2022-07-19", employees=10), version("2023-07-19", employees=15)],
         "employees_growth_365d", 0.5),
        ("accounts", [version("2022-07-20", employees=10), version("2023-07-19", employees=15)],
         "employees_growth_365d", np.nan),
        ("accounts", [version("2022-07-19", employees=0), version("2023-07-19", employees=15)],
         "employees_growth_365d", np.nan),
        ("accounts", [version("2023-07-18", employees=9), version("2023-07-19")], "employees", 9.0),
        ("accounts", [version("2023-07-19", employees=9), version("2023-07-20", employees=8)],
         "employees", 9.0),
        ("accounts", [version("2023-07-19", founded_year=2000)], "company_age", 23.0),
        ("accounts", [version("2023-07-19", industry="bank")], "industry", 2.0),
        ("accounts", [version("2023-07-19", technologies=[])], "technologies_sql", 0.0),
        ("accounts", [version("2023-07-19")], "technologies_sql", np.nan),
    ],
)  # fmt: skip
def test_versions_count_as_they_were_known(table, versions, name, value):
    """The person of an activity of 2023-07-14, and the account, at 2023-07-20 00:00:00."""
    moment = pd.Timestamp("2023-07-14")
    activity = {
        "activity_id": "1",
        "account_id": "a",
        "contact_id": "ann",
        "channel": "web_visit",
        "quantity": 1,
        "seconds": 60,
    }
    rows = {
        "activities": [activity | {"direction": "inbound", "occurred_at": moment, "known_at": moment}],
        table: [{key: fact for key, fact in row.items() if table == "contacts" or key != "contact_id"}
                for row in versions],
    }  # fmt: skip
    keys = pd.DataFrame({"account_id": ["a"], "as_of": [pd.Timestamp("2023-07-20")]})
    np.testing.assert_array_equal(build_features(as_tables(rows), keys, catalogue=CATALOGUE)[name], [value])


def test_keys_keep_their_order_and_may_repeat():
    keys = pd.concat([all_keys(), all_keys().iloc[::-1]], ignore_index=True)
    built = build_features(as_tables({}), keys, catalogue=CATALOGUE)
    assert built.shape == (len(keys), len(CATALOGUE.names))
    assert list(built.index) == list(keys.itertuples(index=False, name=None))
    assert set(built.dtypes) == {np.dtype(np.float64)}
    assert set(ACCOUNTS) < set(built.index.get_level_values("account_id"))
