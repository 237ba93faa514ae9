"""kill -9 at any moment of an ingest leaves the old workspace or the new one, never a mix.

One kill of each kind: twice after a time, before one of the last steps, and before any step.
`python -m training.checks.ingest_kills`, which `make verify` runs, kills many more.
"""

from __future__ import annotations

from pathlib import Path

from training.checks.ingest_kills import campaign


def test_a_killed_ingest_leaves_the_old_tables_or_the_new(tmp_path: Path) -> None:
    found = campaign(4, seed=3, folder=tmp_path, rows=200)
    assert found["faults"] == []
    assert found["old"] + found["new"] + found["finished"] == 4
    assert found["old"]
    assert found["steps"] > 40
