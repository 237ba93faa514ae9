"""What callers are told of faults of ours: what it is and what to do, and nothing of the machine."""

from __future__ import annotations

import sqlite3

import pytest

from features.errors import BundleError, EngineError, SpearfishError, WorkspaceError
from serving.problems import NotReadyError, problem
from serving.store import engine

LOCKED = sqlite3.OperationalError("database is locked")
LOCKED.sqlite_errorname = "SQLITE_BUSY"
REFUSED = sqlite3.OperationalError('connection to server at "db.internal", port 5432 failed for user "ada"')


def explained(fault: sqlite3.Error) -> SpearfishError:
    place = "postgresql://ada:***@db.internal/store"
    return engine._explained(fault, place=place)


FAULTS = [
    pytest.param(
        explained(LOCKED), "the store is locked by another process; end what holds it, or try again"
    ),
    pytest.param(explained(REFUSED), "the store does not answer"),
    pytest.param(
        WorkspaceError("no tables in the workspace /srv/ada", got="nothing", fix="run `spearfish ingest`"),
        "run `spearfish ingest`",
    ),
    pytest.param(
        WorkspaceError("cannot read C:\\srv\\manifest.json", got=PermissionError("/srv/manifest.json")),
        "the workspace cannot be read; the server's log says why",
    ),
    pytest.param(
        EngineError("the feature query failed: Binder Error near 'secret'", sql="SELECT secret"),
        "the SQL engine failed and was restarted; the server's log says why",
    ),
    pytest.param(
        BundleError("bundle lacks model.txt", got=["/srv/model"]),
        "the model cannot be used; the server's log says why",
    ),
    pytest.param(
        NotReadyError("no release is current", fix="train the models, then run `spearfish promote`"),
        "no release is current; train the models, then run `spearfish promote`",
    ),
    pytest.param(
        ZeroDivisionError("/srv"), "an unforeseen error; the server's log has it under this request_id"
    ),
]


@pytest.mark.parametrize(("fault", "told"), FAULTS)
def test_faults_of_ours_are_told_without_paths_and_hosts(fault: Exception, told: str) -> None:
    document = problem(fault, request_id="r")
    assert document["detail"] == told
    assert "errors" not in document


def test_the_log_is_told_where_and_what() -> None:
    assert "db.internal/store" in str(explained(REFUSED))
    assert 'failed for user "ada"' in str(explained(REFUSED))
