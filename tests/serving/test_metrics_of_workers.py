"""What the workers of a server show together, and what is left of one that was killed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

_KILLED = """
import os
from serving import metrics
metrics.show_release(9, models={"icp_fit": "9"})
metrics.show_log(lag=60.0, waiting=7)
metrics.count_problem("busy")
metrics.in_progress().__enter__()
os._exit(9)
"""
_LIVING = """
import sys
from serving import metrics
metrics.show_release(3, models={"icp_fit": "3"})
metrics.count_problem("busy")
sys.stdout.buffer.write(metrics.exposition())
"""


def worker(code: str, *, folder: Path) -> str:
    told = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=told, capture_output=True, text=True, check=False, timeout=120
    )
    assert not done.stderr, done.stderr
    return done.stdout


def test_of_a_killed_worker_stays_what_it_counted_and_not_what_it_showed(tmp_path: Path) -> None:
    worker(_KILLED, folder=tmp_path)
    told = worker(_LIVING, folder=tmp_path)

    def figure(name: str) -> float:
        (found,) = re.findall(rf"^{re.escape(name)} (\S+)$", told, re.MULTILINE)
        return float(found)

    assert figure('spearfish_problems_total{problem="busy"}') == 2
    assert figure("spearfish_release") == 3
    assert figure("spearfish_requests_in_progress") == 0
    assert (figure("spearfish_log_waiting"), figure("spearfish_log_lag_seconds")) == (0, 0)
    assert 'version="9"' not in told
