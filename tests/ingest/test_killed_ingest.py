"""kill -9 at any moment of an ingest leaves the old workspace or the new one, never a mix.

Ten kills after a random time and ten before a random step, half of these among the last steps. The mapping
has people, accounts that merge and a query. `python -m training.checks.ingest_kills`, which `make verify`
runs, kills many more.
"""

from __future__ import annotations

from pathlib import Path

from training.checks.ingest_kills import campaign

KILLS = 20


def test_a_killed_ingest_leaves_the_old_tables_or_the_new(tmp_path: Path) -> None:
    found = campaign(KILLS, seed=3, folder=tmp_path, rows=100)
    assert found["faults"] == []
    assert found["old"] + found["new"] + found["finished"] == KILLS
    # Most kills hit a running ingest; some of them after the moment from which the new tables count.
    assert found["old"] >= KILLS // 4
    assert found["new"]
    assert found["steps"] > 40
