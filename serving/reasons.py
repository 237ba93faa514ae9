"""The reasons of an answer, made when they are looked at.

Turns the reasons of one side into what answers tell, and into the same as JSON: most answers are sent and
kept as text, and nobody looks at their hundred parts one by one. Time and null rules: none of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import Field, InstanceOf, PlainSerializer
from pydantic_core import to_json
from typing_extensions import TypedDict

from features.feature import Language
from models import explanation

__all__ = ["Reason", "ReasonPart", "Reasons", "ToldReasons", "reasons_text"]


class ReasonPart(TypedDict):
    """One feature of an idea, with its exact share."""

    feature: Annotated[str, Field(description="Name of the feature.")]
    value: Annotated[str | None, Field(description="Its value as people read it; null when it is not known.")]
    contribution: Annotated[
        float, Field(description="Its share of the logit, in log-odds; above 0 raises the score.")
    ]


class Reason(TypedDict):
    """One idea that moved the score, told by its strongest feature: all windows of web visits are one."""

    idea: Annotated[str, Field(description="Name of the idea in the feature catalogue.")]
    feature: Annotated[str, Field(description="Name of the feature that speaks for the idea.")]
    value: Annotated[str | None, Field(description="Its value as people read it; null when it is not known.")]
    sentence: Annotated[str, Field(description="The reason in one sentence.")]
    contribution: Annotated[
        float,
        Field(
            description="The idea's share of the logit, in log-odds: the sum of its parts; above 0 raises "
            "the score."
        ),
    ]
    parts: Annotated[
        list[ReasonPart],
        Field(description="Every feature of the idea that contributes anything, the one that speaks first."),
    ]


class ToldReasons:
    """The reasons of one side in one language, strongest first."""

    __slots__ = ("_language", "_reasons")

    def __init__(self, reasons: Sequence[explanation.Reason], language: Language) -> None:
        self._reasons, self._language = reasons, language

    def __len__(self) -> int:
        return len(self._reasons)

    def __iter__(self) -> Iterator[Reason]:
        for one in self._reasons:
            yield {
                "idea": one.idea,
                "feature": one.feature,
                "value": one.value,
                "sentence": one.sentence(self._language),
                "contribution": one.contribution,
                "parts": one.parts,
            }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ToldReasons) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash((self._reasons, self._language))

    def as_json(self) -> str:
        """The JSON array."""
        return f"[{','.join([one.as_json(self._language) for one in self._reasons])}]"


Reasons = Annotated[
    # What we make is not checked; a list is an answer that somebody reads again.
    InstanceOf[ToldReasons] | list[Reason],
    PlainSerializer(list, return_type=Annotated[list[Reason], Field(max_length=5)]),
    Field(description="Strongest first.", union_mode="left_to_right"),
]


def reasons_text(reasons: ToldReasons | list[Reason]) -> str:
    """The JSON array."""
    return reasons.as_json() if isinstance(reasons, ToldReasons) else to_json(reasons).decode()
