"""Kills trainings, promotions and retrainings at every kind of moment, and looks at what is left.

Turns seeds into commands as people type them (`spearfish train`, `promote`, `retrain`), each in a process of
its own that is killed (SIGKILL) after a random time, or just before one of the steps it takes in the file
system and in databases: a random one, or one around its last commits, where the new state takes the place of
the old one. Whatever the moment: what is served is the old release or the new one, and answers; after
`spearfish doctor --repair` nothing that derives from it is wrong, every registered version has a finished
run, a bundle that reproduces its golden rows, and the rest of its training; and the same command, run again,
ends where it would have ended without the kill, down to the fingerprints of the models. Both states must have
been left, else half of this was never tried. Time rule: none. Null rule: a kill before the first release
leaves nothing that is served.

    python -m training.checks.training_kills --kills 300 --out results/training_kills.json
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd

from features.errors import SpearfishError
from features.workspace import Workspace
from models.bundle import Bundle
from training.checks.command_forge import CommandForge
from training.checks.forge import kill_command
from training.checks.results import ROOT
from training.gate.asking import has_store, served
from training.market.settings import MarketSettings
from training.market.write import simulate
from training.tracking.registered import RegisteredModels

__all__ = ["campaign"]

_QUICK: Final = """
[model.fit]
max_rounds = 5
num_leaves = 2
groups = ["firmographic"]
members = 1
folds = 1
few_rows = 0

[model.intent]
max_rounds = 5
num_leaves = 2
folds = 1
few_rows = 0
groups = ["firmographic", "relationship"]
negatives_per_positive = 4.0

[gate]
keep = 0.01
slope = [0.001, 1000.0]
level = [0.001, 1000.0]
replicates = 100

[backtest]
replicates = 100

[drift]
replicates = 100
"""
"""Models whose only task is to be registered: how much is learned and drawn changes no kind of moment."""

_DERIVED: Final = ("tables", "mlflow", "trainings", "aliases", "bento models")
_EARLIER: Final = datetime.fromisoformat("2024-09-01")
_AIMS: Final = ("committed", "step", "commit", "time")
"""In turn, for each command: after a last commit, before a step, before a last commit, after a time."""

_LAST: Final = 3
"""Commits from the end that are aimed at, the very last first."""

_BOTH: Final = 2
"""Kills of a command from which on both states must have been left."""


@dataclass(frozen=True)
class _State:
    """The fingerprints of what is served, and of the challengers, by model."""

    served: Mapping[str, str]
    challengers: Mapping[str, str | None]


@dataclass(frozen=True)
class _Plan:
    """A command to kill: where it starts, and what a run without a kill ends with."""

    name: str
    argv: Sequence[str]
    start: Path
    seconds: float
    steps: int
    commits: int
    before: _State
    after: _State

    @property
    def serves(self) -> bool:
        """Whether it changes what is served; a training changes the challengers alone."""
        return self.before.served != self.after.served


@dataclass
class _Tally:
    """What was found: by command, how many kills left the old state, the new one, or came too late."""

    left: dict[str, Counter[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def both(self, name: str) -> bool:
        """Whether kills of a command left the old state, and others the new one."""
        return bool(self.left[name]["old"] and self.left[name]["new"])


def campaign(
    kills: int, *, seed: int, folder: Path, accounts: int = 600, commands: Sequence[str] = ()
) -> dict[str, Any]:
    """Kill `kills` commands in turn: half of them around their last commits, a quarter before a random step,
    and a quarter at random times.

    folder: an empty one to work in. commands: which of "first train", "first promote", "retrain", "train" and
    "promote"; all by default. Returns the counts, `both_states`, whether kills left the old state and the new
    one, by command, and `faults`, a sentence for each thing that should not be.
    """
    chance, tally = random.Random(seed), _Tally()
    with CommandForge() as forge:
        plans = list(_plans(forge, folder, accounts=accounts, wanted=commands))
        tally.left = {plan.name: Counter() for plan in plans}
        for number in range(kills):
            plan = plans[number % len(plans)]
            moment = _moment(number // len(plans), plan=plan, chance=chance)
            # A folder of its own each time: MLflow keeps databases open by their names.
            _one(forge, plan, home=folder / f"killed-{number}", moment=moment, tally=tally)
            shutil.rmtree(folder / f"killed-{number}")
    tally.faults += _one_sided(tally)
    return {
        "kills": kills,
        "commands": {plan.name: {"steps": plan.steps, "commits": plan.commits} for plan in plans},
        "left": {
            f"{name}: {state}": n for name, left in tally.left.items() for state, n in sorted(left.items())
        },
        "both_states": {plan.name: tally.both(plan.name) for plan in plans},
        "faults": tally.faults,
    }


def _moment(turn: int, *, plan: _Plan, chance: random.Random) -> dict[str, float]:
    """When to kill a command in its turn (0, 1, ...)."""
    aim = _AIMS[turn % len(_AIMS)]
    if aim == "time":
        return {"after": chance.uniform(0, plan.seconds)}
    if aim == "step":
        return {"step": chance.randint(1, plan.steps)}
    return {aim: max(1, plan.commits - turn // len(_AIMS) % _LAST)}


def _one_sided(tally: _Tally) -> Iterator[str]:
    for name, left in tally.left.items():
        if left.total() >= _BOTH and not tally.both(name):
            yield f"{name}: kills left {dict(left)}, but not both states"


def _plans(forge: CommandForge, folder: Path, *, accounts: int, wanted: Sequence[str]) -> Iterator[_Plan]:
    """Workspaces before and after each command, each made by running the one before it."""
    config = _write_sources(folder, accounts=accounts)
    old, new = ["--set", f"folder={folder / 'old'}"], ["--set", f"folder={folder / 'new'}"]
    given = ["--config", str(config)]
    empty, first = folder / "empty", folder / "first"
    forge.run(empty, ["ingest", *given, *old])
    _copy(empty, first)
    plan = _plan(forge, "first train", ["train", *given, *old], start=empty, end=first)
    if _is_wanted("first train", wanted):
        yield plan
    trained = _copy(first, folder / "trained")
    plan = _plan(forge, "first promote", ["promote", *given, *old], start=trained, end=first)
    if _is_wanted("first promote", wanted):
        yield plan
    if wanted and set(wanted) <= {"first train", "first promote"}:
        return
    if _is_wanted("retrain", wanted):
        start = _copy(first, folder / "promoted")
        again = _copy(first, folder / "again")
        yield _plan(forge, "retrain", ["retrain", *given, *new], start=start, end=again)
    if wanted and not {"train", "promote"} & set(wanted):
        return
    forge.run(first, ["ingest", *given, *new])
    second = _copy(first, folder / "second")
    plan = _plan(forge, "train", ["train", *given, *new], start=first, end=second)
    if _is_wanted("train", wanted):
        yield plan
    if _is_wanted("promote", wanted):
        third = _copy(second, folder / "third")
        yield _plan(forge, "promote", ["promote", *given, *new], start=second, end=third)


def _is_wanted(name: str, wanted: Sequence[str]) -> bool:
    return not wanted or name in wanted


def _plan(forge: CommandForge, name: str, argv: Sequence[str], *, start: Path, end: Path) -> _Plan:
    """end: a copy of the start, in which the command is run to its end."""
    began = time.monotonic()
    done = forge.run(end, argv)
    seconds = time.monotonic() - began
    before, after = (_state(Workspace(home)) for home in (start, end))
    return _Plan(name, argv, start, seconds, done["steps"], done["commits"], before, after)


def _one(forge: CommandForge, plan: _Plan, *, home: Path, moment: dict[str, float], tally: _Tally) -> None:
    """One kill: what it left (the old state, the new one, or the kill came too late), whether that can be
    served and mended, and how the next run ends."""
    workspace = Workspace(_copy(plan.start, home))
    killed = forge.kill(home, plan.argv, moment=moment)
    left = _served(workspace)
    faults = [] if left in (plan.before.served, plan.after.served) else [f"serves {left}"]
    faults += _found_by(forge, workspace, release=bool(left))
    faults += _registered(workspace)
    mended = _state(workspace)
    if mended.served != left:
        faults.append(f"the doctor serves {mended.served} instead of {left}")
    if not plan.serves and mended not in (plan.before, plan.after):
        faults.append(f"the registry holds {mended.challengers}, neither the old nor the new")
    state = "finished" if not killed else "new" if _is_new(plan, mended) else "old"
    tally.left[plan.name][state] += 1
    forge.run(home, plan.argv)
    ended = _state(workspace)
    if ended != plan.after:
        faults.append(f"the next run ended with {ended}, not with {plan.after}")
    tally.faults += [f"{plan.name} killed at {moment}: {fault}" for fault in faults]


def _is_new(plan: _Plan, found: _State) -> bool:
    return found.served == plan.after.served if plan.serves else found == plan.after


def _found_by(forge: CommandForge, workspace: Workspace, *, release: bool) -> Iterator[str]:
    """Whether the release answers, and what the doctor could not mend."""
    if release and forge.ended(workspace.home, ["score", "--top", "1", "--json"]) != 0:
        yield "what is served does not answer"
    forge.ended(workspace.home, ["doctor", "--repair", "--json"])
    checks = json.loads(forge.output(workspace.home))["checks"]
    needed = (*_DERIVED, *(("store", "release") if release else ()))
    begun = (workspace.home / "mlflow.db").exists()
    for check in checks:
        if check["name"] in needed and not check["ok"] and (begun or check["name"] != "mlflow"):
            yield f"the doctor finds {check['name']} wrong: {check['what']}"


def _registered(workspace: Workspace) -> Iterator[str]:
    """What is half registered."""
    registered = RegisteredModels(workspace)
    if not (workspace.home / "mlflow.db").exists():
        return
    trainings: dict[str, set[str]] = {}
    for kind, versions in registered.known().items():
        for version in versions:
            trainings.setdefault(version.tags["training"], set()).add(kind)
            if registered.client.get_run(version.run_id).info.status != "FINISHED":
                yield f"{version.label} has a run that did not finish"
            try:
                registered.bundle(version)
            except SpearfishError as error:
                yield error.sentence()
    yield from (f"a training registered {kinds} alone" for kinds in trainings.values() if len(kinds) != 2)


def _served(workspace: Workspace) -> dict[str, str]:
    """The fingerprints of what is served; each bundle reproduces its golden rows."""
    present = served(workspace) if has_store(workspace) else None
    if present is None:
        return {}
    for content in present.contents.values():
        Bundle.from_bytes(content).verify()
    return dict(present.release.fingerprints)


def _state(workspace: Workspace) -> _State:
    return _State(_served(workspace), _challengers(workspace))


def _challengers(workspace: Workspace) -> dict[str, str | None]:
    if not (workspace.home / "mlflow.db").exists():
        return {}
    return {
        kind: version.fingerprint
        for kind, versions in RegisteredModels(workspace).known().items()
        for version in versions
        if "challenger" in version.aliases
    }


def _copy(home: Path, to: Path) -> Path:
    """A copy of a workspace whose MLflow looks for its artifacts in the copy."""
    shutil.copytree(home, to)
    database = to / "mlflow.db"
    if database.exists():
        _point_at(database, old=home.absolute().as_uri(), new=to.absolute().as_uri())
    return to


def _point_at(database: Path, *, old: str, new: str) -> None:
    """MLflow stores whole addresses of artifacts."""
    with closing(sqlite3.connect(database)) as connection, connection:
        for table, column in (
            ("experiments", "artifact_location"),
            ("runs", "artifact_uri"),
            ("model_versions", "source"),
            ("model_versions", "storage_location"),
        ):
            change = f"UPDATE {table} SET {column} = replace({column}, ?, ?)"
            connection.execute(change, (f"{old}/", f"{new}/"))


def _write_sources(folder: Path, *, accounts: int) -> Path:
    """A small market, the same as it was known some months before, and its config; returns the config."""
    market = simulate(MarketSettings(accounts=accounts, seed=5), directory=folder / "new").directory
    (folder / "old").mkdir()
    for file in market.glob("*.parquet"):
        frame = pd.read_parquet(file)
        known = frame["known_at"] < pd.Timestamp(_EARLIER) if "known_at" in frame else slice(None)
        frame.loc[known].to_parquet(folder / "old" / file.name, index=False)
    text = (ROOT / "configs" / "simulated_market.toml").read_text(encoding="utf-8")
    config = folder / "market.toml"
    config.write_text(text[: text.index("[labels.intent]")] + _QUICK, encoding="utf-8")
    return config


if __name__ == "__main__":
    kill_command(campaign, module="training.checks.training_kills", description=__doc__, kills=300)
