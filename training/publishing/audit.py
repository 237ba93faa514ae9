"""The figures of the leakage audit, as a table of the README.

Turns `results/audit.json` into lines of Markdown. Time rule: none. Null rule: a result without the shared
lists has only the lines on simulated markets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.audit.finding import percent, share
from training.publishing.shown import counted

__all__ = ["audit_figures"]


def audit_figures(found: Mapping[str, Any]) -> Iterator[str]:
    """The lines, in order."""
    yield (
        "**Leakage audit**: lists without dates whose late columns are known, audited unaided: no name of a "
        "column is read, and the truth is read after the audit alone."
    )
    if found["lists"]:
        yield ""
        yield "| list | rows | late columns found | identifiers found | wrongly blocked | disputed, blocked |"
        yield "|---|---|---|---|---|---|"
        yield from (_row(name, one) for name, one in found["lists"].items())
        yield ""
        yield from _tries(found)
    yield ""
    yield _markets(found["markets"])


def _row(name: str, one: Mapping[str, Any]) -> str:
    cells = [
        name,
        f"{one['rows']:,} ({share(one['events'], one['rows'])} with the event)",
        *(_found(one[kind]) for kind in ("late", "identifiers")),
        *(", ".join(one[kind]) or "none" for kind in ("wrong", "disputed")),
    ]
    return f"| {' | '.join(cells)} |"


def _found(split: Mapping[str, list[str]]) -> str:
    total = len(split["found"]) + len(split["missed"])
    missed = f" (missed: {', '.join(split['missed'])})" if split["missed"] else ""
    return f"{len(split['found'])} of {total}{missed}" if total else "there are none"


def _tries(found: Mapping[str, Any]) -> Iterator[str]:
    tries = {name: one for name, one in found["tries"].items() if name != "as it is"}
    late = [one["late"] for one in tries.values()]
    wrong = sum(len(one["wrong"]) for one in tries.values())
    yield (
        f"Under {len(tries)} other settings of its limits the audit of the leads names {min(late)} to "
        f"{max(late)} of the late columns and {wrong} early ones; with the outcome shuffled "
        f"{found['shuffled']['runs']} times it names {found['shuffled']['named']}."
    )


def _markets(found: Mapping[str, Any]) -> str:
    clean, marked, leaks = found["clean"], found["clean_all_marked"], found["planted"]
    named = f": {', '.join(marked['named'])}" if marked["named"] else ""
    caught = counted(leaks["named"], leaks["leaks"])
    return (
        f"Simulated markets of {found['accounts']:,} accounts: {clean['blocking']} of {clean['audits']} "
        f"audits of markets that leak nothing block ({_range(clean)}), and {marked['blocking']} of "
        f"{marked['audits']} ({_range(marked)}) where every fact of the accounts is marked as today's "
        f"value{named}; {leaks['named']} of {leaks['leaks']} planted leaks are named ({_range(caught)}), and "
        f"{leaks['wrong']} other columns."
    )


def _range(share: Mapping[str, Any]) -> str:
    return f"{percent(share['low'])} to {percent(share['high'])}"
