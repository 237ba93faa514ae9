"""The real server, asked over HTTP."""

from __future__ import annotations

import json
import math
import re
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psutil
import pytest
from bentoml.serving import ensure_prometheus_dir
from openapi_schema_validator import OAS30Validator
from server_process import Server, until
from small_workspace import ACCOUNTS, AS_OF, account_id, as_record

from features.errors import ConfigError
from features.workspace import Workspace
from serving.desk import Desk
from serving.launch import serve
from serving.scoring import score_once
from serving.web.bodies import LARGEST_BODY
from serving.web.envelope import SECURITY_HEADERS
from serving.web.health import HEALTH

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def described(client: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/docs.json").json()
    return found


def require_described(response: httpx.Response, described: dict[str, Any]) -> None:
    """The answer is one that /docs.json promises: status, media type and schema."""
    path = response.request.url.path
    promised = described["paths"][path][response.request.method.lower()]["responses"]
    (media_type,) = promised[str(response.status_code)]["content"]
    assert response.headers["content-type"] == media_type
    reference = promised[str(response.status_code)]["content"][media_type]["schema"]["$ref"]
    schema = {"$ref": reference, "components": described["components"]}
    errors = list(OAS30Validator(schema).iter_errors(response.json()))
    assert not errors, errors


@pytest.mark.parametrize(
    "request_",
    [
        {"account_id": "acc-00"},
        {"account_id": "acc-03", "as_of": AS_OF},
        {"account_id": "acc-39", "as_of": AS_OF},
        {"domain": "company9.example", "as_of": AS_OF},
        {"record": {"account": {"industry": "beekeeping"}}, "as_of": AS_OF},
    ],
    ids=lambda request: next(iter(request.values())) if "record" not in request else "record",
)
def test_http_equals_the_command_line(
    client: httpx.Client, company: Workspace, described: dict[str, Any], request_: dict[str, Any]
) -> None:
    response = client.post("/v1/score", json=request_)
    assert response.status_code == 200, response.text
    require_described(response, described)
    served = response.json()
    assert served.pop("request_id") == response.headers["x-request-id"]
    own = json.loads(score_once(company, request=request_).model_dump_json(exclude={"request_id"}))
    assert served == own


def test_a_batch_over_http_answers_each_row(client: httpx.Client, described: dict[str, Any]) -> None:
    rows: list[Any] = [
        {"account_id": "acc-39", "as_of": AS_OF},
        {"account_id": "nobody"},
        {"lead": {"email": "ann@company9.example"}},
        {"lead": {"email": "ann@gmail.com"}},
    ]
    response = client.post("/v1/score/batch", json={"accounts": rows})
    require_described(response, described)
    batch = response.json()
    assert (response.status_code, batch["succeeded"], batch["failed"]) == (200, 2, 2)
    assert batch["request_id"] == response.headers["x-request-id"]
    single = client.post("/v1/score", json=rows[0]).json()
    assert batch["results"][0]["answer"] | {"request_id": ""} == single | {"request_id": ""}
    assert [row["problem"]["status"] for row in batch["results"] if row["problem"]] == [404, 422]
    too_many = client.post("/v1/score/batch", json={"accounts": [{"account_id": "a"}] * 1_001})
    require_described(too_many, described)
    assert too_many.status_code == 422


def test_numbers_survive_json_bit_for_bit(client: httpx.Client) -> None:
    half = client.post("/v1/score", json={"account_id": "acc-39", "as_of": AS_OF}).json()["intent"]
    shown = [reason["contribution"] for reason in half["reasons_for"] + half["reasons_against"]]
    assert half["probability"] == 1 / (1 + math.exp(-half["logit"]))
    assert math.fsum([half["baseline"], half["other"], *shown]) == pytest.approx(half["logit"], abs=1e-9)


ACTIVITY = {"channel": "web_visit", "direction": "inbound", "occurred_at": "2025-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        (b"", 400, "malformed-json"),
        (b"{", 400, "malformed-json"),
        (b"\xff\xfe", 400, "malformed-json"),
        (b'{"account_id": NaN}', 400, "malformed-json"),
        (b"[" * 500_000, 400, "malformed-json"),
        (b'{"a":' * 50_000, 400, "malformed-json"),
        (b'{"account_id": "a", "account_id": "b"}', 400, "malformed-json"),
        (b'{"record": {"account": {"annual_revenue": 1e999}}}', 422, "invalid-request"),
        (b"null", 422, "invalid-request"),
        (b"{}", 422, "invalid-request"),
        (b'{"account_id": 1}', 422, "invalid-request"),
        (b'{"account_id": "a", "surprise": 1}', 422, "invalid-request"),
        (b'{"account_id": "acc-00", "as_of": "2999-01-01T00:00:00Z"}', 422, "invalid-request"),
        (
            json.dumps(
                {
                    "record": {
                        "account": {},
                        "activities": [ACTIVITY | {"occurred_at": "2999-01-01T00:00:00Z"}],
                    }
                }
            ).encode(),
            422,
            "invalid-request",
        ),
        (b'{"account_id": "nobody"}', 404, "unknown-account"),
        (b'{"account_id": "acc-00", "as_of": "2020-01-01T00:00:00Z"}', 404, "unknown-account"),
        (b'{"domain": "company1.example"}', 409, "ambiguous-domain"),
        (b'{"account_id": "' + b"a" * (10 * 1024 * 1024) + b'"}', 413, "body-too-large"),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else str(value),
)
def test_bad_input_is_a_problem_that_helps(
    client: httpx.Client, described: dict[str, Any], body: bytes, status: int, slug: str
) -> None:
    response = client.post("/v1/score", content=body, headers=JSON)
    assert response.status_code == status, response.text[:300]
    require_described(response, described)
    problem = response.json()
    assert problem["type"] == f"urn:spearfish:problem:{slug}"
    assert problem["status"] == status
    assert problem["request_id"] == response.headers["x-request-id"]
    assert problem["errors"][0]["what"]


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "application/vnd.bentoml+pickle"]
)
def test_only_json_is_read(client: httpx.Client, described: dict[str, Any], media_type: str) -> None:
    response = client.post(
        "/v1/score", content=b'{"account_id": "acc-00"}', headers={"Content-Type": media_type}
    )
    assert response.status_code == 415
    require_described(response, described)


def test_a_body_without_a_length_is_limited_too(client: httpx.Client) -> None:
    chunks = (b" " * 65_536 for _ in range(2 * LARGEST_BODY // 65_536))
    try:
        response = client.post("/v1/score", content=chunks, headers=JSON)
    except httpx.WriteError:
        # The server may hang up while we are still sending: refused either way.
        return
    assert response.status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/score", 405),
        ("DELETE", "/v1/score", 405),
        ("POST", "/", 405),
        ("POST", "/docs.json", 405),
        ("GET", "/v1/nothing", 404),
        ("POST", "/v1/nothing", 404),
        ("GET", "/assets/nothing.js", 404),
        ("GET", "/assets/..%2Fservice.py", 404),
        ("GET", "/assets/index.html", 404),
        # What BentoML would answer itself, without the gate and in another shape.
        ("GET", "/schema.json", 404),
        ("GET", "/docs", 404),
        ("GET", "/static_content/index.css", 404),
        ("POST", "/readyz", 405),
    ],
)
def test_paths_and_methods_that_do_not_exist(
    client: httpx.Client, method: str, path: str, status: int
) -> None:
    response = client.request(method, path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert ("allow" in response.headers) == (status == 405)


@pytest.mark.parametrize(
    "path", ["/", "/docs.json", "/livez", "/readyz", "/assets/app.js", "/assets/app.css", "/v1/score"]
)
def test_every_answer_carries_the_security_headers(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    for name, value in SECURITY_HEADERS.items():
        if not (name == "Cache-Control" and path.startswith("/assets/")):
            assert headers[name] == value
    assert "unsafe" not in headers["content-security-policy"]


def test_the_page_names_no_other_host(client: httpx.Client) -> None:
    page = client.get("/").text
    assert "Spearfish" in page
    assets = set(re.findall(r'(?:href|src)="(/assets/[^"]+)"', page))
    names = {asset.rpartition("/")[2] for asset in assets}
    assert names >= {"score.js", "form.js", "answer.js", "api.js", "dom.js", "i18n.js"}
    for text in (page, *(client.get(asset).raise_for_status().text for asset in assets)):
        hosts = set(re.findall(r"https?://([^/\s\"'<]+)", text))
        # A namespace is a name, an example for people is nobody's; anything else would be fetched.
        assert {host for host in hosts if not host.endswith(".example")} <= {"www.w3.org"}


def test_files_are_sent_once(client: httpx.Client) -> None:
    tag = client.get("/assets/app.css").headers["etag"]
    assert client.get("/assets/app.css", headers={"If-None-Match": tag}).status_code == 304


def test_health_and_metrics(client: httpx.Client) -> None:
    assert [client.get(path).status_code for path in HEALTH] == [200, 200, 200]
    client.post("/v1/score", json={"record": {"account": {"industry": "beekeeping"}}}).raise_for_status()
    client.post("/v1/score", json={})
    expected = (
        r'spearfish_unseen_categories_total\{feature="industry"\} [1-9]',
        r'spearfish_problems_total\{problem="invalid-request"\} [1-9]',
        r'spearfish_scores_total\{grade="[A-D]",model="icp_fit"\} [1-9]',
        r"spearfish_release.* 1\.0",
        r'spearfish_request_seconds_count\{method="POST",route="/v1/score",status="422"\} [1-9]',
        r'spearfish_model\{.*model="icp_fit".*\} 1\.0',
        r'spearfish_probability_bucket\{le="1\.0",model="icp_fit"\} [1-9]',
        r"spearfish_requests_in_progress.* 1\.0",
        r"spearfish_requests_computing.* 0\.0",
        r"spearfish_log_lag_seconds",
    )

    def missing() -> list[str]:
        told = client.get("/metrics").text
        return [name for name in expected if not re.search(name, told)]

    # A request is counted after its answer has left.
    until(lambda: missing() == [])


def test_a_second_server_of_the_workspace_takes_no_metric_away(server: Server, client: httpx.Client) -> None:
    def counted() -> list[str]:
        told = client.get("/metrics").text
        return re.findall(r'^spearfish_scores_total\{.*model="icp_fit"\} \S+$', told, re.MULTILINE)

    client.post("/v1/score", json={"account_id": "acc-00"}).raise_for_status()
    before = counted()
    assert before
    # What BentoML does when a server starts.
    folder = server.workspace.bentoml_home / "prometheus_multiproc_dir"
    assert folder.is_dir()
    ensure_prometheus_dir(str(folder))
    assert counted() == before


def test_many_at_once_get_their_own_answers(client: httpx.Client, desk: Desk) -> None:
    requests: list[dict[str, Any]] = [
        {"account_id": account_id(n), "as_of": AS_OF} for n in range(0, ACCOUNTS, 4)
    ]
    requests += [
        {"record": as_record(desk.snapshot.tables, number=n), "as_of": AS_OF} for n in range(0, 40, 4)
    ]

    def ask(request: dict[str, Any]) -> Any:
        answer = client.post("/v1/score", json=request).raise_for_status().json()
        return {name: answer[name] for name in ("fit", "intent", "fire", "priority")}

    alone = [ask(request) for request in requests]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, requests)) == alone


@pytest.mark.parametrize(
    ("modules", "slow"),
    [
        ("serving.service, serving.worker", ("mlflow", "shap", "matplotlib", "optuna", "training")),
        # The process that starts the workers.
        ("serving.service", ("duckdb", "features", "lightgbm", "pandas", "sqlalchemy")),
    ],
    ids=["worker", "supervisor"],
)
def test_the_server_never_loads_what_is_slow_to_import(modules: str, slow: tuple[str, ...]) -> None:
    code = f"import sys, {modules}; print([name for name in {slow} if name in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert found.stdout.strip() == "[]"


def test_it_listens_on_this_machine_only(server: Server) -> None:
    family = [
        psutil.Process(server.process.pid),
        *psutil.Process(server.process.pid).children(recursive=True),
    ]
    listening = {
        connection.laddr
        for process in family
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert server.port in {address.port for address in listening}
    assert {address.ip for address in listening} == {"127.0.0.1"}


def test_a_taken_port_is_said_before_anything_starts(company: Workspace) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1, port {port}.*--port"):
            serve(company, port=port)


def test_an_address_of_another_machine_is_refused(company: Workspace) -> None:
    with pytest.raises(ConfigError, match="an address of this machine"):
        serve(company, host="203.0.113.7")
