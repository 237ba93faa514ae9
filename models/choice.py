"""Which of several models of a kind answers for an account.

Turns the models of a release and whom each leaves out into the one that answers: the first named model, in
the order of the config, whose population holds the account, else the model without a name. The order is that
of the config at the promotion, which the settings of the release hold: a model that stays as it was served
while others are renewed has a card that speaks of an older config. Time rule: a population is asked at the
moment that is answered for. Null rule: where every model leaves the account out,
none answers, and the reason of the last, which is the model without a name where there is one, is given. Of a
release from before its settings held an order, the cards give it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from features.errors import WorkspaceError
from features.label_settings import LabelSettings, RowSettings
from features.model_keys import ModelKey, kind_of, name_of
from models.bundle import Bundle

__all__ = [
    "NAMED_LABELS",
    "ORDER",
    "first_that_speaks",
    "in_order",
    "labels_of",
    "rows_of",
    "speakers",
    "turn",
]

NAMED_LABELS = "named_labels"
"""Where the settings of a release hold the labels of its named models, by key."""

ORDER = "order"
"""Where they hold the keys of its named models, in the order in which they are asked."""

Model = TypeVar("Model")


def turn(
    key: ModelKey, *, card: Mapping[str, Any], settings: Mapping[str, Any]
) -> tuple[bool, int, ModelKey]:
    """When a model is asked among others: named ones in the order of the release, then the others.

    settings: of the release; where they have no order, the card says which place its config gave it.
    """
    order = settings.get(ORDER)
    if order is None:
        return name_of(key) is None, card.get("place", 0), key
    return name_of(key) is None, order.index(key) if key in order else len(order), key


def in_order(bundles: Iterable[Bundle], *, settings: Mapping[str, Any]) -> list[Bundle]:
    """Bundles in the order in which they are asked. settings: of the release."""
    return sorted(bundles, key=lambda one: turn(one.key, card=one.card, settings=settings))


def labels_of(settings: Mapping[str, Any], *, key: ModelKey) -> LabelSettings:
    """[labels] as one model of a release was trained on: the section of its kind is the model's own.

    settings: of the release. Raises WorkspaceError where they are not what this version knows.
    """
    shared, named = settings.get("labels", {}), settings.get(NAMED_LABELS, {})
    if name_of(key) is not None and key not in named:
        raise _wrong_labels(f"none of {key}")
    own = {} if name_of(key) is None else {kind_of(key): named[key]}
    try:
        return LabelSettings.model_validate({**shared, **own})
    except ValidationError as error:
        raise _wrong_labels(error.errors()[0]["msg"]) from error


def rows_of(settings: Mapping[str, Any], *, key: ModelKey) -> RowSettings:
    """Whom a model of a release is about; as `labels_of`, the section of its kind alone."""
    labels = labels_of(settings, key=key)
    return labels.fit if kind_of(key) == "fit" else labels.intent


def _wrong_labels(got: str) -> WorkspaceError:
    return WorkspaceError(
        "the release's settings hold a wrong labels section", got=got, fix="run `spearfish promote` again"
    )


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
