"""What the log costs an answer: one account by its id, with reasons, in each mode of the log.

Turns requests into milliseconds of one answer on a warm worker, without HTTP: the median and the 99th
percentile over many requests from some clients at once, the modes in turn; processor time with all that the
log's own thread does; and the bytes that a row takes.
Time rule: none. Null rule: none.

    PYTHONPATH=.:tests/serving python tests/bench/log_bench.py --requests 400 --clients 1 4
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_args

import small_workspace as small
from sqlalchemy import func, select

from features.workspace import Workspace
from serving.holder import DeskHolder
from serving.log.settings import Mode
from serving.scoring import new_request_id
from serving.store.schema import predictions

_ROUNDS = 5


def measure(holder: DeskHolder, *, requests: int, clients: int) -> list[float]:
    """Seconds of each answer, kept as its mode promises. holder: warm, with its log started."""

    def ask(number: int) -> float:
        body = json.dumps({"account_id": small.account_id(10 + number % 90)}).encode()
        start = time.perf_counter()
        answered = holder.answer(body, request_id=new_request_id(), language="en")
        answered.answer.model_dump_json()
        answered.kept.result(timeout=60)
        return time.perf_counter() - start

    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(ask, range(requests)))


def compare(workspace: Workspace, *, requests: int, clients: int) -> dict[str, Any]:
    """Milliseconds by mode, and the ratios of the medians to a log that is off."""
    holders = {mode: started(workspace, mode) for mode in get_args(Mode)}
    taken: dict[str, list[float]] = {mode: [] for mode in holders}
    worked = dict.fromkeys(holders, 0.0)
    for _ in range(_ROUNDS):
        for mode, holder in holders.items():
            before = time.process_time()
            taken[mode] += measure(holder, requests=requests // _ROUNDS, clients=clients)
            until_written(holder)
            worked[mode] += time.process_time() - before
    for holder in holders.values():
        holder.stop()
    medians = {mode: statistics.median(times) * 1e3 for mode, times in taken.items()}
    return {
        "clients": clients,
        "median_ms": {mode: round(median, 3) for mode, median in medians.items()},
        "p99_ms": {
            mode: round(statistics.quantiles(times, n=100)[98] * 1e3, 3) for mode, times in taken.items()
        },
        "processor_ms": {mode: round(seconds * 1e3 / requests, 3) for mode, seconds in worked.items()},
        "ratio": {mode: round(median / medians["off"], 3) for mode, median in medians.items()},
    }


def until_written(holder: DeskHolder) -> None:
    """Let the log catch up, so that its work counts where it belongs."""
    pause = threading.Event()
    while holder.log.waiting:
        pause.wait(0.01)


def started(workspace: Workspace, mode: str) -> DeskHolder:
    """A worker with a log of this mode, warm."""
    os.environ["SPEARFISH_LOG"] = mode
    holder = DeskHolder(workspace)
    holder.start()
    measure(holder, requests=20, clients=4)
    return holder


def row_bytes(workspace: Workspace) -> float:
    """Bytes of the mean row, without its indexes."""
    holder = DeskHolder(workspace)
    blobs = sum(func.length(predictions.c[name]) for name in ("inputs", "answer", "evidence"))
    with holder.door.open().reading() as connection:
        found = connection.execute(select(func.avg(blobs))).scalar_one()
    holder.door.close()
    return round(float(found), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = small.build_workspace(Path(folder))
        found = [compare(workspace, requests=asked.requests, clients=clients) for clients in asked.clients]
        json.dump({"runs": found, "bytes_per_answer": row_bytes(workspace)}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
