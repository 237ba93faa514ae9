"""kill -9 at any moment of an erasure leaves the old tables or the new ones, and doing it again ends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.checks.forget_kills import campaign


def test_a_killed_erasure_can_always_be_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPEARFISH_STORE_URL", raising=False)
    found = campaign(10, seed=3, folder=tmp_path, rows=1_000)
    assert found["faults"] == []
    assert found["old"] + found["new"] + found["finished"] == 10
