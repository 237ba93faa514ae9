"""The title figures for people: what `results/job_titles.json` says, in Markdown.

Turns the document of the title check into lines of a table of figures and a table of tries. Time rule: none.
Null rule: a document without tries has no second table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["title_figures"]


def title_figures(found: Mapping[str, Any]) -> Iterator[str]:
    """Lines of Markdown."""
    tasks = ("seniority", "department")
    yield (
        "**Job titles**: macro-F1 on held-out titles, none of them a near-duplicate of one that was learned "
        "from; 95 % intervals by groups of near-duplicates; an abstention counts as wrong."
    )
    yield ""
    yield (
        "| from a title | labels | titles | macro-F1 | always the most common | abstained "
        "| abstained without a label |"
    )
    yield "|---|---|---|---|---|---|---|"
    for task in tasks:
        one = found[task]
        score = one["macro_f1"]
        yield (
            f"| {task} | {len(one['labels'])} | {one['titles']:,} | {score['value']:.3f} "
            f"({score['low']:.3f} to {score['high']:.3f}) "
            f"| {one['macro_f1_of_always_the_most_common']:.3f} | {one['abstained']:.1%} "
            f"| {one['abstained_on_unlabelled']:.1%} of {one['unlabelled_titles']} |"
        )
    if "tries" in found:
        yield ""
        yield from _tries(found["tries"], chosen=found["chosen"])


def _tries(tries: Mapping[str, Mapping[str, float]], *, chosen: str) -> Iterator[str]:
    yield "| tried (macro-F1 by cross-validation inside the part learned from) | seniority | department |"
    yield "|---|---|---|"
    for name, seniority in tries["seniority"].items():
        mark = "**" if name == chosen else ""
        yield f"| {mark}{name}{mark} | {seniority:.3f} | {tries['department'][name]:.3f} |"
