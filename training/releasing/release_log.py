"""The log of releases: every move of the pointer, with who, when and why.

Turns the store into entries, the newest first. Time rule: an entry names when it was decided and from when on
it answers. Null rule: a workspace without a store has no entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from features.errors import WorkspaceError
from features.workspace import Workspace
from serving.store import Event, Release, Store
from training.gate.asking import has_store

__all__ = ["Entry", "release_log"]


@dataclass(frozen=True)
class Entry:
    """One move of the pointer. answers: whether it is this move that decides what is served now."""

    event: Event
    release: Release
    answers: bool

    @property
    def gate(self) -> Mapping[str, str]:
        """The gate's outcome by model; empty for releases from before there was one."""
        told = self.release.settings.get("gate", {})
        return {key: str(verdict["outcome"]) for key, verdict in told.items()}

    @property
    def waivers(self) -> list[Mapping[str, str]]:
        """What somebody answered for."""
        return list(self.release.settings.get("waivers", ()))

    def cells(self) -> tuple[str, ...]:
        """For people: when, what, release, models, gate, who, why."""
        models = ", ".join(f"{key} {print_[:12]}" for key, print_ in self.release.fingerprints.items())
        gate = ", ".join(f"{key} {outcome}" for key, outcome in self.gate.items())
        answered = f"; {len(self.waivers)} answered for" if self.waivers else ""
        number = f"{self.release.id}{' *' if self.answers else ''}"
        event = self.event
        return _iso(event.at), event.action, number, models, f"{gate}{answered}", event.who, event.why

    def to_json(self) -> dict[str, Any]:
        event = self.event
        return {
            "at": _iso(event.at),
            "action": event.action,
            "release": event.release_id,
            "replaced": event.replaced_id,
            "activate_at": _iso(event.activate_at),
            "answers": self.answers,
            "who": event.who,
            "why": event.why,
            "models": dict(self.release.fingerprints),
            "gate": self.release.settings.get("gate", {}),
            "waivers": self.waivers,
        }


def release_log(workspace: Workspace, *, now: datetime) -> tuple[Entry, ...]:
    """Every move, the newest first. now: naive UTC. Raises WorkspaceError where there is no workspace."""
    if not has_store(workspace):
        if not workspace.home.is_dir():
            raise WorkspaceError(
                "there is no workspace here", got=workspace.home, fix="name another one with --workspace"
            )
        return ()
    with Store.open(workspace.store_url) as store:
        events = store.events()
        releases = {release.id: release for release in store.history()}
    deciding = next((event for event in events if event.activate_at <= now), None)
    return tuple(Entry(event, releases[event.release_id], event is deciding) for event in events)


def _iso(moment: datetime) -> str:
    return f"{moment.isoformat()}Z"
