"""Registration: all models of a training become versions together, or none of them does.

Turns logged runs into versions of the registered models, and what a killed training left behind into either
of the two. A training's versions name it and its models from their first moment on; their aliases follow when
all of them are there, and a last tag says that they did. Whoever comes next, a training, a promotion or the
doctor, finishes a training whose versions are all there, takes back one that lacks some, and closes runs that
nobody ends any more. One training registers at a time in a workspace; the next one waits. Time rule: none.
Null rule: versions without these tags, as an older spearfish made them, are left alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from features.workspace import Workspace
from models.bundle import Bundle
from models.card import ModelKey, name_of
from training.locking import only_one
from training.ownership import IDENTITY_TAG, read_identity
from training.tracking.registered import RegisteredModels
from training.tracking.versions import Known, Version

__all__ = ["Leftovers", "asked_for", "leftovers", "register_training", "registering", "settle"]

EXPERIMENT = "spearfish"
_TRAINING_TAG = "training"
_KINDS_TAG = "training_kinds"
_MODELS_TAG = "training_models"
"""Instead, where one has a name: an older spearfish, which does not find it, would take back the others."""
_ASKED_TAG = "training_asked"
"""Of a training that was for some of the config's models: which. The others are none of its business."""
_SETTLED_TAG = "training_settled"


@dataclass(frozen=True)
class Leftovers:
    """What killed trainings left behind.

    unfinished: versions whose training lacks others. unsettled: whole trainings, the oldest first, whose
    aliases may not have followed. runs: identifiers of runs that were begun and never ended. known: every
    version, among which this was found.
    """

    unfinished: tuple[Version, ...]
    unsettled: tuple[Mapping[ModelKey, Version], ...]
    runs: tuple[str, ...]
    known: Known

    @property
    def any(self) -> bool:
        return bool(self.unfinished or self.unsettled or self.runs)

    @property
    def sentence(self) -> str:
        return (
            f"{len(self.unfinished)} versions without the rest of their training, "
            f"{len(self.unsettled)} trainings whose aliases did not follow, "
            f"{len(self.runs)} runs without an end"
        )


def register_training(
    registered: RegisteredModels,
    logged: Mapping[ModelKey, tuple[Bundle, str]],
    *,
    name: str,
    tags: Mapping[str, str],
    asked: Collection[ModelKey] | None = None,
) -> None:
    """Register the bundles of a training, each with its run, and call them the challengers.

    A model that the training could not give loses its challenger. name: of the workspace, for people. tags:
    what each version notes beside. asked: the models that it was for; None for all. Call it while
    `registering`.
    """
    tag = _MODELS_TAG if any(map(name_of, logged)) else _KINDS_TAG
    noted = {_TRAINING_TAG: uuid4().hex, tag: ",".join(sorted(logged)), **tags}
    if asked is not None:
        noted[_ASKED_TAG] = ",".join(sorted(asked))
    made = {
        key: registered.register(bundle, run_id=run_id, name=name, tags=noted)
        for key, (bundle, run_id) in logged.items()
    }
    _finish(registered, made)


def asked_for(version: Version) -> set[ModelKey] | None:
    """The models that a version's training was for; None for all that its config declared."""
    told = version.tags.get(_ASKED_TAG)
    return None if told is None else set(told.split(","))


def leftovers(registered: RegisteredModels) -> Leftovers:
    """What is there to settle. Of a training that is at work this tells, too: ask while `registering`."""
    unfinished: list[Version] = []
    unsettled: list[Mapping[ModelKey, Version]] = []
    known = registered.known()
    for training in _trainings(known):
        whole = set(training) == _models_of(next(iter(training.values())))
        if not whole:
            unfinished.extend(training.values())
        elif any(_SETTLED_TAG not in version.tags for version in training.values()):
            unsettled.append(training)
    return Leftovers(tuple(unfinished), tuple(unsettled), tuple(_open_runs(registered)), known)


def settle(registered: RegisteredModels) -> Leftovers:
    """Finish, or take back, what killed trainings left behind; what that was."""
    found = leftovers(registered)
    for version in found.unfinished:
        registered.remove(version)
    for training in found.unsettled:
        _finish(registered, training)
    with registered.faults():
        for run_id in found.runs:
            registered.client.set_terminated(run_id, "KILLED")
    return found


@contextmanager
def registering(workspace: Workspace, *, wait: bool = True) -> Iterator[bool]:
    """Be the only training that registers; whether it is, which `wait` makes sure of."""
    with only_one(workspace, "training", wait=wait) as alone:
        yield alone


def _finish(registered: RegisteredModels, training: Mapping[ModelKey, Version]) -> None:
    for version in training.values():
        registered.challenge(version)
    asked = asked_for(next(iter(training.values())))
    for key in registered.known():
        if key not in training and (asked is None or key in asked):
            registered.withdraw(key)
    for version in training.values():
        registered.tag(version, _SETTLED_TAG, "yes")


def _trainings(known: Known) -> list[Mapping[ModelKey, Version]]:
    """The versions of each training that says which it is, the oldest first."""
    found: dict[str, dict[ModelKey, Version]] = {}
    for key, versions in known.items():
        for version in reversed(versions):
            if _TRAINING_TAG in version.tags and _models_of(version):
                found.setdefault(version.tags[_TRAINING_TAG], {})[key] = version
    return sorted(found.values(), key=lambda one: max(version.number for version in one.values()))


def _models_of(version: Version) -> set[ModelKey]:
    """The models of a version's training; empty where it does not say."""
    told = version.tags.get(_MODELS_TAG) or version.tags.get(_KINDS_TAG)
    return set(told.split(",")) if told else set()


def _open_runs(registered: RegisteredModels) -> list[str]:
    identity, client = read_identity(registered.workspace), registered.client
    with registered.faults():
        experiment = client.get_experiment_by_name(EXPERIMENT)
        if experiment is None or identity is None:
            return []
        runs = client.search_runs(
            [experiment.experiment_id],
            f"tags.{IDENTITY_TAG} = '{identity}' and attributes.status = 'RUNNING'",
        )
        return [str(run.info.run_id) for run in runs]
