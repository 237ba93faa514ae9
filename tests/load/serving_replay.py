"""A thousand logged answers, computed again after the server has ended and after another promotion.

Turns a workspace into a result: how many of the answers of a real server, about accounts by identifier and
about records, have the same bits when another process computes them again from the log. Time rule: every
answer is of its own `as_of`. Null rule: an answer that cannot be compared is not one with the same bits.

    PYTHONPATH=.:tests/serving:tests/load python tests/load/serving_replay.py --answers 1000 --out FILE
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from markets import market_of, market_parser
from pace import as_fast
from served import CORES, served, served_code
from serving_requests import by_id, record_of
from two_releases import two_releases
from wire import request_bytes

from features.workspace import Workspace
from serving.scoring import utc_now
from serving.store import Store
from training.checks.results import ROOT, write_result

__all__ = ["replayed"]

RECORDS = 20
"""Every how-manieth request is a record: those of this many accounts, in turn."""


def replayed(workspace: Workspace, *, count: int, log: Path) -> dict[str, Any]:
    """Ask, end the server, and compute again: as it is, and with another release that answers."""
    first, second = two_releases(workspace)
    _point(workspace, first)
    names = _answered(workspace, count=count, log=log)
    after_restart = _again(workspace, names)
    _point(workspace, second)
    return {"after_restart": after_restart, "after_promotion": _again(workspace, names)}


def _answered(workspace: Workspace, *, count: int, log: Path) -> list[str]:
    """The names of so many answers of a server that keeps each of them before it is sent."""
    tables = workspace.tables()
    with tables.connect(threads=1) as connection:
        found = connection.execute("SELECT DISTINCT account_id FROM accounts ORDER BY 1 LIMIT $1", [count])
        names = [name for (name,) in found.fetchall()]
    asked = [*by_id(names), *(record_of(tables, name, activities=30) for name in names[:RECORDS])]
    places = [len(names) + n % RECORDS if n % 10 == 0 else n % len(names) for n in range(count)]
    sent = [request_bytes("POST", "/v1/score", body=request) for request in asked]
    os.environ["SPEARFISH_LOG"] = "durable"
    try:
        with served(workspace, log=log, cores=CORES) as server:
            told = asyncio.run(as_fast(server.port, sent, clients=8, turns=places))
    finally:
        del os.environ["SPEARFISH_LOG"]
    assert {reply.status for _, reply in told} == {200}
    return [reply.json()["request_id"] for _, reply in told]


def _again(workspace: Workspace, names: list[str]) -> dict[str, Any]:
    """What `spearfish replay --last`, a process of its own, says of all of them."""
    # Not by `-c`: without a file DuckDB takes a process for a person's, and shows how far a query is.
    command = [str(Path(sys.executable).with_name("spearfish")), "replay", "--json"]
    told = [*command, "--last", str(len(names)), "--workspace", str(workspace.home)]
    done = subprocess.run(told, cwd=ROOT, capture_output=True, text=True, check=False)
    replays = {one["request_id"]: one for one in json.loads(done.stdout)["replays"]}
    found = [replays[name] for name in names]
    compared = [one for one in found if one["features"] is not None]
    return {
        "answers": len(found),
        "same_bits": sum(one["equal"] and one["exact"] for one in compared),
        "same_words": sum(one["wording"] for one in found),
        "features_compared": len(compared),
    }


def _point(workspace: Workspace, release_id: int) -> None:
    with Store.open(workspace.store_url) as store:
        store.activate(release_id, activate_at=None, who="replay", why="replay", now=utc_now())


def main() -> None:
    """The command."""
    parser = market_parser(__doc__, accounts=2_000)
    parser.add_argument("--answers", type=int, default=1_000)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workspace = market_of(given, folder=folder)
        told = replayed(workspace, count=given.answers, log=folder / "server.log")
    # The server ran in a process of its own.
    told = write_result(told, out=given.out, also=served_code())
    sys.stdout.write(json.dumps(told, indent=1) + "\n")
    sys.exit(0 if all(told[turn]["same_bits"] == given.answers for turn in _TURNS) else 1)


_TURNS = ("after_restart", "after_promotion")


if __name__ == "__main__":
    main()
