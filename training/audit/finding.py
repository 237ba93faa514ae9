"""What an audit found: each fault with its column, its figures and what to do about it.

Time rule: an audit belongs to the rows that it saw; it is stored with the model that learned from them. Null
rule: an audit without findings is a clean one; one that was never run is no audit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text

__all__ = ["KINDS", "Audit", "Finding", "FindingKind", "Severity", "percent", "share"]

Severity = Literal["blocks", "warns"]
FindingKind = Literal[
    "time_proof",
    "near_outcome",
    "identifier",
    "ranks_too_well",
    "one_class",
    "overlap",
    "current_value_only",
]

KINDS: dict[FindingKind, str] = {
    "time_proof": "a feature changes when later rows are taken away",
    "near_outcome": "filled in around the outcome",
    "identifier": "an identifier, or nearly one",
    "ranks_too_well": "ranks too well alone",
    "one_class": "a value, or emptiness, of one class only",
    "overlap": "rows on both sides of a split",
    "current_value_only": "today's value only",
}
"""What is looked for, in words."""


@dataclass(frozen=True)
class Finding:
    """One fault.

    column: the column of the table, or the feature; empty where the whole table is meant.
    why: one sentence with its figures. fix: what to do. figures: the same for machines.
    """

    kind: FindingKind
    severity: Severity
    column: str
    why: str
    fix: str
    figures: Mapping[str, float | int | None] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"figures": dict(self.figures)}


@dataclass(frozen=True)
class Audit:
    """What was looked at, and what was found.

    rows, events, columns: how many. checked: by kind, what was compared, or why it could not be.
    """

    rows: int
    events: int
    columns: int
    checked: Mapping[FindingKind, str]
    findings: tuple[Finding, ...]

    @property
    def blocking(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "blocks")

    @property
    def blocks(self) -> bool:
        """Whether the model must not be served before somebody has answered for it."""
        return bool(self.blocking)

    @property
    def sentence(self) -> str:
        warns = len(self.findings) - len(self.blocking)
        named = ", ".join(dict.fromkeys(finding.column or "the table" for finding in self.blocking))
        base = f"{self.events:,} of {self.rows:,} rows have the event ({share(self.events, self.rows)})"
        if not self.blocks:
            return f"nothing blocks; {warns} warning{'' if warns == 1 else 's'}; {base}"
        count = len(self.blocking)
        verb = "finding blocks" if count == 1 else "findings block"
        return f"{count} {verb} ({named}); {warns} warn; {base}"

    def to_json(self) -> dict[str, Any]:
        return {
            "blocks": self.blocks,
            "rows": self.rows,
            "events": self.events,
            "columns": self.columns,
            "checked": dict(self.checked),
            "findings": [finding.to_json() for finding in self.findings],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Audit:
        """What `to_json` wrote. KeyError or TypeError for another shape."""
        return cls(
            rows=stored["rows"],
            events=stored["events"],
            columns=stored["columns"],
            checked=stored["checked"],
            findings=tuple(Finding(**finding) for finding in stored["findings"]),
        )

    def lines(self) -> Iterator[tuple[str, str, str, str, str]]:
        """Per finding: severity, kind in words, column, why, what to do."""
        for finding in self.findings:
            yield finding.severity, KINDS[finding.kind], finding.column, finding.why, finding.fix

    def __rich__(self) -> Group:
        table = RichTable(title="Leakage audit", title_justify="left", show_lines=True, expand=True)
        # Two columns, as sentences in five are a word wide on a usual screen.
        table.add_column("column", overflow="fold", ratio=1)
        table.add_column("why, and what to do", overflow="fold", ratio=3)
        for severity, kind, column, why, fix in self.lines():
            about = Text.assemble(f"{severity}: ", (column or "the table", "bold"), f"\n{kind}")
            table.add_row(about, Text(f"{why}\n→ {fix}"))
        looked = [Text(f"{KINDS[kind]}: {told}") for kind, told in self.checked.items()]
        return Group(*([table] if self.findings else []), *looked, Text(self.sentence))


def percent(part: float) -> str:
    """A share for a sentence, with enough digits to see that it is not nothing.

    >>> percent(1 / 3), percent(0.00075), percent(0)
    ('33.3 %', '0.075 %', '0.0 %')
    """
    return f"{100 * part:.1f} %" if abs(part) >= 0.01 or not part else f"{100 * part:.2g} %"


def share(count: int, among: int) -> str:
    """A count's share for a sentence.

    >>> share(3, 4000), share(0, 0)
    ('0.075 %', 'none')
    """
    return percent(count / among) if among else "none"
