"""`python -m serving.jobs`: run the jobs of the workspace in SPEARFISH_HOME until SIGINT or SIGTERM.

With --supervised it ends as soon as its standard input does, which whoever supervises it holds open: so it
goes with them, however they go. Time rule: none. Null rule: none.
"""

from __future__ import annotations

import sys

from features.workspace import Workspace
from serving.jobs.running import run

if __name__ == "__main__":
    run(Workspace.default(), supervised="--supervised" in sys.argv[1:])
