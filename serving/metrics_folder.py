"""The folder in which the workers of one server add up their metrics.

BentoML has one in its home, which it empties whenever a server starts: two servers of one workspace, or of
one bento, would forget what the other one counted and add up with it from then on. Turns that folder into one
beside it for each server, named after its machine or container, which may share the home with others, and the
process that starts its workers. Time rule: none. Null rule: in a process that is no worker nothing changes.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
from pathlib import Path

__all__ = ["SHARED", "keep_metrics_apart"]

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Where prometheus_client looks for the folder; BentoML sets it for its workers."""


def keep_metrics_apart() -> None:
    """Add up with the workers of this server alone, from now on; what ended servers left here goes."""
    given = os.environ.get(SHARED)
    if given is None:
        return
    # Without a hyphen, which stands between the parts of the name.
    here = f"{given}-{re.sub(r'[^A-Za-z0-9]+', '_', socket.gethostname())}"
    own = Path(f"{here}-{_name(os.getppid())}")
    own.mkdir(parents=True, exist_ok=True)
    os.environ[SHARED] = str(own)
    for folder in own.parent.glob(f"{Path(here).name}-*-*"):
        server = folder.name.rsplit("-", 2)[1]
        if not server.isdecimal() or folder != Path(f"{here}-{_name(int(server))}"):
            shutil.rmtree(folder, ignore_errors=True)


def _name(process: int) -> str:
    """Of a process, and of no other that had or will have its number."""
    try:
        told = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except OSError:
        # It has ended, or this is no Linux.
        return f"{process}-0"
    # Its 22nd field: when it began, in ticks since the machine did. A clock may be set while a server runs.
    return f"{process}-{told.rpartition(')')[2].split()[19]}"
