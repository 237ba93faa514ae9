"""What `spearfish promote --preview` tells: what the gate and the audit would say, and who changes grade.

Turns a workspace into a preview, and a preview into tables, JSON and a file. Time rule: see
training.gate.preview. Null rule: without a release that is served, every grade is new.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from features.errors import BundleError
from features.mapping import Config
from features.workspace import Workspace
from models.bundle import NAMES, Kind
from models.card import ModelKey, kind_of
from models.choice import in_order
from training.audit.waivers import audit_of
from training.choosing import Chosen, choose_release
from training.feature_table import write_frame
from training.gate.preview import Half, KindPreview, preview_kind, serving_moment
from training.gate.verdict import Verdict
from training.labels import next_cutoff
from training.tracking.registered import RegisteredModels
from training.tracking.registration import leftovers

__all__ = ["Preview", "preview"]

_LEFT = (
    "A training is at work, or was killed and left {left}; a promotion settles that first, as `spearfish "
    "doctor --repair` does, and may then serve other versions than these."
)
_OLD = timedelta(days=30)
_STALE = (
    "The tables end {newest}, {days:,} days before: to the models nobody has done anything since, so that "
    "few accounts show intent. Ingest newer tables before you judge the grades."
)


@dataclass(frozen=True)
class Preview:
    """What a promotion would do.

    blocking: findings of the audit that need a reason, by model. left: what killed trainings left behind,
    which a promotion settles before it chooses; empty when there is nothing. newest: just after the newest
    fact of the tables; None where nobody looked.
    """

    as_of: datetime
    versions: Mapping[str, int]
    verdicts: tuple[Verdict, ...]
    blocking: Mapping[str, tuple[str, ...]]
    kinds: tuple[KindPreview, ...]
    left: str = ""
    newest: datetime | None = None

    @property
    def refused(self) -> bool:
        """Whether a promotion without --force or --waive would be refused."""
        return any(verdict.failed for verdict in self.verdicts) or any(self.blocking.values())

    def lines(self) -> Iterator[str]:
        """What people read before the tables."""
        models = " and ".join(f"{name} version {number}" for name, number in self.versions.items())
        yield f"A promotion would serve {models}; as of {_iso(self.as_of)}; nothing was changed."
        if self.left:
            yield _LEFT.format(left=self.left)
        if self.newest is not None and self.as_of - self.newest > _OLD:
            days = (self.as_of - self.newest).days
            yield _STALE.format(newest=_iso(self.newest), days=days)
        for one in self.kinds:
            yield from one.answering
        for verdict in self.verdicts:
            yield from verdict.lines()
        for name, columns in self.blocking.items():
            yield f"{name}, audit: blocks for {', '.join(columns)}" if columns else f"{name}, audit: passed"
        yield "It would be refused as it stands." if self.refused else "It would pass the gate."

    def to_json(self, *, top: int) -> dict[str, Any]:
        """top: how many of the accounts that change are told per model; a file holds them all."""
        return {
            "as_of": _iso(self.as_of),
            "tables_end": None if self.newest is None else _iso(self.newest),
            "versions": dict(self.versions),
            "gate": [verdict.to_json() for verdict in self.verdicts],
            "audit_blocks": {name: list(columns) for name, columns in self.blocking.items()},
            "refused": self.refused,
            "left_behind": self.left,
            "kinds": {one.kind: one.to_json(top=top) for one in self.kinds},
        }

    def write(self, out: Path) -> int:
        """Write every account that changes as CSV or Parquet; how many. CSV cells are no formulas."""
        changes = pd.concat([one.changes for one in self.kinds], ignore_index=True)
        write_frame(changes, out=out)
        return len(changes)


def preview(
    workspace: Workspace,
    *,
    now: datetime,
    config: Config | None = None,
    fit: str | None = None,
    intent: str | None = None,
    named: Mapping[ModelKey, str] | None = None,
) -> Preview:
    """What `promote` with these arguments would change; see there. Nothing is written."""
    workspace.manifest()
    registered = RegisteredModels(workspace)
    left = leftovers(registered)
    chosen = choose_release(
        workspace, registered, known=left.known, config=config, fit=fit, intent=intent, named=named
    )
    verdicts = chosen.judged(workspace, registered, config=config, at=now)
    with workspace.lease() as manifest:
        tables = workspace.tables(manifest)
        newest = next_cutoff(tables)
        as_of = serving_moment(tables, now=now, time_zone=manifest.time_zone)
        kinds = tuple(
            preview_kind(tables, kind=kind, old=_old(chosen, kind), new=_new(chosen, kind), as_of=as_of)
            for kind in NAMES
            if _old(chosen, kind) or _new(chosen, kind)
        )
    return Preview(
        as_of,
        {version.name: version.number for version in chosen.versions.values()},
        tuple(verdicts.values()),
        {bundle.name: _blocking(bundle) for bundle in chosen.bundles.values()},
        kinds,
        left.sentence if left.any else "",
        newest,
    )


def _new(chosen: Chosen, kind: Kind) -> Half | None:
    own = (bundle for bundle in chosen.bundles.values() if bundle.kind == kind)
    bundles = in_order(own, settings=chosen.settings)
    return Half(tuple(bundles), chosen.settings) if bundles else None


def _old(chosen: Chosen, kind: Kind) -> Half | None:
    """The served half; None where this version of spearfish cannot read it."""
    present = chosen.present
    if present is None:
        return None
    try:
        own = (present.bundle(key) for key in present.contents if kind_of(key) == kind)
        bundles = in_order(own, settings=present.release.settings)
    except BundleError:
        return None
    return Half(tuple(bundles), present.release.settings) if bundles else None


def _blocking(bundle: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(finding.column or finding.kind for finding in audit_of(bundle).blocking))


def _iso(moment: datetime) -> str:
    return f"{moment.isoformat()}Z"
