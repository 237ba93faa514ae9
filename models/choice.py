"""Which of several models of a kind answers for an account.

Turns the models of a release and whom each leaves out into the one that answers: the first named model, in
the order of the config, whose population holds the account, else the model without a name. Time rule: a
population is asked at the moment that is answered for. Null rule: where every model leaves the account out,
none answers, and the reason of the last, which is the model without a name where there is one, is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from features.label_settings import LabelSettings
from features.model_keys import ModelKey, kind_of, name_of
from models.bundle import Bundle

__all__ = ["NAMED_LABELS", "first_that_speaks", "in_order", "labels_of", "speakers"]

NAMED_LABELS = "named_labels"
"""Where the settings of a release hold the labels of its named models, by key."""

Model = TypeVar("Model")


def in_order(bundles: Iterable[Bundle]) -> list[Bundle]:
    """Bundles in the order in which they are asked: named ones as their config has them, then the others."""
    return sorted(bundles, key=lambda one: (name_of(one.key) is None, one.card.get("place", 0), one.key))


def labels_of(settings: Mapping[str, Any], *, key: ModelKey) -> LabelSettings:
    """[labels] as one model of a release was trained on: the section of its kind is the model's own.

    settings: of the release. Raises pydantic's ValidationError.
    """
    shared = settings.get("labels", {})
    if name_of(key) is None:
        return LabelSettings.model_validate(shared)
    return LabelSettings.model_validate({**shared, kind_of(key): settings[NAMED_LABELS][key]})


def first_that_speaks(
    models: Sequence[Model], *, silence: Callable[[Model], str | None]
) -> tuple[Model | None, str | None]:
    """The first model without a reason for silence, or None and the reason of the last.

    >>> first_that_speaks(["emea", "all"], silence={"emea": "other region", "all": None}.get)
    ('all', None)
    """
    reason = None
    for model in models:
        reason = silence(model)
        if reason is None:
            return model, None
    return None, reason


def speakers(speaks: Sequence[NDArray[np.bool_]]) -> NDArray[np.int64]:
    """As `first_that_speaks`, of many accounts: the place of the model that answers for each, -1 for none.

    speaks: for each model (n,), whether nothing keeps the account out of its population.
    """
    table = np.stack(speaks)
    return np.where(table.any(axis=0), table.argmax(axis=0), -1).astype(np.int64)
