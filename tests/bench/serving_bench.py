"""The speed of the service: the whole table of what was asked, in one run against one served market.

Turns a workspace (a simulated market of its own by default) into one result: accounts by identifier and as
records beside an empty endpoint and beside `mlflow models serve`, answers at a rate, batches, a swap of the
model under load, and a job over a file. The server is a real BentoML process. On two cores it has one and
the load generator the other; for batches and the job it has both. The answers are checked one by one against
those computed without a server. Other work on the machine makes all of it longer, ratios least, so that its
load is told. Time rule: none. Null rule: without --job-accounts no job is measured.

    PYTHONPATH=.:tests/serving:tests/load python tests/bench/serving_bench.py --out FILE
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import job_bench
import mlflow_peer
from markets import market_of, market_parser
from pace import as_fast, milliseconds, rounds
from served import CORES, keep_to, peak_megabytes, served, served_code, workers
from serving_measures import CLIENTS, Measured, batches, beside_empty, paced, swapped
from serving_requests import by_id, record_of
from truth import Truth
from two_releases import two_releases

from features.workspace import Workspace
from serving.scoring import utc_now
from serving.store import Store
from training.checks.results import write_result

RATE = 50.0
ACTIVITIES = 100
RECORDS = 40
OFTEN = 400
"""Accounts that are asked for again and again."""

Told = dict[str, Any]


def beside_mlflow(workspace: Workspace, truth: Truth, *, folder: Path, count: int) -> Told:
    """Clients at once that ask MLflow for the intent of accounts, with features that are finished."""
    with Store.open(workspace.store_url) as store:
        current = store.current(utc_now())
    assert current is not None
    desk = truth.desk(current.id)
    bundle = next(one.bundle for one in desk.release.scorers if one.bundle.key == "intent")
    rows = [desk.rows(name, ["intent"], as_of=utc_now())["intent"] for name in truth.names(RECORDS)]
    sent = [mlflow_peer.peer_request(bundle.catalogue.names, row) for row in rows]
    keep_to(CORES[:1])
    with mlflow_peer.peer(workspace, log=folder / "mlflow.log") as port:
        keep_to(CORES[-1:])
        asyncio.run(as_fast(port, sent, clients=CLIENTS, turns=rounds(CLIENTS * 5, of=len(sent))))
        found = asyncio.run(as_fast(port, sent, clients=CLIENTS, turns=rounds(count, of=len(sent))))
    keep_to(CORES)
    assert all(mlflow_peer.is_right(reply, bundle, rows[place]) for place, reply in found)
    return {"clients": CLIENTS, "requests": len(found), "model": mlflow_peer.MODEL, **milliseconds(found)}


def measured(workspace: Workspace, *, folder: Path, count: int) -> Told:
    """Every line of the table but the job. Each is told on standard error as soon as it is there."""
    releases = two_releases(workspace)
    told: Told = {}

    def tell(name: str, found: Told) -> None:
        told[name] = found
        sys.stderr.write(f"{name}: {json.dumps(found)}\n")

    with Truth(workspace) as truth:
        known = by_id(truth.names(count))
        often, thousand = known[:OFTEN], by_id(truth.names(1_000))
        tables = workspace.tables()
        names = truth.names(RECORDS)
        records = [record_of(tables, name, activities=ACTIVITIES) for name in names]
        with served(workspace, log=folder / "server.log") as server:
            against = Measured(server, truth)
            tell("rate_first_time", paced(against, known, rate=RATE, count=len(known)))
            tell("known_account", beside_empty(against, often, count=count))
            tell("record", beside_empty(against, records, count=max(count * 2 // 5, 200)))
            tell("rate", paced(against, often, rate=RATE, count=count))
            tell("batch_first_time", batches(against, thousand, count=7, anew=True))
            tell("batch", batches(against, thousand, count=7, anew=False))
            tell("swap", swapped(against, workspace, often, releases=releases, rate=RATE, swaps=4, every=8.0))
            told["peak_megabytes"] = peak_megabytes(workers(server))
        tell("mlflow", beside_mlflow(workspace, truth, folder=folder, count=max(count // 10, 200)))
    for name in ("record", "known_account"):
        told[name]["faster_than_mlflow"] = round(told["mlflow"]["median_ms"] / told[name]["median_ms"], 2)
    return told


def facts(workspace: Workspace) -> Mapping[str, Any]:
    """What was measured on."""
    rows = {name: table.rows for name, table in workspace.manifest().tables.items()}
    return {"rows": rows, "cores": len(CORES), "load_before": round(os.getloadavg()[0], 1)}


def main() -> None:
    """The command."""
    parser = market_parser(__doc__, accounts=5_000)
    parser.add_argument("--requests", type=int, default=4_000, help="of each measurement")
    parser.add_argument("--job-accounts", type=int, default=0, help="accounts of the file job; 0 for none")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workspace = market_of(given, folder=folder)
        told = {**facts(workspace), **measured(workspace, folder=folder, count=given.requests)}
        if given.job_accounts:
            told["job"] = job_bench.measured(workspace, accounts=given.job_accounts, seed=0, folder=folder)
    # The server ran in a process of its own.
    told = write_result(told, out=given.out, also=served_code())
    sys.stdout.write(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
