"""What an ingest found about who is who, for its report. Time rule: none. Null rule: none."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["REVIEW_FILE", "IdentityCounts"]

REVIEW_FILE = "identity_review.csv"
"""In the folder of the snapshot: the pairs that a person should look at."""

_SHOWN = 5


@dataclass(frozen=True)
class IdentityCounts:
    """merged: accounts that another one stands for. review: pairs that a person should look at.

    leads: companies that only leads name; matched: those of them that are among the other accounts.
    cycles: accounts that are their own ancestors, told by column, what was got and what is allowed.
    """

    merged: int = 0
    review: int = 0
    leads: int = 0
    matched: int = 0
    cycles: tuple[str, ...] = ()

    def sentence(self) -> str:
        told = f"accounts that another one stands for: {self.merged:,}; pairs to look at: {self.review:,}"
        if self.leads:
            told += f"; companies that leads name: {self.leads:,}, matched to accounts: {self.matched:,}"
        if self.cycles:
            shown = "; ".join(self.cycles[:_SHOWN]) + ("; ..." if len(self.cycles) > _SHOWN else "")
            told += f"; cycles of parents, whose members roll up to nobody: {len(self.cycles):,}: {shown}"
        return told
