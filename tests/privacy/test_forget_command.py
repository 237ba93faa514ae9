"""The command: what it shows, asks, leaves behind and ends with; and what it does beside the tables."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import threading
from datetime import datetime

import pandas as pd
import pytest
from people_sources import load
from typer.testing import CliRunner

from features.errors import InputError
from features.privacy.forgetting import Request
from features.workspace import Workspace
from serving.store import Draft, Store, StoredBundle
from serving.store.erasing import FREE_TEXT
from serving.store.schema import metadata
from training.cli.app import app
from training.forgetting import forget

EMAIL, NOW = "person-1-0@company-1.example", datetime.fromisoformat("2026-05-01T12:00:00")


@pytest.fixture
def workspace(people: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.delenv("SPEARFISH_STORE_URL", raising=False)
    return people


def _events(workspace: Workspace) -> list[str]:
    lines = (workspace.home / "erasures.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["event"] for line in lines]


def _run(workspace: Workspace, *arguments: str, typed: str = "") -> tuple[int, str]:
    command = ["forget", *arguments, "--workspace", str(workspace.home)]
    done = CliRunner().invoke(app, command, input=typed)
    return done.exit_code, done.stdout


def test_a_dry_run_and_a_no_change_nothing(workspace: Workspace) -> None:
    before = workspace.manifest()
    code, out = _run(workspace, "--email", EMAIL, "--dry-run", "--json")
    told = json.loads(out)
    assert (code, told["done"], told["rows"]) == (0, False, {"contacts": 1, "activities": 1})
    assert _run(workspace, "--email", EMAIL, typed="n\n")[0] == 1
    assert workspace.manifest() == before
    assert not (workspace.home / "forgotten.json").exists()


def test_a_yes_erases_and_the_audit_names_nobody(workspace: Workspace) -> None:
    code, out = _run(workspace, "--email", EMAIL, "--account", "account-2", "--yes", "--json")
    told = json.loads(out)
    assert (code, told["complete"], told["contacts"], told["accounts"]) == (0, True, 3, 1)
    text = (workspace.home / "erasures.jsonl").read_text(encoding="utf-8")
    assert _events(workspace) == ["begun", "done"]
    assert not [word for word in ("person", "company", "account-2", "example") if word in text]
    again = json.loads(_run(workspace, "--email", EMAIL, "--yes", "--json")[1])
    assert (again["rows"], again["unknown"], again["complete"]) == ({}, 1, True)


def test_a_reader_is_told_of_and_the_command_ends_with_1(workspace: Workspace) -> None:
    with workspace.lease():
        code, out = _run(workspace, "--email", EMAIL, "--yes", "--wait", "0", "--json")
    assert (code, json.loads(out)["complete"], len(json.loads(out)["still_read"])) == (1, False, 1)
    assert _run(workspace, "--email", EMAIL, "--yes")[0] == 0
    assert [one.name for one in workspace.snapshots.iterdir()] == [workspace.manifest().snapshot]
    assert _events(workspace) == ["begun", "an older snapshot is still being read", "begun", "done"]


def test_json_asks_nothing_and_erases_nothing_without_a_yes(workspace: Workspace) -> None:
    before = workspace.manifest()
    code, out = _run(workspace, "--account", "account-2", "--json")
    told = json.loads(out)
    assert (code, told["done"], told["accounts"]) == (1, False, 1)
    assert workspace.manifest() == before


def test_who_is_taken_off_the_list_comes_back_with_a_later_export(workspace: Workspace) -> None:
    person = ("--email", EMAIL, "--contact", "person-1-0")
    assert _run(workspace, *person, "--yes")[0] == 0
    mapping = workspace.home.parent / "mapping.toml"
    assert load(mapping, rebuild=True).forgotten == {"contacts": 1, "activities": 1}
    done = CliRunner().invoke(app, ["unforget", *person, "--json", "-w", str(workspace.home)])
    told = json.loads(done.stdout)
    assert (done.exit_code, told["unknown"], told["left"]) == (0, 0, 0)
    assert load(mapping, rebuild=True).forgotten == {}
    assert "person-1-0" in set(workspace.tables().read("contacts")["contact_id"])
    assert _events(workspace) == ["begun", "done", "taken off the list"]
    assert "person" not in (workspace.home / "erasures.jsonl").read_text(encoding="utf-8")
    again = CliRunner().invoke(app, ["unforget", *person, "-w", str(workspace.home)])
    assert again.exit_code == 1


def test_nobody_is_refused() -> None:
    with pytest.raises(InputError, match="nobody to forget was named"):
        CliRunner().invoke(app, ["forget"], catch_exceptions=False)


def test_logs_are_overwritten_in_place_and_other_files_told_of(workspace: Workspace) -> None:
    line = f"scored account-3 for {EMAIL}. Zoë <{EMAIL.upper()}>, deal-3 \xff\n"
    log, packed = workspace.home / "serve.log", workspace.home / "old" / "serve.log.2.gz"
    packed.parent.mkdir()
    packed.write_bytes(gzip.compress(line.encode()))
    ranking = workspace.home / "ranking.csv"
    ranking.write_text("account_id,score\naccount-1,3\n", encoding="utf-8")
    pd.DataFrame({"who": ["person-1-0"]}).to_parquet(workspace.home / "scores.parquet")
    with log.open("ab") as server:
        server.write(line.encode())
        server.flush()
        done = forget(workspace, Request(emails=(EMAIL,)), who="Ada", now=NOW)
        server.write(b"the server goes on\n")
    expected = line.replace(EMAIL, "*" * 28).replace(EMAIL.upper(), "*" * 28)
    assert log.read_text(encoding="utf-8") == f"{expected}the server goes on\n"
    assert gzip.decompress(packed.read_bytes()).decode() == expected
    assert done.logs == 2
    assert done.elsewhere == (workspace.home / "scores.parquet",)
    later = forget(workspace, Request(accounts=("account-1",)), who="Ada", now=NOW)
    assert later.elsewhere == (ranking,)


def test_every_table_of_the_store_is_thought_of() -> None:
    assert set(FREE_TEXT) == set(metadata.tables.values())


def test_texts_in_the_store_name_nobody_and_its_files_hold_nothing(workspace: Workspace) -> None:
    why = f"{EMAIL} of COMPANY 1 Limited asked, see person-1-0"
    with Store.open(workspace.store_url) as store:
        draft = Draft((StoredBundle("fit", "m", "f" * 64, b"x"),), "Ada", why, {"note": EMAIL})
        store.publish(draft, activate_at=None, now=NOW)
    done = forget(workspace, Request(accounts=("account-1",)), who="Ada", now=NOW)
    assert done.store == {"releases": 1, "release_events": 1}
    with Store.open(workspace.store_url) as store:
        (release,) = store.history()
        assert release.reason == f"{'*' * 28} of {'*' * 17} asked, see {'*' * 10}"
        assert release.settings == {"note": "*" * 28}
    left = b"".join(file.read_bytes() for file in workspace.home.glob("store.db*"))
    assert b"person-1-0" not in left
    assert b"COMPANY 1" not in left


HOLD = """
import sys
from pathlib import Path
from features.workspace import Workspace

with Workspace(Path(sys.argv[1])).reading() as tables:
    print("reading", flush=True)
    sys.stdin.readline()
    print(len(tables.read("contacts")), flush=True)
"""


def test_what_another_process_reads_goes_once_it_has_ended(workspace: Workspace) -> None:
    """A server holds its tables while it answers: it can go on reading them, and they go when it lets go."""
    older = workspace.snapshots / workspace.manifest().snapshot
    command = [sys.executable, "-c", HOLD, str(workspace.home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stdout.readline() == "reading\n"
        done = forget(workspace, Request(emails=(EMAIL,)), who="Ada", now=NOW, patience=0)
        assert (done.complete, done.read) == (False, (older.name,))
        assert EMAIL not in str(workspace.tables().read("contacts"))
        ending = threading.Timer(1.0, server.stdin.close)
        ending.start()
        # Waiting for readers, it ends as soon as the last one has.
        again = forget(workspace, Request(emails=(EMAIL,)), who="Ada", now=NOW, patience=60)
        assert (again.complete, older.exists()) == (True, False)
        assert server.stdout.readline() == "12\n"
        ending.join()
    assert _events(workspace) == ["begun", "an older snapshot is still being read", "begun", "done"]
