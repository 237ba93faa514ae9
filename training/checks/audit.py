"""The audit check: what the leakage audit finds where the truth is known, and where there is nothing to find.

Turns the shared data and simulated markets into figures: which late columns and identifiers of a real list of
leads are named, which are missed and which are named wrongly; the same for a second list; how often anything
blocks where nothing leaks; how often planted leaks are named. Time rule: the truth stands here and is read
after the audit alone. Null rule: without the shared data the markets alone are measured.

    python -m training.checks.audit --out results/audit.json
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text

from features.mapping import Config, load_config
from features.tables import Tables
from models.bundle import NAMES, Kind
from training.audit.beyond import DEFAULT, Limits
from training.audit.columns import AuditTable, raw_table
from training.audit.finding import Audit
from training.audit.planting import PLANTED, planted
from training.audit.running import audit_table
from training.audit.sources import audit_tables, read_list
from training.audit.statistics import exact_interval
from training.checks.market import market_tables
from training.checks.results import ROOT, write_result
from training.console import Output, ReportProgress
from training.market.settings import MarketSettings
from training.market.write import simulate

__all__ = ["LEADS", "AuditCheck", "Known", "check", "judged"]

_MARKET: Final = ROOT / "configs" / "simulated_market.toml"
_SHARED: Final = ROOT.parent / "shared" / "data"
_KEYS: Final = ("account_id", "known_at", "withdrawn_at")
_FIRST_SEED: Final = 800
_SHUFFLES: Final = 10
_FOLD_SEEDS: Final = 6


@dataclass(frozen=True)
class Known:
    """What is known of the columns of a list. disputed ones count neither way; all others are early."""

    late: tuple[str, ...]
    identifiers: tuple[str, ...]
    disputed: tuple[str, ...] = ()


LEADS = Known(
    late=(
        "Tags",
        "Lead Quality",
        "Lead Profile",
        "Last Activity",
        "Last Notable Activity",
        "Asymmetrique Activity Index",
        "Asymmetrique Profile Index",
        "Asymmetrique Activity Score",
        "Asymmetrique Profile Score",
    ),
    identifiers=("Prospect ID", "Lead Number"),
    disputed=("What is your current occupation", "What matters most to you in choosing a course"),
)
_COMPANIES = Known(late=("CLOSEDATE", "MRR"), identifiers=("id",))
_SESSIONS = Known(late=(), identifiers=())

_TRIES: dict[str, Limits] = {
    "as it is": DEFAULT,
    "without words that name events": replace(DEFAULT, words=False),
    "only what a column tells alone": replace(DEFAULT, unexplained=1.0),
    "only what nothing else explains": replace(DEFAULT, alone=1.0),
    "a column may tell 3.5 % alone": replace(DEFAULT, alone=0.035),
    "a column may tell 10 % alone": replace(DEFAULT, alone=0.1),
    "half as much unexplained": replace(DEFAULT, unexplained=0.005),
    "twice as much unexplained": replace(DEFAULT, unexplained=0.02),
    "complete from 80 %": replace(DEFAULT, complete=0.8),
    "complete from 95 %": replace(DEFAULT, complete=0.95),
    "complete from 98 %": replace(DEFAULT, complete=0.98),
}
"""What the audit of the leads would name under other limits; the first one is the audit."""


@dataclass(frozen=True)
class AuditCheck:
    """What was measured; `document` is the JSON form."""

    document: Mapping[str, Any]

    def __rich__(self) -> Group:
        table = RichTable(title="Leakage audit", title_justify="left")
        for column in ("table", "late found", "identifiers found", "named wrongly", "disputed, named"):
            table.add_column(column, overflow="fold")
        for name, one in self.document["lists"].items():
            table.add_row(name, *(Text(cell) for cell in _cells(one)))
        markets = self.document["markets"]
        clean, marked, leaks = markets["clean"], markets["clean_all_marked"], markets["planted"]
        return Group(
            table,
            Text(f"clean markets: {clean['blocking']} of {clean['audits']} audits block anything"),
            Text(
                f"the same, every fact of accounts marked as today's value: {marked['blocking']} of "
                f"{marked['audits']} ({', '.join(marked['named']) or 'no column'})"
            ),
            Text(f"planted leaks named: {leaks['named']} of {leaks['leaks']}; else named: {leaks['wrong']}"),
        )


def _cells(one: Mapping[str, Any]) -> Iterator[str]:
    for kind in ("late", "identifiers"):
        missed = ", ".join(one[kind]["missed"])
        total = len(one[kind]["found"]) + len(one[kind]["missed"])
        yield f"{len(one[kind]['found'])} of {total}" + (f" (missed: {missed})" if missed else "")
    yield ", ".join(one["wrong"]) or "none"
    yield ", ".join(one["disputed"]) or "none"


def judged(audit: Audit, *, known: Known) -> dict[str, Any]:
    """The columns that block, held against the truth."""
    named = list(dict.fromkeys(finding.column for finding in audit.blocking))
    right = {*known.late, *known.identifiers, *known.disputed}
    return {
        "rows": audit.rows,
        "events": audit.events,
        "columns": audit.columns,
        "late": _split(known.late, named),
        "identifiers": _split(known.identifiers, named),
        "disputed": [name for name in known.disputed if name in named],
        "wrong": [name for name in named if name not in right],
    }


def _split(names: Sequence[str], named: Sequence[str]) -> dict[str, list[str]]:
    return {
        "found": [name for name in names if name in named],
        "missed": [name for name in names if name not in named],
    }


def check(*, seeds: int, accounts: int, folder: Path, progress: ReportProgress | None = None) -> AuditCheck:
    """Everything. seeds: of markets of so many accounts. folder: the shared data; it need not be there."""
    lists, leads = {}, {}
    if folder.is_dir():
        tables = _lists(folder)
        for done, (name, (table, known)) in enumerate(tables.items()):
            _tell(progress, "audit lists", done, len(tables))
            audit = audit_table(table)
            found = [finding.to_json() for finding in audit.findings]
            lists[name] = judged(audit, known=known) | {"findings": found}
        leads = _leads(tables["X Education leads"][0], progress=progress)
    return AuditCheck({"lists": lists, **leads, "markets": _markets(seeds, accounts, progress=progress)})


def _lists(folder: Path) -> dict[str, tuple[AuditTable, Known]]:
    leads = read_list(folder / "x_education_leads" / "leads.csv")
    files = {"1": "customers.csv", "0": "noncustomers.csv"}
    parts = [read_list(folder / "hubspot_free_tier" / file).assign(won=won) for won, file in files.items()]
    companies = pd.concat(parts).sample(frac=1.0, random_state=0).fillna("")
    sessions = read_list(folder / "online_shoppers" / "online_shoppers_intention.csv")
    return {
        "X Education leads": (raw_table(leads, outcome="Converted"), LEADS),
        "HubSpot company files": (raw_table(companies, outcome="won"), _COMPANIES),
        "Online Shoppers": (raw_table(sessions, outcome="Revenue"), _SESSIONS),
    }


def _leads(table: AuditTable, *, progress: ReportProgress | None) -> dict[str, Any]:
    """How far the answer hangs on limits and folds, and what is named when the outcome is shuffled."""
    tries, folds, shuffled = {}, [], []
    for done, (name, limits) in enumerate(_TRIES.items()):
        _tell(progress, "try other limits", done, len(_TRIES))
        found = judged(audit_table(table, limits=limits), known=LEADS)
        tries[name] = {"late": len(found["late"]["found"]), "wrong": found["wrong"]}
    for seed in range(_FOLD_SEEDS):
        _tell(progress, "try other folds", seed, _FOLD_SEEDS)
        found = judged(audit_table(table, limits=replace(DEFAULT, seed=seed)), known=LEADS)
        folds.append({"late": len(found["late"]["found"]), "wrong": len(found["wrong"])})
    for seed in range(_SHUFFLES):
        _tell(progress, "shuffle the outcome", seed, _SHUFFLES)
        label = np.random.default_rng(seed).permutation(table.label)
        found = judged(audit_table(replace(table, label=label)), known=LEADS)
        shuffled.append(len(found["late"]["found"]) + len(found["disputed"]) + len(found["wrong"]))
    return {
        "tries": tries,
        "other_folds": folds,
        "shuffled": {"runs": _SHUFFLES, "named": int(np.sum(shuffled))},
    }


def _markets(seeds: int, accounts: int, *, progress: ReportProgress | None) -> dict[str, Any]:
    config, kinds = load_config(_MARKET), tuple(NAMES)
    clean, honest, named, wrong = [], [], [], 0
    for done in range(seeds):
        _tell(progress, "audit markets", done, seeds)
        settings = MarketSettings(accounts=accounts, seed=_FIRST_SEED + done)
        with tempfile.TemporaryDirectory() as folder:
            simulate(settings, directory=Path(folder) / "market")
            tables = market_tables(Path(folder) / "market", config=config)
            for kind in kinds:
                clean.append(_blocking(tables, kind=kind, cutoff=settings.end, config=config))
                facts = [name for name in tables.schema("accounts").names if name not in _KEYS]
                marked = replace(tables, marks={"accounts": facts})
                honest.append(_blocking(marked, kind=kind, cutoff=settings.end, config=config))
                leaky = planted(tables, kind=kind, cutoff=settings.end)
                found = _blocking(leaky, kind=kind, cutoff=settings.end, config=config)
                named.append([name for name in PLANTED if name in found])
                wrong += len(found - set(PLANTED))
    return {
        "accounts": accounts,
        "seeds": [_FIRST_SEED, _FIRST_SEED + seeds - 1],
        "clean": _counted(clean),
        "clean_all_marked": _counted(honest),
        "planted": {
            "leaks": len(PLANTED) * len(named),
            "named": sum(map(len, named)),
            "wrong": wrong,
            "by_leak": {name: sum(name in one for one in named) for name in PLANTED},
        },
    }


def _counted(found: Sequence[set[str]]) -> dict[str, Any]:
    """How many audits block anything, and which columns they name."""
    blocking = sum(bool(one) for one in found)
    low, high = exact_interval(blocking, len(found))
    named = sorted(set().union(*found))
    return {"audits": len(found), "blocking": blocking, "low": low, "high": high, "named": named}


def _blocking(tables: Tables, *, kind: Kind, cutoff: datetime, config: Config) -> set[str]:
    audit = audit_tables(tables, kind=kind, cutoff=cutoff, config=config)
    return {finding.column for finding in audit.blocking}


def _tell(progress: ReportProgress | None, what: str, done: int, total: int) -> None:
    if progress:
        progress(what, done + 1, total)


def main() -> None:
    """The command: measure, print, and write what was found as JSON."""
    parser = argparse.ArgumentParser(prog="python -m training.checks.audit", description=__doc__)
    parser.add_argument("--folder", type=Path, default=_SHARED, help="the shared data")
    parser.add_argument("--seeds", type=int, default=4, help="markets")
    parser.add_argument("--accounts", type=int, default=2_000, help="of each market")
    parser.add_argument("--out", type=Path, help="write the JSON here, too")
    given = parser.parse_args()
    output = Output(as_json=True)
    with output.progress() as progress:
        found = check(seeds=given.seeds, accounts=given.accounts, folder=given.folder, progress=progress)
    output.show(found)
    output.result(write_result(found.document, out=given.out, also=[_MARKET]))


if __name__ == "__main__":
    main()
