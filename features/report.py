"""What an ingest did, row by row accounted for.

Turns the counts of an ingest into a table for people and an object for programs. Time rule: none. Null
rule: none. For every table: rows read = rows loaded + rows that told nothing new + rows that their source
deleted + rows set aside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from io import StringIO

from rich.console import Console, Group
from rich.table import Table as RichTable
from rich.text import Text

from features.errors import ContractError
from features.identity.counts import IdentityCounts
from features.origin_report import compared_table, origin_sentences
from features.origins import NOTHING_COMPARED, ONE_ORIGIN, Comparison, OriginRules
from features.privacy.counts import ConsentCounts, assumed_sentences
from features.titles.filling import TitleCounts

__all__ = ["Example", "IngestReport", "TableReport", "no_accounts"]


@dataclass(frozen=True)
class Example:
    """One row that was set aside.

    row: its cells as JSON. file, line: where it stands; the header is line 1. Of a row that a query made, or
        that other rows judge, it is told where exactly one line holds its identifier.
    allowed: what the column may hold.
    """

    source: str
    reason: str
    column: str | None
    got: str | None
    row: str | None
    file: str | None = None
    line: int | None = None
    allowed: str | None = None

    def sentence(self) -> str:
        where = f"{self.column}: " if self.column else ""
        got = f"{where}got {self.got!r}" if self.got is not None else f"{where}empty"
        allowed = f", allowed {self.allowed}" if self.allowed else ""
        place = f"row {self.line} of {self.file}" if self.line else self.file or f"source {self.source!r}"
        return f"{got}{allowed} ({place})"


@dataclass(frozen=True)
class TableReport:
    """One canonical table: what it holds now, and what became of the rows that were read.

    rows: in the table now. loaded: rows that are new in it. collapsed: rows that told nothing new, as they
        were there already, repeated a row, or repeated what their source had said before. deleted: rows that
        were deleted in their source when they became known, as the message that something is gone.
    quarantined: rows set aside by reason; examples: up to five per reason.
    unread: by text column, cells of new rows that its normaliser could not read; they are empty.
    withheld: by text column, cells of new rows that hold an e-mail address or a telephone number where no
        person is told of; they are left out.
    untimed: sources that know today's values alone and do not tell when they changed: a later export of other
        values adds no versions.
    """

    name: str
    rows: int
    read: int
    loaded: int
    collapsed: int
    quarantined: dict[str, int] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    unread: dict[str, int] = field(default_factory=dict)
    withheld: dict[str, int] = field(default_factory=dict)
    deleted: int = 0
    untimed: tuple[str, ...] = ()

    def balanced(self) -> bool:
        """Whether no row was lost and none was made."""
        return self.read == self.loaded + self.collapsed + self.deleted + sum(self.quarantined.values())


def no_accounts(report: TableReport) -> ContractError:
    """Why a workspace without a single account cannot be."""
    if not report.read:
        return ContractError("accounts is empty", got="0 rows", fix="give a file with at least one company")
    reasons = ", ".join(f"{rows} x {reason}" for reason, rows in report.quarantined.items())
    example = report.examples[0].sentence()
    return ContractError(
        "accounts: not one row fits the contract",
        got=f"{report.read} rows: {reasons}; for example {example}",
        fix="correct the mapping of these columns",
    )


@dataclass(frozen=True)
class IngestReport:
    """What an ingest did. `print(report)` shows it as a table.

    changed: whether the workspace holds anything that it did not hold before.
    known_files: files that were not read, as an earlier ingest had read them.
    left_out: optional sources whose files are not there.
    titles: what became of the job titles of contacts whose level or department the source does not say.
    identity: accounts that are one company with another, and pairs that a person should look at.
    traffic: activities in the table that are no engagement, by mark: our own people, machines.
    consent: how many contacts have opted out, and of how many nothing is told; assumed: by source, what the
        mapping assumes of the rest.
    forgotten: by table, rows that were read and left out, as they are about somebody who was forgotten.
    origins, comparison: where accounts come from, and which columns can be compared between the origins.
    """

    workspace: str
    snapshot: str
    fingerprint: str
    tables: tuple[TableReport, ...]
    current_value_only: dict[str, tuple[str, ...]]
    changed: bool = True
    known_files: int = 0
    left_out: tuple[str, ...] = ()
    titles: TitleCounts = field(default_factory=TitleCounts)
    identity: IdentityCounts = field(default_factory=IdentityCounts)
    traffic: dict[str, int] = field(default_factory=dict)
    consent: ConsentCounts = field(default_factory=ConsentCounts)
    assumed: dict[str, str] = field(default_factory=dict)
    forgotten: dict[str, int] = field(default_factory=dict)
    origins: OriginRules = ONE_ORIGIN
    comparison: Comparison = NOTHING_COMPARED

    def table(self, name: str) -> TableReport:
        return next(table for table in self.tables if table.name == name)

    def set_aside(self) -> Iterator[str]:
        """A sentence per table and reason: how many rows, why, and one of them."""
        for table in self.tables:
            for reason, rows in table.quarantined.items():
                example = next(example for example in table.examples if example.reason == reason)
                noun = "row" if rows == 1 else "rows"
                yield f"{table.name}: {rows:,} {noun} set aside, {reason}; for example {example.sentence()}"

    def to_dict(self) -> dict[str, object]:
        """The report as one JSON object."""
        return {
            "workspace": self.workspace,
            "snapshot": self.snapshot,
            "fingerprint": self.fingerprint,
            "changed": self.changed,
            "known_files": self.known_files,
            "left_out": list(self.left_out),
            "titles": asdict(self.titles),
            "identity": asdict(self.identity),
            "traffic": self.traffic,
            "consent": asdict(self.consent) | {"assumed": self.assumed},
            "forgotten": self.forgotten,
            **({"origins": self.comparison.to_dict()} if self.origins.several else {}),
            "tables": {
                table.name: {
                    "rows": table.rows,
                    "read": table.read,
                    "loaded": table.loaded,
                    "collapsed": table.collapsed,
                    "deleted": table.deleted,
                    "quarantined": table.quarantined,
                    "examples": [vars(example) for example in table.examples],
                    "unread": table.unread,
                    "withheld": table.withheld,
                    "untimed": list(table.untimed),
                }
                for table in self.tables
            },
            "current_value_only": {name: list(columns) for name, columns in self.current_value_only.items()},
        }

    def __rich__(self) -> Group:
        shown = RichTable(title=self._title(), title_justify="left", title_style="bold")
        shown.add_column("table")
        for column in ("holds", "read", "new", "nothing new", "deleted", "set aside"):
            shown.add_column(column, justify="right")
        for table in self.tables:
            aside = sum(table.quarantined.values())
            numbers = (table.rows, table.read, table.loaded, table.collapsed, table.deleted, aside)
            shown.add_row(table.name, *(f"{number:,}" for number in numbers))
        compared = compared_table(self.comparison) if self.origins.several else None
        notes = (Text(line) for line in (*self.set_aside(), *self._notes()))
        return Group(shown, *([compared] if compared else []), *notes)

    def _title(self) -> str:
        return f"Ingested into {self.workspace}" + ("" if self.changed else ": nothing new")

    def _notes(self) -> list[str]:
        marked = [
            f"{table}.{column}" for table, columns in self.current_value_only.items() for column in columns
        ]
        lines = [f"current value only (no history): {', '.join(marked)}"] if marked else []
        if untimed := [f"{label} ({table.name})" for table in self.tables for label in table.untimed]:
            lines.append(
                "no time of the last change: of a record that differs in a later export, one state stays and"
                f" the others are set aside (changed_at makes them versions): {', '.join(untimed)}"
            )
        if self.left_out:
            lines.append(f"no files for: {', '.join(self.left_out)}")
        if self.known_files:
            lines.append(f"files not read again, as they have not changed: {self.known_files:,}")
        if self.titles.read:
            lines.append(self.titles.sentence())
        if unread := _cells({table.name: table.unread for table in self.tables}):
            lines.append(f"cells that could not be read, and are empty: {unread}")
        if withheld := _cells({table.name: table.withheld for table in self.tables}):
            lines.append(
                f"cells with an e-mail address or a telephone number, which are left out: {withheld};"
                " bind what names no person, as a number of the owner"
            )
        if self.identity != IdentityCounts():
            lines.append(self.identity.sentence(snapshot=self.snapshot))
        if self.origins.several:
            lines += origin_sentences(self.comparison, origins=self.origins)
        lines += [*self.consent.sentences(), *assumed_sentences(self.assumed)]
        if self.traffic:
            told = ", ".join(f"{rows:,} {mark}" for mark, rows in self.traffic.items())
            lines.append(f"activities that never count as engagement: {told}")
        if self.forgotten:
            lines.append(f"rows of forgotten people that were left out: {sum(self.forgotten.values()):,}")
        return lines

    def __str__(self) -> str:
        console = Console(file=StringIO(), width=140)
        with console.capture() as captured:
            console.print(self)
        return captured.get()


def _cells(counted: Mapping[str, Mapping[str, int]]) -> str:
    """Counts by table and column, in words."""
    return ", ".join(
        f"{table}.{column} {cells:,}"
        for table, columns in counted.items()
        for column, cells in columns.items()
    )
