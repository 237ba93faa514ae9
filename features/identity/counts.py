"""What an ingest found about who is who, for its report. Time rule: none. Null rule: none."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["REVIEW_FILE", "Cycle", "IdentityCounts", "Step"]

REVIEW_FILE = "identity_review.csv"
"""In the folder of the snapshot: the pairs that a person should look at."""

_SHOWN = 5


@dataclass(frozen=True)
class Step:
    """What one account says of its parent, or of what it was merged into, and where.

    A row that a query made stands nowhere.
    """

    account: str
    parent: str
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        where = f" (row {self.line} of {self.file})" if self.line else ""
        return f"{self.account} -> {self.parent}{where}"


@dataclass(frozen=True)
class Cycle:
    """Accounts that are their own ancestors, or (merges) records that were merged into each other in a ring.

    column: the attribute that says so.
    """

    column: str
    steps: tuple[Step, ...]
    merges: bool = False

    def __str__(self) -> str:
        told = ", ".join(map(str, self.steps))
        allowed = (
            "a record that was not merged into this one; correct it in one of these rows"
            if self.merges
            else "a parent that is no descendant; correct the parent in one of these rows"
        )
        return f"{self.column}: got {told}, allowed {allowed}"


@dataclass(frozen=True)
class IdentityCounts:
    """merged: accounts that another one stands for. review: pairs that a person should look at.

    leads: companies that only leads name; matched: those of them that are among the other accounts.
    cycles: accounts that are their own ancestors, whose members roll up to nobody, and records that were
        merged in a ring, each of which stands for itself.
    """

    merged: int = 0
    review: int = 0
    leads: int = 0
    matched: int = 0
    cycles: tuple[Cycle, ...] = ()

    def sentence(self, *, snapshot: str) -> str:
        """What was found. snapshot: the name of its folder, in which the review file lies."""
        told = f"accounts that another one stands for: {self.merged:,}; pairs to look at: {self.review:,}"
        if self.review:
            told += f" (snapshots/{snapshot}/{REVIEW_FILE} in the workspace)"
        if self.leads:
            told += f"; companies that leads name: {self.leads:,}, matched to accounts: {self.matched:,}"
        for merges, what in (
            (False, "cycles of parents, whose members roll up to nobody"),
            (True, "rings of merged records, each of which stands for itself"),
        ):
            cycles = [cycle for cycle in self.cycles if cycle.merges is merges]
            if cycles:
                shown = "; ".join(map(str, cycles[:_SHOWN])) + ("; ..." if len(cycles) > _SHOWN else "")
                told += f"; {what}: {len(cycles):,}: {shown}"
        return told
