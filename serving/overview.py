"""What a desk answers from, for people who have not asked anything yet.

Turns a desk into the figures and examples that the page shows first. Time rule: moments are written with Z.
Null rule: without any fact there is no `data_through`.
"""

from __future__ import annotations

from collections.abc import Mapping

from serving.answers import iso
from serving.desk import Desk

__all__ = ["overview"]


def overview(desk: Desk) -> Mapping[str, object]:
    """What the page shows before anything is asked."""
    manifest = desk.snapshot.manifest
    return {
        "workspace": manifest.workspace,
        "time_zone": str(desk.time_zone),
        "data_through": iso(manifest.data_through) if manifest.data_through else None,
        "accounts": desk.snapshot.accounts.count,
        "examples": desk.snapshot.accounts.examples(limit=4),
        "channels": list(manifest.channels),
        "release": desk.release.release.id,
        "models": sorted(desk.release.release.fingerprints),
        "levels": desk.levels(),
    }
