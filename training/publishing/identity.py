"""The published table of identity: how well companies are matched.

Turns the result of `training.checks.identity` into lines of Markdown. Time and null rule: none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.publishing.shown import interval, table

__all__ = ["identity_figures"]


def identity_figures(found: Mapping[str, Any]) -> Iterator[str]:
    """A line per way of matching."""
    yield (
        f"**Identity**: {found['copies']:,} companies with spoiled names and {found['look_alikes']:,} others "
        f"that only look alike, matched with {found['accounts']:,} accounts; 95 % intervals."
    )
    yield ""
    yield from table(
        ("matched by", "precision", "recall", "left for a person"),
        (
            [
                way.replace("_", " "),
                interval(one["precision"]),
                interval(one["recall"]),
                f"{one['in_review']:,}",
            ]
            for way, one in found["ways"].items()
        ),
    )
