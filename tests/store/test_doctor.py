"""What the doctor finds, what it advises, and what it mends."""

from __future__ import annotations

import ctypes
import importlib.metadata
import json
import shutil
import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import tracked_models
from store_processes import NOON
from tracked_models import FIT, FIT_2, INTENT

from features.mapping import load_config
from features.workspace import Workspace
from serving.store import Store
from training.releasing import doctor as doctors
from training.releasing.doctor import Check, doctor
from training.releasing.promote import promote

FREE = 0
"""Port 0 can always be had."""


@pytest.fixture
def served(workspace: Workspace) -> Workspace:
    promote(workspace, who="Ada", why="better", force="made by hand", now=NOON)
    return workspace


def examine(workspace: Workspace, *, repair: bool = False) -> dict[str, Check]:
    return {check.name: check for check in doctor(workspace, repair=repair, port=FREE)}


def failing(workspace: Workspace) -> list[str]:
    return [name for name, check in examine(workspace).items() if not check.ok]


def test_a_workspace_in_service_has_everything_in_place(served: Workspace) -> None:
    checks = doctor(served, port=FREE)
    assert [check for check in checks if not check.ok] == []
    first = json.loads(json.dumps(checks[0].to_json()))
    assert (first["name"], first["ok"], first["fix"]) == ("python", True, None)


def test_an_empty_folder_says_which_commands_come_first(
    tmp_path: Path,
) -> None:
    fixes = {name: check.fix or "" for name, check in examine(Workspace(tmp_path)).items() if not check.ok}
    assert list(fixes) == ["workspace", "tables", "store", "release", "mlflow"]
    for name, command in {"workspace": "ingest", "release": "promote", "mlflow": "train"}.items():
        assert f"spearfish {command}" in fixes[name]
    assert list(tmp_path.iterdir()) == []


def test_a_store_without_releases_wants_a_promotion(workspace: Workspace) -> None:
    Store.open(workspace.store_url).close()
    assert failing(workspace) == ["release"]


def lose_rows(workspace: Workspace) -> None:
    accounts = next(workspace.snapshots.rglob("accounts.parquet"))
    accounts.write_bytes(b"not Parquet")


def age_the_contract(workspace: Workspace) -> None:
    manifest = json.loads(workspace.manifest_path.read_text())
    workspace.manifest_path.write_text(json.dumps(manifest | {"contract_version": 0}))


def miscount(workspace: Workspace) -> None:
    manifest = json.loads(workspace.manifest_path.read_text())
    manifest["tables"]["accounts"]["rows"] = 2
    workspace.manifest_path.write_text(json.dumps(manifest))


def damage_the_store(workspace: Workspace) -> None:
    for path in workspace.home.glob("store.db*"):
        path.write_bytes(b"not a database" * 100)


def damage_a_bundle(workspace: Workspace) -> None:
    with Store.open(workspace.store_url) as store, store.writing() as connection:
        connection.exec_driver_sql("UPDATE bundles SET content = x'00' WHERE kind = 'fit'")


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lose_rows, ["tables"]),
        (age_the_contract, ["workspace", "tables"]),
        (miscount, ["tables"]),
        (damage_the_store, ["store", "release"]),
        (damage_a_bundle, ["release"]),
    ],
)
def test_damage_is_found_where_it_is(
    served: Workspace, damage: Callable[[Workspace], None], found: list[str]
) -> None:
    damage(served)
    assert failing(served) == found


def crown_another(workspace: Workspace) -> None:
    tracked_models.client(workspace).set_registered_model_alias("icp_fit", "champion", "1")


def uncrown(workspace: Workspace) -> None:
    tracked_models.client(workspace).delete_registered_model_alias("buying_intent", "champion")


@pytest.mark.parametrize("disturb", [crown_another, uncrown])
def test_aliases_that_disagree_with_the_pointer_are_repaired(
    served: Workspace, disturb: Callable[[Workspace], None]
) -> None:
    disturb(served)
    check = examine(served)["aliases"]
    assert not check.ok
    assert "doctor --repair" in (check.fix or "")
    assert tracked_models.champions(served) != [2, 1]
    assert examine(served, repair=True)["aliases"].what.startswith("repaired")
    assert tracked_models.champions(served) == [2, 1]
    assert failing(served) == []


def test_lost_bento_models_are_made_again_from_the_store(served: Workspace) -> None:
    shutil.rmtree(served.bentoml_home)
    (check,) = [check for check in examine(served).values() if not check.ok]
    assert check.name == "bento models"
    assert FIT_2.version in check.what
    assert INTENT.version in check.what
    assert examine(served, repair=True)["bento models"].what.startswith("repaired")
    assert failing(served) == []


def test_a_bundle_that_mlflow_forgot_is_said_and_cannot_be_crowned(
    served: Workspace, untrained: Workspace
) -> None:
    tracked_models.register(untrained, FIT)
    check = examine(served, repair=True)["aliases"]
    assert not check.ok
    assert "no version of icp_fit with the served bundle" in check.what


@pytest.mark.parametrize("name", ["BENTOML_DO_NOT_TRACK", "MLFLOW_DISABLE_TELEMETRY"])
def test_telemetry_that_was_switched_on_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "False")
    check = examine(Workspace(tmp_path))["telemetry"]
    assert (check.ok, check.fix) == (False, f"unset {name}: Spearfish switches it off itself")


def test_a_mlflow_server_that_is_down_is_said_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://ada:secret@127.0.0.1:{unused.getsockname()[1]}")
        check = examine(Workspace(tmp_path))["mlflow"]
    assert "MLflow does not answer at 127.0.0.1" in check.what
    assert "secret" not in check.what


def test_a_missing_libgomp_names_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert "apt-get install libgomp1" in (examine(Workspace(tmp_path))["openmp"].fix or "")


def test_a_dependency_below_its_floor_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata.version
    monkeypatch.setattr(doctors, "version", lambda name: "0.9.2" if name == "bentoml" else real(name))
    check = examine(Workspace(tmp_path))["dependencies"]
    assert not check.ok
    assert "bentoml>=1.4.39 (got 0.9.2)" in check.what


def test_an_old_python_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctors, "OLDEST_PYTHON", (4, 0))
    assert not examine(Workspace(tmp_path))["python"].ok


CONFIG = """
[workspace]
name = "acme"
time_zone = "UTC"
[[sources]]
table = "accounts"
path = "{file}"
known = "start_of_time"
columns = {{ account_id = "id" }}
"""


@pytest.mark.parametrize(("file", "there"), [("accounts.csv", True), ("a*.csv", True), ("absent.csv", False)])
def test_the_files_of_a_config_are_looked_for(tmp_path: Path, file: str, there: bool) -> None:
    (tmp_path / "accounts.csv").touch()
    (tmp_path / "acme.toml").write_text(CONFIG.format(file=tmp_path / file))
    checks = doctor(Workspace(tmp_path), config=load_config(tmp_path / "acme.toml"), port=FREE)
    check = next(check for check in checks if check.name == "sources")
    assert (check.ok, file in check.what) == (there, not there)


class Alive(BaseHTTPRequestHandler):
    """Answers /livez as the service does."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/livez" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""


def test_a_port_is_fine_when_our_service_is_what_holds_it(tmp_path: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), Alive) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            assert "the service answers" in port_check(tmp_path, server.server_port).what
        finally:
            server.shutdown()
            thread.join()


def test_a_port_that_another_program_holds_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctors, "PATIENCE_SECONDS", 0.1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        check = port_check(tmp_path, taken.getsockname()[1])
    assert not check.ok
    assert "spearfish serve --port" in (check.fix or "")


def port_check(folder: Path, port: int) -> Check:
    return next(check for check in doctor(Workspace(folder), port=port) if check.name == "port")
