"""The command line: thin commands over public functions.

Each command takes `--json` (one JSON object on standard output, everything else on standard error).
Exit codes: 0 done, 1 the work failed, 2 the input is wrong. Commands stand in modules by idea, each with a
`commands` of its own that `app` gathers. Imports of the product stand inside functions, so that `--help`
answers at once.
"""

from training.cli.app import main

__all__ = ["main"]
