"""The parts of a job that expands: what is asked, three steps, and the suggestions, a thousand at a time.

Turns a question into parts that wait, and suggestions into their answers, and back. Each part is one step of
the progress that people see. Time rule: none. Null rule: the last parts of a list that came out shorter than
it was asked for are empty.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import pyarrow as pa

from serving.jobs.results import from_bytes, to_bytes
from serving.store.job_rows import EXPANSION
from serving.store.jobs import Job, Part

__all__ = ["AT_ONCE", "FIRST", "STEPS", "Step", "content_of", "parts_of", "step_of", "told_in"]

Step = Literal["reading", "learning", "ranking", "explaining"]
STEPS: tuple[Step, ...] = ("reading", "learning", "ranking", "explaining")
"""What is done; the last one for each part of the list."""

AT_ONCE = 1_000
FIRST = len(STEPS) - 1
"""The number of the first part with suggestions. Of the parts before it, that of `ranking` has what is said
of the list as a whole, and the first one what was asked and of which snapshot it is answered."""


def parts_of(asked: Mapping[str, Any], *, size: int) -> list[Part]:
    """The parts of a job before it begins."""
    rest = [content_of([])] * (FIRST - 1 + -(-size // AT_ONCE))
    return [Part(number, number + 1, 1, told) for number, told in enumerate([content_of([asked]), *rest])]


def content_of(told: Iterable[Mapping[str, Any]]) -> bytes:
    """JSON objects as a part."""
    texts = [json.dumps(one, ensure_ascii=False, allow_nan=False) for one in told]
    return to_bytes(pa.table({EXPANSION: pa.array(texts, pa.string())}))


def told_in(content: bytes) -> Iterator[dict[str, Any]]:
    """What `content_of` was given."""
    return map(json.loads, from_bytes(content).column(EXPANSION).to_pylist())


def step_of(job: Job) -> Step | None:
    """What a job is at; None where nobody works on it."""
    if job.state != "running":
        return None
    return STEPS[min(job.done, FIRST)]


def chunks(told: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Suggestions by part."""
    return (told[start : start + AT_ONCE] for start in range(0, len(told), AT_ONCE))
