"""What earlier exports wrote, so that the next one writes only what changed.

Turns the rows of an export into one small file in the workspace, exports/CRM/: of each account a digest of
what names it and a digest of its cells. It stands there and not beside the file, which people move and delete
once it is in the CRM; and not in the log of answers, which holds what was asked, not what was handed over.
Whoever is forgotten cannot be found in it: the digests are keyed with the secret of the workspace. Time rule:
an export is dated by when it was begun; the moment in its rows is no change. Null rule: none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.errors import ConfigError, WorkspaceError
from features.privacy.addresses import workspace_secret
from features.workspace import Workspace
from serving.answers import iso
from serving.exporting.layout import Crm

__all__ = [
    "KEPT",
    "NOTHING",
    "Digester",
    "Digests",
    "Earlier",
    "Written",
    "earlier_exports",
    "keep_export",
    "since",
]

KEPT = 30
"""Exports of each CRM that are remembered."""

_NAME = re.compile(r"(\d{8}T\d{6}Z)-r(\d+)-(\d{4})\.parquet")
_FORM = "%Y%m%dT%H%M%SZ"
Digests = NDArray[np.uint64]


@dataclass(frozen=True)
class Written:
    """What an export wrote of each account, sorted by key. keys, cells: uint64 (n,)."""

    keys: Digests
    cells: Digests

    def changed(self, keys: Digests, cells: Digests) -> NDArray[np.bool_]:
        """Whether each of these accounts is new or has other cells."""
        if not len(self.keys):
            return np.ones(len(keys), dtype=bool)
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        changed: NDArray[np.bool_] = (self.keys[places] != keys) | (self.cells[places] != cells)
        return changed

    def gone(self, keys: Digests) -> int:
        """How many of its accounts are not among these."""
        return int((~np.isin(self.keys, keys)).sum())


NOTHING = Written(np.array([], dtype=np.uint64), np.array([], dtype=np.uint64))


@dataclass(frozen=True)
class Earlier:
    """An export that is remembered."""

    file: Path
    at: datetime
    release: int

    def written(self) -> Written:
        """Raises WorkspaceError for a file that cannot be read."""
        try:
            table = pq.read_table(self.file)
            return Written(*(table.column(name).to_numpy() for name in ("key", "cells")))
        except (OSError, pa.ArrowException, KeyError) as error:
            raise WorkspaceError(
                "what an earlier export wrote cannot be read",
                got=self.file.name,
                fix="delete the file, and export everything once",
            ) from error


class Digester:
    """Digests of one workspace and one layout. header: another one makes every row another."""

    def __init__(self, workspace: Workspace, *, header: Sequence[str]) -> None:
        self._key = workspace_secret(workspace)[:32]
        self._header = "\x1f".join(header).encode()

    def keys(self, identifiers: Sequence[str]) -> Digests:
        return self._digests(b"key", identifiers)

    def cells(self, rows: Sequence[str]) -> Digests:
        return self._digests(self._header, rows)

    def _digests(self, what: bytes, texts: Sequence[str]) -> Digests:
        start = blake2b(what, digest_size=8, key=self._key)
        found = bytearray()
        for text in texts:
            own = start.copy()
            own.update(text.encode())
            found += own.digest()
        return np.frombuffer(bytes(found), dtype="<u8").astype(np.uint64)


def earlier_exports(workspace: Workspace, *, crm: Crm) -> list[Earlier]:
    """The remembered exports to a CRM, the newest first."""
    folder = _folder(workspace, crm)
    names = sorted((file.name for file in folder.glob("*.parquet")), reverse=True) if folder.is_dir() else []
    found = [(folder / name, match) for name in names if (match := _NAME.fullmatch(name))]
    return [
        Earlier(file, datetime.fromisoformat(match[1].removesuffix("Z")), int(match[2]))
        for file, match in found
    ]


def since(
    exports: Sequence[Earlier], *, moment: datetime | None = None, release: int | None = None
) -> Earlier | None:
    """The export that is meant: the last one, the last up to a moment, or the last of a release.

    None where nothing was exported yet and the last one is meant. Raises ConfigError where there is none.
    """
    if moment is None and release is None:
        return exports[0] if exports else None
    for export in exports:
        if release is None and moment is not None and export.at <= moment:
            return export
        if export.release == release:
            return export
    told = ", ".join(f"{iso(export.at)} (release {export.release})" for export in exports[:5])
    raise ConfigError(
        "no export is remembered from then",
        got=f"release {release}" if moment is None else iso(moment),
        allowed=told or "none, as nothing was exported yet",
        fix="export everything once, or give --changed-since last",
    )


def keep_export(workspace: Workspace, *, crm: Crm, at: datetime, release: int, written: Written) -> None:
    """Remember an export, once its file is in its place; and forget the oldest."""
    folder = _folder(workspace, crm)
    folder.mkdir(parents=True, exist_ok=True)
    order = np.argsort(written.keys)
    table = pa.table({"key": written.keys[order], "cells": written.cells[order]})
    own = f"{at.strftime(_FORM)}-r{release}-"
    number = sum(file.name.startswith(own) for file in folder.glob("*.parquet"))
    made = folder / f".{uuid4().hex}"
    pq.write_table(table, made, compression="zstd")
    made.replace(folder / f"{own}{number:04}.parquet")
    for old in earlier_exports(workspace, crm=crm)[KEPT:]:
        old.file.unlink(missing_ok=True)


def _folder(workspace: Workspace, crm: Crm) -> Path:
    return workspace.home / "exports" / crm
