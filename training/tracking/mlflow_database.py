"""MLflow's database in a workspace, and the client that speaks to one.

Turns an address into a client with MLflow's own habits switched off, and an address of a file that is not
there into a whole database: it is made beside its place and put there in one step, so that a training that is
killed meanwhile leaves none rather than a half one. A process has MLflow make one once, which takes seconds,
and copies it after that. Time rule: none. Null rule: addresses of servers and databases that are there are
left alone.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from sqlalchemy.engine import make_url

from features.errors import WorkspaceError

__all__ = ["empty_database", "make_database", "mlflow_client"]


def mlflow_client(uri: str) -> Any:
    """A client of its own: MLflow's global address would redirect every other workspace of the process."""
    # Read when mlflow is imported; a choice of the user's stands.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def make_database(uri: str) -> None:
    """Make MLflow's SQLite file where there is none. Raises WorkspaceError when it cannot be written."""
    if urlsplit(uri).scheme != "sqlite":
        return
    file = Path(str(make_url(uri).database))
    if file.exists():
        return
    draft = file.with_name(f".{file.name}-{uuid4().hex}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _remove_drafts(file)
        draft.write_bytes(empty_database())
        os.link(draft, file)
    except FileExistsError:
        pass  # another training made it in the meantime
    except OSError as error:
        raise WorkspaceError(
            "MLflow's database cannot be made", got=error, fix=f"give this user write access to {file.parent}"
        ) from error
    finally:
        draft.unlink(missing_ok=True)


@cache
def empty_database() -> bytes:
    """MLflow's SQLite file as it is before the first run."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mlflow.db"
        mlflow_client(f"sqlite:///{file.absolute()}").search_registered_models()
        with closing(sqlite3.connect(file)) as connection:
            return connection.serialize()


def _remove_drafts(file: Path) -> None:
    """What killed trainings left behind."""
    for draft in file.parent.glob(f".{file.name}-*"):
        draft.unlink(missing_ok=True)
