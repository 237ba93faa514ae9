"""Versions of registered models: which one is meant, which one is served, and which holds a bundle.

Turns the versions that are known into the one that somebody asked for. Time rule: the newest version has the
highest number. Null rule: a model that was never registered has no versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from features.errors import InputError, WorkspaceError
from models.card import ModelKey, registered_name

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "Champions",
    "Known",
    "Version",
    "champions",
    "choose",
    "holder",
    "holders",
]

CHAMPION = "champion"
CHALLENGER = "challenger"


@dataclass(frozen=True)
class Version:
    """One version of a registered model.

    fingerprint: of the bundle of its run; None when it was not noted. tags: what training noted with it.
    """

    key: ModelKey
    number: int
    run_id: str
    fingerprint: str | None
    aliases: tuple[str, ...]
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return f"{self.name} version {self.number}"

    @property
    def name(self) -> str:
        """The registered name of its model."""
        return registered_name(self.key)


Known = Mapping[ModelKey, tuple[Version, ...]]
Champions = Mapping[ModelKey, Version]


def choose(known: Known, key: ModelKey, *, wanted: str | None) -> Version | None:
    """The version asked for: a number, an alias or the start of a bundle's fingerprint.

    wanted: None takes the challenger, or the newest when no model has one; "none" leaves the model out.
    Raises InputError when there is no such version.
    """
    versions = known.get(key, ())
    if wanted == "none":
        return None
    if wanted is None:
        named = any(CHALLENGER in one.aliases for every in known.values() for one in every)
        # A model without a challenger beside one that has it could not be trained: the old one stays out.
        return next((one for one in versions if CHALLENGER in one.aliases or not named), None)
    matches = [one for one in versions if _is_meant(one, wanted)]
    if not matches or len({one.fingerprint for one in matches}) > 1:
        count = "several such versions" if matches else "no such version"
        raise InputError(
            f"{registered_name(key)} has {count} of this workspace",
            got=wanted,
            allowed=_choices(versions),
            fix="name one of them, or leave it out to take the challenger",
        )
    return matches[0]


def champions(known: Known) -> Champions:
    """The version with the alias `champion`, of each model that has one."""
    return {key: one for key, versions in known.items() for one in versions if CHAMPION in one.aliases}


def holders(known: Known, fingerprints: Mapping[str, str]) -> Champions:
    """The version that holds each bundle of a release: the champion if it does, else the newest.

    Raises WorkspaceError for a bundle that MLflow does not know.
    """
    return {key: _required(known, key, fingerprint) for key, fingerprint in fingerprints.items()}


def holder(known: Known, key: ModelKey, *, fingerprint: str) -> Version | None:
    """The version that holds a bundle, the champion if it does, else the newest; None where none does."""
    held = [one for one in known.get(key, ()) if one.fingerprint == fingerprint]
    return next((one for one in held if CHAMPION in one.aliases), next(iter(held), None))


def _required(known: Known, key: ModelKey, fingerprint: str) -> Version:
    found = holder(known, key, fingerprint=fingerprint)
    if found is None:
        raise WorkspaceError(
            f"MLflow has no version of {registered_name(key)} with the served bundle",
            got=fingerprint[:12],
            fix="nothing is lost, the bundle is in the store; train and promote to track it again",
        )
    return found


def _is_meant(version: Version, wanted: str) -> bool:
    by_fingerprint = len(wanted) >= 8 and (version.fingerprint or "").startswith(wanted)
    return wanted == str(version.number) or wanted in version.aliases or by_fingerprint


def _choices(versions: tuple[Version, ...]) -> str:
    names = [str(one.number) for one in versions] + sorted({name for one in versions for name in one.aliases})
    return ", ".join([*names, "none"])
