"""Kills erasures at every kind of moment, and looks at what is left.

Turns seeds into erasures of one contact that are killed (SIGKILL) after a random time or just before one of
the steps they take in the file system. Whatever the moment, the workspace holds the tables of before or those
without the contact, whole; doing it again, or an ingest and doing it again, ends where it would have ended
without the kill, and then no file tells of the contact. Time rule: none. Null rule: none.

    python -m training.checks.forget_kills --kills 60
"""

from __future__ import annotations

import json
import random
import shutil
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from features.workspace import Workspace
from serving.store import Draft, Store, StoredBundle
from training.checks.forge import kill_command
from training.checks.ingest_kills import IngestForge, tables_of

__all__ = ["campaign"]

_PERSON: Final = "contact-to-forget"
_MAPPING: Final = """
[workspace]
name = "forgotten"
[[sources]]
table = "accounts"
path = "accounts.csv"
known = "start_of_time"
[sources.columns]
account_id = "id"
[[sources]]
table = "activities"
path = "activities.csv"
time_zone = "UTC"
known_immediately = true
[sources.columns]
account_id = "id"
contact_id = "who"
channel = "kind"
direction = { value = "inbound" }
occurred_at = "at"
"""


def campaign(kills: int, *, seed: int, folder: Path, rows: int = 2_000) -> dict[str, Any]:
    """Kill `kills` erasures: half of them at random times, half before a step in the file system.

    folder: an empty one to work in. Returns the counts: `old`, `new`, `finished` (the kill came too late),
    and `faults`, a sentence for each thing that should not be.
    """
    chance, left, faults = random.Random(seed), Counter[str](), list[str]()
    config = _write_sources(folder / "sources", rows=rows)
    old, new = Workspace(folder / "old"), Workspace(folder / "new")
    with IngestForge(config) as forge:
        forge.let_finish(old.home)
        _publish(old)
        shutil.copytree(old.home, new.home)
        started = time.monotonic()
        steps = forge.let_finish(new.home, forget=_PERSON)
        seconds = time.monotonic() - started
        expected = {"old": tables_of(old), "new": tables_of(new)}
        for number in range(kills):
            workspace = Workspace(folder / "killed")
            shutil.rmtree(workspace.home, ignore_errors=True)
            shutil.copytree(old.home, workspace.home)
            moment = (
                {"step": float(chance.randint(1, steps))}
                if number % 2
                else {"after": chance.uniform(0, seconds)}
            )
            killed = forge.kill(workspace.home, moment=moment, forget=_PERSON)
            content = tables_of(workspace)
            state = next((name for name, tables in expected.items() if tables == content), "neither")
            left[state if killed else "finished"] += 1
            if state == "neither":
                faults.append(f"killed at {moment}: neither the old tables nor the new")
            if number % 4 > 1:
                forge.let_finish(workspace.home)
            forge.let_finish(workspace.home, forget=_PERSON)
            faults += [f"killed at {moment}: {fault}" for fault in _remains(workspace, end=expected["new"])]
    return {
        "kills": kills,
        "steps": steps,
        **{name: left[name] for name in ("old", "new", "finished")},
        "faults": faults,
    }


def _remains(workspace: Workspace, *, end: object) -> list[str]:
    """What is wrong once it was done again."""
    faults = [] if tables_of(workspace) == end else ["doing it again ended elsewhere"]
    names = {path.name for path in workspace.snapshots.iterdir()}
    if names != {workspace.manifest().snapshot}:
        faults.append(f"left behind {sorted(names)}")
    telling = [str(file) for file in workspace.home.rglob("*") if file.is_file() and _tells(file)]
    if telling:
        faults.append(f"the contact is in {', '.join(telling)}")
    events = [
        json.loads(line)["event"]
        for line in (workspace.home / "erasures.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    if events[-1] != "done":
        faults.append(f"the audit ends with {events[-1]!r}")
    return faults


def _tells(file: Path) -> bool:
    """Whether a file holds the contact's identifier, in its bytes or in a column."""
    if _PERSON.encode() in file.read_bytes():
        return True
    return file.suffix == ".parquet" and _PERSON in repr(pq.read_table(file).to_pydict())


def _write_sources(folder: Path, *, rows: int) -> Path:
    folder.mkdir()
    mapping = folder / "mapping.toml"
    mapping.write_text(_MAPPING, encoding="utf-8")
    accounts = "\n".join(["id", *(f"a{k}" for k in range(rows // 10)), ""])
    (folder / "accounts.csv").write_text(accounts, encoding="utf-8")
    lines = [
        f"a{k % (rows // 10)},{_PERSON if k % 50 == 0 else f'contact-{k % 97}'},"
        f"{'No Kind' if k % 500 == 0 else 'web_visit'},2023-01-{k % 28 + 1:02d} {k % 24:02d}:00:{k % 60:02d}"
        for k in range(rows)
    ]
    (folder / "activities.csv").write_text("\n".join(["id,who,kind,at", *lines, ""]), encoding="utf-8")
    return mapping


def _publish(workspace: Workspace) -> None:
    """A release whose reason names the contact."""
    draft = Draft(
        (StoredBundle("fit", "a_model", "fit-1", b"bytes"),),
        created_by="check",
        reason=f"after {_PERSON} had asked",
    )
    with Store.open(workspace.store_url) as store:
        store.publish(draft, activate_at=None, now=datetime.fromisoformat("2026-01-01"))


if __name__ == "__main__":
    kill_command(campaign, module="training.checks.forget_kills", description=__doc__, kills=100)
