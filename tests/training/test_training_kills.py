"""Killed trainings, promotions and retrainings: the registry and what is served stay consistent, and the next
run works.

`make training_kills` kills many more of each.
"""

from __future__ import annotations

from pathlib import Path

from training.checks.training_kills import campaign

COMMANDS = ("first train", "first promote", "retrain", "train", "promote")
"""On an empty registry, on what it left, on a release, and again on newer tables."""


def test_kills_leave_what_the_next_run_can_use(tmp_path: Path) -> None:
    """Each command twice: after its last commit, and before a step drawn from all that it takes."""
    found = campaign(2 * len(COMMANDS), seed=1, folder=tmp_path, commands=COMMANDS)
    assert found["faults"] == []
    assert found["both_states"] == dict.fromkeys(COMMANDS, True)
    assert found["left"] == {f"{name}: {state}": 1 for name in COMMANDS for state in ("old", "new")}
