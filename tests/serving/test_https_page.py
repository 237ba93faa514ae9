"""The samples of proxies let through what the service takes, endpoint by endpoint, and nothing larger."""

from __future__ import annotations

import re
from pathlib import Path

import serving
from serving.jobs.settings import JobSettings
from serving.web.bodies import LARGEST_BODY
from serving.web.guard import LARGEST_HEADERS, LONGEST_PATH
from serving.web.routes import ENDPOINTS, seeds

PAGE = (Path(serving.__file__).parent / "docs" / "https.md").read_text(encoding="utf-8")
MEGABYTE = 1024 * 1024
LIMITS = {"/v1/jobs/score": JobSettings().largest, "/v1/seeds/upload": seeds._LARGEST}
"""By endpoint that takes files, the bytes that one may have; every other body is JSON."""


def sample(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def test_every_endpoint_that_takes_files_is_known_here() -> None:
    assert {one.path for one in ENDPOINTS if one.operation.files} == set(LIMITS)


def test_nginx_lets_through_what_each_endpoint_takes() -> None:
    told, at, server = dict[str, int](), "", sample("nginx")
    for line in server.splitlines():
        at = found[1] if (found := re.match(r"\s*location (\S+ \S+|\S+) {", line)) else at
        if size := re.match(r"\s*client_max_body_size (\d+)m;", line):
            told[at] = int(size[1]) * MEGABYTE
    exact = {f"= {path}": limit for path, limit in LIMITS.items()}
    assert told == {"": LARGEST_BODY, **exact}
    # A file is not kept on the proxy's disk first.
    assert server.count("proxy_request_buffering off;") == len(LIMITS)


def test_caddy_lets_through_what_each_endpoint_takes() -> None:
    server = sample("caddyfile")
    paths = dict(re.findall(r"@(\w+) path (\S+)\n", server))
    sizes = {
        name: int(size) * MEGABYTE for name, size in re.findall(r"body @(\w+) {\s+max_size (\d+)MiB", server)
    }
    assert sizes.pop("rest") == LARGEST_BODY
    assert {paths[name]: size for name, size in sizes.items()} == LIMITS
    (rest,) = re.findall(r"@rest not path (.*)", server)
    assert set(rest.split()) == set(LIMITS)


def test_the_table_tells_the_limits() -> None:
    rows = re.findall(r"^\| [^|]+ \| `POST (\S+)` \| (\d+) MB.* \|$", PAGE, re.MULTILINE)
    assert {path: int(size) * MEGABYTE for path, size in rows} == LIMITS
    assert f"| everything else | `/v1/...` | {LARGEST_BODY // MEGABYTE} MB |" in PAGE
    assert f"{LARGEST_HEADERS // 1024} KB, of which the path with its query {LONGEST_PATH // 1024} KB" in PAGE
