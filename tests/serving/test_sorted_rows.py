"""Accounts and their deals are found in an order as a query finds them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_workspace import account_id

from features.tables import Tables
from features.workspace import Workspace
from serving import accounts
from serving.accounts import AccountIndex
from serving.sorted_rows import SortedRows

NAMES = st.sampled_from(
    ("", "A", "a", "aa", "ab", "Z", "é", "ﬀ", "𝒳", "日本", "~", "acc-1", "acc-10", "acc-9")
)


@given(rows=st.lists(st.tuples(NAMES, st.integers(0, 9) | st.none()), max_size=12), asked=NAMES | st.text())
def test_what_is_found_is_what_a_query_finds(rows: list[tuple[str, int | None]], asked: str) -> None:
    names, numbers = [name for name, _ in rows], [number for _, number in rows]
    told = pa.table({"name": pa.array(names, pa.string()), "number": pa.array(numbers, pa.int64())})
    with duckdb.connect() as connection:
        connection.register("told", told)
        ordered = connection.execute("SELECT * FROM told ORDER BY name").to_arrow_table(3)
    # By hand: all of the name, and none of another.
    expected = [row for row in rows if row[0] == asked]
    assert sorted(SortedRows(ordered).of(asked), key=repr) == sorted(expected, key=repr)


@pytest.fixture(scope="module")
def index(company: Workspace) -> AccountIndex:
    return AccountIndex(company.tables())


def names_of(index: AccountIndex) -> Sequence[str]:
    return [*index.everyone()["account_id"], account_id(10_000), "", "zzz"]


def test_few_and_many_accounts_and_deals_are_the_same(
    index: AccountIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = names_of(index)
    some = [names[start : start + 5] for start in range(0, len(names), 5)]
    few = [one for part in some for one in index.among(account_ids=part, domains=[])]
    deals = [index.deals_of(part) for part in some]
    monkeypatch.setattr(accounts, "_FEW", 0)
    many = index.among(account_ids=names, domains=[])
    assert sorted(map(repr, few)) == sorted(map(repr, many))
    assert len(many) == len(names) - 3
    told = {name: set(own) for part in deals for name, own in part.items()}
    assert told == {name: set(own) for name, own in index.deals_of(names).items()}
    assert any(told.values())


def test_an_account_asked_for_twice_is_found_once(index: AccountIndex) -> None:
    name = account_id(7)
    assert [one.account_id for one in index.among(account_ids=[name, name], domains=[])] == [name]
    assert [type(index.by_id(name).first_known_at), type(index.by_id(name).withdrawn_at)] == [
        datetime,
        type(None),
    ]


def test_an_index_of_nobody_finds_nobody() -> None:
    frame = pd.DataFrame({"account_id": ["a"], "known_at": [pd.Timestamp("2020-01-01")]})
    index = AccountIndex(Tables.from_frames({"accounts": frame[:0]}))
    assert index.among(account_ids=["a"], domains=[]) == []
    assert index.deals("a") == ()
