"""Tables that are newer than those that answer: found, read, and handed over.

Turns the workspace's manifest into snapshots, by a watch of their own: reading millions of activities takes
seconds, for which a release must not wait. Tables that cannot be read, such as half-removed or damaged ones,
are told of in the log and the metrics, and tried again; meanwhile those before answer. Time rule: none. Null
rule: a fault is None while the newest tables are those that answer.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import duckdb
import pyarrow.lib

from features.errors import EngineError, SpearfishError
from features.workspace import Workspace
from serving import metrics
from serving.desk import Snapshot

__all__ = ["UNREADABLE", "NewTables", "as_fault"]

UNREADABLE = (
    *(SpearfishError, duckdb.Error, pyarrow.lib.ArrowException),
    *(OSError, ValueError, LookupError, RuntimeError),
)
"""What tables raise that are half-removed, damaged, or those of a manifest that does not name them."""

_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
"""Seconds until tables that could not be read are tried again, twice as long each time."""

_FEW_NAMES = 10_000
"""Accounts whose names are read before they are asked for; two seconds of work."""

_logger = logging.getLogger("spearfish.serving")


def as_fault(error: Exception, what: str) -> SpearfishError:
    """One of UNREADABLE as it is told: errors of our own as they are, others after what cannot be done."""
    if isinstance(error, SpearfishError):
        return error
    return EngineError(f"{what}: {error}", sql="", fix="run `spearfish doctor`")


class NewTables:
    """Looks for new tables when it is told to; from any thread.

    current: gives the tables that answer, None for none. take: lets others answer; may raise as they do.
    fault: why the newest tables do not answer.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        current: Callable[[], Snapshot | None],
        take: Callable[[Snapshot], None],
    ) -> None:
        self._workspace, self._current, self._take = workspace, current, take
        self.fault: SpearfishError | None = None
        self._looking = threading.Lock()
        self._refused, self._again_at, self._pause = "", 0.0, _PAUSE

    def look(self) -> None:
        """Read what is new and hand it over. Faults are kept, never raised."""
        with self._looking:
            try:
                name = self._workspace.manifest().snapshot
                if name == self._refused and time.monotonic() < self._again_at:
                    return
                self._load(name)
            except UNREADABLE as error:
                self._complain(as_fault(error, "the tables cannot be read"))
            else:
                self.fault, self._refused, self._pause = None, "", _PAUSE
            metrics.show_fault("tables", is_there=self.fault is not None)

    def _load(self, name: str) -> None:
        before = self._current()
        if before is not None and before.manifest.snapshot == name:
            return
        try:
            snapshot = Snapshot(self._workspace, patient=False, before=before)
            if snapshot.accounts.count <= _FEW_NAMES:
                snapshot.names.read()
            self._take(snapshot)
        except UNREADABLE:
            self._refused, self._again_at = name, time.monotonic() + self._pause
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            raise
        _logger.info("tables with facts through %s answer", snapshot.manifest.data_through)
        metrics.show_data_through(snapshot.manifest.data_through)

    def _complain(self, fault: SpearfishError) -> None:
        if str(fault) != str(self.fault):
            answering = "" if self._current() is None else "; those before go on answering"
            _logger.error("new tables are not taken%s: %s", answering, fault)
        self.fault = fault
