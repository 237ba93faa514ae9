"""What goes wrong around the server: no release, a broken one, a new one, an engine that fails."""

from __future__ import annotations

import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import in_process
import pytest
import small_workspace
from in_process import Everybody, open_to_everybody, slug_of
from server_process import running, until
from small_workspace import AS_OF, bundle, load_data, publish

from features.contract import CONTRACT_VERSION
from features.errors import EngineError
from features.workspace import Workspace
from serving.holder import DeskHolder
from serving.known_engine import ReadyFeatureEngine
from serving.remembered import Remembered
from serving.scoring import utc_now
from serving.store import Draft, Store, StoredBundle, predictions
from serving.web.application import application
from serving.web.services import Services

REQUEST = {"account_id": "acc-20", "as_of": AS_OF}


@pytest.fixture
def workspace(without_release: Workspace) -> Workspace:
    return without_release


@pytest.fixture
def holder(workspace: Workspace) -> Any:
    made = DeskHolder(workspace)
    made.start()
    yield made
    made.stop()


def ask(holder: DeskHolder, request: dict[str, Any] = REQUEST) -> httpx.Response:
    """POST /v1/score to the application, without a server around it."""
    return in_process.ask(open_to_everybody(holder), "POST", "/v1/score", json=request)


def probe(holder: DeskHolder, path: str) -> httpx.Response:
    """What is told of a worker of which the holder is a part: one of the paths of health."""
    app = application(Services(holder, Everybody(), holder.door), parts=(holder,))
    return in_process.ask(app, "GET", path)


def test_it_lives_without_a_release_and_every_worker_takes_a_new_one(
    workspace: Workspace, tmp_path: Path
) -> None:
    """In one life of a server with two workers, of which no request fails once it is ready."""
    with (
        running(workspace, log=tmp_path / "log", ready=503, workers=2, jobs=False) as server,
        httpx.Client(timeout=60) as asking,
    ):

        def answer() -> dict[str, Any]:
            sent = asking.post(f"{server.url}/v1/score", json=REQUEST, headers={"Connection": "close"})
            told: dict[str, Any] = sent.raise_for_status().json()
            return told

        def seen() -> set[int]:
            return {answer()["release"]["id"] for _ in range(20)}

        assert server.status("/livez") == 200
        assert server.status("/") == 200
        unready = asking.get(f"{server.url}/readyz")
        assert (unready.status_code, unready.json()["type"]) == (503, "urn:spearfish:problem:not-ready")
        assert unready.headers["content-type"] == "application/problem+json"
        assert int(unready.headers["retry-after"]) > 0
        assert "spearfish promote" in unready.json()["detail"]
        assert unready.json()["request_id"] not in server.log.read_text(), "nobody asks but to know"
        response = httpx.post(f"{server.url}/v1/score", json=REQUEST)
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) > 0
        assert "spearfish promote" in response.json()["detail"]
        first = publish(workspace, kinds=["intent"])
        until(lambda: all(server.status("/readyz") == 200 for _ in range(20)))
        assert answer()["intent"]
        assert seen() == {first}
        second = publish(workspace, kinds=["fit"], seed=2)
        until(lambda: seen() == {second})
        frame = small_workspace.frames()["accounts"]
        newcomer = frame.iloc[[0]].assign(account_id="newcomer", domain="new.example")
        load_data(workspace, folder=tmp_path, accounts=[frame, newcomer])
        until(lambda: all(server.status("/v1/accounts/newcomer") == 200 for _ in range(20)))
        last = answer()
        assert server.stop(signal.SIGINT) == 0
    with Store.open(workspace.store_url) as store, store.reading() as connection:
        assert predictions.find(connection, request_id=last["request_id"]), "the log is written at the end"


def test_a_new_release_answers_from_its_moment_on(workspace: Workspace, holder: DeskHolder) -> None:
    publish(workspace, kinds=["fit"])
    holder.look()
    before = holder.desk()
    soon = datetime.now(UTC).replace(tzinfo=None, microsecond=0) + timedelta(seconds=3)
    made = bundle(workspace.tables(), kind="fit", seed=2)
    with Store.open(workspace.store_url) as store:
        stored = StoredBundle("fit", made.name, made.fingerprint, made.to_bytes())
        store.publish(Draft((stored,), "test", "test"), activate_at=soon, now=soon - timedelta(seconds=3))
    holder.look()
    assert holder.desk() is before or datetime.now(UTC).replace(tzinfo=None) >= soon
    until(lambda: holder.desk() is not before, patience=30)
    assert datetime.now(UTC).replace(tzinfo=None) >= soon
    (served,) = holder.desk().release.models
    assert served.scorer.bundle.fingerprint == made.fingerprint


@pytest.mark.parametrize("unreadable", [True, False])
def test_a_broken_bundle_is_refused_and_the_old_release_goes_on(
    workspace: Workspace, holder: DeskHolder, unreadable: bool
) -> None:
    """One that cannot be read, and one that does not give its golden rows."""
    first = publish(workspace, kinds=["fit"])
    holder.look()
    made = bundle(workspace.tables(), kind="fit", seed=2)
    wrong = replace(made, golden=(replace(made.golden[0], logit=(5.0).hex()), *made.golden[1:]))
    content = b"no bundle" if unreadable else wrong.to_bytes()
    fingerprint = "f" * 64 if unreadable else wrong.fingerprint
    with Store.open(workspace.store_url) as store:
        broken = StoredBundle("fit", "icp_fit", fingerprint, content)
        now = small_workspace.NOW
        store.publish(Draft((broken,), "test", "test"), activate_at=None, now=now)
    holder.look()
    holder.require_ready()
    response = ask(holder)
    assert response.json()["release"]["id"] == first


def test_what_is_to_come_is_made_before_its_moment(
    workspace: Workspace, holder: DeskHolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the moment itself costs a look, of which there are two a second, and nothing more."""
    publish(workspace, kinds=["fit"])
    holder.look()
    now = utc_now()
    made = bundle(workspace.tables(), kind="fit", seed=2)
    with Store.open(workspace.store_url) as store:
        stored = StoredBundle("fit", made.name, made.fingerprint, made.to_bytes())
        draft = Draft((stored,), "test", "test")
        second = store.publish(draft, activate_at=now + timedelta(days=1), now=now).release.id
    holder.look()
    before = holder.desk().release.release.id
    monkeypatch.setattr("serving.holder.Desk", None)
    monkeypatch.setattr("serving.holder.utc_now", lambda: now + timedelta(days=1))
    holder.look()
    assert (before == second, holder.desk().release.release.id) == (False, second)


def noted(holder: DeskHolder, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, bool]]:
    """The releases of the desks that are made from now on, and whether each has the tables in memory."""
    made, make = list[tuple[int, bool]](), holder._made

    def noting(*given: Any, **named: Any) -> Remembered:
        one = make(*given, **named)
        made.append((one.desk.release.release.id, one.desk.is_quick))
        return one

    monkeypatch.setattr(holder, "_made", noting)
    return made


def test_a_release_that_reads_the_same_features_takes_over_what_is_in_memory(
    workspace: Workspace, holder: DeskHolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(workspace, kinds=["fit"])
    holder.look()
    monkeypatch.setattr("serving.desk._COPIED", 1)
    made, before = noted(holder, monkeypatch), holder._current()
    assert ask(holder, {"account_id": "acc-20"}).status_code == 200
    assert len(before.newest(9)) == 1
    second = publish(workspace, kinds=["fit"], seed=2)
    holder.look()
    assert made == [(second, True)]
    assert holder.desk()._engines == before.desk._engines
    until(lambda: before.newest(9) == [])
    assert ask(holder).json()["release"]["id"] == second


def test_a_release_waits_for_no_copy_of_large_tables(
    workspace: Workspace, holder: DeskHolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where none in memory is what it reads: it answers from their files at its moment, and from memory as
    soon as they are there."""
    publish(workspace, kinds=["fit"])
    holder.look()
    made = noted(holder, monkeypatch)
    monkeypatch.setattr("serving.desk._COPIED", 1)
    known = small_workspace.catalogue_of(workspace.tables(), kind="fit")
    other = replace(known, rules=replace(known.rules, anonymous=not known.rules.anonymous))
    monkeypatch.setattr(small_workspace, "catalogue_of", lambda *_, **__: other)
    counted_otherwise = bundle(workspace.tables(), kind="fit", seed=2)
    with Store.open(workspace.store_url) as store:
        content = counted_otherwise.to_bytes()
        stored = StoredBundle("fit", counted_otherwise.name, counted_otherwise.fingerprint, content)
        draft = Draft((stored,), "test", "test", settings={"time_zone": "Europe/Berlin"})
        second = store.publish(draft, activate_at=None, now=small_workspace.NOW).release.id
    holder.look()
    assert made == [(second, False), (second, True)]
    holder.look()
    assert made[2:] == [], "what is in memory is made once"
    assert ask(holder).json()["release"]["id"] == second


def test_new_tables_are_taken_without_a_restart(
    workspace: Workspace, holder: DeskHolder, tmp_path: Path
) -> None:
    publish(workspace, kinds=["fit"])
    holder.look()
    before = holder.desk().snapshot.manifest.snapshot
    frame = small_workspace.frames()["accounts"]
    newcomer = frame.iloc[[0]].assign(account_id="eu/acc new", domain="new.example")
    load_data(workspace, folder=tmp_path, accounts=[frame, newcomer])
    holder.renew()
    assert holder.desk().snapshot.manifest.snapshot != before
    assert ask(holder, {"account_id": "eu/acc new"}).status_code == 200
    told = in_process.ask(open_to_everybody(holder), "GET", "/v1/accounts/eu%2Facc%20new")
    assert told.raise_for_status().json()["account"]["account_id"] == "eu/acc new"


@pytest.mark.parametrize("fault", [duckdb.FatalException, duckdb.InternalException])
def test_a_fatal_fault_of_the_engine_reopens_it(
    workspace: Workspace, holder: DeskHolder, monkeypatch: pytest.MonkeyPatch, fault: type[duckdb.Error]
) -> None:
    publish(workspace, kinds=["fit"])
    holder.look()
    broken = holder.desk()

    def fail(*_: object) -> None:
        try:
            raise fault("INTERNAL Error: dict-surviving cache")
        except duckdb.Error as error:
            raise EngineError("the feature query failed", sql="SELECT 1") from error

    with monkeypatch.context() as patch:
        patch.setattr(ReadyFeatureEngine, "build_one", fail)
        response = ask(holder)
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert response.json()["type"] == "urn:spearfish:problem:engine-restarted"
    assert "dict-surviving" not in response.text
    until(lambda: probe(holder, "/readyz").status_code == 200, patience=30)
    assert holder.desk() is not broken
    assert ask(holder).status_code == 200


def test_an_unforeseen_error_tells_nothing_of_the_inside(
    workspace: Workspace, holder: DeskHolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(workspace, kinds=["fit"])
    holder.look()

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a secret path")

    monkeypatch.setattr(Remembered, "score", fail)
    response = ask(holder)
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-request-id"] == response.json()["request_id"]
    assert "secret" not in response.text
    assert "content-security-policy" in response.headers


@pytest.mark.parametrize("which", range(4))
def test_a_worker_that_lost_a_thread_is_to_be_replaced(
    workspace: Workspace, holder: DeskHolder, which: int
) -> None:
    assert probe(holder, "/livez").status_code == 200
    holder._watches[which].stop()
    lost = probe(holder, "/livez")
    assert (lost.status_code, slug_of(lost)) == (503, "worker-broken")
    assert int(lost.headers["retry-after"]) > 0


def test_a_workspace_of_another_contract_is_said(workspace: Workspace) -> None:
    text = workspace.manifest_path.read_text(encoding="utf-8")
    workspace.manifest_path.write_text(
        text.replace(f'"contract_version": {CONTRACT_VERSION}', '"contract_version": 1')
    )
    publish_without_tables(workspace)
    holder = DeskHolder(workspace)
    holder.look()
    response = ask(holder)
    assert response.status_code == 503
    assert "older data contract" in response.json()["detail"]
    holder.executor.shutdown()
    holder.door.close()


def publish_without_tables(workspace: Workspace) -> None:
    """A release in a workspace whose tables cannot be read."""
    tables = Workspace(workspace.home.parent / "other")
    load_data(tables, folder=workspace.home.parent)
    made = bundle(tables.tables(), kind="fit")
    with Store.open(workspace.store_url) as store:
        stored = StoredBundle("fit", made.name, made.fingerprint, made.to_bytes())
        store.publish(Draft((stored,), "test", "test"), activate_at=None, now=small_workspace.NOW)
