"""Answers as JSON.

Turns an answer into the text that is sent and kept: the document that its model writes, with the reasons
written straight away. Time and null rules: those of the answer.
"""

from __future__ import annotations

from serving.answers import FitScore, IntentScore, ScoreAnswer
from serving.reasons import reasons_text

__all__ = ["answer_text"]


def answer_text(answer: ScoreAnswer) -> str:
    """The answer as a JSON object, its members in the order of its model."""
    text = answer.model_dump_json(exclude={"fit", "intent"})
    text = _before("fit_unavailable_reason", text, f'"fit":{_half(answer.fit)}')
    return _before("intent_unavailable_reason", text, f'"intent":{_half(answer.intent)}')


def _half(half: FitScore | IntentScore | None) -> str:
    if half is None:
        return "null"
    text = half.model_dump_json(exclude={"reasons_for", "reasons_against"})
    supporting, opposing = reasons_text(half.reasons_for), reasons_text(half.reasons_against)
    return _before("inputs", text, f'"reasons_for":{supporting},"reasons_against":{opposing}')


def _before(name: str, text: str, told: str) -> str:
    """A JSON object with more members before the one of a name, the first of it at any depth."""
    # No string holds this: quotes in strings are escaped.
    head, member, tail = text.partition(f',"{name}":')
    return f"{head},{told}{member}{tail}"
