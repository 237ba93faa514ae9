"""What a job over a file costs: accounts by identifier, with scores and all reasons, by the runner itself.

Turns a workspace with a release into the seconds from sending the job to its end, rows per second, and the
highest memory of the runner, which is a process of its own. The store is a copy, so that the workspace stays
as it is. Accounts are taken in no order; where more are asked for than there are, each is asked for again at
an earlier moment. Other work on the machine makes it longer, so that its load is told beside it. Time rule:
none. Null rule: without --to nothing is extrapolated.

    spearfish simulate --accounts 50000 --out /tmp/market --end today   # then ingest, train and promote it
    PYTHONPATH=. python tests/bench/job_bench.py --workspace /tmp/workspace --accounts 50000
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import psutil

from features.workspace import Workspace
from serving.answers import iso
from serving.desk import Snapshot
from serving.jobs.reading import read_parts
from serving.jobs.results import to_bytes
from serving.scoring import utc_now
from serving.store import Store, jobs
from serving.store.jobs import Job, Part
from training.checks.results import write_result

ROOT = Path(__file__).parents[2]
LOOK_EVERY = 0.1


def file_of(workspace: Workspace, *, rows: int, seed: int) -> bytes:
    """CSV with so many rows."""
    snapshot = Snapshot(workspace)
    names = snapshot.accounts.everyone()["account_id"].to_numpy()
    snapshot.close()
    order = np.random.default_rng(seed).permutation(rows).tolist()
    lines = (f"{names[place % len(names)]},{_moment(place // len(names))}" for place in order)
    return "\n".join(["account_id,as_of", *lines, ""]).encode()


def _moment(turn: int) -> str:
    return iso(utc_now() - timedelta(days=turn)) if turn else ""


def queue(store: Store, content: bytes) -> Job:
    """The job of a file, as the service queues it."""
    parts, first = [], 1
    for number, part in enumerate(read_parts(io.BytesIO(content), file_format="csv", most_rows=10**8)):
        parts.append(Part(number, first, part.num_rows, to_bytes(part)))
        first += part.num_rows
    job = Job(uuid4().hex, "score", "queued", utc_now(), rows=first - 1, language="en", format="csv")
    with store.writing() as connection:
        jobs.add(connection, job, parts)
    return job


@contextmanager
def runner(workspace: Workspace, *, store_url: str) -> Iterator[psutil.Process]:
    """A runner as `spearfish jobs run` starts it."""
    environment = os.environ | {"SPEARFISH_HOME": str(workspace.home), "SPEARFISH_STORE_URL": store_url}
    command = [sys.executable, "-m", "serving.jobs"]
    with subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        try:
            yield psutil.Process(process.pid)
        finally:
            process.terminate()


def measured(workspace: Workspace, *, accounts: int, seed: int, folder: Path) -> dict[str, Any]:
    """The figures of one job."""
    for file in workspace.home.glob("store.db*"):
        shutil.copy(file, folder)
    url, content = f"sqlite:///{folder}/store.db", file_of(workspace, rows=accounts, seed=seed)
    pause, highest = threading.Event(), 0
    with Store.open(url) as store, runner(workspace, store_url=url) as process:
        started = time.perf_counter()
        job = queue(store, content)
        done = _looked(store, job)
        while done.state in ("queued", "running"):
            pause.wait(LOOK_EVERY)
            highest = max(highest, process.memory_info().rss)
            done = _looked(store, job)
        seconds, times = time.perf_counter() - started, process.cpu_times()
        with store.reading() as connection:
            numbers = jobs.results(connection, job_id=job.id)
            size = sum(len(jobs.result(connection, job_id=job.id, number=one) or b"") for one in numbers)
    return {
        "accounts": accounts,
        "state": done.state,
        "refused": done.failed,
        "seconds": round(seconds, 1),
        "processor_seconds": round(times.user + times.system, 1),
        "rows_per_second": round(accounts / seconds),
        "peak_megabytes": round(highest / 1e6),
        "result_megabytes": round(size / 1e6, 1),
        "load": round(os.getloadavg()[0], 1),
        "cores": os.cpu_count(),
    }


def _looked(store: Store, job: Job) -> Job:
    with store.reading() as connection:
        found = jobs.find(connection, job_id=job.id)
    assert found is not None
    return found


def main() -> None:
    """Print the figures, and write them down where that is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--accounts", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--to", type=int, help="Say what so many accounts would take at this speed.")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(given.workspace.absolute())
        found = measured(workspace, accounts=given.accounts, seed=given.seed, folder=Path(folder))
    if given.to:
        at_this_speed = round(found["seconds"] * given.to / given.accounts)
        found["extrapolated"] = {"accounts": given.to, "seconds": at_this_speed}
    sys.stdout.write(f"{json.dumps(found, indent=1)}\n")
    if given.out:
        write_result(found, out=given.out)


if __name__ == "__main__":
    main()
