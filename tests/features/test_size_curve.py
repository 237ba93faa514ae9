"""A surge is measured against companies of the same size, as they were before the cutoff."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from features.catalogue import learn_catalogue
from features.counting import NO_SIZE, CountingRules, SizeLevel
from features.point_in_time import build_features
from features.size_curve import learn_size_levels
from features.tables import Tables

CUTOFF = pd.Timestamp("2024-07-01")
RULES = CountingRules(minimum_share=50)
WEEKS = [CUTOFF - pd.Timedelta(weeks=week) for week in range(1, 41)]
"""The first second of each of 40 weeks, the newest first."""


def research(account: str, *, score: float, weeks=WEEKS, topic: str = "crm", late_days: int = 0):
    return [
        {"account_id": account, "topic": topic, "occurred_at": week, "score": score,
         "known_at": week + pd.Timedelta(days=late_days)}
        for week in weeks
    ]  # fmt: skip


def company(account: str, employees: int | None, *, known_at: str = "2023-01-01"):
    return {"account_id": account, "employees": employees, "known_at": pd.Timestamp(known_at)}


def tables(accounts, topics, rules: CountingRules = RULES) -> Tables:
    frames = {
        "accounts": pd.DataFrame(accounts).astype({"employees": "Int64"}),
        "intent_topics": pd.DataFrame(topics),
    }
    return Tables(Tables.from_frames(frames).sources, rules=rules)


def levels(given: Tables) -> dict[tuple[int, int], tuple[int, int]]:
    with given.connect() as connection:
        found = learn_size_levels(connection, cutoff=CUTOFF.to_pydatetime())
    return {(level.lower, level.upper): (level.account, level.topic) for level in found}


def test_a_level_is_the_weekly_mean_of_its_size_leaning_on_all():
    """60 small companies with 2 points a week on one topic, 20 large ones with 12 on each of two.

    All: (60 x 2 + 20 x 24) / 80 = 7.5 points per account, / 100 topics = 6 per topic.
    Small: (60 x 2 + 20 x 7.5) / 80 = 3.375 and (120 + 20 x 6) / 80 = 3.
    Large: (20 x 24 + 20 x 7.5) / 40 = 15.75 and (40 x 12 + 120) / 60 = 10.
    """
    small = [(f"s{n}", 8) for n in range(60)]
    large = [(f"l{n}", 900) for n in range(20)]
    topics = [row for account, _ in small for row in research(account, score=2.0)]
    topics += [row for account, _ in large for topic in ("crm", "abm")
               for row in research(account, score=12.0, topic=topic)]  # fmt: skip
    found = levels(tables([company(*one) for one in (*small, *large)], topics))
    assert found[0, 10] == (3_375, 3_000)
    assert found[201, 1_000] == (15_750, 10_000)
    assert found[51, 200] == found[NO_SIZE, NO_SIZE] == (7_500, 6_000)
    assert list(found) == sorted(found, key=lambda bounds: (bounds[0] < 0, bounds))


@pytest.mark.parametrize(
    "further",
    [
        research("a", score=90.0, weeks=[CUTOFF - pd.Timedelta(days=1)], late_days=1),
        research("a", score=90.0, weeks=[CUTOFF - pd.Timedelta(weeks=60)]),
    ],
    ids=["known at the cutoff", "more than a year ago"],
)
def test_what_was_not_known_or_is_too_old_changes_no_level(further):
    accounts = [company("a", 8), company("a", 900, known_at="2024-07-01")]
    topics = research("a", score=50.0)
    assert levels(tables(accounts, [*topics, *further])) == levels(tables(accounts, topics))
    assert levels(tables(accounts, topics))[0, 10] == (50_000, 50_000)


def test_little_research_keeps_a_level_of_one_point_and_none_has_no_levels():
    assert levels(tables([company("a", 8)], research("a", score=0.1)))[0, 10] == (1_000, 1_000)
    assert levels(Tables({})) == {}


@pytest.mark.parametrize(
    ("employees", "surge", "share", "broadly"),
    [(8, (10 + 1) / (0 + 1), 0.5, 1.0), (900, (10 + 30) / (0 + 30), 0.0, 0.0),
     (None, (10 + 5) / (0 + 5), 0.5, 1.0)],
)  # fmt: skip
def test_the_same_points_are_a_surge_at_a_small_company_only(employees, surge, share, broadly):
    """10 points in each of the last 3 weeks on one topic, and a second topic without any."""
    topics = research("a", score=10.0, weeks=WEEKS[:3]) + research(
        "a", score=0.0, weeks=WEEKS[3:5], topic="abm"
    )
    given = tables([company("a", employees)], topics)
    catalogue = learn_catalogue(given, cutoff=CUTOFF.to_pydatetime())
    sizes = (
        SizeLevel(0, 10, 1_000, 1_000),
        SizeLevel(11, 2**62, 30_000, 30_000),
        SizeLevel(-1, -1, 5_000, 5_000),
    )
    catalogue = replace(catalogue, size_levels=sizes)
    keys = pd.DataFrame({"account_id": ["a"], "as_of": [CUTOFF]})
    row = build_features(given, keys, catalogue=catalogue).iloc[0]
    np.testing.assert_allclose(row["topics_surge_for_size"], surge, rtol=1e-12)
    assert (row["topics_surging_share"], row["topics_surging_broadly"]) == (share, broadly)
