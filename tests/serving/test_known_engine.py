"""A few known accounts asked about together have the bits that they have over all rows, and alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from threading import Thread

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_workspace import CUTOFF, account_id, catalogue_of

from features.catalogue import Catalogue
from features.feature import FORMULA
from features.point_in_time import FeatureEngine
from features.tables import Tables
from features.workspace import Workspace
from serving.activities.own_rows import OwnRows
from serving.known_engine import ReadyFeatureEngine
from serving.record_engine import ReadyRecordEngine

ACCOUNTS, DAYS = (*range(41), 10_000), (-400, -180, -91, -30, -7, -1, 0, 1, 30)
EVERY = [(number, days) for number in ACCOUNTS for days in DAYS]
KEYS = st.lists(st.sampled_from(EVERY), min_size=1, max_size=12)
"""Accounts, one of them unknown, and days after the cutoff; some twice, in any order."""
Bits = dict[tuple[int, int], bytes]


def by_formulas(catalogue: Catalogue) -> Catalogue:
    """Some numbers by their formulas: statements that read relations in any number of places."""
    numbers = [one for one in catalogue.features if one.kind != "category"]
    tables = {one.table: one for one in numbers}.values()
    some = dict.fromkeys((*numbers[::8], *tables))
    return replace(catalogue, features=tuple(replace(one, aggregation=FORMULA) for one in some))


@pytest.fixture(scope="module")
def tables(company: Workspace) -> Tables:
    return company.tables()


@pytest.fixture(scope="module", params=["built", "formulas"])
def catalogue(request: pytest.FixtureRequest, tables: Tables) -> Catalogue:
    known = catalogue_of(tables, kind="intent")
    return known if request.param == "built" else by_formulas(known)


@pytest.fixture(scope="module", params=[True, False], ids=["resident", "files"])
def engine(
    request: pytest.FixtureRequest, tables: Tables, catalogue: Catalogue
) -> Iterator[ReadyFeatureEngine]:
    with ReadyFeatureEngine(tables, catalogue, threads=1, resident=request.param) as engine:
        yield engine


def keys_of(asked: list[tuple[int, int]]) -> pd.DataFrame:
    names = [account_id(number) for number, _ in asked]
    moments = [CUTOFF + timedelta(days=days) for _, days in asked]
    return pd.DataFrame({"account_id": names, "as_of": moments}).astype({"as_of": "datetime64[us]"})


@pytest.fixture(scope="module")
def expected(tables: Tables, catalogue: Catalogue) -> Bits:
    """What one pass over all rows says of every key, planned for it."""
    with FeatureEngine(tables, catalogue, threads=1) as engine:
        rows = engine.build(keys_of(EVERY)).to_numpy()
    return {key: row.tobytes() for key, row in zip(EVERY, rows, strict=True)}


@settings(max_examples=30, deadline=None)
@given(asked=KEYS)
def test_a_few_have_the_bits_of_many_and_of_one(
    engine: ReadyFeatureEngine, expected: Bits, asked: list[tuple[int, int]]
) -> None:
    keys = keys_of(asked)
    found = engine.build_some(keys)
    assert [row.tobytes() for row in found] == [expected[key] for key in asked]
    alone = engine.build_one(keys["account_id"][0], keys["as_of"][0].to_pydatetime())
    assert found[0].tobytes() == alone.tobytes()


def test_all_at_once_have_the_bits_of_one_pass_over_all_rows(
    engine: ReadyFeatureEngine, expected: Bits
) -> None:
    found = engine.build_some(keys_of(EVERY))
    assert [row.tobytes() for row in found] == [expected[key] for key in EVERY]


def test_each_thread_has_statements_of_its_own(engine: ReadyFeatureEngine, expected: Bits) -> None:
    groups = [[(number, 0), (number + 1, -30)] for number in range(8)]
    found: dict[int, list[bytes]] = {}

    def ask(place: int) -> None:
        found[place] = [engine.build_some(keys_of(groups[place])).tobytes() for _ in range(4)]

    threads = [Thread(target=ask, args=(place,)) for place in range(len(groups))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = [b"".join(expected[key] for key in group) for group in groups]
    assert found == {place: [one] * 4 for place, one in enumerate(told)}


@pytest.mark.parametrize("resident", [True, False], ids=["resident", "files"])
def test_what_was_computed_ahead_is_at_hand_for_its_moment_alone(
    tables: Tables, catalogue: Catalogue, expected: Bits, resident: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ReadyFeatureEngine(tables, catalogue, threads=1, resident=resident) as engine:
        ahead = [(number, 0 if number % 3 else -30) for number in ACCOUNTS if number % 2]
        engine.compute_ahead(keys_of(ahead))
        found = engine.build_some(keys_of(EVERY))
        assert [row.tobytes() for row in found] == [expected[key] for key in EVERY]

        def refuse(*_: object) -> None:
            raise AssertionError("computed again")

        monkeypatch.setattr(engine, "_computed", refuse)
        monkeypatch.setattr(engine, "_matrix", refuse)
        monkeypatch.setattr(FeatureEngine, "build_one", refuse)
        found = engine.build_some(keys_of(ahead[::-1]))
        assert [row.tobytes() for row in found] == [expected[key] for key in ahead[::-1]]
        (number, days), moment = ahead[0], CUTOFF + timedelta(days=ahead[0][1])
        assert engine.build_one(account_id(number), moment).tobytes() == expected[number, days]
        for other in (moment + timedelta(seconds=1), moment - timedelta(days=1)):
            with pytest.raises(AssertionError, match="computed again"):
                engine.build_one(account_id(number), other)


@settings(max_examples=30, deadline=None)
@given(asked=KEYS)
def test_rows_that_are_sent_along_have_the_same_bits(
    expected: Bits, record_engine: ReadyRecordEngine, own: OwnRows, asked: list[tuple[int, int]]
) -> None:
    keys = keys_of(asked)
    rows = own.tables(set(keys["account_id"]), newer=())
    found = record_engine.build(rows, keys["account_id"].to_list(), moments=keys["as_of"].to_numpy())
    assert [row.tobytes() for row in found] == [expected[key] for key in asked]


@pytest.fixture(scope="module")
def own(tables: Tables) -> Iterator[OwnRows]:
    rows = OwnRows(tables)
    yield rows
    rows.close()


@pytest.fixture(scope="module")
def record_engine(catalogue: Catalogue) -> Iterator[ReadyRecordEngine]:
    made = ReadyRecordEngine(catalogue)
    yield made
    made.close()
