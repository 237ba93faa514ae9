"""Writes a simulated market to a directory, chunk by chunk, and reads its truth back.

Turns settings into Parquet files: one per canonical table, and apart from them `truth/`. Time rule: that of
the blocks. Null rule: that of the contract. The files appear all at once, when everything is written; at no
time are more accounts in memory than one chunk.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import ConfigError, InputError
from training.market.arrow import SCHEMAS, TRUTH_SCHEMAS, block_tables, block_truth
from training.market.block import simulate_block
from training.market.settings import BLOCK_ACCOUNTS, MarketSettings

__all__ = ["MarketReport", "Truth", "read_truth", "simulate"]

Progress = Callable[[int, int], None]

_FILES: Final = {
    **{f"{name}.parquet": schema for name, schema in SCHEMAS.items()},
    **{f"truth/{name}.parquet": schema for name, schema in TRUTH_SCHEMAS.items()},
}


@dataclass(frozen=True)
class MarketReport:
    """What was written: the directory and the rows of each file."""

    directory: Path
    rows: dict[str, int]


@dataclass(frozen=True)
class Truth:
    """True chances of a market, apart from its tables.

    fit: opportunity_id, account_id, created_at, probability of winning; one row per opportunity.
    intent: account_id, as_of, probability of opening an opportunity in the 90 days from as_of, in_population
    (known, no open opportunity, does not own the product); one row per known account and step date.
    accounts: account_id, as_of (the end), probability of winning an opportunity opened then.
    """

    fit: pd.DataFrame
    intent: pd.DataFrame
    accounts: pd.DataFrame


def _block_files(settings: MarketSettings, *, number: int) -> dict[str, pa.Table]:
    block = simulate_block(settings, block=number)
    tables = block_tables(block, settings=settings, number=number)
    truth = block_truth(block, settings=settings, number=number)
    return {f"{name}.parquet": table for name, table in tables.items()} | {
        f"truth/{name}.parquet": table for name, table in truth.items()
    }


def _chunks(settings: MarketSettings) -> Iterator[range]:
    """Blocks in lots that are written at once."""
    blocks = -(-settings.accounts // BLOCK_ACCOUNTS)
    lot = settings.chunk_accounts // BLOCK_ACCOUNTS
    return (range(first, min(first + lot, blocks)) for first in range(0, blocks, lot))


def _write(settings: MarketSettings, *, directory: Path, progress: Progress | None) -> dict[str, int]:
    rows = dict.fromkeys(_FILES, 0)
    (directory / "truth").mkdir(parents=True)
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(pq.ParquetWriter(directory / name, schema, compression="zstd"))
            for name, schema in _FILES.items()
        }
        for chunk in _chunks(settings):
            lots = [_block_files(settings, number=number) for number in chunk]
            for name, writer in writers.items():
                table = pa.concat_tables([lot[name] for lot in lots])
                writer.write_table(table)
                rows[name] += table.num_rows
            if progress is not None:
                progress(min(chunk.stop * BLOCK_ACCOUNTS, settings.accounts), settings.accounts)
    return rows


def _check_replaceable(directory: Path) -> None:
    """An earlier market may be overwritten, anything else may not."""
    if not directory.exists():
        return
    if not directory.is_dir():
        raise ConfigError("the market's directory is a file", got=directory, fix="name another directory")
    foreign = [
        path.name
        for path in directory.iterdir()
        if path.name not in _FILES and path.name not in ("truth", ".gitignore")
    ]
    if foreign:
        raise ConfigError(
            "the market's directory holds other files",
            got=", ".join(sorted(foreign)[:5]),
            allowed="a new directory, an empty one or one with an earlier market",
            fix="name another directory",
        )


def simulate(settings: MarketSettings, *, directory: Path, progress: Progress | None = None) -> MarketReport:
    """Simulates a market and writes its canonical tables and its truth as Parquet.

    directory: created; an earlier market in it is replaced once the new one is complete.
    progress: called with (accounts done, accounts in all) after each chunk.
    Raises ConfigError when the directory holds anything but an earlier market.
    """
    directory = directory.absolute()
    _check_replaceable(directory)
    partial, earlier = (directory.with_name(directory.name + end) for end in (".partial", ".earlier"))
    for left_behind in (partial, earlier):
        shutil.rmtree(left_behind, ignore_errors=True)
    try:
        rows = _write(settings, directory=partial, progress=progress)
        if directory.exists():
            directory.rename(earlier)
        partial.rename(directory)
    finally:
        for left_behind in (partial, earlier):
            shutil.rmtree(left_behind, ignore_errors=True)
    return MarketReport(directory, rows)


def read_truth(directory: Path) -> Truth:
    """The truth of the market in a directory. Raises InputError when there is none."""
    paths = {name: directory / "truth" / f"{name}.parquet" for name in TRUTH_SCHEMAS}
    for path in paths.values():
        if not path.is_file():
            raise InputError(
                "the directory holds no truth of a simulated market",
                got=path,
                fix="simulate a market into it first",
            )
    return Truth(**{name: pq.read_table(path).to_pandas() for name, path in paths.items()})
