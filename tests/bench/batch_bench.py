"""What a batch of POST /v1/score/batch costs: accounts by identifier, with all reasons and their parts.

Turns a workspace with a release into seconds of wall and of processor time from the bytes of a body to the
bytes of its answer, on a warm desk, without HTTP and without the log: the median of several batches, and its
stages. Other work on the machine makes both longer, so that its load is told beside them. Time rule: none.
Null rule: none.

    spearfish demo --no-serve --workspace /tmp/market
    PYTHONPATH=. python tests/bench/batch_bench.py --workspace /tmp/market --rows 1000
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from features.workspace import Workspace
from serving.batches import batch_answer, score_batch
from serving.collecting import collect_seldom
from serving.desk import Desk, Snapshot
from serving.releases import load_current
from serving.requests import parse_batch
from serving.scoring import Scored, utc_now
from serving.store import Store
from training.checks.results import write_result

STAGES = ("read", "score", "answer", "write")


def warm_desk(workspace: Workspace) -> Desk:
    """A desk as a worker has it."""
    with Store.open(workspace.store_url) as store:
        release = load_current(store, now=utc_now())
    return Desk(Snapshot(workspace), release=release, resident=True)


def body_of(desk: Desk, *, rows: int) -> bytes:
    """A batch of so many accounts, evenly chosen."""
    names = desk.snapshot.accounts.everyone()["account_id"]
    chosen = names.iloc[:: max(1, len(names) // rows)][:rows]
    return json.dumps({"accounts": [{"account_id": name} for name in chosen]}).encode()


def timed(desk: Desk, body: bytes) -> dict[str, float]:
    """Seconds of each stage, and of processor time in all."""
    processor, moments = time.process_time(), [time.perf_counter()]
    rows = parse_batch(body, attributes=desk.snapshot.manifest.attributes)
    moments.append(time.perf_counter())
    found = score_batch(desk, rows=rows, now=utc_now(), language="en")
    moments.append(time.perf_counter())
    answers = [one.answer if isinstance(one, Scored) else one for one in found]
    answer = batch_answer(answers, request_id="bench")
    moments.append(time.perf_counter())
    written = answer.model_dump_json().encode()
    moments.append(time.perf_counter())
    stages = {name: moments[place + 1] - moments[place] for place, name in enumerate(STAGES)}
    return stages | {
        "seconds": moments[-1] - moments[0],
        "processor_seconds": time.process_time() - processor,
        "megabytes": len(written) / 1e6,
        "failed": answer.failed,
    }


def measured(workspace: Workspace, *, rows: int, repeats: int) -> dict[str, Any]:
    """The median of each figure, and what the machine was busy with."""
    desk = warm_desk(workspace)
    body = body_of(desk, rows=rows)
    timed(desk, body)
    collect_seldom()
    runs = [timed(desk, body) for _ in range(repeats)]
    medians = {name: round(statistics.median(run[name] for run in runs), 4) for name in runs[0]}
    features = {one.bundle.key: len(one.bundle.catalogue.names) for one in desk.release.scorers}
    return {
        "rows": rows,
        "accounts": desk.snapshot.accounts.count,
        "features": features,
        **medians,
        "load": round(os.getloadavg()[0], 1),
        "cores": os.cpu_count(),
    }


def main() -> None:
    """Print the figures, and write them down where that is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    found = measured(Workspace(given.workspace), rows=given.rows, repeats=given.repeats)
    sys.stdout.write(f"{json.dumps(found, indent=1)}\n")
    if given.out:
        write_result(found, out=given.out)


if __name__ == "__main__":
    main()
