"""The check of small tables: samples of the undated sets, Spearfish beside CatBoost and logistic regression.

Turns the files of both undated configs into samples of 80 rows (40 of each class) up to 2,000, and these into
learning curves. Time rule: none, the tables have no dates. Null rule: none.

    python -m training.checks.small_tables --out results/small_tables.json
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from features.ingest import ingest
from features.mapping import load_config
from features.workspace import Workspace
from training.checks.results import ROOT, write_result
from training.checks.undated import NAMES
from training.console import Output, ReportProgress
from training.fit import narrowed
from training.undated.backtest import column_choices, undated_rows
from training.undated.learning_curve import CurveReport, learning_curve
from training.undated.peers import BASELINES, BOOSTERS, Peer

__all__ = ["PEERS", "SEED", "check"]

SEED = 30_000
"""Of the reported samples; choices were made on others, and on the development folds."""

_SIZES: Final = (80, 200, 500, 2000)

PEERS: tuple[Peer, ...] = tuple(
    peer
    for peer in (*BASELINES, *BOOSTERS)
    if peer.column in ("logistic_regression", "logistic_regression_logarithms", "catboost")
)


def check(
    folder: Path,
    *,
    home: Path,
    sizes: Sequence[int] = _SIZES,
    draws: int = 10,
    seed: int = SEED,
    progress: ReportProgress | None = None,
) -> dict[str, CurveReport]:
    """The curve of the last choice of columns of each set, the strictest. folder: holds one for each set."""
    found = {}
    for name in NAMES:
        config = load_config(_config(name), overrides={"folder": str((folder / name).absolute())})
        workspace = Workspace(home / name)
        ingest(config, workspace=workspace, progress=progress)
        rows = undated_rows(workspace.tables().without_times(), config=config)
        choice, catalogue = list(column_choices(rows.catalogue, config=config).items())[-1]
        found[f"{name}: {choice}"] = learning_curve(
            narrowed(rows, catalogue),
            settings=config.model.fit,
            sizes=sizes,
            draws=draws,
            peers=PEERS,
            seed=seed,
            progress=progress,
        )
    return found


def _config(name: str) -> Path:
    return ROOT / "configs" / f"{name}.toml"


def main() -> None:
    """The command: draw, learn, and write what was found as JSON."""
    parser = argparse.ArgumentParser(prog="python -m training.checks.small_tables", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT.parent / "shared" / "data", help="of both sets")
    parser.add_argument("--draws", type=int, default=6, help="samples of each size")
    parser.add_argument("--out", type=Path, help="write the JSON here, too")
    given = parser.parse_args()
    output = Output(as_json=True)
    with output.progress() as progress, tempfile.TemporaryDirectory() as home:
        curves = check(given.folder, home=Path(home), draws=given.draws, progress=progress)
    for name, curve in curves.items():
        output.heading(name)
        output.show(curve)
    document: dict[str, Any] = {"curves": {name: curve.to_json() for name, curve in curves.items()}}
    output.result(write_result(document, out=given.out, also=map(_config, NAMES)))


if __name__ == "__main__":
    main()
