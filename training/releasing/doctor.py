"""The doctor: is everything in place, and what to do where it is not.

Turns a workspace into a list of checks, from the interpreter to the port; each says what was found and how
to mend it, and none stops the others. With `repair`, what derives from the store's pointer is made again:
the aliases in MLflow and the copies in the BentoML store. Time rule: none. Null rule: what does not exist
yet fails its check with the command that makes it; what would derive from it passes.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http.client import HTTPConnection, HTTPException
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import pyarrow.lib
import pyarrow.parquet as pq

from features.errors import ConfigError, InputError, SpearfishError, WorkspaceError
from features.mapping import Config, matching_files
from features.workspace import Workspace
from serving.store import Release, Store

__all__ = ["Check", "doctor"]

OLDEST_PYTHON = (3, 11)
PATIENCE_SECONDS = 2.0
_SWITCHES = ("BENTOML_DO_NOT_TRACK", "MLFLOW_DISABLE_TELEMETRY")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. fix: what to do, where it is not in place."""

    name: str
    ok: bool
    what: str
    fix: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def doctor(
    workspace: Workspace, *, config: Config | None = None, repair: bool = False, port: int = 3000
) -> tuple[Check, ...]:
    """Look at everything that Spearfish needs, in the order in which it builds on each other.

    Never raises for what it finds. config: whose source files are looked for too.
    repair: make aliases and BentoML copies agree with what is served.
    port: where the service is to listen on this machine.
    """
    probes: dict[str, Callable[[], str]] = {
        "python": _python,
        "openmp": _openmp,
        "dependencies": _dependencies,
        "telemetry": _telemetry,
        **({} if config is None else {"sources": lambda: _sources(config)}),
        "workspace": lambda: _workspace(workspace),
        "tables": lambda: _tables(workspace),
        "store": lambda: _store(workspace),
        "release": lambda: _release(workspace),
        "mlflow": lambda: _mlflow(workspace),
        "trainings": lambda: _trainings(workspace, repair=repair),
        "aliases": lambda: _aliases(workspace, repair=repair),
        "bento models": lambda: _bento_models(workspace, repair=repair),
        "port": lambda: _port(port),
    }
    return tuple(_check(name, probe) for name, probe in probes.items())


def _check(name: str, probe: Callable[[], str]) -> Check:
    """A probe says what it found, or raises the error that says what is wrong."""
    try:
        return Check(name, ok=True, what=probe())
    except SpearfishError as error:
        without_fix = SpearfishError(error.what, got=error.got, allowed=error.allowed)
        return Check(name, ok=False, what=without_fix.sentence(), fix=error.fix)


def _python() -> str:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST_PYTHON:
        raise ConfigError(
            "Python is too old", got=found, allowed="3.11 or newer", fix="run `make setup PYTHON=...`"
        )
    return f"Python {found}"


def _openmp() -> str:
    if sys.platform != "linux":
        return "LightGBM brings its own OpenMP here"
    try:
        ctypes.CDLL("libgomp.so.1")
    except OSError as error:
        raise ConfigError(
            "LightGBM cannot load libgomp.so.1",
            fix="install it: apt-get install libgomp1 (Debian, Ubuntu) or dnf install libgomp (Fedora)",
        ) from error
    return "libgomp.so.1 loads"


def _dependencies() -> str:
    from packaging.requirements import Requirement

    try:
        needed = [Requirement(line) for line in requires("spearfish") or []]
    except PackageNotFoundError as error:
        raise ConfigError("Spearfish is not installed", fix="run `make setup`") from error
    needed = [one for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    wrong = [f"{one} (got {_installed(one.name)})" for one in needed if not _fits(one)]
    if wrong:
        raise ConfigError("dependencies are missing or too old", got=", ".join(wrong), fix="run `make setup`")
    return f"{len(needed)} dependencies are new enough"


def _fits(requirement: Any) -> bool:
    found = _installed(requirement.name)
    return found is not None and bool(requirement.specifier.contains(found, prereleases=True))


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _telemetry() -> str:
    on = [name for name in _SWITCHES if os.environ.get(name, "true").lower() not in {"true", "1"}]
    if on:
        raise ConfigError(
            "a dependency would phone home",
            got=", ".join(f"{name}={os.environ[name]}" for name in on),
            fix=f"unset {' '.join(on)}: Spearfish switches it off itself",
        )
    return "off"


def _sources(config: Config) -> str:
    asked = [source.path for source in config.sources if not source.optional]
    asked += [
        given.path
        for source in config.sources
        for given in source.files.values()
        if not (source.optional or given.optional)
    ]
    missing = [", ".join(paths) for paths in asked if paths and not any(map(matching_files, paths))]
    if missing:
        raise ConfigError(
            f"{config.file.name} names files that are not there",
            got=", ".join(missing),
            fix="put them there, or point the config at another folder with --set folder=...",
        )
    return f"{config.file.name} binds {len(config.sources)} sources, every file is there"


def _workspace(workspace: Workspace) -> str:
    manifest = workspace.manifest()
    return f"{workspace.home}, data contract {manifest.contract_version}"


def _tables(workspace: Workspace) -> str:
    with workspace.lease() as manifest:
        folder = workspace.snapshots / manifest.snapshot
        for name, table in manifest.tables.items():
            found = sum(_rows(folder / file) for file in table.files)
            if found != table.rows:
                raise WorkspaceError(
                    f"the files of {name} hold another number of rows than the manifest says",
                    got=found,
                    allowed=table.rows,
                    fix="run `spearfish ingest --config FILE` again",
                )
        rows = sum(table.rows for table in manifest.tables.values())
        return f"{len(manifest.tables)} tables, {rows:,} rows, known through {manifest.data_through}"


def _rows(path: Path) -> int:
    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, pyarrow.lib.ArrowException) as error:
        raise WorkspaceError(
            f"{path} cannot be read", got=error, fix="run `spearfish ingest --config FILE` again"
        ) from error


def _open(workspace: Workspace) -> Store:
    return Store.open(workspace.store_url, create=False)


def _store(workspace: Workspace) -> str:
    with _open(workspace) as store:
        return f"{store.engine.dialect.name}, up to date, {len(store.history())} releases"


def _chosen(workspace: Workspace) -> Release | None:
    try:
        with _open(workspace) as store:
            return store.chosen()
    except WorkspaceError:
        return None


def _release(workspace: Workspace) -> str:
    from models.bundle import Bundle

    with _open(workspace) as store:
        release = store.chosen()
        if release is None:
            raise InputError("nothing was promoted yet", fix="run `spearfish promote`")
        for fingerprint in release.fingerprints.values():
            Bundle.from_bytes(store.bundle_bytes(fingerprint)).verify()
    names = " and ".join(release.fingerprints)
    return f"release {release.id} ({names}), promoted by {release.created_by}; golden rows are reproduced"


def _mlflow(workspace: Workspace) -> str:
    from models.card import NAMES, kind_of
    from training.tracking.registered import RegisteredModels, shown_uri

    registered = RegisteredModels(workspace)
    known, others = registered.known(), sum(registered.others().values())
    counts = {kind: sum(len(known[key]) for key in known if kind_of(key) == kind) for kind in NAMES}
    found = f"{counts['fit']} fit and {counts['intent']} intent models"
    elsewhere = f", and {others} of other workspaces" if others else ""
    return f"{shown_uri(workspace.mlflow_uri)}, {found}{elsewhere}"


def _trainings(workspace: Workspace, *, repair: bool) -> str:
    from training.tracking.registered import RegisteredModels
    from training.tracking.registration import leftovers, registering, settle

    registered = RegisteredModels(workspace)
    try:
        registered.known()
    except WorkspaceError:
        return "nothing is registered"
    with registering(workspace, wait=False) as alone:
        if not alone:
            return "one registers its models just now"
        found = settle(registered) if repair else leftovers(registered)
    if found.any and not repair:
        raise WorkspaceError(
            "a training ended before its models were registered",
            got=found.sentence,
            fix="run `spearfish doctor --repair`; the next training or promotion does so, too",
        )
    return "repaired: all that is registered is whole" if found.any else "all that is registered is whole"


def _aliases(workspace: Workspace, *, repair: bool) -> str:
    from training.tracking.registered import RegisteredModels
    from training.tracking.versions import champions, holders

    release = _chosen(workspace)
    if release is None:
        return "nothing was promoted yet"
    registered = RegisteredModels(workspace)
    known = registered.known()
    wanted, found = holders(known, release.fingerprints), champions(known)
    if wanted == found:
        return "the champions are what is served"
    if not repair:
        raise WorkspaceError(
            "the champions in MLflow are not what is served",
            got=_labels(found.values()),
            allowed=_labels(wanted.values()),
            fix="run `spearfish doctor --repair`",
        )
    registered.crown(wanted, present=found)
    return "repaired: the champions are what is served"


def _labels(versions: Any) -> str:
    return ", ".join(version.label for version in versions) or "none"


def _bento_models(workspace: Workspace, *, repair: bool) -> str:
    from models.card import registered_name
    from training.tracking.bento_models import is_imported

    release = _chosen(workspace)
    if release is None:
        return "nothing was promoted yet"
    missing = [
        fingerprint
        for key, fingerprint in release.fingerprints.items()
        if not is_imported(workspace, name=registered_name(key), fingerprint=fingerprint)
    ]
    if not missing:
        return "what is served lies in the BentoML store"
    if not repair:
        raise WorkspaceError(
            "the BentoML store lacks what is served",
            got=f"no whole copy of {', '.join(fingerprint[:12] for fingerprint in missing)}",
            fix="run `spearfish doctor --repair`",
        )
    _import_again(workspace, missing)
    return "repaired: what is served lies in the BentoML store"


def _import_again(workspace: Workspace, fingerprints: list[str]) -> None:
    from models.bundle import Bundle
    from training.tracking.bento_models import import_bundle

    with _open(workspace) as store:
        for fingerprint in fingerprints:
            import_bundle(Bundle.from_bytes(store.bundle_bytes(fingerprint)), workspace=workspace)


def _port(port: int) -> str:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            if _is_alive(port):
                return f"the service answers on 127.0.0.1:{port}"
            raise ConfigError(
                f"port {port} cannot be used", got=error.strerror, fix="run `spearfish serve --port NUMBER`"
            ) from error
    return f"{port} is free"


def _is_alive(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
