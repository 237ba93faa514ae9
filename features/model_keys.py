"""What models are called: a kind, and the name of one of several models of that kind.

Turns a kind and a name into a key, such as fit or fit.emea, and a key into its parts. Time rule: none. Null
rule: a key without a name is that of the model that answers wherever no named one does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

from features.errors import ConfigError, suggestion

__all__ = ["KINDS", "Kind", "ModelKey", "kind_of", "model_key", "name_of", "require_key"]

Kind = Literal["fit", "intent"]
KINDS: tuple[Kind, ...] = get_args(Kind)

ModelKey = str
"""A kind, and for one of several models its name behind a dot: fit, intent, fit.emea."""


def model_key(kind: Kind, *, name: str | None = None) -> ModelKey:
    """The key of a model.

    >>> model_key("fit", name="emea")
    'fit.emea'
    """
    return kind if name is None else f"{kind}.{name}"


def kind_of(key: ModelKey) -> Kind:
    """The kind of the model of a key.

    >>> kind_of("intent.emea")
    'intent'
    """
    return "fit" if key.partition(".")[0] == "fit" else "intent"


def name_of(key: ModelKey) -> str | None:
    """The name of one of several models; None for the model without one.

    >>> name_of("fit.emea")
    'emea'
    """
    return key.partition(".")[2] or None


def require_key(key: str, *, known: Iterable[ModelKey], what: str) -> ModelKey:
    """The key, if it is one of `known`; ConfigError otherwise. what: says whose fault it is."""
    names = list(known)
    if key not in names:
        raise ConfigError(
            what,
            got=repr(key),
            allowed=", ".join(names),
            fix=suggestion(key, names) or "name one of them, or declare it in [[model.named]]",
        )
    return key
