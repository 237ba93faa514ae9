"""The mark `current value only` reaches every feature that a column has a part in.

What a column has a part in is not read from formulas but tried: its cells are changed, and every feature
whose value changes with them must carry the mark when the column does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.catalogue import Catalogue, learn_catalogue
from features.contract import ROLES, SENIORITIES, TABLES
from features.declared import DeclaredFeature
from features.point_in_time import build_features
from features.tables import Attribute, Tables

AS_OF = pd.Timestamp("2024-06-01")
ACCOUNTS = 60
SCORE = Attribute("score", "number", "score")
PER_HEAD = DeclaredFeature.model_validate(
    {
        "name": "score_per_head",
        "group": "firmographic",
        "formula": "score / nullif(employees, 0)",
        "sentence_en": "{value} points per head",
        "sentence_zh": "人均{value}分",
    }
)
UNTRIED = {
    # Whose row it is and when it was known: no value of a row, but which rows there are.
    *("account_id", "contact_id", "activity_id", "opportunity_id", "topic", "known_at"),
    # The law's, not a fact: after an opt-out nothing may be used, whatever is known of its time.
    *("consent_basis", "opted_out_at"),
}
TRIED = [
    f"{table.name}.{column}"
    for table in TABLES.values()
    if table.name != "stage_changes"
    for column in (*table.column_names, *(["score"] if table.name == "accounts" else []))
    if column not in UNTRIED
]


def _days(generator: np.random.Generator, count: int, *, back: int) -> pd.Series[Any]:
    return pd.Series(AS_OF - pd.to_timedelta(generator.integers(1, back * 86_400, count), unit="s"))


@cache
def frames() -> dict[str, pd.DataFrame]:
    """Every column of every table filled, two versions of each account and person."""
    generator = np.random.default_rng(0)
    names = [f"a{number}" for number in range(ACCOUNTS)]
    accounts = pd.DataFrame({"account_id": names * 2})
    count = len(accounts)
    accounts["known_at"] = [AS_OF - pd.Timedelta(days=days) for days in (500, 100) for _ in names]
    for word in ("name", "domain", "city"):
        accounts[word] = [f"{word} {number}" for number in range(count)]
    for word in ("industry", "country", "region"):
        accounts[word] = generator.choice([f"{word} one", f"{word} two"], count)
    for number in ("employees", "annual_revenue", "founded_year", "score"):
        accounts[number] = generator.integers(1_000, 2_000, count)
    accounts["technologies"] = [["sql", "go"] if odd else ["sql"] for odd in generator.integers(0, 2, count)]
    people = [f"p{number}" for number in range(2 * ACCOUNTS)]
    contacts = pd.DataFrame({"contact_id": people, "account_id": names * 2})
    contacts["known_at"] = AS_OF - pd.Timedelta(days=400)
    contacts["title"] = contacts["department"] = contacts["email"] = people
    contacts["seniority"] = generator.choice(SENIORITIES, len(people))
    contacts["role"] = generator.choice(ROLES, len(people))
    count = 30 * ACCOUNTS
    person = generator.integers(0, len(people), count)
    activities = pd.DataFrame({"activity_id": [f"{number}" for number in range(count)]})
    activities["account_id"] = [names[number % ACCOUNTS] for number in person]
    activities["contact_id"] = [people[number] for number in person]
    activities["channel"] = generator.choice(["web_visit", "call"], count)
    activities["direction"] = generator.choice(["inbound", "mutual", "outbound"], count)
    activities["occurred_at"] = _days(generator, count, back=300)
    activities["known_at"] = activities["occurred_at"]
    activities["quantity"] = generator.integers(1, 4, count)
    activities["seconds"] = generator.integers(30, 900, count)
    activities["people"] = generator.integers(1, 3, count)
    activities["traffic"] = np.where(generator.random(count) < 0.1, "bot", None)
    count = 20 * ACCOUNTS
    topics = pd.DataFrame({"account_id": generator.choice(names, count)})
    topics["topic"] = generator.choice(["crm", "erp"], count)
    topics["occurred_at"] = _days(generator, count, back=105)
    topics["known_at"] = topics["occurred_at"]
    topics["score"] = generator.integers(1, 100, count).astype(float)
    deals = pd.DataFrame({"opportunity_id": names, "account_id": names})
    deals["created_at"] = _days(generator, ACCOUNTS, back=300) - pd.Timedelta(days=90)
    deals["closed_at"] = deals["created_at"] + pd.Timedelta(days=60)
    deals["known_at"] = deals["closed_at"]
    deals["outcome"] = generator.choice(["won", "lost"], ACCOUNTS)
    deals["product"] = deals["type"] = generator.choice(["one", "two"], ACCOUNTS)
    deals["amount"] = generator.integers(1, 1_000, ACCOUNTS).astype(float)
    named = {"accounts": accounts, "contacts": contacts, "activities": activities}
    return named | {"intent_topics": topics, "opportunities": deals}


def _other(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Other cells of the same kind."""
    if pd.api.types.is_datetime64_any_dtype(cells):
        return cells - pd.Timedelta(days=17)
    if pd.api.types.is_numeric_dtype(cells):
        return cells * 3 + 1
    return pd.Series(np.roll(cells.to_numpy(dtype=object), 1), cells.index)


def _emptied(cells: pd.Series[Any]) -> pd.Series[Any]:
    return pd.Series([None] * len(cells), cells.index, dtype=object)


def _tables(frames: dict[str, pd.DataFrame], *, mark: str = "") -> Tables:
    table, _, column = mark.partition(".")
    tables = Tables.from_frames(frames, attributes=(SCORE,))
    return replace(tables, marks={table: (column,)}) if mark else tables


@cache
def _catalogue(*, mark: str = "") -> Catalogue:
    return learn_catalogue(_tables(frames(), mark=mark), cutoff=AS_OF.to_pydatetime(), declared=[PER_HEAD])


def _values(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    keys = pd.DataFrame({"account_id": frames["accounts"]["account_id"].unique(), "as_of": AS_OF})
    keys = keys.astype({"as_of": "datetime64[us]"})
    return build_features(_tables(frames), keys, catalogue=_catalogue())


@cache
def _told() -> pd.DataFrame:
    return _values(frames())


def _marked(catalogue: Catalogue) -> set[str]:
    return {feature.name for feature in catalogue.features if feature.current_value_only}


def test_without_a_mark_no_feature_has_one() -> None:
    assert len(_catalogue().names) > 100
    assert not _marked(_catalogue())


@pytest.mark.parametrize("change", [_other, _emptied])
@pytest.mark.parametrize("column", TRIED)
def test_every_feature_that_changes_with_a_column_carries_its_mark(
    column: str, change: Callable[[pd.Series[Any]], pd.Series[Any]]
) -> None:
    table, _, name = column.partition(".")
    nullable = name == "score" or TABLES[table].column(name).nullable
    if change is _emptied and not nullable:
        return
    changed = {**frames(), table: frames()[table].assign(**{name: change(frames()[table][name])})}
    values, told = _values(changed), _told()
    same = (values == told) | (values.isna() & told.isna())
    assert set(told.columns[~same.all()]) <= _marked(_catalogue(mark=column))


@pytest.mark.parametrize(
    ("column", "some"),
    [
        (
            "accounts.employees",
            {"employees", "employees_growth_365d", "topics_surge_for_size", "score_per_head"},
        ),
        ("accounts.founded_year", {"company_age"}),
        ("accounts.technologies", {"technologies_count", "technologies_go"}),
        ("accounts.score", {"score", "score_per_head"}),
        ("contacts.seniority", {"engagement_senior_people_30d", "engagement_weighted_minutes_90d"}),
        ("activities.channel", {"web_visit_count_30d", "engagement_minutes_30d"}),
        ("opportunities.outcome", {"relationship_earlier_wins", "relationship_days_since_closed"}),
        ("contacts.title", set()),
        ("accounts.city", set()),
    ],
)
def test_a_mark_reaches_these_and_not_all(column: str, some: set[str]) -> None:
    """No feature reads the title: ingest marks what it makes of it, such as `contacts.seniority`."""
    found = _marked(_catalogue(mark=column))
    assert some <= found
    assert bool(found) is bool(some)
    assert len(found) < len(_catalogue().names) / 2 or column == "activities.channel"
