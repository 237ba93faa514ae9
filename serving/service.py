"""The BentoML service: workers, health, metrics and shutdown around the application of `serving.web`.

Turns a workspace (SPEARFISH_HOME) into a running service. Time rule: none of its own. Null rule: without a
current release, or before the keys are known, the service lives but is not ready.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import Any

import bentoml

from features.workspace import Workspace
from serving.access.access import Access
from serving.collecting import collect_seldom
from serving.holder import DeskHolder
from serving.jobs.running import supervised
from serving.jobs.settings import JobSettings
from serving.log_lines import say_in_lines
from serving.web.alone import OursAlone
from serving.web.application import application
from serving.web.connections import lose_patience
from serving.web.services import Services

__all__ = ["WORKERS", "SpearfishService"]

WORKERS = "SPEARFISH_WORKERS"
"""The environment variable that says how many workers serve."""

_holder = DeskHolder(Workspace.default())
_access = Access(_holder.door, limits=_holder.workspace.home / "limits")


class _Service:
    """Explained fit and intent scores. Every route is in `serving.web.routes`."""

    def __init__(self) -> None:
        say_in_lines()
        self._beside = ExitStack()
        if JobSettings.from_environment().runner:
            # `bentoml serve` started this worker, and nobody else runs jobs.
            self._beside.enter_context(supervised(_holder.workspace))
        _access.start()
        _holder.start()
        collect_seldom()

    def __is_ready__(self) -> bool:
        return _holder.ready and _access.ready

    def __is_alive__(self) -> bool:
        return _holder.watching and _access.watching

    def stop(self) -> None:
        """Let go of the store, and of the jobs."""
        self._beside.close()
        _access.stop()
        _holder.stop()

    stop = bentoml.on_shutdown(stop)


lose_patience()

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
SpearfishService.add_asgi_middleware(
    OursAlone, ours=application(Services(answers=_holder, access=_access, door=_holder.door))
)
