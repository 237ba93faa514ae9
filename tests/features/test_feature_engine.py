"""The engine is fast for one account, safe among threads, and says what is wrong."""

from __future__ import annotations

import doctest
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import process_time

import numpy as np
import pandas as pd
import pytest
from random_rows import ACCOUNTS, AS_OF, ATTRIBUTES, CATALOGUE, START, all_keys, as_tables

from features import catalogue, point_in_time
from features.errors import ContractError, EngineError, InputError
from features.point_in_time import FeatureEngine, RecordEngine, build_features
from features.tables import Tables, open_engine


def hundred_activities(account_id: str):
    return [
        {
            "activity_id": f"{account_id} {number}",
            "account_id": account_id,
            "contact_id": f"{account_id} {number % 7}",
            "channel": ("web_visit", "meeting", "email", "chat")[number % 4],
            "direction": ("inbound", "inbound", "mutual", "outbound")[number % 4],
            "quantity": 1 + number % 3,
            "seconds": number,
            "occurred_at": AS_OF[0] - timedelta(hours=40 * number + 1),
            "known_at": AS_OF[0] - timedelta(hours=40 * number),
        }
        for number in range(100)
    ]


ROWS = {
    "accounts": [
        {"account_id": account_id, "known_at": START, "employees": 7, "technologies": ["sql"], "tools": ["x"]}
        for account_id in ACCOUNTS
    ],
    "contacts": [
        {"contact_id": f"{a} {n}", "account_id": a, "known_at": START, "seniority": "c_level"}
        for a in ACCOUNTS
        for n in range(7)
    ],
    "activities": [row for account_id in ACCOUNTS for row in hundred_activities(account_id)],
}


@pytest.fixture(scope="module", params=[False, True], ids=["views", "resident"])
def engine(request):
    with FeatureEngine(as_tables(ROWS), CATALOGUE, threads=1, resident=request.param) as engine:
        yield engine


FIVE_GROUPED_QUERIES = 4.2
"""Processor milliseconds of `five_grouped_queries` on the idle machine on which ten milliseconds were set as
the limit. A machine that is slow or busy takes longer for both, so there the limit is as much longer; on a
machine that is faster than that one, ten milliseconds stay ten."""


def five_grouped_queries(connection):
    for _ in range(5):
        connection.execute(
            "SELECT n % 7, n % 3, count(*), sum(n), max(n) FROM range(300) AS rows(n) GROUP BY 1, 2"
        ).to_arrow_table()


def took(work):
    start = process_time()
    work()
    return (process_time() - start) * 1_000


def test_one_account_with_a_hundred_activities_takes_less_than_ten_milliseconds():
    with (
        FeatureEngine(as_tables(ROWS), CATALOGUE, threads=1, resident=True) as engine,
        open_engine(threads=1) as peer,
    ):
        assert engine.build_one("a", AS_OF[0])[CATALOGUE.index("engagement_count_180d")] > 90
        turns = [
            (took(lambda: engine.build_one("a", AS_OF[0])), took(lambda: five_grouped_queries(peer)))
            for _ in range(400)
        ]
    ours, theirs = (min(times) for times in zip(*turns, strict=True))
    assert ours < 10 * max(1.0, theirs / FIVE_GROUPED_QUERIES)


def test_threads_do_not_mix_their_answers(engine):
    keys = all_keys()
    batch = engine.build(keys)
    jobs = list(zip(keys["account_id"], keys["as_of"].dt.to_pydatetime(), strict=True)) * 5
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda job: engine.build_one(*job), jobs))
    for (account_id, as_of), answer in zip(jobs, answers, strict=True):
        assert answer.tobytes() == batch.loc[(account_id, pd.Timestamp(as_of))].to_numpy().tobytes()


def test_an_account_that_nobody_knows_has_no_facts_and_no_activity(engine):
    row = engine.build_one("nobody'; DROP TABLE accounts", AS_OF[0])
    assert np.isnan(row[CATALOGUE.index("employees")])
    assert row[CATALOGUE.index("engagement_count_180d")] == 0.0


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"account_id": ["a"]}, "as_of is missing"),
        ({"account_id": ["a"], "as_of": ["2023-01-01"]}, "not a naive time"),
        ({"account_id": ["a"], "as_of": pd.to_datetime(["2023-01-01"], utc=True)}, "not a naive time"),
        ({"account_id": ["a"], "as_of": pd.to_datetime(["2023-01-01 00:00:00.5"])}, "finer than a second"),
        ({"account_id": [None], "as_of": pd.to_datetime(["2023-01-01"])}, "is empty"),
    ],
)
def test_wrong_keys_are_refused(engine, keys, message):
    with pytest.raises(InputError, match=message):
        engine.build(pd.DataFrame(keys))


def test_tables_without_an_attribute_of_the_catalogue_are_refused():
    with pytest.raises(ContractError, match="attribute 'score' is not in the tables"):
        build_features(Tables({}), all_keys(), catalogue=CATALOGUE)
    with pytest.raises(ContractError, match="attribute 'score' is not in the tables"):
        RecordEngine(CATALOGUE).build_one(Tables({}), "a", AS_OF[0])


def test_a_failing_statement_is_in_the_error(tmp_path):
    broken = tmp_path / "activities.parquet"
    as_tables(ROWS).read("activities").astype({"activity_id": object}).to_parquet(broken)
    tables = Tables({"activities": (broken,)}, ATTRIBUTES)
    with FeatureEngine(tables, CATALOGUE) as engine:
        broken.write_bytes(b"PAR1 no longer")
        with pytest.raises(EngineError, match="the feature query failed") as caught:
            engine.build(all_keys())
        assert "FROM counted_activities AS a" in caught.value.sql
        with pytest.raises(EngineError):
            engine.build_one("a", AS_OF[0])


def test_no_keys_give_no_rows(engine):
    assert engine.build(all_keys().iloc[:0]).shape == (0, len(CATALOGUE.names))


@pytest.mark.parametrize("module", [catalogue, point_in_time], ids=lambda module: module.__name__)
def test_the_examples_in_the_documentation_run(module):
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed
