"""The workspace is replaced whole or not at all, and is never pulled from under a reader."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_sources import ADA, VISIT, run, write_sources

from features.contract import CONTRACT_VERSION
from features.errors import WorkspaceError
from features.workspace import Manifest, Workspace


def test_a_workspace_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPEARFISH_HOME", str(tmp_path))
    workspace = Workspace.default()
    assert workspace.home == tmp_path
    for name in ("SPEARFISH_STORE_URL", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    assert (workspace.store_url, workspace.mlflow_uri) == (
        f"sqlite:///{tmp_path}/store.db",
        f"sqlite:///{tmp_path}/mlflow.db",
    )
    monkeypatch.setenv("SPEARFISH_STORE_URL", "postgresql://x")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://y")
    assert (workspace.store_url, workspace.mlflow_uri) == ("postgresql://x", "http://y")


def test_the_manifest_survives_being_stored(tmp_path: Path) -> None:
    manifest = run(write_sources(tmp_path))[1].manifest()
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert manifest.channels == ("web_visit",)
    assert manifest.tables["activities"].rows == 1
    assert [attribute.name for attribute in manifest.attributes] == ["score"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"contract_version": CONTRACT_VERSION - 1},
            f"written with an older data contract (got version {CONTRACT_VERSION - 1};",
        ),
        ({"contract_version": CONTRACT_VERSION + 1}, "written with another data contract"),
        ({"tables": 3}, "manifest.json is damaged"),
        ({"snapshot": "gone"}, "the workspace lacks"),
    ],
)
def test_a_workspace_that_cannot_be_read_says_so(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    _, workspace = run(write_sources(tmp_path))
    raw = json.loads(workspace.manifest_path.read_text(encoding="utf-8"))
    workspace.manifest_path.write_text(json.dumps(raw | change), encoding="utf-8")
    with pytest.raises(WorkspaceError) as raised:
        workspace.manifest()
    assert message in str(raised.value)
    assert "ingest" in str(raised.value)


def test_an_absent_or_torn_workspace_says_so(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"no tables in the workspace .*; run `spearfish ingest"):
        Workspace(tmp_path / "nothing").tables()
    (tmp_path / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(WorkspaceError, match=r"manifest\.json is damaged"):
        Workspace(tmp_path).manifest()


def test_the_same_data_is_the_same_snapshot(tmp_path: Path) -> None:
    path = write_sources(tmp_path)
    first = run(path)[0]
    second, workspace = run(path)
    assert (first.snapshot, first.fingerprint) == (second.snapshot, second.fingerprint)
    assert [folder.name for folder in workspace.snapshots.iterdir()] == [first.snapshot]


def test_a_snapshot_stays_for_as_long_as_it_is_read(tmp_path: Path) -> None:
    path = write_sources(tmp_path)
    first, workspace = run(path)
    with workspace.reading() as tables:
        write_sources(tmp_path, accounts=[ADA, ("a2", *ADA[1:])])
        second, _ = run(path)
        assert len(tables.read("accounts")) == 1
        assert {folder.name for folder in workspace.snapshots.iterdir()} == {first.snapshot, second.snapshot}
    write_sources(tmp_path, accounts=[ADA, ("a3", *ADA[1:])])
    third, _ = run(path)
    assert {folder.name for folder in workspace.snapshots.iterdir()} == {third.snapshot}


def test_two_writers_at_once_are_refused(tmp_path: Path) -> None:
    path = write_sources(tmp_path)
    workspace = Workspace(tmp_path / "workspace")

    def write_too(folder: Path) -> Manifest:
        run(path)
        raise AssertionError(folder)

    with pytest.raises(WorkspaceError, match="another ingest is writing"):
        workspace.replace(write_too)


def test_a_damaged_snapshot_heals_with_the_next_ingest(tmp_path: Path) -> None:
    path = write_sources(tmp_path)
    report, workspace = run(path)
    (workspace.snapshots / report.snapshot / "activities.parquet").unlink()
    with pytest.raises(WorkspaceError, match="the workspace lacks"):
        workspace.manifest()
    run(path)
    assert len(workspace.tables().read("activities")) == len([VISIT])
