"""The commands on keys, and whom the service would listen to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from features.errors import ConfigError, WorkspaceError
from features.workspace import Workspace
from serving.access.ring import KeyRing
from serving.launch import access_notice
from serving.store import Store, keys
from training.cli.app import app


def run(home: Path, *arguments: str) -> Any:
    done = CliRunner().invoke(app, ["keys", *arguments, "--workspace", str(home), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout.splitlines()[-1])


def test_a_key_is_shown_once_listed_and_revoked(tmp_path: Path) -> None:
    made = run(tmp_path, "create", "Salesforce", "--scope", "score", "--scope", "lists", "--days", "30")
    with Store.open(f"sqlite:///{tmp_path}/store.db") as store, store.reading() as connection:
        ring = KeyRing(keys.every_key(connection), change=1)
    found = ring.find(made["key"])
    assert found is not None
    assert found.scopes == ("score", "lists")
    (listed,) = run(tmp_path, "list")["keys"]
    assert made["key"] not in json.dumps(listed)
    assert (listed["prefix"], listed["state"], listed["per_minute"]) == (made["prefix"], "valid", 6000)
    assert run(tmp_path, "revoke", made["prefix"])["changed"]
    assert not run(tmp_path, "revoke", made["prefix"])["changed"]
    assert run(tmp_path, "list")["keys"][0]["state"] == "revoked"
    log = run(tmp_path, "log")
    assert [entry["action"] for entry in log["entries"]] == ["key revoked", "key created"]
    assert log["refused"] == []


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "crm.example"])
def test_without_a_key_it_does_not_listen_to_others(tmp_path: Path, host: str) -> None:
    workspace = Workspace(tmp_path)
    with pytest.raises(ConfigError, match="spearfish keys create"):
        access_notice(workspace, host=host)
    assert "only this machine" in access_notice(workspace, host="127.0.0.1")
    run(tmp_path, "create", "CRM", "--scope", "score")
    assert "HTTPS" in access_notice(workspace, host=host)
    assert access_notice(workspace, host="localhost") == "Requests need an API key."


def test_with_a_store_that_cannot_be_read_it_waits_for_it_here_alone(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("not a database, but something somebody wrote" * 50)
    assert access_notice(Workspace(tmp_path), host="127.0.0.1").startswith("Nobody is answered until")
    with pytest.raises(WorkspaceError, match="is not a database"):
        access_notice(Workspace(tmp_path), host="0.0.0.0")
