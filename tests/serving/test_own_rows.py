"""An account's own rows say of it what all rows do: merged accounts, people of others, opt-outs included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from small_workspace import CUTOFF, account_id, catalogue_of

from features.point_in_time import FeatureEngine
from features.tables import OPT_OUT_SCHEMA, Tables
from features.workspace import Workspace
from serving.activities.own_rows import OwnRows
from serving.record_engine import ReadyRecordEngine
from serving.store.activities import Activity

STANDS_FOR = {11: (10, "name"), 13: (12, "parent"), 15: (14, "lead: domain"), 16: (14, "domain")}
OUT = datetime.fromisoformat("2025-06-01")


@pytest.fixture(scope="module")
def merged(company: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """The company, some of whose accounts are one, and some of whose people have opted out."""
    file = tmp_path_factory.mktemp("merged") / "identity.parquet"
    groups = [
        {"account_id": account_id(one), "identity": account_id(other), "place": one, "rule": rule}
        for one, (other, rule) in STANDS_FOR.items()
    ]
    pd.DataFrame([group | {"score": 1.0} for group in groups]).to_parquet(file)
    tables = company.tables()
    contacts = tables.read("contacts").sort_values("contact_id").reset_index(drop=True)
    contacts.loc[::5, "opted_out_at"] = pd.Timestamp(OUT)
    contacts["known_at"] = contacts["known_at"].where(contacts["opted_out_at"].isna(), pd.Timestamp(OUT))
    told = pa.Table.from_pandas(contacts, schema=tables.schema("contacts"), preserve_index=False)
    lost = [{"contact_id": "c-12-1", "known_at": OUT, "opted_out_at": OUT}]
    opt_outs = pa.Table.from_pylist(lost, schema=OPT_OUT_SCHEMA)
    return replace(tables, sources={**tables.sources, "contacts": told}, merged=file, opt_outs=opt_outs)


@pytest.fixture(scope="module")
def own(merged: Tables) -> OwnRows:
    return OwnRows(merged)


def test_alone_and_together_the_features_are_those_over_all_rows(merged: Tables, own: OwnRows) -> None:
    catalogue = catalogue_of(merged, kind="intent")
    accounts = [account_id(number) for number in (0, 2, 5, *range(7, 18))]
    record = ReadyRecordEngine(catalogue)
    with FeatureEngine(merged, catalogue) as engine:
        keys = pd.DataFrame({"account_id": accounts, "as_of": CUTOFF}).astype({"as_of": "datetime64[us]"})
        expected = engine.build(keys).to_numpy()
    for place, account in enumerate(accounts):
        found = record.build_one(own.tables([account], newer=()), account, CUTOFF)
        assert found.tobytes() == expected[place].tobytes(), account
    moments = keys["as_of"].to_numpy()
    together = record.build(own.tables(accounts, newer=()), accounts, moments=moments)
    assert together.tobytes() == expected.tobytes()
    record.close()
    stale = [place for place, number in enumerate((0, 2, 5, *range(7, 18))) if number in STANDS_FOR]
    assert np.isnan(expected[stale]).any(axis=1).all()


def newer(name: str, number: int) -> Activity:
    day = CUTOFF - timedelta(days=3)
    return Activity(name, account_id(number), "c-20-0", "webinar", "inbound", day, day, quantity=2)


@pytest.mark.parametrize(
    ("rows", "added"),
    [
        ([newer("n1", 10)], ["n1"]),
        # Under an identifier that another one stands for.
        ([newer("n1", 11), newer("n2", 10)], ["n1", "n2"]),
        # The tables have it already.
        ([newer("a-10-1", 10)], []),
        ([newer("a-11-1", 10)], []),
    ],
)
def test_what_came_since_is_added_once(own: OwnRows, rows: Sequence[Activity], added: list[str]) -> None:
    before, after = own.tables(["acc-10"], newer=()), own.tables(["acc-10"], newer=rows)
    known, found = before.sources["activities"], after.sources["activities"]
    assert isinstance(known, pa.Table)
    assert isinstance(found, pa.Table)
    assert set(found.column("account_id").to_pylist()) == {"acc-10"}
    names = found.column("activity_id").to_pylist()
    assert sorted(names) == sorted([*known.column("activity_id").to_pylist(), *added])
    people = after.sources["contacts"]
    assert isinstance(people, pa.Table)
    assert ("c-20-0" in people.column("contact_id").to_pylist()) == bool(added)


def test_an_account_is_asked_for_under_every_identifier(own: OwnRows) -> None:
    assert sorted(own.members("acc-14")) == ["acc-14", "acc-15", "acc-16"]
    assert own.members("acc-00") == ("acc-00",)
