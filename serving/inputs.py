"""What a model was told of a company, in words.

Turns known, missing and unusual inputs into one sentence of English or Chinese. Time rule: none. Null rule:
without anything missing or unusual there is no sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from features.feature import Language
from models.card import Kind
from models.known_inputs import Beyond, Input, InputsTold
from serving.answers import InputsRead
from serving.phrases import listed, phrase

__all__ = ["inputs_read"]


@lru_cache(maxsize=2_000)
def inputs_read(told: InputsTold, *, kind: Kind, language: Language) -> InputsRead:
    """The inputs of one half of an answer: the same for most accounts, as they lack the same columns."""
    sentences = list(_sentences(told, kind=kind, language=language))
    return InputsRead(
        known=_names(told.known),
        missing=_names(told.missing),
        unseen=_names(told.unseen),
        out_of_range=[one.declared.name for one in told.beyond],
        sentence=("；" if language == "zh" else "; ").join(sentences) or None,
    )


def _names(inputs: Iterable[Input]) -> list[str]:
    return [one.name for one in inputs]


def _sentences(told: InputsTold, *, kind: Kind, language: Language) -> Iterator[str]:
    about = phrase(kind, language=language)
    if told.missing:
        missing = listed(_labels(told.missing, language), language=language)
        yield phrase(
            "unknown", language=language, missing=missing, kind=about, known=_rest(told, language=language)
        )
    if told.unseen:
        inputs = listed(_labels(told.unseen, language), language=language)
        yield phrase("never_met", language=language, inputs=inputs, kind=about)
    for one in told.beyond:
        yield _beyond(one, kind=about, language=language)


def _rest(told: InputsTold, *, language: Language) -> str:
    """What the score rests on, where something is missing."""
    behaviour = [phrase("behaviour", language=language)] if told.behaviour else []
    words = [*behaviour, *_labels((*told.known, *told.unseen), language)]
    return listed(words or [phrase("nothing_known", language=language)], language=language)


def _labels(inputs: Iterable[Input], language: Language) -> list[str]:
    return [one.label(language) for one in inputs]


def _beyond(one: Beyond, *, kind: str, language: Language) -> str:
    sentence = one.declared.sentence(one.cell, language=language)
    limit = f"{one.limit:,.0f}" if one.limit.is_integer() else f"{one.limit:.3g}"
    key = "above" if one.above else "below"
    return phrase(key, language=language, sentence=sentence, kind=kind, limit=limit)
