"""`python -m serving`: the service, where nothing but it is installed, as in a bento or a container.

Turns the workspace that SPEARFISH_HOME names and a few options into a running server. Time rule: none. Null
rule: an option that is not given is that of `spearfish serve`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from features.errors import SpearfishError
from features.workspace import Workspace
from serving.launch import serve

__all__ = ["main"]

_ABOUT = "Serve the workspace that SPEARFISH_HOME names."


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; the exit code is 2 where it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m serving", description=_ABOUT)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args(arguments)
    try:
        return serve(Workspace.default(), host=given.host, port=given.port, workers=given.workers)
    except SpearfishError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
