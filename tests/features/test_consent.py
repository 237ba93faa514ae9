"""After an opt-out none of the person's activities, earlier ones included, enter a later score."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from random_rows import AS_OF, CATALOGUE, all_keys, as_tables, tables_of_rows

from features.catalogue import learn_catalogue
from features.point_in_time import FeatureEngine, RecordEngine, build_features


def day(number: int) -> datetime:
    return datetime.fromisoformat("2024-01-01") + timedelta(days=number)


def visit(number: int, contact: str | None, *, on: int):
    return {
        "activity_id": f"{number}",
        "account_id": "a",
        "contact_id": contact,
        "channel": "web_visit",
        "direction": "inbound",
        "occurred_at": day(on),
        "known_at": day(on),
        "quantity": 1,
        "seconds": 60 * 10**number,
        "people": None,
        "traffic": None,
    }


def version(contact: str, *, on: int, basis: str | None = None, opted_out: int | None = None):
    return {
        "contact_id": contact,
        "account_id": "a",
        "known_at": day(on),
        "seniority": "c_level",
        "consent_basis": basis,
        "opted_out_at": None if opted_out is None else day(opted_out),
    }


VISITS = [visit(0, "ann", on=10), visit(1, "bob", on=11), visit(2, None, on=12)]
"""One minute of Ann, ten of Bob, a hundred of nobody known."""

ALL, WITHOUT_ANN = [111, 2, 2], [110, 1, 1]


def engagement(contacts, as_of: datetime, *, way: str) -> list[float]:
    """Minutes, people and senior people of the last 90 days, computed in one of the three ways."""
    rows = {
        "accounts": [{"account_id": "a", "known_at": day(0)}],
        "contacts": contacts,
        "activities": VISITS,
        "intent_topics": [],
        "opportunities": [],
    }
    tables = as_tables(rows)
    if way == "record":
        found = RecordEngine(CATALOGUE).build_one(tables, "a", as_of)
    else:
        with FeatureEngine(tables, CATALOGUE, resident=way == "one account") as engine:
            keys = pd.DataFrame({"account_id": ["a"], "as_of": [pd.Timestamp(as_of)]})
            batch = way == "batch"
            found = engine.build(keys).to_numpy()[0] if batch else engine.build_one("a", as_of)
    names = ("engagement_minutes_90d", "engagement_people_90d", "engagement_senior_people_90d")
    return [found[CATALOGUE.index(name)] for name in names]


HIRED = [version("ann", on=-1), version("bob", on=-1, basis="consent")]
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("way", ["batch", "one account", "record"])
@pytest.mark.parametrize(
    ("ann", "as_of", "expected"),
    [
        ([version("ann", on=0)], day(40), ALL),
        ([version("ann", on=0), version("ann", on=20, opted_out=20)], day(20), ALL),
        ([version("ann", on=0), version("ann", on=20, opted_out=20)], day(20) + SECOND, WITHOUT_ANN),
        # Known late: what was scored meanwhile stays; in force late: until then it may be used.
        ([version("ann", on=20, opted_out=15)], day(20), ALL),
        ([version("ann", on=20, opted_out=15)], day(20) + SECOND, WITHOUT_ANN),
        ([version("ann", on=0, opted_out=20)], day(20), ALL),
        ([version("ann", on=0, opted_out=20)], day(20) + SECOND, WITHOUT_ANN),
        # A version that says nothing of consent changes nothing; one that tells a basis opts in again.
        ([version("ann", on=15, opted_out=15), version("ann", on=20)], day(40), WITHOUT_ANN),
        ([version("ann", on=15, opted_out=15), version("ann", on=20, basis="consent")], day(20), WITHOUT_ANN),
        ([version("ann", on=15, opted_out=15), version("ann", on=20, basis="consent")], day(21), ALL),
        # In and out and in again before the opt-out was in force.
        ([version("ann", on=15, opted_out=30), version("ann", on=20, basis="consent")], day(40), ALL),
        # Who is deleted has not opted in.
        ([version("ann", on=15, opted_out=15) | {"withdrawn_at": day(20)}], day(40), WITHOUT_ANN),
    ],
)
def test_who_has_opted_out_is_left_out_of_later_scores(ann, as_of, expected, way):
    assert engagement([*HIRED, *ann], as_of, way=way) == expected


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
@given(rows=tables_of_rows, contact=st.sampled_from(("ann", "bob")), moment=st.sampled_from(AS_OF))
def test_nothing_of_a_person_who_opted_out_can_be_told_from_later_features(rows, contact, moment):
    """Equal to the bit with the tables that never had the person's activities; and before, to those without
    the opt-out."""
    keys = all_keys()
    others = [row for row in rows["contacts"] if row["contact_id"] != contact]
    silent = rows | {"contacts": others}
    opt_out = version(contact, on=0) | {"known_at": moment, "opted_out_at": moment}
    out = rows | {"contacts": [*others, opt_out]}
    gone = silent | {"activities": [row for row in rows["activities"] if row["contact_id"] != contact]}
    built = build_features(as_tables(out), keys, catalogue=CATALOGUE)
    after = keys["as_of"] > moment
    for part, same in ((keys[after], gone), (keys[~after], silent)):
        expected = build_features(as_tables(same), part, catalogue=CATALOGUE)
        pd.testing.assert_frame_equal(built.loc[expected.index], expected, check_exact=True)
    for cutoff, same in ((moment + SECOND, gone), (moment, silent)):
        learned = learn_catalogue(as_tables(out), cutoff=cutoff)
        assert learned.fingerprint == learn_catalogue(as_tables(same), cutoff=cutoff).fingerprint
