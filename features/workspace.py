"""The folder that holds everything: canonical tables, models, store.

Turns a folder into `Tables`. The tables lie in immutable snapshots; `manifest.json` names the one that
counts and is replaced in one step, so that a reader sees the old tables or the new ones and nothing in
between, whenever the writer dies. Readers hold a lease (a shared lock); a snapshot is removed only when
nobody does. Time rule: nothing in the manifest comes from the clock. Null rule: `data_through` is None
when no dated fact is there.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow.lib
import pyarrow.parquet as pq

from features.contract import CONTRACT_VERSION
from features.counting import PRESET_RULES, CountingRules
from features.errors import ContractError, WorkspaceError
from features.identity.views import MERGED_FILE
from features.origins import NOTHING_COMPARED, ONE_ORIGIN, Comparison, OriginRules, told_files
from features.tables import OPT_OUTS, Attribute, Tables

__all__ = ["Manifest", "TableFiles", "Workspace"]

_INGEST_AGAIN = "run `spearfish ingest --config FILE` again"
_LEASE = "lease"
_STAGING = ".staging-"


@dataclass(frozen=True)
class TableFiles:
    """One canonical table in a snapshot: its rows, and its files inside the snapshot's folder."""

    rows: int
    files: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """What the current snapshot holds.

    snapshot: the snapshot's folder below `snapshots/`; a hash of its content.
    fingerprint: hash of the canonical rows; the same data gives the same one, whatever the order or the
        split of files, the path or the time.
    current_value_only: by table, columns whose source knows today's value only.
    data_through: newest `known_at` of accounts, activities, intent topics and opportunities, and newest
        opt-out (naive, UTC).
    quarantine: by table and reason, how many rows were set aside.
    undated: by table, the sources whose rows carry no times; what needs time refuses such a table.
    rules: how activities and research count, as the mapping declares it.
    assumed: by source of contacts, what the mapping assumes of consent; every report prints it.
    emails: how addresses are kept, "hashed" or "plain".
    origins: where accounts come from, as the mapping declares it; comparison: how well the columns of the
        origins can be compared. Neither is stored where all accounts come from one place.
    """

    contract_version: int
    snapshot: str
    fingerprint: str
    workspace: str
    time_zone: str
    tables: Mapping[str, TableFiles]
    attributes: tuple[Attribute, ...]
    current_value_only: Mapping[str, tuple[str, ...]]
    data_through: datetime | None
    quarantine: Mapping[str, Mapping[str, int]]
    channels: tuple[str, ...]
    created_by: str
    undated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: CountingRules = PRESET_RULES
    assumed: Mapping[str, str] = field(default_factory=dict)
    emails: str = "hashed"
    origins: OriginRules = ONE_ORIGIN
    comparison: Comparison = NOTHING_COMPARED

    def require_dated(self, what: str) -> None:
        """Raise ContractError when a table is undated. what: that which needs time, as people call it."""
        for name, sources in self.undated.items():
            raise ContractError(
                f"{what} needs to know when each fact was known, but {name} is undated",
                got=", ".join(sources),
                allowed="sources that say known_at, known_immediately, known_at_delay, extracted_at or known",
                fix="bind a column with times and ingest again, or use a command that needs no time",
            )

    def to_json(self) -> str:
        """The manifest as it is stored: sorted keys, ISO times."""
        through = self.data_through.isoformat() if self.data_through else None
        told = asdict(self) | {"data_through": through}
        if not self.origins.declared:
            del told["origins"], told["comparison"]
        return json.dumps(told, indent=2, sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """The stored manifest. Raises WorkspaceError for another contract or damaged text."""
        try:
            raw: dict[str, Any] = json.loads(text)
            version = raw["contract_version"]
            if version != CONTRACT_VERSION:
                raise _other_contract(version)
            return cls(**_typed(raw))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise WorkspaceError("manifest.json is damaged", got=repr(error), fix=_INGEST_AGAIN) from error


def _other_contract(version: object) -> WorkspaceError:
    older = isinstance(version, int) and version < CONTRACT_VERSION
    return WorkspaceError(
        f"the workspace was written with {'an older' if older else 'another'} data contract",
        got=f"version {version}",
        allowed=f"version {CONTRACT_VERSION}",
        fix=_INGEST_AGAIN if older else "use the version of spearfish that wrote it, or ingest again",
    )


def _typed(raw: dict[str, Any]) -> dict[str, Any]:
    through = raw["data_through"]
    return raw | {
        "tables": {
            name: TableFiles(rows=table["rows"], files=tuple(table["files"]))
            for name, table in raw["tables"].items()
        },
        "attributes": tuple(Attribute(**attribute) for attribute in raw["attributes"]),
        "current_value_only": {name: tuple(columns) for name, columns in raw["current_value_only"].items()},
        "data_through": datetime.fromisoformat(through) if through else None,
        "channels": tuple(raw["channels"]),
        "undated": {name: tuple(sources) for name, sources in raw.get("undated", {}).items()},
        "rules": CountingRules.from_dict(raw["rules"]) if "rules" in raw else PRESET_RULES,
        "origins": OriginRules.from_dict(raw["origins"]) if "origins" in raw else ONE_ORIGIN,
        "comparison": Comparison.from_dict(raw["comparison"]) if "comparison" in raw else NOTHING_COMPARED,
    }


@dataclass(frozen=True)
class Workspace:
    """A workspace folder. It need not exist until something is written."""

    home: Path

    @classmethod
    def default(cls) -> Workspace:
        """The folder in SPEARFISH_HOME, else ./workspace."""
        return cls(Path(os.environ.get("SPEARFISH_HOME") or "workspace"))

    @property
    def store_url(self) -> str:
        """Where people and the CRM write: SPEARFISH_STORE_URL, else SQLite in the workspace."""
        return os.environ.get("SPEARFISH_STORE_URL") or f"sqlite:///{self.home.absolute() / 'store.db'}"

    @property
    def mlflow_uri(self) -> str:
        """Where runs are tracked: MLFLOW_TRACKING_URI, else SQLite in the workspace."""
        return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{self.home.absolute() / 'mlflow.db'}"

    @property
    def artifacts(self) -> Path:
        return self.home / "artifacts"

    @property
    def bentoml_home(self) -> Path:
        return self.home / "bentoml"

    @property
    def snapshots(self) -> Path:
        return self.home / "snapshots"

    @property
    def manifest_path(self) -> Path:
        return self.home / "manifest.json"

    def manifest(self) -> Manifest:
        """What the current snapshot holds. Raises WorkspaceError when absent, older or damaged."""
        try:
            text = self.manifest_path.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError) as error:
            raise WorkspaceError(
                f"no tables in the workspace {self.home}",
                fix="run `spearfish ingest --config FILE`, or point SPEARFISH_HOME at another folder",
            ) from error
        except (OSError, UnicodeDecodeError) as error:
            raise WorkspaceError(f"cannot read {self.manifest_path}", got=error, fix=_INGEST_AGAIN) from error
        manifest = Manifest.from_json(text)
        for path in self._paths(manifest):
            if not path.is_file():
                raise WorkspaceError(f"the workspace lacks {path}", fix=_INGEST_AGAIN)
        return manifest

    def _paths(self, manifest: Manifest) -> list[Path]:
        folder = self.snapshots / manifest.snapshot
        return [folder / file for table in manifest.tables.values() for file in table.files]

    def tables(self, manifest: Manifest | None = None) -> Tables:
        """The tables of a manifest, by default the current one, without a lease: for short use only."""
        manifest = manifest or self.manifest()
        folder = self.snapshots / manifest.snapshot
        merged = folder / MERGED_FILE
        return Tables(
            {name: tuple(folder / file for file in table.files) for name, table in manifest.tables.items()},
            manifest.attributes,
            merged if merged.is_file() else None,
            rules=manifest.rules,
            assumed=manifest.assumed,
            origins=manifest.origins,
            told=told_files(folder) if manifest.origins.several else (),
            opt_outs=lost if (lost := folder / OPT_OUTS).is_file() else None,
            marks=manifest.current_value_only,
        )

    @contextmanager
    def reading(self) -> Iterator[Tables]:
        """The current tables, kept on disk for as long as the block runs."""
        with self.lease() as manifest:
            yield self.tables(manifest)

    @contextmanager
    def lease(self) -> Iterator[Manifest]:
        """The current manifest; its snapshot is not removed while the block runs."""
        manifest, descriptor = self._take_lease()
        try:
            yield manifest
        finally:
            os.close(descriptor)

    def _take_lease(self) -> tuple[Manifest, int]:
        while True:
            manifest = self.manifest()
            try:
                descriptor = os.open(self.snapshots / manifest.snapshot / _LEASE, os.O_RDONLY)
            except FileNotFoundError as error:
                if self.manifest().snapshot == manifest.snapshot:
                    raise WorkspaceError("the snapshot is damaged", fix=_INGEST_AGAIN) from error
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH)
                # A writer may have replaced and removed the snapshot before the lock was ours.
                if self.manifest().snapshot == manifest.snapshot:
                    return manifest, os.dup(descriptor)
            finally:
                os.close(descriptor)

    def replace(self, fill: Callable[[Path], Manifest]) -> Manifest:
        """Write a new snapshot and make it the current one.

        fill: writes Parquet files into the empty folder it is given and returns the manifest. When it
            raises, the workspace stays as it was.
        Raises WorkspaceError when another writer is at work or the folder cannot be written.
        """
        with self.scratch() as staging:
            manifest = self._publish(staging, fill(staging))
            self._sweep(keep=manifest.snapshot)
            return manifest

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """As `writing`, with an empty folder that is gone afterwards, at the latest when somebody writes."""
        with self.writing():
            staging = self.snapshots / f"{_STAGING}{uuid4().hex}"
            staging.mkdir(parents=True)
            try:
                yield staging
            finally:
                shutil.rmtree(staging, ignore_errors=True)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only writer for as long as the block runs; what a killed one left behind is removed first.

        Raises WorkspaceError when another writer is at work or the folder cannot be written.
        """
        with self._write_lock():
            self._sweep_leftovers()
            yield

    def sweep(self) -> tuple[str, ...]:
        """Remove every snapshot that neither counts nor is read; the names of those that still are.

        Raises WorkspaceError when a writer is at work: it removes them itself.
        """
        with self.writing():
            self._sweep(keep=self.manifest().snapshot)
            return self.older()

    def older(self) -> tuple[str, ...]:
        """The names of the snapshots that are there beside the current one."""
        current = self.manifest().snapshot
        return tuple(sorted(one.name for one in self.snapshots.iterdir() if one.name != current))

    @contextmanager
    def _write_lock(self) -> Iterator[None]:
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.home / ".ingest.lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise WorkspaceError(
                f"cannot write to the workspace {self.home}",
                got=error,
                fix="set SPEARFISH_HOME to another folder",
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise WorkspaceError(
                f"another ingest is writing to {self.home}", fix="wait until it has ended"
            ) from error
        finally:
            os.close(descriptor)

    def _publish(self, staging: Path, manifest: Manifest) -> Manifest:
        (staging / _LEASE).touch()
        for path in [*staging.rglob("*"), staging]:
            _flush(path)
        name = manifest.snapshot
        while (self.snapshots / name).exists() and not _whole(
            self.snapshots / name, manifest=manifest, like=staging
        ):
            name += "-again"
        if not (self.snapshots / name).exists():
            staging.rename(self.snapshots / name)
            _flush(self.snapshots)
        published = Manifest(**{**vars(manifest), "snapshot": name})
        self.write_beside(self.manifest_path.name, published.to_json() + "\n")
        return published

    def write_beside(self, name: str, text: str) -> None:
        """Replace a file of the workspace's folder in one step, on disk when this returns."""
        draft = self.home / f".{name}.new"
        draft.write_text(text, encoding="utf-8")
        _flush(draft)
        draft.replace(self.home / name)
        _flush(self.home)

    def _sweep_leftovers(self) -> None:
        """Remove what a killed writer left behind."""
        for folder in self.snapshots.glob(f"{_STAGING}*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _sweep(self, *, keep: str) -> None:
        """Remove every snapshot that is neither the current one nor leased."""
        for folder in self.snapshots.iterdir():
            if folder.name != keep and folder.is_dir() and not _leased(folder):
                # Renamed first, so that a half-removed snapshot can never be taken for a whole one.
                folder.rename(self.snapshots / f"{_STAGING}{uuid4().hex}")
        self._sweep_leftovers()


def _leased(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / _LEASE, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _whole(folder: Path, *, manifest: Manifest, like: Path) -> bool:
    """Whether an earlier snapshot of the same content still has every file, and its tables every row."""
    try:
        return all((folder / path.relative_to(like)).exists() for path in like.rglob("*")) and all(
            sum(pq.read_metadata(folder / file).num_rows for file in table.files) == table.rows
            for table in manifest.tables.values()
        )
    except (OSError, pyarrow.lib.ArrowException):
        return False
