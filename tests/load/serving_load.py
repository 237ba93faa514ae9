"""The load test: mixed traffic while workers are killed and releases change, and nothing may be wrong.

Turns a workspace and some minutes into a result: what was asked, what was killed and swapped, and every
finding: an answer that is wrong, mixed from two releases or lost, a write that is lost or done twice, a
request that failed. The log is durable. Time rule: none. Null rule: requests whose connection a killed worker
ended are counted apart, and asked again.

    PYTHONPATH=.:tests/serving:tests/load python tests/load/serving_load.py --minutes 10 --out FILE
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from judging import judged
from markets import market_of, market_parser
from served import CORES, served, served_code
from server_process import Server
from serving_requests import record_of
from traffic import Traffic
from trouble import kill_workers, swap_releases
from truth import Truth
from two_releases import two_releases

from features.workspace import Workspace
from training.checks.results import write_result

__all__ = ["Plan", "loaded"]


@dataclass(frozen=True)
class Plan:
    """How long, by how many clients and workers, and how many seconds lie between two kills and two swaps.

    accounts: how many are asked about; activities are sent for half of them. most: see `judged`.
    """

    seconds: float
    clients: int = 8
    workers: int = 2
    kill_every: float = 30.0
    swap_every: float = 15.0
    accounts: int = 400
    records: int = 20
    most: int = 20_000


def loaded(workspace: Workspace, plan: Plan, *, log: Path) -> dict[str, Any]:
    """Load a server of the workspace, and judge what it did."""
    releases = two_releases(workspace)
    with Truth(workspace) as truth:
        names = truth.names(plan.accounts)
    quiet, busy = names[::2], names[1::2]
    tables = workspace.tables()
    records = [record_of(tables, name, activities=30) for name in names[: plan.records]]
    os.environ["SPEARFISH_LOG"] = "durable"
    try:
        with served(workspace, log=log, cores=CORES, count=plan.workers) as server:
            traffic = Traffic(server.port, quiet=quiet, busy=busy, records=records)
            done = asyncio.run(_run(server, workspace, plan, releases=releases, traffic=traffic))
    finally:
        del os.environ["SPEARFISH_LOG"]
    found = judged(workspace, traffic, quiet=len(quiet), known=len(names), most=plan.most)
    counts = dict(sorted(traffic.ledger.counts.items()))
    return {"seconds": plan.seconds, "workers": plan.workers, **done, "requests": counts, **found}


async def _run(
    server: Server, workspace: Workspace, plan: Plan, *, releases: tuple[int, int], traffic: Traffic
) -> Counter[str]:
    """Everything at once; what was done to the server."""
    done: Counter[str] = Counter()
    trouble = [
        asyncio.create_task(kill_workers(server, every=plan.kill_every, done=done)),
        asyncio.create_task(swap_releases(workspace, releases, every=plan.swap_every, done=done)),
    ]
    clients = [asyncio.create_task(traffic.client(number)) for number in range(plan.clients)]
    await asyncio.sleep(plan.seconds)
    for task in trouble:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    traffic.stop()
    await asyncio.gather(*clients)
    return done


def main() -> None:
    """The command."""
    parser = market_parser(__doc__, accounts=2_000)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    plan = Plan(seconds=given.minutes * 60, clients=given.clients)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workspace = market_of(given, folder=folder)
        told = loaded(workspace, plan, log=folder / "server.log")
    # The server ran in processes of its own.
    told = write_result(told, out=given.out, also=served_code())
    sys.stdout.write(json.dumps(told, indent=1) + "\n")
    sys.exit(1 if told["findings"] else 0)


if __name__ == "__main__":
    main()
