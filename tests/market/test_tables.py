"""The written tables: the contract, the same rows for the same seed, and nothing half-written."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from simulated_markets import SMALL

from features.contract import TABLES
from features.errors import ConfigError, InputError
from features.mapping import load_config
from training.market import MarketSettings, read_truth, simulate
from training.market.arrow import SCHEMAS, TRUTH_SCHEMAS
from training.market.vocabulary import ATTRIBUTES

FILES = [f"{name}.parquet" for name in SCHEMAS] + [f"truth/{name}.parquet" for name in TRUTH_SCHEMAS]
FEWER = replace(SMALL, accounts=40)
CONFIG = Path(__file__).resolve().parents[2] / "configs" / "simulated_market.toml"


@pytest.mark.parametrize("name", list(TABLES))
def test_every_row_keeps_the_contract(name: str, frames: dict[str, pd.DataFrame]) -> None:
    frame, table = frames[name], TABLES[name]
    assert len(frame) > 0
    assert not frame.duplicated(list(table.key)).any()
    for column in table.columns:
        values = frame[column.name].dropna()
        assert column.nullable or len(values) == len(frame), column
        assert column.allowed is None or set(values) <= set(column.allowed), column
        assert column.pattern is None or values.map(re.compile(column.pattern).fullmatch).all(), column
        assert column.minimum is None or (values >= column.minimum).all(), column
        assert column.maximum is None or (values <= column.maximum).all(), column
        if column.type == "timestamp":
            assert (values == values.dt.floor("s")).all(), column


@pytest.mark.parametrize("name", list(TABLES))
def test_nothing_is_known_before_it_happened_or_after_the_end(
    name: str, frames: dict[str, pd.DataFrame]
) -> None:
    frame = frames[name]
    assert (frame.known_at < SMALL.end).all()
    for event in {"occurred_at", "created_at", "closed_at"} & set(frame):
        happened = frame[frame[event].notna()]
        assert (happened.known_at >= happened[event]).all()
    if "account_id" in frame:
        first = frames["accounts"].groupby("account_id").known_at.min()
        assert (frame.known_at >= frame.account_id.map(first)).all()


def test_facts_become_known_late_and_go_missing(frames: dict[str, pd.DataFrame]) -> None:
    delay = frames["activities"].known_at - frames["activities"].occurred_at
    assert 0.05 < (delay > pd.Timedelta(days=1)).mean() < 0.12
    assert (frames["accounts"].groupby("account_id").size() > 1).mean() > 0.9
    for column in ("industry", "employees", "technologies", *ATTRIBUTES):
        assert 0.1 < frames["accounts"][column].isna().mean() < 0.6
    assert frames["accounts"].technologies.dropna().map(len).min() > 0


def test_deals_of_an_account_follow_one_another_and_end_with_a_win(frames: dict[str, pd.DataFrame]) -> None:
    deals = frames["opportunities"].sort_values("known_at").drop_duplicates("opportunity_id", keep="last")
    deals = deals.sort_values(["account_id", "created_at"])
    earlier = deals.shift().where(deals.account_id == deals.account_id.shift())
    later = earlier.account_id.notna()
    assert later.sum() > 20
    assert (deals.created_at[later] > earlier.closed_at[later]).all()
    assert (earlier.outcome[later] == "lost").all()
    contacts = set(frames["contacts"].contact_id)
    assert set(frames["activities"].contact_id.dropna()) <= contacts
    assert set(frames["stage_changes"].opportunity_id) <= set(deals.opportunity_id)


def test_winners_close_faster(frames: dict[str, pd.DataFrame]) -> None:
    closed = frames["opportunities"].dropna(subset="outcome")
    days = (closed.closed_at - closed.created_at).dt.days.groupby(closed.outcome).median()
    assert days["won"] < days["lost"]
    assert 40 <= (closed.closed_at - closed.created_at).dt.days.median() <= 75


def _read(directory: Path) -> dict[str, pd.DataFrame]:
    return {name: pq.read_table(directory / name).to_pandas() for name in FILES}


@pytest.fixture(scope="module")
def fewer_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A block takes as long for a few accounts as for a thousand, and this market is one block alone."""
    return simulate(FEWER, directory=tmp_path_factory.mktemp("fewer") / "market").directory


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_market(
    fewer_directory: Path, tmp_path: Path
) -> None:
    again = simulate(FEWER, directory=tmp_path / "again").directory
    other = simulate(replace(FEWER, seed=FEWER.seed + 1), directory=tmp_path / "other").directory
    for name in FILES:
        assert (again / name).read_bytes() == (fewer_directory / name).read_bytes()
        assert (other / name).read_bytes() != (fewer_directory / name).read_bytes()


def test_chunks_bound_the_memory_and_change_no_row(market_directory: Path, tmp_path: Path) -> None:
    done: list[tuple[int, int]] = []
    chunked = simulate(
        replace(SMALL, chunk_accounts=1_000),
        directory=tmp_path / "chunked",
        progress=lambda accounts, total: done.append((accounts, total)),
    ).directory
    assert done == [(1_000, 1_300), (1_300, 1_300)]
    assert pq.ParquetFile(chunked / "activities.parquet").num_row_groups == 2
    for name, frame in _read(market_directory).items():
        pd.testing.assert_frame_equal(_read(chunked)[name], frame)


def test_more_accounts_leave_the_first_ones_as_they_were(
    market_directory: Path, fewer_directory: Path
) -> None:
    fewer = _read(fewer_directory)
    assert fewer["accounts.parquet"].account_id.nunique() == 40
    for name, frame in _read(market_directory).items():
        if "account_id" in frame:
            kept = frame[frame.account_id.isin(fewer["truth/accounts.parquet"].account_id)]
            pd.testing.assert_frame_equal(fewer[name], kept.reset_index(drop=True))


def test_the_mapping_binds_every_column(market_directory: Path) -> None:
    config = load_config(CONFIG, overrides={"folder": str(market_directory)})
    assert {attribute.name: attribute.type for attribute in config.attributes} == ATTRIBUTES
    for source in config.sources:
        bound = {*source.columns, *source.attributes, "known_at"}
        written = pq.read_table(source.path[0])
        filled = {name for name in written.column_names if written[name].null_count < len(written)}
        assert bound == filled


def test_a_failure_leaves_the_earlier_market_in_place(tmp_path: Path) -> None:
    directory, one = tmp_path / "market", replace(SMALL, accounts=5)
    simulate(one, directory=directory)

    def fail(accounts: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        simulate(replace(one, seed=9), directory=directory, progress=fail)
    assert [path.name for path in tmp_path.iterdir()] == ["market"]
    fresh = simulate(one, directory=tmp_path / "fresh").directory
    assert (directory / "accounts.parquet").read_bytes() == (fresh / "accounts.parquet").read_bytes()


def test_foreign_files_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigError, match=r"holds other files \(got thesis.txt"):
        simulate(SMALL, directory=tmp_path)
    with pytest.raises(ConfigError, match="is a file"):
        simulate(SMALL, directory=tmp_path / "thesis.txt")
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_directory_without_truth_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no truth of a simulated market"):
        read_truth(tmp_path)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"accounts": 0}, "accounts is out of bounds"),
        ({"seed": -1}, "seed is out of bounds"),
        ({"chunk_accounts": 1_500}, "multiples of 1000"),
        ({"end": datetime.fromisoformat("2025-01-01T12:00")}, "not a midnight"),
        ({"end": datetime(2025, 1, 1, tzinfo=UTC)}, "not a midnight"),
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        MarketSettings(**wrong)
