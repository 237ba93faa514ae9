"""The title figures for people: what `results/job_titles.json` says, in Markdown.

Turns the document of the title check into lines of a table of figures and a table of tries. Time rule: none.
Null rule: a document without tries has no second table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.publishing.shown import counted, interval

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
        yield (
            f"| {task} | {len(one['labels'])} | {one['titles']:,} | {interval(one['macro_f1'])} "
            f"| {one['macro_f1_of_always_the_most_common']:.3f} | {_share(one['abstained'], one['titles'])} "
            f"| {_share(one['abstained_on_unlabelled'], one['unlabelled_titles'])} "
            f"of {one['unlabelled_titles']} |"
        )
    if "tries" in found:
        yield ""
        yield from _tries(found["tries"], chosen=found["chosen"])


def _share(share: float, among: int) -> str:
    return interval(counted(round(share * among), among))


def _tries(tries: Mapping[str, Mapping[str, float]], *, chosen: str) -> Iterator[str]:
    yield "| tried (macro-F1 by cross-validation inside the part learned from) | seniority | department |"
    yield "|---|---|---|"
    for name, seniority in tries["seniority"].items():
        mark = "**" if name == chosen else ""
        yield f"| {mark}{name}{mark} | {seniority:.3f} | {tries['department'][name]:.3f} |"
