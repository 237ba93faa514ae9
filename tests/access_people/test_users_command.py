"""The commands on people, what a demo prints to let somebody in, and whom the service would listen to."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from features.errors import ConfigError, InputError
from features.workspace import Workspace
from serving.access.ring import KeyRing
from serving.access.secrets import digest_of
from serving.launch import access_notice
from serving.scoring import utc_now
from serving.store import Store, keys, people
from training.cli.app import app
from training.cli.demonstrating import welcome
from training.console import Output
from training.demo import WaysIn, _show_ways_in

LINK = re.compile(r"http://127\.0\.0\.1:3000/#/sign-in/([A-Za-z0-9_-]{43})")


def command(home: Path, *arguments: str, as_json: bool = True) -> Any:
    told = ["users", *arguments, "--workspace", str(home), *(["--json"] if as_json else [])]
    return CliRunner().invoke(app, told)


def run(home: Path, *arguments: str) -> Any:
    done = command(home, *arguments)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout.splitlines()[-1])


def sign_in(home: Path, link: str) -> people.Session:
    with Store.open(f"sqlite:///{home}/store.db") as store, store.writing() as connection:
        found, now = LINK.fullmatch(link), utc_now()
        assert found is not None
        return people.sign_in(
            connection, link=digest_of(found[1]), session="s" * 64, expires_at=now.replace(year=2999), now=now
        )


def test_somebody_is_invited_listed_given_a_role_and_disabled(tmp_path: Path) -> None:
    assert run(tmp_path, "list") == {"users": []}
    made = run(tmp_path, "invite", "  Ann   Example ", "--role", "approver", "--side", "sales")
    assert (made["name"], made["role"], made["side"]) == ("Ann Example", "approver", "sales")
    again = run(tmp_path, "link", "ann example", "--hours", "2")
    with pytest.raises(people.WithdrawnLinkError):
        sign_in(tmp_path, made["link"])
    assert sign_in(tmp_path, again["link"]).user.name == "Ann Example"
    (listed,) = run(tmp_path, "list")["users"]
    assert (listed["state"], listed["browsers"], listed["side"]) == ("active", 1, "sales")
    assert run(tmp_path, "role", "Ann Example", "viewer")["changed"]
    assert not run(tmp_path, "role", "Ann Example", "viewer")["changed"]
    assert run(tmp_path, "disable", "Ann Example")["sessions_ended"] == 1
    (listed,) = run(tmp_path, "list")["users"]
    assert (listed["role"], listed["side"], listed["state"], listed["browsers"]) == (
        "viewer",
        None,
        "disabled",
        0,
    )
    log = json.loads(
        CliRunner()
        .invoke(app, ["keys", "log", "--workspace", str(tmp_path), "--json"])
        .stdout.splitlines()[-1]
    )
    assert [each["action"] for each in reversed(log["entries"])] == [
        "user invited",
        "user given a link",
        "signed in",
        "user role changed",
        "user disabled",
    ]
    for link in (made["link"], again["link"]):
        assert link.rpartition("/")[2] not in json.dumps(log)


def test_a_link_is_printed_on_one_line_with_the_address_of_the_service(tmp_path: Path) -> None:
    done = command(
        tmp_path,
        "invite",
        "Ann",
        "--role",
        "viewer",
        "--address",
        f"https://{'s' * 60}.example/",
        as_json=False,
    )
    (line,) = [line for line in done.stdout.splitlines() if "#/sign-in/" in line]
    assert re.fullmatch(rf" +https://{'s' * 60}\.example/#/sign-in/[A-Za-z0-9_-]{{43}}", line)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("invite", "ann@example.com", "--role", "viewer"), "cannot be called this"),
        (("invite", " ", "--role", "viewer"), "cannot be called this"),
        (("invite", "Local", "--role", "viewer"), "cannot be called this"),
        (("invite", "A\x07n", "--role", "viewer"), "cannot be called this"),
        (("invite", "x" * 201, "--role", "viewer"), "cannot be called this"),
        (("invite", "Ann", "--role", "owner"), "no such role"),
        (("invite", "Ann", "--role", "viewer", "--side", "legal"), "no such side"),
        (("invite", "Bo", "--role", "approver"), "another role"),
        (("link", "Nobody"), "nobody has this name"),
        (("role", "Nobody", "viewer"), "nobody has this name"),
        (("disable", "Nobody"), "nobody has this name"),
    ],
    ids=str,
)
def test_what_is_wrong_is_told(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    run(tmp_path, "invite", "Bo", "--role", "viewer")
    done = command(tmp_path, *arguments)
    assert isinstance(done.exception, InputError)
    assert told in str(done.exception)
    assert [each["name"] for each in run(tmp_path, "list")["users"]] == ["Bo"]


def test_once_somebody_was_invited_others_may_be_listened_to(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with pytest.raises(ConfigError, match="spearfish keys create"):
        access_notice(workspace, host="0.0.0.0")
    assert "only this machine" in access_notice(workspace, host="127.0.0.1")
    run(tmp_path, "invite", "Ann", "--role", "viewer")
    assert access_notice(workspace, host="localhost") == (
        "Requests need an API key, or somebody who is signed in."
    )
    assert "HTTPS" in access_notice(workspace, host="0.0.0.0")
    run(tmp_path, "disable", "Ann")
    assert "only this machine" not in access_notice(workspace, host="127.0.0.1")


def test_a_demo_lets_people_and_scripts_in(tmp_path: Path) -> None:
    workspace, now = Workspace(tmp_path), utc_now()
    first, file, name, role = welcome(workspace, address="http://127.0.0.1:3000", now=now)
    assert (name, role) == ("Demo", "approver")
    old = file.read_text().strip()
    run(tmp_path, "role", "Demo", "viewer")
    second, file, name, role = welcome(workspace, address="http://127.0.0.1:3000", now=now)
    assert (name, role) == ("Demo", "viewer")
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    with pytest.raises(people.WithdrawnLinkError):
        sign_in(tmp_path, first)
    assert sign_in(tmp_path, second).user.role == "viewer"
    with Store.open(workspace.store_url) as store, store.reading() as connection:
        ring = KeyRing(keys.every_key(connection), change="")
    before, found = ring.find(old), ring.find(file.read_text().strip())
    assert before is not None
    assert before.revoked_at == now
    assert found is not None
    assert (found.scopes, found.revoked_at, found.expires_at) == (("score",), None, now + timedelta(days=7))


def test_a_demo_lets_nobody_in_who_was_disabled_and_makes_nobody_else_approve(tmp_path: Path) -> None:
    run(tmp_path, "invite", "demo", "--role", "viewer")
    given: Any = {"address": "http://127.0.0.1:3000"}
    met = welcome(Workspace(tmp_path), now=utc_now(), **given)
    assert (met.name, sign_in(tmp_path, met.link).user.role) == ("demo", "viewer")
    run(tmp_path, "disable", "demo")
    for _ in range(2):
        met = welcome(Workspace(tmp_path), now=utc_now(), **given)
        assert (met.name, met.role) == ("Demo 2", "approver")
    states = {one["name"]: (one["role"], one["state"]) for one in run(tmp_path, "list")["users"]}
    assert states["demo"] == ("viewer", "disabled")
    assert states["Demo 2"][0] == "approver"


def test_a_demo_prints_what_can_be_copied(tmp_path: Path) -> None:
    page = StringIO()
    output = Output(as_json=False)
    output.people = Console(width=60, file=page)
    link, address = f"http://127.0.0.1:3000/#/sign-in/{'x' * 43}", "http://127.0.0.1:3000"
    found = WaysIn(link, tmp_path / "demo.key", "Demo", "approver")
    _show_ways_in(found, address=address, output=output)
    lines = [line.strip() for line in page.getvalue().splitlines()]
    assert link in lines
    (asked,) = [line for line in lines if line.startswith("curl ")]
    assert asked == (
        f'curl -s {address}/v1/score -H "Authorization: Bearer $(cat {tmp_path / "demo.key"})" '
        "-H 'Content-Type: application/json' -d '{\"account_id\": \"account-0000042\"}'"
    )
