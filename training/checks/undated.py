"""The undated check: X Education's leads and Online Shoppers, from files to figures beside every peer.

Turns the files of a config into repeated folds on which Spearfish, logistic regression and the boosters of
the extra `peers` learn from the same rows. Time rule: none, the tables have no dates; everything was chosen
on the development folds (other seeds), and the reported folds are run once. Null rule: none.

    python -m training.checks.undated x_education_leads --out results/x_education_leads.json
    python -m training.checks.undated online_shoppers --out results/online_shoppers.json
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from features.ingest import ingest
from features.mapping import load_config
from features.workspace import Workspace
from training.checks.results import ROOT, write_result
from training.console import Output, ReportProgress
from training.undated.backtest import backtest_undated
from training.undated.peers import BASELINES, BOOSTERS
from training.undated.report import UndatedReport

__all__ = ["NAMES", "check"]

NAMES = ("x_education_leads", "online_shoppers")


def check(
    name: str,
    *,
    home: Path,
    folder: Path | None = None,
    development: bool = False,
    progress: ReportProgress | None = None,
) -> UndatedReport:
    """Ingest the files of `folder` (default: the config's) into a workspace at `home` and judge by folds."""
    config = load_config(
        _config(name), overrides={} if folder is None else {"folder": str(folder.absolute())}
    )
    workspace = Workspace(home)
    ingest(config, workspace=workspace, progress=progress)
    return backtest_undated(
        workspace.tables(),
        config=config,
        development=development,
        peers=(*BASELINES, *BOOSTERS),
        progress=progress,
    )


def _config(name: str) -> Path:
    return ROOT / "configs" / f"{name}.toml"


def main() -> None:
    """The command: judge and write what was found as JSON."""
    parser = argparse.ArgumentParser(prog="python -m training.checks.undated", description=__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--folder", type=Path, help="where the files are")
    parser.add_argument("--development", action="store_true", help="the folds for choosing")
    parser.add_argument("--out", type=Path, help="write the JSON here, too")
    given = parser.parse_args()
    output = Output(as_json=True)
    with output.progress() as progress, tempfile.TemporaryDirectory() as home:
        report = check(
            given.name,
            home=Path(home),
            folder=given.folder,
            development=given.development,
            progress=progress,
        )
    output.show(report)
    output.result(write_result(report.to_json(), out=given.out, also=[_config(given.name)]))


if __name__ == "__main__":
    main()
