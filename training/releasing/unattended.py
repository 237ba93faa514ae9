"""A promotion that nobody watches: what passes is served, and a named model that does not stays as it was.

Turns the versions that a training made into a promotion of those that the gate and the audit let through. A
segment must not keep the others from being renewed: where its model is refused, or could not be trained, the
one that is served stays, and where none is, it is left out. Models that were not due stay, whatever they are.
A model without a name answers for all others: if one of these is refused, all are. Time rule: none. Null
rule: none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from features.mapping import Config
from features.workspace import Workspace
from models.card import ModelKey, name_of, registered_name
from training.gate.asking import served
from training.refused import RefusedError
from training.releasing.promote import Promotion, promote
from training.tracking.registered import GATE_TAG, RegisteredModels
from training.tracking.versions import Version

__all__ = ["Renewed", "renew"]


@dataclass(frozen=True)
class Renewed:
    """A promotion, and why which named models did not change with it."""

    promotion: Promotion
    unchanged: Mapping[ModelKey, str]

    @property
    def sentence(self) -> str:
        return "; ".join([self.promotion.sentence, *self.unchanged.values()])


def renew(
    workspace: Workspace,
    made: Mapping[ModelKey, Version],
    *,
    lost: Mapping[ModelKey, str],
    resting: Collection[ModelKey] = (),
    who: str,
    why: str,
    config: Config,
) -> Renewed:
    """Serve these versions, and what is served instead of named ones that are refused.

    lost: named models that are served and that the training could not give, and why they stay. resting:
    served ones that the training was not for. Raises what `promote` raises, RefusedError where a model
    without a name is refused, or every model.
    """
    registered, now, unchanged = RegisteredModels(workspace), _served_keys(workspace), dict(lost)
    for key, version in made.items():
        if name_of(key) is not None and version.tags.get(GATE_TAG) == "refused":
            unchanged[key] = _told(key, "was refused before", is_served=key in now)
    while True:
        # Somebody may promote or roll back meanwhile.
        now = _served_keys(workspace)
        numbers = {key: str(one.number) for key, one in made.items() if key not in unchanged}
        named = {key: numbers.get(key, "none") for key in registered.known() if name_of(key) is not None}
        try:
            promotion = promote(
                workspace,
                who=who,
                why=why,
                config=config,
                fit=numbers.get("fit", "none"),
                intent=numbers.get("intent", "none"),
                named=named,
                keep={*unchanged, *resting} & now,
            )
        except RefusedError as error:
            if not set(error.models) <= {key for key in numbers if name_of(key) is not None}:
                raise
            if set(error.models) == set(numbers):
                raise
            for key in error.models:
                registered.tag(made[key], GATE_TAG, "refused")
                unchanged[key] = _told(key, error.sentence(), is_served=key in now)
            continue
        return Renewed(promotion, unchanged)


def _served_keys(workspace: Workspace) -> set[ModelKey]:
    present = served(workspace)
    return set(present.contents) if present else set()


def _told(key: ModelKey, why: str, *, is_served: bool) -> str:
    stays = "stays as it is served" if is_served else "is not served yet"
    return f"{registered_name(key)} {stays}: {why}"
