"""Kills ingests at every kind of moment, and looks at what is left.

Turns seeds into ingests that are killed (SIGKILL) after a random time or just before one of the steps they
take in the file system. Whatever the moment, the workspace holds the tables of before or those of after,
whole; a reader that held a lease goes on reading; the next ingest ends where it would have without the
kill, and leaves nothing behind. Time rule: none. Null rule: none.

    python -m training.checks.ingest_kills --kills 300 --out results/ingest_kills.json
"""

from __future__ import annotations

import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from features.engine import run_sql
from features.errors import SpearfishError
from features.ingest import ingest
from features.mapping import load_config
from features.privacy.forgetting import Request
from features.tables import Tables
from features.titles.reading import read_titles
from features.workspace import Workspace
from training.checks.forge import Forge, kill_command, serve
from training.forgetting import forget

__all__ = ["IngestForge", "campaign", "tables_of"]

_TABLES: Final = ("accounts", "contacts", "activities", "merged_accounts", "consent_told")
_MAPPING: Final = """
[workspace]
name = "killed"
[identity]
merge = true
[[sources]]
table = "accounts"
name = "crm"
query = "SELECT accounts.*, sizes.staff FROM accounts LEFT JOIN sizes USING (id, known)"
known_at = "known"
[sources.files.accounts]
path = "accounts*.csv"
columns = ["id", "site", "known"]
[sources.files.sizes]
path = "sizes*.csv"
columns = ["id", "staff", "known"]
[sources.columns]
account_id = "id"
domain = "site"
employees = "staff"
[[sources]]
table = "accounts"
name = "register"
path = "register*.csv"
known_at = "known"
[sources.columns]
account_id = "id"
domain = "site"
[[sources]]
table = "contacts"
path = "people*.csv"
known_at = "known"
consent = { opted_out = "out" }
[sources.columns]
contact_id = "id"
account_id = "account"
title = "title"
email = "mail"
[[sources]]
table = "activities"
path = "activities*.csv"
time_zone = "UTC"
known_immediately = true
[sources.columns]
account_id = "id"
contact_id = "who"
channel = { value = "web_visit" }
direction = { value = "inbound" }
occurred_at = "at"
"""
"""Accounts from a query and from a register, which merge; people with titles, addresses and opt-outs."""
_TITLES: Final = ("Head of sales", "Angler", "VP Finance")
_LAST: Final = 8
"""About half of so many last steps come before the new tables count, the others after."""
_REBUILT: Final = 10
"""Every so many workspaces are built anew in the end."""


@dataclass
class _Tally:
    """What was found: how many kills left the old tables, the new ones, or neither."""

    left: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def campaign(kills: int, *, seed: int, folder: Path, rows: int = 2_000) -> dict[str, Any]:
    """Kill `kills` ingests: half of them at random times, half before a step in the file system.

    folder: an empty one to work in. Returns the counts: `old`, `new`, `finished` (the kill came too late),
    and `faults`, a sentence for each thing that should not be.
    """
    chance, tally = random.Random(seed), _Tally()
    config = _write_sources(folder / "sources", rows=rows)
    old, new = Workspace(folder / "old"), Workspace(folder / "new")
    with IngestForge(config) as forge:
        forge.let_finish(old.home)
        _write_more(folder / "sources", rows=rows)
        shutil.copytree(old.home, new.home)
        started = time.monotonic()
        # As when it is killed, a reader holds the old tables: they are not removed.
        with new.reading():
            steps = forge.let_finish(new.home)
        seconds = time.monotonic() - started
        expected = {"old": tables_of(old), "new": tables_of(new)}
        for number in range(kills):
            home = folder / "killed"
            shutil.rmtree(home, ignore_errors=True)
            shutil.copytree(old.home, home)
            # A different kind of moment each time; the last steps replace and remove, and are few.
            if number % 2:
                step = (
                    steps - chance.randrange(min(steps, _LAST))
                    if number % 4 == 1
                    else chance.randint(1, steps)
                )
                moment: dict[str, float] = {"step": step}
            else:
                moment = {"after": chance.uniform(0, seconds)}
            _one(forge, home=home, moment=moment, expected=expected, tally=tally)
            if number % _REBUILT == 0:
                forge.let_finish(home, rebuild=True)
                if tables_of(Workspace(home)) != expected["new"]:
                    tally.faults.append(f"killed at {moment}: built anew, it ended elsewhere")
    return {
        "kills": kills,
        "steps": steps,
        **{name: tally.left[name] for name in ("old", "new", "finished")},
        "faults": tally.faults,
    }


def _one(
    forge: IngestForge, *, home: Path, moment: dict[str, float], expected: dict[str, Any], tally: _Tally
) -> None:
    """One kill: what it left, what a reader sees meanwhile, and how the next ingest ends."""
    workspace = Workspace(home)
    with workspace.reading() as leased:
        killed = forge.kill(home, moment=moment)
        content = tables_of(workspace)
        left = next((name for name, tables in expected.items() if tables == content), "neither")
        tally.left[left if killed else "finished"] += 1
        if left == "neither":
            tally.faults.append(f"killed at {moment}: neither the old tables nor the new")
        forge.let_finish(home)
        if _rows(leased) != expected["old"][1]:
            tally.faults.append(f"killed at {moment}: the reader lost its tables")
    if tables_of(workspace) != expected["new"]:
        tally.faults.append(f"killed at {moment}: the next ingest ended elsewhere")
    # The next writer of all, who finds nothing new, removes what the reader held.
    forge.let_finish(home)
    names = {path.name for path in workspace.snapshots.iterdir()}
    if names != {workspace.manifest().snapshot}:
        tally.faults.append(f"killed at {moment}: left behind {sorted(names)}")


def tables_of(workspace: Workspace) -> tuple[str, list[list[str]]] | str:
    """The fingerprint, and what the tables really hold; the error when they cannot be read."""
    try:
        with workspace.lease() as manifest:
            return manifest.fingerprint, _rows(workspace.tables(manifest))
    except SpearfishError as error:
        return error.sentence()


def _rows(tables: Tables) -> list[list[str]]:
    """By table, its rows. Merged accounts are read in no promised order."""
    with tables.connect(threads=1) as connection:
        return [sorted(map(repr, run_sql(connection, f"FROM {name}").fetchall())) for name in _TABLES]


def _write_sources(folder: Path, *, rows: int) -> Path:
    folder.mkdir()
    mapping = folder / "mapping.toml"
    mapping.write_text(_MAPPING, encoding="utf-8")
    _write_csv(folder, part=0, rows=rows)
    return mapping


def _write_more(folder: Path, *, rows: int) -> None:
    _write_csv(folder, part=1, rows=rows)


def _write_csv(folder: Path, *, part: int, rows: int) -> None:
    """A file of each source; a later part changes some accounts and people, and adds rows."""
    numbers, month = range(rows // 10), f"2023-0{part + 1}"
    files = {
        "accounts": ["id,site,known", *(f"a{k},a{k}.example,{month}-01T00:00:00Z" for k in numbers)],
        "sizes": ["id,staff,known", *(f"a{k},{k + part},{month}-01T00:00:00Z" for k in numbers)],
        "register": ["id,site,known", *(f"r{k},a{2 * k}.example,{month}-02T00:00:00Z" for k in numbers)],
        "people": [
            "id,account,title,mail,out,known",
            *(
                f"c{k},a{k},{_TITLES[(k + part) % len(_TITLES)]},c{k}@a{k}.example,"
                f"{'yes' if part and k % 5 == 0 else 'no'},{month}-03T00:00:00Z"
                for k in numbers
            ),
        ],
        "activities": [
            "id,who,at",
            *(
                f"a{k % len(numbers)},c{k % len(numbers)},{month}-{k % 28 + 1:02d} {k % 24:02d}:00:00"
                for k in range(rows)
            ),
        ],
    }
    for name, lines in files.items():
        (folder / f"{name}{part}.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")


class IngestForge(Forge):
    """A forge of ingests, and of forgetting the contact that is named."""

    def __init__(self, config: Path) -> None:
        super().__init__("training.checks.ingest_kills", "--forge", str(config))

    def let_finish(self, home: Path, *, rebuild: bool = False, forget: str | None = None) -> int:
        """A work that nobody kills. Returns how many steps it took in the file system."""
        done = self.done({"home": str(home), "rebuild": rebuild, "forget": forget})
        if done["status"] != 0:
            raise SpearfishError("a work that nobody killed has failed", got=done, fix="see above")
        return int(done["steps"])

    def kill(self, home: Path, *, moment: Mapping[str, float], forget: str | None = None) -> bool:
        """A work that is killed. Returns False when it had ended before."""
        return self.killed({"home": str(home), "rebuild": False, "forget": forget}, moment=moment)


def _work(work: Mapping[str, Any], *, config: Path) -> int:
    workspace = Workspace(Path(work["home"]))
    if work["forget"]:
        request, now = Request(contacts=(work["forget"],)), datetime.now(UTC)
        forget(workspace, request, who="check", now=now.replace(tzinfo=None, microsecond=0), patience=0)
    else:
        ingest(load_config(config), workspace=workspace, rebuild=work["rebuild"])
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--forge"]:
        # What is loaded when the first title is read: in each child it would take longer than the rest.
        read_titles(["Head of sales"])
        serve(lambda work: partial(_work, work, config=Path(sys.argv[2])))
    else:
        kill_command(campaign, module="training.checks.ingest_kills", description=__doc__, kills=300)
