"""The accounts of a workspace at a moment: what was known by then, and who was a customer of what."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import pytest

from features.errors import ContractError, NotEnoughDataError
from features.tables import Attribute, Tables
from features.universe import Universe, customers, read_universe

JUNE = datetime.fromisoformat("2024-06-01")
FUNDED = Attribute("funded_at", "date", "the last funding", "最近融资")
ABOUT = Attribute("about", "text", "description", "简介")


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(f"2024-{text}")


ACCOUNTS = pd.DataFrame(
    [
        ("b", day("01-01"), "Bee", 10, ["crm"], 2000, day("05-02"), None),
        ("b", day("03-01"), None, 25, None, None, None, None),
        ("b", day("06-01"), None, 99, ["late"], None, None, None),
        ("a", day("02-01"), "Ant", None, None, None, None, None),
        ("c", day("07-01"), "Cat", 7, None, None, None, None),
        ("d", day("01-01"), "Dog", 7, None, None, None, day("04-01")),
        ("e", day("01-01"), "Emu", 7, None, None, None, day("06-01")),
    ],
    columns=[
        *("account_id", "known_at", "name", "employees", "technologies", "founded_year", "funded_at"),
        "withdrawn_at",
    ],
)
DEALS = pd.DataFrame(
    [
        ("1", "a", "platform", day("01-05"), None),
        ("1", "a", "platform", day("03-05"), "won"),
        ("2", "b", "insights", day("01-05"), None),
        ("2", "b", "insights", day("06-01"), "won"),
        ("3", "e", "insights", day("02-05"), "won"),
        ("4", "e", "platform", day("02-05"), "lost"),
    ],
    columns=["opportunity_id", "account_id", "product", "known_at", "outcome"],
)
TABLES = Tables.from_frames({"accounts": ACCOUNTS, "opportunities": DEALS}, attributes=(FUNDED, ABOUT))


def test_each_column_has_the_latest_value_that_was_known_before_the_moment() -> None:
    found = read_universe(TABLES, as_of=JUNE)
    rows = {row["account_id"]: row for row in found.rows.to_pylist()}
    assert list(rows) == ["a", "b", "e"]
    assert (rows["b"]["name"], rows["b"]["employees"], rows["b"]["technologies"]) == ("Bee", 25.0, ["crm"])
    assert rows["a"]["employees"] is None


def test_a_date_becomes_days_and_the_year_of_foundation_an_age() -> None:
    rows = {row["account_id"]: row for row in read_universe(TABLES, as_of=JUNE).rows.to_pylist()}
    assert rows["b"]["funded_at"] == 30.0
    assert rows["b"]["founded_year"] == 24.0


def test_what_nobody_fills_is_no_attribute() -> None:
    names = [one.name for one in read_universe(TABLES, as_of=JUNE).attributes]
    assert names == ["employees", "founded_year", "technologies", "funded_at"]


def test_before_anything_was_known_there_is_no_universe() -> None:
    with pytest.raises(NotEnoughDataError, match="no account was known yet"):
        read_universe(TABLES, as_of=datetime.fromisoformat("2023-01-01"))


def test_customers_are_those_whose_win_was_known() -> None:
    assert customers(TABLES, as_of=JUNE) == ["a", "e"]
    assert customers(TABLES, as_of=JUNE, product="insights") == ["e"]
    with pytest.raises(ContractError, match="did you mean 'platform'"):
        customers(TABLES, as_of=JUNE, product="platfrm")


@pytest.mark.parametrize("ids", [["a", "a"], ["a", None]])
def test_an_account_is_there_once_and_has_a_name(ids: list[str | None]) -> None:
    with pytest.raises(ContractError, match="filled and unique"):
        Universe.from_frame(pd.DataFrame({"account_id": ids}), attributes=())


def test_positions_and_columns_left_out() -> None:
    found = read_universe(TABLES, as_of=JUNE)
    assert found.positions(["e", "zebra", "a", "a"]).tolist() == [0, 2]
    less = found.without(["employees"])
    assert [one.name for one in less.attributes] == ["founded_year", "technologies", "funded_at"]
    assert "employees" not in less.rows.column_names
