"""Ten seconds of the load test: a worker is killed, releases change, and nothing is wrong or lost."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import small_workspace
from serving_load import Plan, loaded

PLAN = Plan(seconds=10, clients=4, kill_every=4, swap_every=3, accounts=60, records=4, most=1_500)


def test_nothing_is_wrong_or_lost(tmp_path: Path) -> None:
    workspace = small_workspace.build_workspace(tmp_path)
    found = loaded(workspace, PLAN, log=tmp_path / "log")
    assert found["first_findings"] == [], dataclasses.asdict(PLAN)
    assert found["workers killed"] >= 1
    assert found["releases chosen"] >= 2
    assert found["looked_at"]["replayed"] > 0
    assert {"score", "record", "batch", "activities", "feedback", "look-up"} <= set(found["requests"])
