"""Copies of the promoted bundles in the workspace's BentoML store, for `bentoml build` and its tools.

Turns a bundle into a BentoML model of the bundle's files (data, no code), tagged with its fingerprint. The
copies are derived: what is served stands in the store, and `spearfish doctor` makes lost copies again. Time
rule and null rule: none of their own.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from features.errors import BundleError, WorkspaceError
from features.workspace import Workspace
from models.bundle import Bundle, load, save

__all__ = ["bento_tag", "import_bundle", "is_imported"]

BUNDLE_FOLDER = "bundle"


def bento_tag(*, name: str, fingerprint: str) -> str:
    """The tag of a bundle's copy, such as spearfish_icp_fit:0123456789ab."""
    return f"spearfish_{name}:{fingerprint[:12]}"


def import_bundle(bundle: Bundle, *, workspace: Workspace) -> bool:
    """Copy a bundle into the BentoML store; whether that was needed. Half a copy is made again."""
    if is_imported(workspace, name=bundle.name, fingerprint=bundle.fingerprint):
        return False
    try:
        _replace_copy(bundle, workspace)
    except OSError as error:
        raise WorkspaceError(
            "the BentoML store cannot be written",
            got=error,
            fix=f"give this user write access to {workspace.bentoml_home}",
        ) from error
    return True


def is_imported(workspace: Workspace, *, name: str, fingerprint: str) -> bool:
    """Whether a whole copy of the bundle is there."""
    folder = _folder(workspace, name=name, fingerprint=fingerprint)
    try:
        return (folder / "model.yaml").is_file() and load(folder / BUNDLE_FOLDER).fingerprint == fingerprint
    except BundleError:
        return False


def _folder(workspace: Workspace, *, name: str, fingerprint: str) -> Path:
    return workspace.bentoml_home / "models" / bento_tag(name=name, fingerprint=fingerprint).replace(":", "/")


def _replace_copy(bundle: Bundle, workspace: Workspace) -> None:
    shutil.rmtree(_folder(workspace, name=bundle.name, fingerprint=bundle.fingerprint), ignore_errors=True)
    models, store = _bentoml(workspace)
    tag = bento_tag(name=bundle.name, fingerprint=bundle.fingerprint)
    facts = {"fingerprint": bundle.fingerprint, "kind": bundle.kind, "name": bundle.name}
    with models.create(tag, labels={"kind": bundle.kind}, metadata=facts, _model_store=store) as model:
        save(bundle, Path(model.path) / BUNDLE_FOLDER)


def _bentoml(workspace: Workspace) -> tuple[Any, Any]:
    """BentoML's functions for models, and its store in the workspace."""
    os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")
    import bentoml.models

    # The public way is BENTOML_HOME, which counts only if it is set before bentoml is first imported.
    from bentoml._internal.models.model import ModelStore

    folder = workspace.bentoml_home / "models"
    folder.mkdir(parents=True, exist_ok=True)
    return bentoml.models, ModelStore(folder)
