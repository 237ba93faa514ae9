"""`mlflow models serve` of the same model, as a peer to measure against.

Turns a workspace's intent model, as MLflow keeps it, into a running scoring server and into its requests. It
is sent the finished features, since it can compute none, and gives a probability without reasons. Time rule:
none. Null rule: a feature that is not known is null.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import lightgbm
import numpy as np
from numpy.typing import NDArray
from server_process import free_port, until
from wire import Reply, request_bytes

from features.workspace import Workspace
from models.bundle import Bundle

__all__ = ["MODEL", "is_right", "peer", "peer_request"]

MODEL = "buying_intent"


@contextmanager
def peer(workspace: Workspace, *, log: Path) -> Iterator[int]:
    """The port of a scoring server, on the cores that this process has now."""
    port = free_port()
    uri = f"sqlite:///{workspace.home.absolute() / 'mlflow.db'}"
    command = [
        *(sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", f"models:/{MODEL}@champion"),
        *("--env-manager", "local", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
    ]
    told = {"MLFLOW_TRACKING_URI": uri, "MLFLOW_DISABLE_TELEMETRY": "true", "OMP_NUM_THREADS": "1"}
    # MLflow looks for the server that it runs on the path.
    told["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=os.environ | told, start_new_session=True
        )
    try:
        until(lambda: server.poll() is not None or _answers(port))
        assert server.poll() is None, log.read_text(encoding="utf-8")
        yield port
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=60)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/ping", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def peer_request(names: Sequence[str], row: NDArray[np.float64]) -> bytes:
    """A request for the score of one row, float64 (k,)."""
    cells = [None if np.isnan(cell) else float(cell) for cell in row]
    body: Mapping[str, Any] = {"dataframe_split": {"columns": list(names), "data": [cells]}}
    return request_bytes("POST", "/invocations", body=body)


def is_right(reply: Reply, bundle: Bundle, row: NDArray[np.float64]) -> bool:
    """Whether it gave what the trees say of this row, before calibration."""
    expected = lightgbm.Booster(model_str=bundle.booster_text).predict(row[np.newaxis], num_threads=1)[0]
    (given,) = reply.json()["predictions"]
    return reply.status == 200 and abs(given - expected) < 1e-12
