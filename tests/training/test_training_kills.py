"""Killed trainings and retrainings: the registry and what is served stay consistent, and the next run works.

`python -m training.checks.training_kills --kills 60` kills many more, and promotions, too.
"""

from __future__ import annotations

from pathlib import Path

from training.checks.training_kills import campaign


def test_kills_leave_what_the_next_run_can_use(tmp_path: Path) -> None:
    found = campaign(4, seed=3, folder=tmp_path, commands=("first train", "retrain"))
    assert found["faults"] == []
    assert sum(found["left"].values()) == 4
    assert found["both_states"] == {"first train": True, "retrain": True}
