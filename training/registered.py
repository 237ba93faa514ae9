"""The registered models in MLflow: which trained bundles there are, and which ones carry an alias.

Turns a model's name and what was asked for (a version, an alias, a fingerprint) into a checked bundle, and
a release into the alias `champion`. The alias is derived: what is served stands in the store. Time rule:
the newest version is the one with the highest number. Null rule: a model that was never registered has no
versions; a kind that a release lacks has no champion.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from features.errors import BundleError, InputError, WorkspaceError
from features.workspace import Workspace
from models.bundle import NAMES, Bundle, Kind, load

__all__ = [
    "BUNDLE_ARTIFACT",
    "CHALLENGER",
    "CHAMPION",
    "FINGERPRINT_TAG",
    "Champions",
    "Known",
    "RegisteredModels",
    "Version",
    "champions",
    "choose",
    "holders",
    "require_server",
    "shown_uri",
]

CHAMPION = "champion"
CHALLENGER = "challenger"
BUNDLE_ARTIFACT = "bundle"
FINGERPRINT_TAG = "bundle_fingerprint"
PATIENCE_SECONDS = 2.0


@dataclass(frozen=True)
class Version:
    """One version of a registered model.

    fingerprint: of the bundle of its run; None when it was not noted.
    """

    kind: Kind
    number: int
    run_id: str
    fingerprint: str | None
    aliases: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"{NAMES[self.kind]} version {self.number}"


Known = Mapping[Kind, tuple[Version, ...]]
Champions = Mapping[Kind, Version]


@dataclass(frozen=True)
class RegisteredModels:
    """The registered models of a workspace's MLflow."""

    workspace: Workspace

    @cached_property
    def client(self) -> Any:
        """The MLflow client. Raises WorkspaceError when there is nothing to talk to."""
        uri = self.workspace.mlflow_uri
        _require_reachable(uri)
        # Read when mlflow is imported; a choice of the user's stands.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
        from mlflow import MlflowClient

        with self.faults():
            return MlflowClient(tracking_uri=uri, registry_uri=uri)

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Turn what MLflow and its database raise into WorkspaceError."""
        from mlflow.exceptions import MlflowException

        try:
            yield
        except (MlflowException, SQLAlchemyError, OSError) as error:
            raise WorkspaceError(
                f"MLflow does not answer: {str(error).splitlines()[0]}",
                got=shown_uri(self.workspace.mlflow_uri),
                fix="check that it runs and that MLFLOW_TRACKING_URI is right",
            ) from error

    def versions(self, kind: Kind) -> tuple[Version, ...]:
        """Every version of the model of a kind, the newest first."""
        client = self.client
        with self.faults():
            models = client.search_registered_models(f"name='{NAMES[kind]}'")
            found = list(_pages(client, NAMES[kind])) if models else []
        versions = [_version(kind, one, models[0].aliases) for one in found]
        return tuple(sorted(versions, key=lambda one: one.number, reverse=True))

    def known(self) -> Known:
        """Every version of every kind, the newest first."""
        return {kind: self.versions(kind) for kind in NAMES}

    def bundle(self, version: Version) -> Bundle:
        """The bundle of a version, loaded and checked against its golden rows, or BundleError."""
        from mlflow.exceptions import MlflowException

        client = self.client
        with tempfile.TemporaryDirectory() as folder:
            try:
                client.download_artifacts(version.run_id, BUNDLE_ARTIFACT, folder)
            except (MlflowException, OSError) as error:
                raise BundleError(
                    f"{version.label} has no bundle", got=f"run {version.run_id}", fix="train again"
                ) from error
            bundle = load(Path(folder) / BUNDLE_ARTIFACT)
        _require_own(version, bundle)
        bundle.verify()
        return bundle

    def crown(self, wanted: Champions, *, present: Champions) -> None:
        """Give the alias `champion` to the wanted versions, and take it from a kind that has none."""
        client = self.client
        for kind, name in NAMES.items():
            now, then = present.get(kind), wanted.get(kind)
            with self.faults():
                if then is not None and (now is None or now.number != then.number):
                    client.set_registered_model_alias(name, CHAMPION, str(then.number))
                elif then is None and now is not None:
                    client.delete_registered_model_alias(name, CHAMPION)


def choose(known: Known, kind: Kind, *, wanted: str | None) -> Version | None:
    """The version asked for: a number, an alias or the start of a bundle's fingerprint.

    wanted: None takes the challenger, or the newest when no kind has one; "none" leaves the model out.
    Raises InputError when there is no such version.
    """
    versions = known[kind]
    if wanted == "none":
        return None
    if wanted is None:
        named = any(CHALLENGER in one.aliases for every in known.values() for one in every)
        # A kind without a challenger beside one that has it could not be trained: the old one stays out.
        return next((one for one in versions if CHALLENGER in one.aliases or not named), None)
    matches = [one for one in versions if _is_meant(one, wanted)]
    if not matches or len({one.fingerprint for one in matches}) > 1:
        raise InputError(
            f"{NAMES[kind]} has {'no such version' if not matches else 'several such versions'}",
            got=wanted,
            allowed=_choices(versions),
            fix="name one of them, or leave it out to take the challenger",
        )
    return matches[0]


def champions(known: Known) -> Champions:
    """The version with the alias `champion`, of each kind that has one."""
    return {kind: one for kind, versions in known.items() for one in versions if CHAMPION in one.aliases}


def holders(known: Known, fingerprints: Mapping[str, str]) -> Champions:
    """The version that holds each bundle of a release: the champion if it does, else the newest.

    Raises WorkspaceError for a bundle that MLflow does not know.
    """
    return {kind: _holder(known, kind, fingerprints[kind]) for kind in NAMES if kind in fingerprints}


def _holder(known: Known, kind: Kind, fingerprint: str) -> Version:
    held = [one for one in known[kind] if one.fingerprint == fingerprint]
    if not held:
        raise WorkspaceError(
            f"MLflow has no version of {NAMES[kind]} with the served bundle",
            got=fingerprint[:12],
            fix="nothing is lost, the bundle is in the store; train and promote to track it again",
        )
    return next((one for one in held if CHAMPION in one.aliases), held[0])


def _require_reachable(uri: str) -> None:
    """Fail at once where MLflow would make an empty database, or ask a server that is down for minutes."""
    parts = urlsplit(uri)
    if parts.scheme == "sqlite" and not Path(str(make_url(uri).database)).is_file():
        raise WorkspaceError(
            "no model was trained yet", got=f"no database at {uri}", fix="run `spearfish train` first"
        )
    require_server(uri)


def require_server(uri: str) -> None:
    """WorkspaceError at once when the address of a tracking server does not answer."""
    parts = urlsplit(uri)
    if parts.scheme in {"http", "https"}:
        _require_server(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))


def _require_server(host: str, port: int) -> None:
    try:
        socket.create_connection((host, port), timeout=PATIENCE_SECONDS).close()
    except OSError as error:
        raise WorkspaceError(
            f"MLflow does not answer at {host}:{port}",
            got=error,
            fix="check that it runs and that MLFLOW_TRACKING_URI is right",
        ) from error


def shown_uri(uri: str) -> str:
    """A tracking URI as people may see it, without a password."""
    try:
        return make_url(uri).render_as_string(hide_password=True)
    except ArgumentError:
        return uri


def _pages(client: Any, name: str) -> Iterator[Any]:
    token = None
    while True:
        page = client.search_model_versions(f"name='{name}'", page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _version(kind: Kind, found: Any, aliases: Mapping[str, Any]) -> Version:
    number = int(found.version)
    return Version(
        kind=kind,
        number=number,
        run_id=found.run_id,
        fingerprint=found.tags.get(FINGERPRINT_TAG),
        aliases=tuple(sorted(alias for alias, of in aliases.items() if int(of) == number)),
    )


def _is_meant(version: Version, wanted: str) -> bool:
    by_fingerprint = len(wanted) >= 8 and (version.fingerprint or "").startswith(wanted)
    return wanted == str(version.number) or wanted in version.aliases or by_fingerprint


def _choices(versions: tuple[Version, ...]) -> str:
    names = [str(one.number) for one in versions] + sorted({name for one in versions for name in one.aliases})
    return ", ".join([*names, "none"])


def _require_own(version: Version, bundle: Bundle) -> None:
    if bundle.kind != version.kind or version.fingerprint not in (None, bundle.fingerprint):
        raise BundleError(
            f"{version.label} holds another bundle than it says",
            got=f"{bundle.name} {bundle.version}",
            allowed=f"{NAMES[version.kind]} {(version.fingerprint or '')[:12]}",
            fix="train again",
        )
