"""Kills ingests that move activities from the store into the tables, and counts what is left.

Turns seeds into ingests that are killed (SIGKILL) after a random time or just before one of the steps they
take in the file system. Whatever the moment, every activity that was acknowledged is in the tables or beside
them, never both and never neither; the next ingest has them all in the tables, once. Time rule: none. Null
rule: none.

    python -m training.checks.activity_kills --kills 200 --out results/activity_kills.json
"""

from __future__ import annotations

import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from features.mapping import load_config
from features.workspace import Workspace
from serving.store import Store, activities
from serving.store.activities import Activity
from serving.store.moving import moved_through
from training.checks.forge import Forge, kill_command, serve
from training.ingesting import ingest_all

__all__ = ["campaign"]

_MAPPING: Final = """
[workspace]
name = "moved"
[[sources]]
table = "accounts"
path = "accounts.csv"
known = "start_of_time"
[sources.columns]
account_id = "id"
"""
_START: Final = datetime.fromisoformat("2026-01-01T00:00:00")


def campaign(kills: int, *, seed: int, folder: Path, rows: int = 30) -> dict[str, Any]:
    """Kill `kills` ingests, each of which finds some activities moved and others waiting.

    folder: an empty one to work in. Returns how many kills left the rows waiting, moved, or came too late
    (`finished`), and `faults`, a sentence for each thing that should not be.
    """
    chance, left, faults = random.Random(seed), Counter[str](), list[str]()
    config, old = folder / "mapping.toml", Workspace(folder / "old")
    config.write_text(_MAPPING, encoding="utf-8")
    (folder / "accounts.csv").write_text("id\na0\na1\na2\n", encoding="utf-8")
    with Forge("training.checks.activity_kills", "--forge", str(config)) as forge:
        old.home.mkdir()
        _send(old, first=0, rows=rows)
        started = time.monotonic()
        steps = forge.done({"home": str(old.home)})["steps"]
        seconds = time.monotonic() - started
        _send(old, first=rows, rows=rows)
        for number in range(kills):
            home = Workspace(folder / "killed")
            shutil.rmtree(home.home, ignore_errors=True)
            shutil.copytree(old.home, home.home)
            moment: dict[str, float] = (
                {"step": chance.randint(1, steps)} if number % 2 else {"after": chance.uniform(0, seconds)}
            )
            killed = forge.killed({"home": str(home.home)}, moment=moment)
            waiting = _check(home, rows=2 * rows, moment=str(moment), faults=faults)
            left["finished" if not killed else "waiting" if waiting else "moved"] += 1
            forge.done({"home": str(home.home)})
            if _check(home, rows=2 * rows, moment=str(moment), faults=faults):
                faults.append(f"killed at {moment}: the next ingest left activities beside the tables")
    return {
        "kills": kills,
        "steps": steps,
        **{name: left[name] for name in ("waiting", "moved", "finished")},
        "faults": faults,
    }


def _send(workspace: Workspace, *, first: int, rows: int) -> None:
    """Acknowledge activities, as the service does."""
    sent = [
        Activity(
            activity_id=f"x{number}",
            account_id=f"a{number % 3}",
            contact_id=None,
            channel="web_visit",
            direction="inbound",
            occurred_at=_START + timedelta(minutes=number),
            known_at=_START + timedelta(minutes=number, seconds=3),
        )
        for number in range(first, first + rows)
    ]
    with Store.open(workspace.store_url) as store, store.writing() as connection:
        activities.lock(connection)
        activities.add(connection, sent)


def _check(workspace: Workspace, *, rows: int, moment: str, faults: list[str]) -> int:
    """Every activity is counted once. Returns how many are beside the tables."""
    manifest = workspace.manifest()
    held = workspace.tables(manifest).read("activities")["activity_id"].to_list()
    after = moved_through(workspace, snapshot=manifest.snapshot)
    with Store.open(workspace.store_url) as store, store.reading() as connection:
        end = activities.last_sequence(connection)
        found = activities.of_accounts(connection, account_ids=("a0", "a1", "a2"), after=after, through=end)
    beside = [one.activity_id for one in found]
    if sorted([*held, *beside]) != sorted(f"x{number}" for number in range(rows)):
        faults.append(f"killed at {moment}: {len(held)} in the tables and {len(beside)} beside, of {rows}")
    return len(beside)


def _work(work: Mapping[str, Any], *, config: Path) -> int:
    ingest_all(load_config(config), workspace=Workspace(Path(work["home"])))
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--forge"]:
        serve(lambda work: partial(_work, work, config=Path(sys.argv[2])))
    else:
        kill_command(campaign, module="training.checks.activity_kills", description=__doc__, kills=200)
