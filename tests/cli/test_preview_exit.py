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
