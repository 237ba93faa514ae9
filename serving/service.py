"""The BentoML service: workers and shutdown around the application of `serving.web`.

Turns a workspace (SPEARFISH_HOME) into a running service. Time rule: none of its own. Null rule: without a
current release, or before the keys are known, the service lives but is not ready.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import bentoml
from starlette.types import ASGIApp
from uvicorn.protocols.http import auto

from serving.metrics_folder import keep_metrics_apart
from serving.web.alone import OursAlone

if TYPE_CHECKING:
    from serving.web.connections import PatientProtocol
    from serving.worker import Worker

__all__ = ["WORKERS", "SpearfishService"]

WORKERS = "SPEARFISH_WORKERS"
"""The environment variable that says how many workers serve."""


# Both below are read late: the process that starts the workers reads this module, too, and answers nothing.
@cache
def _worker() -> Worker:
    from serving.worker import Worker

    return Worker()


def _ours() -> ASGIApp:
    return _worker().application


def _connection(**told: Any) -> PatientProtocol:
    from serving.web.connections import PatientProtocol

    return PatientProtocol(**told)


class _Service:
    """Explained fit and intent scores. Every route is in `serving.web.routes`."""

    def __init__(self) -> None:
        _worker().start()

    def stop(self) -> None:
        """Let go of the store, and of the jobs."""
        _worker().stop()

    stop = bentoml.on_shutdown(stop)


# Before anything is counted.
keep_metrics_apart()

# BentoML lets nobody choose a protocol.
auto.AutoHTTPProtocol = cast(Any, _connection)

# Called instead of written as a decorator: BentoML's types are not seen here.
# Its access log and its metrics name every path, and with it accounts: `serving.web.observed` has others.
SpearfishService: Any = bentoml.service(
    name="spearfish",
    workers=int(os.environ.get(WORKERS, "1")),
    # Later than every limit of ours, whose problems say more; each request costs a timer for as long.
    traffic={"timeout": 120},
    logging={"access": {"enabled": False}},
    metrics={"enabled": False},
)(_Service)
SpearfishService.add_asgi_middleware(OursAlone, ours=_ours)
