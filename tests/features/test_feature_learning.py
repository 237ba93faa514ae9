"""The catalogue is learned from what was known before the cutoff, and from nothing else."""

from __future__ import annotations

import pandas as pd
import pytest
from random_rows import ATTRIBUTES, START, as_tables

from features.catalogue import learn_catalogue
from features.learning import MAXIMUM_CHANNELS, MINIMUM_ACCOUNTS, MINIMUM_ROWS
from features.tables import Tables

CUTOFF = pd.Timestamp("2023-07-01").to_pydatetime()
BEFORE, AFTER = pd.Timestamp("2023-06-30"), pd.Timestamp("2023-07-01")


def accounts(count: int, known_at: pd.Timestamp, **facts: object) -> list[dict[str, object]]:
    return [{"account_id": f"{number}", "known_at": known_at} | facts for number in range(count)]


def activities(count: int, known_at: pd.Timestamp, **facts: object) -> list[dict[str, object]]:
    row = {
        "account_id": "1",
        "direction": "inbound",
        "quantity": 1,
        "occurred_at": BEFORE,
        "known_at": known_at,
    }
    return [row | {"activity_id": f"{facts} {number}"} | facts for number in range(count)]


def learned(**rows: list[dict[str, object]]):
    frames = {name: pd.DataFrame(found) for name, found in rows.items()}
    return learn_catalogue(Tables.from_frames(frames, attributes=ATTRIBUTES), cutoff=CUTOFF)


@pytest.mark.parametrize(
    ("count", "known_at", "levels"),
    [
        (MINIMUM_ACCOUNTS, BEFORE, ("SaaS",)),
        (MINIMUM_ACCOUNTS - 1, BEFORE, ()),
        (MINIMUM_ACCOUNTS, AFTER, ()),
    ],
)
def test_a_level_is_common_before_the_cutoff_or_it_is_none(count, known_at, levels):
    catalogue = learned(accounts=accounts(count, known_at, industry="SaaS", technologies=["sql"]))
    assert [feature.levels for feature in catalogue.features if feature.name == "industry"] == [
        levels
    ] * bool(levels)
    assert ("technologies_sql" in catalogue.names) == bool(levels)


def test_common_channels_have_features_of_their_own_and_rare_ones_share():
    catalogue = learned(
        activities=activities(MINIMUM_ROWS, BEFORE, channel="web_visit", seconds=5)
        + activities(MINIMUM_ROWS - 1, BEFORE, channel="chat", contact_id="x")
        + activities(MINIMUM_ROWS, AFTER, channel="webinar")
        + activities(MINIMUM_ROWS, BEFORE, channel="email", direction="outbound")
    )
    assert (catalogue.engagement_channels, catalogue.outreach_channels) == (("web_visit",), ("email",))
    assert {"web_visit_minutes_7d", "engagement_other_people_7d", "outreach_email_count_7d"} <= set(
        catalogue.names
    )
    assert not {"web_visit_people_7d", "engagement_other_minutes_7d", "engagement_records_7d"} & set(
        catalogue.names
    )


def test_channels_beyond_the_most_frequent_share():
    rows = [activities(MINIMUM_ROWS + n, BEFORE, channel=f"c{n}") for n in range(MAXIMUM_CHANNELS + 1)]
    catalogue = learned(activities=[row for found in rows for row in found])
    assert catalogue.engagement_channels == tuple(f"c{n}" for n in range(MAXIMUM_CHANNELS, 0, -1))
    assert "engagement_other_count_7d" in catalogue.names


def test_rows_known_later_do_not_change_the_catalogue():
    early = accounts(MINIMUM_ACCOUNTS, BEFORE, industry="SaaS", employees=5)
    late = accounts(MINIMUM_ACCOUNTS, AFTER, industry="Bank", employees=6, annual_revenue=1.0)
    assert learned(accounts=early + late) == learned(accounts=early)


def test_nothing_known_declares_nothing():
    assert learn_catalogue(as_tables({}), cutoff=START).names == ()
