"""Jobs over HTTP: sent once, watched, cancelled and fetched by whose they are; nonsense is refused."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest
from in_process import ask, slug_of
from server_process import until
from small_workspace import account_id
from starlette.applications import Starlette
from test_jobs_files import as_parquet

from features.errors import WorkspaceError
from serving.access.callers import Caller
from serving.jobs import uploads
from serving.jobs.results import result_table, to_bytes
from serving.scoring import utc_now
from serving.store import jobs
from serving.store.door import StoreDoor
from serving.store.keys import StoredKey
from serving.web.application import application
from serving.web.services import Services

CSV = {"Content-Type": "text/csv"}
FILE = "\n".join(["account_id", *map(account_id, range(12)), "nobody", ""]).encode()


def finished(client: httpx.Client, url: str) -> dict[str, Any]:
    """The job, once it has ended."""
    until(lambda: client.get(url).json()["state"] not in ("queued", "running"))
    job: dict[str, Any] = client.get(url).json()
    return job


def test_a_file_is_scored_by_the_process_beside_the_server(client: httpx.Client) -> None:
    sent = client.post("/v1/jobs/score", content=FILE, headers=CSV)
    assert (sent.status_code, sent.json()["rows"], sent.json()["state"]) == (202, 13, "queued")
    url = sent.headers["Location"]
    assert url == f"/v1/jobs/{sent.json()['id']}"
    form = {"file": ("accounts.ndjson", b'{"account_id":"acc-03"}\n', "application/octet-stream")}
    other = client.post("/v1/jobs/score", files=form, headers={"Accept-Language": "zh"}).headers["Location"]
    job = finished(client, url)
    assert (job["state"], job["rows_done"], job["rows_failed"]) == ("done", 13, 1)
    assert [model["model"] for model in job["models"]] == ["fit", "intent"]
    results = {
        name: client.get(job["result_url"], params={"format": name}) for name in ("csv", "ndjson", "parquet")
    }
    lines = [json.loads(line) for line in results["ndjson"].text.splitlines()]
    assert pq.read_table(io.BytesIO(results["parquet"].content)).to_pylist() == lines
    assert client.get(job["result_url"]).content == results["csv"].content
    assert 'filename="scores-' in results["csv"].headers["Content-Disposition"]
    alone = client.post("/v1/score", json={"account_id": account_id(10)}).json()
    shown = {
        name: lines[10][f"fit_{name}"] for name in ("probability", "score", "logit", "other", "baseline")
    }
    assert shown == {name: alone["fit"][name] for name in shown}
    assert lines[10]["as_of"] == alone["as_of"]
    assert [line["error"] for line in lines] == [None] * 12 + ["unknown-account"]
    (zh,) = (client.get(finished(client, other)["result_url"]).json(),)
    assert (zh["row"], zh["account_id"]) == (1, "acc-03")

    def figure(name: str) -> float:
        told = re.search(rf"^{name} (\S+)$", client.get("/metrics").text, re.MULTILINE)
        return float(told[1]) if told else 0.0

    # Counted every few seconds.
    until(lambda: figure('spearfish_jobs\\{state="done"\\}') >= 2)
    assert figure('spearfish_job_rows\\{outcome="answered"\\}') >= 13
    assert figure('spearfish_job_rows\\{outcome="refused"\\}') >= 1
    assert "客户" in zh["intent_unavailable_reason"] or "意向" in zh["intent_unavailable_reason"]


class Callers:
    """A gate that lets everybody in as who they say they are."""

    async def admit(self, request: Any, **_: object) -> Caller:
        name = request.headers.get("authorization", "")
        return Caller(KEYS.get(name))


def _key(number: int, *scopes: str) -> StoredKey:
    now = utc_now()
    draft = {
        "prefix": f"k{number}",
        "digest": "",
        "owner": "CRM",
        "scopes": scopes,
        "per_minute": 1,
        "burst": 1,
    }
    rest = {
        "created_at": now,
        "created_by": "Ada",
        "expires_at": None,
        "revoked_at": None,
        "last_used_at": None,
    }
    return StoredKey(id=number, **draft, **rest)


KEYS = {"one": _key(1, "score"), "other": _key(2, "score"), "admin": _key(3, "score", "admin")}
ONE, OTHER, ADMIN = ({"Authorization": name} for name in KEYS)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreDoor]:
    made = StoreDoor(f"sqlite:///{tmp_path_factory.mktemp('jobs')}/store.db")
    yield made
    made.close()


@pytest.fixture(scope="module")
def app(door: StoreDoor) -> Starlette:
    """The application with a store of its own, and nobody who runs its jobs."""
    answers: Any = SimpleNamespace(
        executor=ThreadPoolExecutor(1), desk=lambda: None, count_problem=lambda slug: None
    )
    return application(Services(answers=answers, access=Callers(), door=door))


def send(app: Starlette, content: bytes = FILE, **headers: str) -> httpx.Response:
    return ask(app, "POST", "/v1/jobs/score", content=content, headers=ONE | CSV | headers)


def test_a_file_is_taken_once_under_its_key(app: Starlette) -> None:
    once = {"Idempotency-Key": "nightly-1"}
    first, again = send(app, **once), send(app, **once)
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.json() == again.json()
    assert first.headers["Location"] == again.headers["Location"]
    reused = send(app, b"account_id\nx\n", **once)
    assert (reused.status_code, slug_of(reused)) == (422, "idempotency-key-reused")
    assert send(app).json()["id"] != first.json()["id"]


@pytest.mark.parametrize("path", ["", "/result", "/cancel"])
def test_a_key_sees_its_own_jobs_and_an_admin_all(app: Starlette, path: str) -> None:
    url = send(app).headers["Location"]
    method = "POST" if path == "/cancel" else "GET"
    foreign = ask(app, method, url + path, headers=OTHER)
    unknown = ask(app, method, f"/v1/jobs/nothing{path}", headers=ADMIN)
    assert {slug_of(foreign), slug_of(unknown)} == {"unknown-job"}
    assert ask(app, "GET", url, headers=OTHER).status_code == 404
    for headers in (ONE, ADMIN):
        assert ask(app, method, url + path, headers=headers).status_code == (
            409 if path == "/result" else 200
        )


def test_no_database_is_asked_for_a_name_that_postgresql_takes_for_no_text() -> None:
    nothing: Any = None
    assert jobs.find(nothing, job_id="a\x00") is None


def test_a_job_is_cancelled_once_and_an_ended_one_never(app: Starlette, door: StoreDoor) -> None:
    url = send(app).headers["Location"]
    cancelled = [ask(app, "POST", f"{url}/cancel", headers=ONE).json() for _ in range(2)]
    assert cancelled[0] == cancelled[1]
    assert (cancelled[0]["state"], cancelled[0]["result_url"]) == ("cancelled", None)
    assert cancelled[0]["expires_at"] > cancelled[0]["finished_at"]
    unfinished = ask(app, "GET", f"{url}/result", headers=ONE)
    assert (unfinished.status_code, slug_of(unfinished)) == (409, "job-unfinished")
    done = send(app).headers["Location"]
    end(door, done.rsplit("/", 1)[-1])
    over = ask(app, "POST", f"{done}/cancel", headers=ONE)
    assert (over.status_code, slug_of(over)) == (409, "job-over")
    wrong = ask(app, "GET", f"{done}/result?format=xlsx", headers=ONE)
    assert (wrong.status_code, slug_of(wrong)) == (422, "invalid-request")
    assert ask(app, "GET", f"{done}/result?format=ndjson", headers=ONE).json()["row"] == 1


def end(door: StoreDoor, job_id: str) -> None:
    now, content = utc_now(), to_bytes(result_table({"row": [1]}, rows=1))
    with door.open().writing() as connection:
        while (job := jobs.claim(connection, lease="x", now=now, until=now + timedelta(days=1))) is not None:
            if job.id == job_id:
                jobs.finish_part(connection, job_id=job_id, lease="x", number=0, content=content, failed=0)
                jobs.finish(connection, job_id=job_id, lease="x", now=now)
                return


@pytest.mark.parametrize(
    ("content", "headers", "status", "slug"),
    [
        (FILE, {"Content-Type": "application/json"}, 415, "unsupported-media-type"),
        (FILE, {"Content-Type": ""}, 415, "unsupported-media-type"),
        (b"", {}, 422, "invalid-request"),
        (b"employees\n7\n", {}, 422, "invalid-request"),
        (as_parquet(a=["a"])[:-9], {"Content-Type": "application/x-parquet"}, 422, "invalid-request"),
        (FILE, {"Idempotency-Key": "é"}, 422, "invalid-request"),
        (b"--x\r\n\r\n", {"Content-Type": "multipart/form-data; boundary=x"}, 422, "invalid-request"),
        (b"", {"Content-Type": "multipart/form-data"}, 422, "invalid-request"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    app: Starlette, content: bytes, headers: dict[str, str], status: int, slug: str
) -> None:
    coded = {name: value.encode() for name, value in (ONE | CSV | headers).items()}
    refused = ask(app, "POST", "/v1/jobs/score", content=content, headers=coded)
    assert (refused.status_code, slug_of(refused)) == (status, slug)


@pytest.mark.parametrize(
    "query", ["as_of=2199-01-01T00:00:00Z", "as_of=yesterday", "as_off=2025-01-01T00:00:00Z"]
)
def test_options_of_a_file_are_strict(app: Starlette, query: str) -> None:
    refused = ask(app, "POST", f"/v1/jobs/score?{query}", content=FILE, headers=ONE | CSV)
    assert (refused.status_code, slug_of(refused)) == (422, "invalid-request")
    assert "as_of" in refused.json()["detail"]


@pytest.mark.parametrize("files", [{"other": ("a.csv", FILE)}, {"file": ("a.xlsx", FILE)}])
def test_a_form_holds_one_file_of_a_known_type(app: Starlette, files: dict[str, Any]) -> None:
    assert ask(app, "POST", "/v1/jobs/score", files=files, headers=ONE).status_code in (415, 422)


def test_a_file_over_the_limits_is_refused(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPEARFISH_JOB_MEGABYTES", "1")
    large = b"account_id\n" + b"x" * 2**20

    async def in_parts() -> Any:
        for start in range(0, len(large), 2**16):
            yield large[start : start + 2**16]

    announced = send(app, large)
    unannounced = ask(app, "POST", "/v1/jobs/score", content=in_parts(), headers=ONE | CSV)
    form = ask(app, "POST", "/v1/jobs/score", files={"file": ("a.csv", large)}, headers=ONE)
    assert {slug_of(one) for one in (announced, unannounced, form)} == {"body-too-large"}
    monkeypatch.setenv("SPEARFISH_JOB_ROWS", "12")
    assert (send(app).status_code, "too many rows" in send(app).json()["detail"]) == (422, True)


def test_a_slow_file_and_a_full_disk_are_told_of(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(uploads, "to_bytes", full)
    refused = send(app)
    assert (refused.status_code, slug_of(refused)) == (503, "workspace-unavailable")
    assert "Retry-After" in refused.headers
    monkeypatch.undo()

    async def never_ends() -> Any:
        yield FILE
        await asyncio.Event().wait()

    monkeypatch.setattr(uploads, "SLOWEST", 0.05)
    slow = ask(app, "POST", "/v1/jobs/score", content=never_ends(), headers=ONE | CSV)
    assert (slow.status_code, slug_of(slow)) == (408, "request-timeout")


def test_a_store_that_does_not_write_takes_no_file(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: object, **__: object) -> None:
        raise WorkspaceError("the store is locked by another process")

    monkeypatch.setattr(jobs, "add", locked)
    once = {"Idempotency-Key": "again"}
    refused = send(app, **once)
    assert (refused.status_code, slug_of(refused)) == (503, "workspace-unavailable")
    monkeypatch.undo()
    assert send(app, **once).status_code == 202
