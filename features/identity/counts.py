"""What an ingest found about who is who, for its report. Time rule: none. Null rule: none."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["REVIEW_FILE", "IdentityCounts"]

REVIEW_FILE = "identity_review.csv"
"""In the folder of the snapshot: the pairs that a person should look at."""


@dataclass(frozen=True)
class IdentityCounts:
    """merged: accounts that another one stands for. review: pairs that a person should look at.

    leads: companies that only leads name; matched: those of them that are among the other accounts.
    """

    merged: int = 0
    review: int = 0
    leads: int = 0
    matched: int = 0

    def sentence(self) -> str:
        told = f"accounts that another one stands for: {self.merged:,}; pairs to look at: {self.review:,}"
        if not self.leads:
            return told
        return f"{told}; companies that leads name: {self.leads:,}, matched to accounts: {self.matched:,}"
