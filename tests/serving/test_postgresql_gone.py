"""PostgreSQL goes away in the middle of work and comes back: nothing that was acknowledged is lost."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import small_workspace
from database_servers import PostgreSQL, postgresql
from in_process import ask, open_to_everybody
from prometheus_client import REGISTRY
from server_process import until
from small_workspace import account_id

from features.workspace import Workspace
from serving.holder import DeskHolder

ACCOUNT = {"account_id": account_id(20)}
VISIT = {"channel": "web_visit", "direction": "inbound", "occurred_at": "2026-03-01T10:00:00Z"}


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    with postgresql() as started:
        yield started


def score(app: Any) -> httpx.Response:
    return ask(app, "POST", "/v1/score", json=ACCOUNT)


def say(app: Any) -> httpx.Response:
    return ask(app, "POST", "/v1/feedback", json={**ACCOUNT, "verdict": "accepted"})


def send(app: Any, name: str) -> httpx.Response:
    # Of another account: one with newer activities cannot be scored without the store.
    visit = VISIT | {"account_id": account_id(21), "activity_id": name}
    return ask(app, "POST", "/v1/activities", json={"activities": [visit]})


def require_try_again(response: httpx.Response) -> None:
    assert response.status_code == 503, response.text
    assert int(response.headers["retry-after"]) > 0
    assert "127.0.0.1" not in response.text


def test_postgresql_is_gone_for_a_while(
    server: PostgreSQL, company: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Workspace(tmp_path / "workspace")
    shutil.copytree(company.home, home.home)
    monkeypatch.setenv("SPEARFISH_STORE_URL", server.url)
    small_workspace.publish(home, kinds=["fit"])
    with ExitStack() as stack:
        apps, holders = {}, {}
        for mode in ("durable", "buffered"):
            monkeypatch.setenv("SPEARFISH_LOG", mode)
            holder = holders[mode] = DeskHolder(home)
            holder.start()
            stack.callback(holder.stop)
            apps[mode] = open_to_everybody(holder)
        durable = apps["durable"]
        kept = [score(app).raise_for_status().json()["request_id"] for app in apps.values()]
        said = say(durable).raise_for_status().json()["id"]
        assert send(durable, "before").raise_for_status().json()["accepted"] == 1

        server.stop()
        for refused in (score(durable), say(durable), send(durable, "while"), say(apps["buffered"])):
            require_try_again(refused)
        require_try_again(ask(durable, "GET", f"/v1/predictions/{kept[0]}"))
        # Scores are computed without the store, where they need not be kept to be told.
        kept.append(score(apps["buffered"]).raise_for_status().json()["request_id"])
        until(lambda: (REGISTRY.get_sample_value("spearfish_log_lag_seconds") or 0) > 0)
        for holder in holders.values():
            holder.require_ready()
            holder.require_alive()
        server.start()

        until(lambda: score(durable).status_code == 200)
        until(lambda: holders["buffered"].log.waiting == 0)
        for request_id in kept:
            ask(durable, "GET", f"/v1/predictions/{request_id}").raise_for_status()
        told = ask(durable, "GET", f"/v1/accounts/{account_id(20)}").raise_for_status().json()
        assert [one["id"] for one in told["feedback"]] == [said]
        assert send(durable, "before").raise_for_status().json()["repeated"] == 1
        assert send(durable, "while").raise_for_status().json()["accepted"] == 1
        second = small_workspace.publish(home, kinds=["fit"], seed=2)
        until(lambda: score(durable).json()["release"]["id"] == second)
