"""The exit code of `promote --preview`: 1 where a promotion would be refused as it stands."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from training.cli.releases import commands
from training.releasing import previewing
from training.releasing.previewing import Preview


@pytest.mark.parametrize(("columns", "code"), [((), 0), (("tags",), 1)])
def test_a_preview_that_would_be_refused_exits_with_1(
    columns: tuple[str, ...], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Preview(datetime.fromisoformat("2026-05-01"), {"icp_fit": 1}, (), {"icp_fit": columns}, ())
    monkeypatch.setattr(previewing, "preview", lambda *_, **__: found)
    done = CliRunner().invoke(commands, ["promote", "--preview", "--json", "--workspace", str(tmp_path)])
    assert done.exit_code == code
    assert json.loads(done.stdout)["refused"] is bool(columns)


@pytest.mark.parametrize(("ended", "told"), [("2026-03-01", True), ("2026-04-20", False), (None, False)])
def test_tables_that_ended_long_ago_are_told(ended: str | None, told: bool) -> None:
    newest = None if ended is None else datetime.fromisoformat(ended)
    found = Preview(datetime.fromisoformat("2026-05-01"), {"icp_fit": 1}, (), {}, (), newest=newest)
    said = [line for line in found.lines() if "61 days before" in line and "Ingest newer tables" in line]
    assert bool(said) is told
