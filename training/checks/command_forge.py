"""A forge of commands: the arguments of `spearfish` in, a process of their own out.

Turns what people would type into children of `training.checks.forge`, whose output is kept beside the
workspace. Time rule: none. Null rule: none.

    python -m training.checks.command_forge
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from features.errors import SpearfishError
from training.checks.forge import Forge, serve
from training.tracking.mlflow_database import empty_database

__all__ = ["CommandForge"]

# What a command imports while it runs; imported before, no child waits for it.
_WARM: Final = (
    *(
        "mlflow.lightgbm",
        "mlflow.pyfunc",
        "bentoml",
        "bentoml.models",
        "matplotlib.backends.backend_svg",
        "pyarrow.dataset",
        "shap",
        "sqlglot.generators.duckdb",
        "sqlglot.optimizer.qualify",
        "training.tracking.bento_models",
        "training.releasing.doctor",
    ),
    *("PIL.PngImagePlugin", "PIL.JpegImagePlugin", "training.cli", "typer.main"),
    *("serving.ranking", "serving.scoring", "training.feature_table", "training.present"),
    *("training.plots", "training.report", "training.retrain", "training.tracking.track"),
)
_FOREIGN: Final = ("MLFLOW_TRACKING_URI", "SPEARFISH_STORE_URL", "BENTOML_HOME", "SPEARFISH_HOME")


class CommandForge(Forge):
    """A forge whose works are commands on a workspace."""

    def __init__(self) -> None:
        super().__init__("training.checks.command_forge", leave_out=_FOREIGN)

    def run(self, home: Path, argv: Sequence[str]) -> dict[str, int]:
        """A command that nobody kills, and that must succeed. Returns its `steps` and its `commits`."""
        done = self.done(_typed(home, argv))
        if done["status"] != 0:
            said = (home.parent / f"{home.name}.err").read_text(encoding="utf-8")[-2_000:]
            raise SpearfishError(f"{argv[0]} failed, which nobody had killed", got=said)
        return {name: int(done[name]) for name in ("steps", "commits")}

    def ended(self, home: Path, argv: Sequence[str]) -> int:
        """The exit code of a command that nobody kills."""
        return int(self.done(_typed(home, argv))["status"])

    def output(self, home: Path) -> str:
        """What the last command printed."""
        return (home.parent / f"{home.name}.out").read_text(encoding="utf-8")

    def kill(self, home: Path, argv: Sequence[str], *, moment: Mapping[str, float]) -> bool:
        """A command that is killed. Returns False when it had ended before."""
        return self.killed(_typed(home, argv), moment=moment)


def _typed(home: Path, argv: Sequence[str]) -> dict[str, Any]:
    return {"home": str(home), "argv": list(argv), "folder": str(Path.cwd())}


def _prepared(work: Mapping[str, Any]) -> partial[int]:
    """A command as it would be typed, with its output beside the workspace."""
    # By its name, as whoever types it: nothing of ours imports the command line.
    main = importlib.import_module("training.cli").main
    home = Path(work["home"])
    for name, descriptor in (("out", 1), ("err", 2)):
        file = os.open(home.parent / f"{home.name}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, descriptor)
    os.chdir(work["folder"])
    os.environ["SPEARFISH_HOME"] = str(home)
    sys.argv = ["spearfish", *work["argv"]]
    return partial(_exit_code, main)


def _exit_code(main: Callable[[], None]) -> int:
    try:
        main()
    except SystemExit as exited:
        return int(exited.code or 0)
    finally:
        sys.stdout.flush()
    return 0


def _warm() -> None:
    """Import, make and find out once what every child would."""
    # As the command line does: looked for every 700 objects, garbage would cost a seventh of the imports.
    gc.set_threshold(50_000, 20, 50)
    empty_database()
    for name in _WARM:
        importlib.import_module(name)
    # Which package each module is of, from hundreds of files.
    importlib.import_module("mlflow.utils.requirements_utils").warn_dependency_requirement_mismatches(
        ["mlflow"]
    )


if __name__ == "__main__":
    _warm()
    serve(_prepared)
