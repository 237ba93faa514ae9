"""What a search for lookalikes costs: a universe of a million accounts, a thousand seeds, ten thousand
places.

Turns a simulated market into a workspace's table of a million accounts (each account of the market many
times, with other numbers), and measures in a process of its own what it takes from the files to a list with
reasons and nearest seeds: seconds, and the most memory that was held. For measurements of size alone: no
ranking is judged here. Time rule: every copy has the moments of its original. Null rule: nulls stay.

    PYTHONPATH=. python tests/bench/lookalike_bench.py --out results/lookalike_speed.json
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.mapping import load_config
from features.tables import Tables
from features.universe import read_universe
from models.lookalikes import prepare, rank_universe
from models.lookalikes.explaining import explain
from training.checks.results import ROOT, write_result
from training.market.settings import MarketSettings
from training.market.write import simulate

_CONFIG: Final = ROOT / "configs" / "simulated_market.toml"
_OWN_NUMBERS: Final = ("employees", "annual_revenue", "sales_team_share", "remote_share")


def write_accounts(folder: Path, *, accounts: int, market: int) -> Path:
    """A file of accounts. market: accounts that are simulated; each is there as often as it takes."""
    simulate(MarketSettings(accounts=market, seed=1), directory=folder / "market")
    told = pq.read_table(folder / "market" / "accounts.parquet")
    file = folder / "accounts.parquet"
    with pq.ParquetWriter(file, told.schema, compression="zstd") as writer:
        for number in range(-(-accounts // market)):
            writer.write_table(_copy(told, number=number))
    return file


def _copy(told: pa.Table, *, number: int) -> pa.Table:
    """The accounts again, with other identifiers and other numbers."""
    generator = np.random.default_rng(number)
    for name in ("account_id", "domain"):
        cells = pc.binary_join_element_wise(f"{number:03}", told.column(name), "-")
        told = told.set_column(told.column_names.index(name), told.schema.field(name), cells)
    for name in _OWN_NUMBERS:
        factor = pa.array(np.exp(generator.normal(0.0, 0.1, len(told))))
        cells = pc.round(pc.multiply(told.column(name).cast(pa.float64()), factor), 3)
        field = told.schema.field(name)
        whole = pc.round(cells).cast(pa.int64()) if pa.types.is_integer(field.type) else cells
        told = told.set_column(told.column_names.index(name), field, whole)
    return told


def measured(file: Path, *, seeds: int, size: int) -> dict[str, Any]:
    """Seconds of each stage, and the most memory, in this process."""
    config = load_config(_CONFIG)
    started, processor = time.perf_counter(), time.process_time()
    moments = [started]
    tables = Tables({"accounts": (file,)}, config.attributes)
    universe = read_universe(tables, as_of=MarketSettings().end)
    moments.append(time.perf_counter())
    prepared = prepare(universe)
    moments.append(time.perf_counter())
    ranking = rank_universe(prepared, _chosen(universe.account_ids, prepared, seeds=seeds))
    moments.append(time.perf_counter())
    told = list(explain(ranking, ranking.order[:size], places=range(1, size + 1)))
    moments.append(time.perf_counter())
    names = ("read", "encode", "rank", "explain")
    stages = {
        name: round(after - before, 2)
        for name, before, after in zip(names, moments[:-1], moments[1:], strict=True)
    }
    return {
        "accounts": len(universe),
        "seeds": seeds,
        "explained": sum(bool(one.reasons_for and one.nearest) for one in told),
        "ranker": ranking.choice.ranker,
        "seconds": round(moments[-1] - started, 1),
        "processor_seconds": round(time.process_time() - processor, 1),
        "stages": stages,
        "peak_gigabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "load": round(os.getloadavg()[0], 1),
    }


def _chosen(ids: list[str], prepared: Any, *, seeds: int) -> list[str]:
    """Seeds that have something in common: the likeliest by a made-up taste for pairs of attributes, which
    trees learn best and which therefore takes longest."""
    generator = np.random.default_rng(0)
    among = np.sort(generator.choice(len(ids), min(len(ids), 20 * seeds), replace=False))
    X = prepared.rows(among)
    one, other = (X @ generator.normal(size=X.shape[1]).astype(np.float32) for _ in range(2))
    taste = np.minimum(one, other)
    return [ids[at] for at in among[np.argsort(-taste, kind="stable")[:seeds]]]


def main() -> None:
    """Print the figures, and write them down where that is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--market", type=int, default=20_000, help="accounts that are simulated")
    parser.add_argument("--seeds", type=int, default=1_000)
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--file", type=Path, help="accounts that an earlier run has written")
    parser.add_argument("--inside", action="store_true", help="measure in this process")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.inside:
        found = measured(given.file, seeds=given.seeds, size=given.size)
        sys.stdout.write(json.dumps(found))
        return
    with tempfile.TemporaryDirectory() as name:
        file = given.file or write_accounts(Path(name), accounts=given.accounts, market=given.market)
        asked = ["--file", str(file), "--seeds", str(given.seeds), "--size", str(given.size), "--inside"]
        done = subprocess.run(
            [sys.executable, __file__, *asked], check=True, stdout=subprocess.PIPE, text=True
        )
    found = json.loads(done.stdout)
    sys.stdout.write(f"{json.dumps(found, indent=1)}\n")
    if given.out:
        write_result(found, out=given.out, also=[_CONFIG])


if __name__ == "__main__":
    main()
