"""What an ingest found about who is who, for its report. Time rule: none. Null rule: none."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["REVIEW_FILE", "IdentityCounts"]

REVIEW_FILE = "identity_review.csv"
"""In the folder of the snapshot: the pairs that a person should look at."""


@dataclass(frozen=True)
class IdentityCounts:
    """merged: accounts that another one stands for. review: pairs that a person should look at."""

    merged: int = 0
    review: int = 0

    def sentence(self) -> str:
        return f"accounts that another one stands for: {self.merged:,}; pairs to look at: {self.review:,}"
