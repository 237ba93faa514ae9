"""One worker: the application, and the threads that keep what it answers from current.

Turns a workspace (SPEARFISH_HOME) into what one process of the service answers with. Time rule: none of its
own. Null rule: without a current release, or before the keys are known, it lives but is not ready.
"""

from __future__ import annotations

from contextlib import ExitStack

from features.workspace import Workspace
from serving.access.access import Access
from serving.access.guesses import Guesses
from serving.collecting import collect_seldom
from serving.holder import DeskHolder
from serving.jobs.running import supervised
from serving.jobs.settings import JobSettings
from serving.log_lines import say_in_lines
from serving.web.application import application
from serving.web.services import Services

__all__ = ["Worker"]


class Worker:
    """`start` it once, `stop` it at the end. application: the routes, as an ASGI application."""

    def __init__(self) -> None:
        self._holder = DeskHolder(Workspace.default())
        self._access = Access(self._holder.door, limits=self._holder.workspace.home / "limits")
        self._beside = ExitStack()
        self._guesses = Guesses(self._holder.workspace.home / "guesses")
        self.application = application(
            Services(
                answers=self._holder, access=self._access, door=self._holder.door, guesses=self._guesses
            ),
            parts=(self._holder, self._access),
        )

    def start(self) -> None:
        """Load what is there, and go on looking for what is new."""
        say_in_lines()
        if JobSettings.from_environment().runner:
            # `bentoml serve` started this worker, and nobody else runs jobs.
            self._beside.enter_context(supervised(self._holder.workspace))
        self._access.start()
        self._holder.start()
        collect_seldom()

    def stop(self) -> None:
        """Let go of the store, and of the jobs."""
        self._beside.close()
        self._access.stop()
        self._guesses.close()
        self._holder.stop()
