"""What the workers of a server show together, and what is left of one that was killed."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

_KILLED = """
import os
from serving import metrics
from serving.store.job_figures import JobFigures
metrics.show_release(9, models={"icp_fit": "9"})
metrics.show_log(lag=60.0, waiting=7)
metrics.show_fault("tables", is_there=True)
metrics.show_jobs(JobFigures({"queued": 9}, 9, 9, 9, 9.0, 9.0))
metrics.count_problem("busy")
metrics.in_progress().__enter__()
os._exit(9)
"""
_LIVING = """
import sys
from serving import metrics
from serving.store.job_figures import JobFigures
metrics.show_jobs(JobFigures({"queued": 2}, 100, 3, 20, 50.0, 7.0))
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
    assert "spearfish_fault" not in told or figure('spearfish_fault{part="tables"}') == 0
    assert figure('spearfish_jobs{state="queued"}') == 2
    rows = [figure(f'spearfish_job_rows{{outcome="{one}"}}') for one in ("answered", "refused", "waiting")]
    assert rows == [100, 3, 20]
    assert (figure("spearfish_job_seconds"), figure("spearfish_job_oldest_seconds")) == (50, 7)


_ONE_OF_TWO = """
import os, sys, time
from serving import metrics
from serving.store.job_figures import JobFigures
metrics.show_jobs(JobFigures({"queued": int(sys.argv[1])}, 0, 0, 0, 0.0, 0.0))
metrics.count_problem("busy")
metrics.in_progress().__enter__()
sys.stdout.write("shown\\n")
sys.stdout.flush()
sys.stdin.read()
"""


def test_of_what_the_store_says_the_last_word_counts(tmp_path: Path) -> None:
    """Both live: what each counts adds up, what both read in the same place does not."""
    told = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    workers = []
    try:
        for queued in ("5", "3"):
            command = [sys.executable, "-c", _ONE_OF_TWO, queued]
            one = subprocess.Popen(command, env=told, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            workers.append(one)
            assert one.stdout is not None
            assert one.stdout.readline() == b"shown\n"
        shown = worker(
            "import sys\nfrom serving import metrics\nsys.stdout.buffer.write(metrics.exposition())",
            folder=tmp_path,
        )
    finally:
        for one in workers:
            one.communicate()
    assert re.search(r'^spearfish_jobs\{state="queued"\} 3\.0$', shown, re.MULTILINE)
    assert re.search(r'^spearfish_problems_total\{problem="busy"\} 2\.0$', shown, re.MULTILINE)
    assert re.search(r"^spearfish_requests_in_progress 2\.0$", shown, re.MULTILINE)


_OF_A_SERVER = (
    "from serving.metrics_folder import *\nimport os\nkeep_metrics_apart()\nprint(os.environ[SHARED])"
)


def test_a_server_has_a_folder_of_its_own_and_leftovers_go(tmp_path: Path) -> None:
    here = re.sub("[^A-Za-z0-9]+", "_", socket.gethostname())
    gone, elsewhere = tmp_path / f"metrics-{here}-1-17", tmp_path / "metrics-elsewhere-1-17"
    for folder in (gone, elsewhere):
        folder.mkdir()
        (folder / "counter_1.db").touch()
    first, second = (worker(_OF_A_SERVER, folder=tmp_path / "metrics").strip() for _ in range(2))
    assert first == second, "the workers of a server have one parent"
    assert re.fullmatch(rf"metrics-{here}-{os.getpid()}-\d+", Path(first).name)
    assert set(tmp_path.iterdir()) == {Path(first), elsewhere}


_UNSEEN = """
import fcntl, sys
file = open(sys.argv[1], "ab")
fcntl.flock(file, fcntl.LOCK_SH)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_server_that_is_not_seen_keeps_its_folder_while_a_worker_lives(tmp_path: Path) -> None:
    """As in another container, whose processes have numbers of their own."""
    here = re.sub("[^A-Za-z0-9]+", "_", socket.gethostname())
    unseen = tmp_path / f"metrics-{here}-1-17"
    unseen.mkdir()
    command = [sys.executable, "-c", _UNSEEN, str(unseen / "alive")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        worker(_OF_A_SERVER, folder=tmp_path / "metrics")
        assert unseen.is_dir()
        other.communicate()
    worker(_OF_A_SERVER, folder=tmp_path / "metrics")
    assert not unseen.is_dir()
