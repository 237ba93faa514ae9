"""The registered models in MLflow: which trained bundles there are, and which ones carry an alias.

Turns a model's name and what was asked for (a version, an alias, a fingerprint) into a checked bundle, and
a release into the alias `champion`. The alias is derived: what is served stands in the store. Where several
workspaces track in one MLflow, only the versions of this one count. Time rule: the newest version is the one
with the highest number. Null rule: a model that was never registered has no versions; a model that a release
lacks has no champion.
"""

from __future__ import annotations

import socket
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from features.errors import BundleError, WorkspaceError
from features.model_keys import KINDS
from features.privacy.addresses import workspace_secret
from features.workspace import Workspace
from models.bundle import Bundle, load
from models.card import ModelKey, key_of, name_of, registered_name
from training.gate.held_out import HELD_OUT_ARTIFACT, HeldOut, read_held_out
from training.gate.verdict import Verdict
from training.ownership import (
    IDENTITY_TAG,
    NAME_TAG,
    alias_of,
    make_identity,
    owner_tags,
    read_identity,
    roles,
    short,
)
from training.tracking.mlflow_database import make_database, mlflow_client
from training.tracking.versions import CHALLENGER, CHAMPION, Champions, Known, Version

__all__ = [
    "BOOSTER",
    "BUNDLE_ARTIFACT",
    "FINGERPRINT_TAG",
    "GATE_FILE",
    "GATE_TAG",
    "LEFT_TAG",
    "TRIED_TAG",
    "RegisteredModels",
    "shown_uri",
]

BOOSTER = "booster"
BUNDLE_ARTIFACT = "bundle"
FINGERPRINT_TAG = "bundle_fingerprint"
GATE_TAG = "gate"
GATE_FILE = "gate.json"
LEFT_TAG = "left_unserved"
"""Why an unattended training does not serve a version that nothing was found against."""
TRIED_TAG = "tried_again"
"""Of a served version: up to when the newest training learned that was to replace it, and did not."""
PATIENCE_SECONDS = 2.0


@dataclass(frozen=True)
class RegisteredModels:
    """The registered models of a workspace's MLflow. create: whether to make a database where none is yet."""

    workspace: Workspace
    create: bool = False

    @cached_property
    def client(self) -> Any:
        """The MLflow client. Raises WorkspaceError when there is nothing to talk to."""
        uri = self.workspace.mlflow_uri
        if self.create:
            make_database(uri)
        _require_reachable(uri)
        with self.faults():
            return mlflow_client(uri)

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

    def versions(self, key: ModelKey) -> tuple[Version, ...]:
        """Every version that this workspace made of a model, the newest first."""
        return self._own(key, model=self._model(key))

    def known(self) -> Known:
        """Every version that this workspace made, by model, the newest first; named ones have some."""
        models = self._models()
        found = {
            key: self._own(key, model=models.get(key)) for key in dict.fromkeys((*KINDS, *sorted(models)))
        }
        return {key: versions for key, versions in found.items() if versions or name_of(key) is None}

    def others(self) -> Mapping[str, int]:
        """How many versions other workspaces made, by their name and first digits."""
        identity, counts = read_identity(self.workspace), Counter[str]()
        for key in self._models():
            for one in self._every_version(key):
                owner = one.tags.get(IDENTITY_TAG)
                if owner is None:
                    counts["no known workspace"] += 1
                elif owner != identity:
                    counts[f"{one.tags.get(NAME_TAG)} {short(owner)}"] += 1
        return dict(sorted(counts.items()))

    def register(self, bundle: Bundle, *, run_id: str, name: str, tags: Mapping[str, str]) -> Version:
        """Make a version of what a run holds, as this workspace's own.

        name: of the workspace, for people. tags: what is to be known of it from its first moment on.
        """
        identity, client = make_identity(self.workspace), self.client
        noted = {FINGERPRINT_TAG: bundle.fingerprint, **owner_tags(identity, name=name), **tags}
        with self.faults():
            self._claim(bundle.key, identity=identity)
            made = client.create_model_version(
                bundle.name, f"runs:/{run_id}/{BOOSTER}", run_id=run_id, tags=noted
            )
        return Version(bundle.key, int(made.version), run_id, bundle.fingerprint, (), noted)

    def challenge(self, version: Version) -> None:
        """Call a version the challenger."""
        with self.faults():
            alias = self._alias(version.key, CHALLENGER)
            self.client.set_registered_model_alias(version.name, alias, str(version.number))

    def tag(self, version: Version, name: str, value: str) -> None:
        """Note something with a version."""
        with self.faults():
            self.client.set_model_version_tag(version.name, str(version.number), name, value)

    def remove(self, version: Version) -> None:
        """Take a version back, as if it had never been registered."""
        with self.faults():
            self.client.delete_model_version(version.name, str(version.number))

    def withdraw(self, key: ModelKey) -> None:
        """Take the alias `challenger` from a model that a training could not give."""
        if any(CHALLENGER in one.aliases for one in self.versions(key)):
            with self.faults():
                alias = self._alias(key, CHALLENGER)
                self.client.delete_registered_model_alias(registered_name(key), alias)

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

    def held_out(self, version: Version) -> HeldOut | None:
        """What the training of a version held out; None when it kept nothing."""
        from mlflow.exceptions import MlflowException

        client = self.client
        with self.faults():
            names = {item.path for item in client.list_artifacts(version.run_id)}
        if HELD_OUT_ARTIFACT not in names:
            return None
        with tempfile.TemporaryDirectory() as folder:
            try:
                client.download_artifacts(version.run_id, HELD_OUT_ARTIFACT, folder)
            except (MlflowException, OSError) as error:
                raise BundleError(
                    f"the held-out rows of {version.label} cannot be read", got=error, fix="train again"
                ) from error
            secret = workspace_secret(self.workspace)
            return read_held_out(Path(folder) / HELD_OUT_ARTIFACT, secret=secret)

    def note(self, version: Version, verdict: Verdict, *, forced: bool = False) -> None:
        """Keep a verdict of the gate with a version and its run. forced: somebody answers for what failed."""
        with self.faults():
            self.client.log_dict(version.run_id, verdict.to_json(), GATE_FILE)
        self.tag(version, GATE_TAG, "forced" if forced and verdict.failed else verdict.outcome)

    def crown(self, wanted: Champions, *, present: Champions) -> None:
        """Give the alias `champion` to the wanted versions, and take it from a model that has none."""
        client = self.client
        for key in sorted(present.keys() | wanted.keys()):
            name, now, then = registered_name(key), present.get(key), wanted.get(key)
            with self.faults():
                if then is not None and (now is None or now.number != then.number):
                    client.set_registered_model_alias(name, self._alias(key, CHAMPION), str(then.number))
                elif then is None and now is not None:
                    client.delete_registered_model_alias(name, self._alias(key, CHAMPION))

    def _own(self, key: ModelKey, *, model: Any | None) -> tuple[Version, ...]:
        """The versions of `versions`. model: as MLflow has it; None for one that nobody registered."""
        identity = read_identity(self.workspace)
        if identity is None or model is None:
            return ()
        own = [one for one in self._every_version(key) if one.tags.get(IDENTITY_TAG) == identity]
        versions = [_version(key, one, model=model, identity=identity) for one in own]
        return tuple(sorted(versions, key=lambda one: one.number, reverse=True))

    def _models(self) -> dict[ModelKey, Any]:
        """The models that somebody registered, as MLflow has them: one question for all of a kind."""
        found: dict[ModelKey, Any] = {}
        for kind in KINDS:
            with self.faults():
                search = self.client.search_registered_models
                models = list(_pages(search, f"name LIKE '{registered_name(kind)}%'"))
            found |= {key: model for model in models if (key := key_of(model.name)) is not None}
        return found

    def _model(self, key: ModelKey) -> Any | None:
        with self.faults():
            found = self.client.search_registered_models(f"name='{registered_name(key)}'")
        return next(iter(found), None)

    def _every_version(self, key: ModelKey) -> list[Any]:
        with self.faults():
            return list(_pages(self.client.search_model_versions, f"name='{registered_name(key)}'"))

    def _alias(self, key: ModelKey, role: str) -> str:
        model = self._model(key)
        owner = None if model is None else model.tags.get(IDENTITY_TAG)
        return alias_of(role, identity=make_identity(self.workspace), owner=owner)

    def _claim(self, key: ModelKey, *, identity: str) -> None:
        """Register the model unless it is; whoever comes first owns its plain aliases."""
        from mlflow.exceptions import MlflowException

        name, model = registered_name(key), self._model(key)
        if model is not None and IDENTITY_TAG not in model.tags:
            self.client.set_registered_model_tag(name, IDENTITY_TAG, identity)
        if model is not None:
            return
        try:
            self.client.create_registered_model(name, tags={IDENTITY_TAG: identity})
        except MlflowException as error:
            # Another workspace registered it in the meantime.
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise


def _require_reachable(uri: str) -> None:
    """Fail at once where MLflow would make an empty database, or ask a server that is down for minutes."""
    is_file = urlsplit(uri).scheme == "sqlite"
    if is_file and not Path(str(make_url(uri).database)).is_file():
        raise WorkspaceError(
            "no model was trained yet", got=f"no database at {uri}", fix="run `spearfish train` first"
        )
    _require_server(uri)


def _require_server(uri: str) -> None:
    """WorkspaceError at once when the address of a tracking server does not answer."""
    parts = urlsplit(uri)
    if parts.scheme not in {"http", "https"}:
        return
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
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


def _pages(search: Callable[..., Any], wanted: str) -> Iterator[Any]:
    token = None
    while True:
        page = search(wanted, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _version(key: ModelKey, found: Any, *, model: Any, identity: str) -> Version:
    number = int(found.version)
    return Version(
        key=key,
        number=number,
        run_id=found.run_id,
        fingerprint=found.tags.get(FINGERPRINT_TAG),
        aliases=roles(
            {alias: int(of) for alias, of in model.aliases.items()},
            number=number,
            identity=identity,
            owner=model.tags.get(IDENTITY_TAG),
            known=(CHAMPION, CHALLENGER),
        ),
        tags=dict(found.tags),
    )


def _require_own(version: Version, bundle: Bundle) -> None:
    if bundle.key != version.key or version.fingerprint not in (None, bundle.fingerprint):
        raise BundleError(
            f"{version.label} holds another bundle than it says",
            got=f"{bundle.name} {bundle.version}",
            allowed=f"{version.name} {(version.fingerprint or '')[:12]}",
            fix="train again",
        )
