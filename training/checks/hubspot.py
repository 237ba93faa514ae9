"""The HubSpot check: the protocol of the free-tier data, from files to figures.

Turns the three files into a backtest at the reported cutoffs, in a workspace of its own. Time rule: that of
the backtest; everything was chosen on the development cutoffs. Null rule: none.

    python -m training.checks.hubspot --out results/hubspot_free_tier.json
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from features.ingest import ingest
from features.mapping import load_config
from features.workspace import Workspace
from training.backtesting.backtest import backtest
from training.backtesting.report import BacktestReport
from training.checks.results import ROOT, write_result
from training.console import Output, ReportProgress

__all__ = ["CONFIG", "check"]

CONFIG = ROOT / "configs" / "hubspot_free_tier.toml"


def check(
    home: Path,
    *,
    folder: Path | None = None,
    development: bool = False,
    progress: ReportProgress | None = None,
) -> BacktestReport:
    """Ingest the files of `folder` (default: the config's) into a workspace at `home` and backtest it."""
    config = load_config(CONFIG, overrides={} if folder is None else {"folder": str(folder.absolute())})
    workspace = Workspace(home)
    ingest(config, workspace=workspace, progress=progress)
    return backtest(workspace, config=config, development=development, progress=progress)


def main() -> None:
    """The command: run the protocol and write what was found as JSON."""
    parser = argparse.ArgumentParser(prog="python -m training.checks.hubspot", description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the three files are")
    parser.add_argument("--development", action="store_true", help="the cutoffs for choosing")
    parser.add_argument("--out", type=Path, help="write the JSON here, too")
    given = parser.parse_args()
    output = Output(as_json=True)
    with output.progress() as progress, tempfile.TemporaryDirectory() as home:
        report = check(Path(home), folder=given.folder, development=given.development, progress=progress)
    output.show(report)
    output.result(write_result(report.to_json(), out=given.out, also=[CONFIG]))


if __name__ == "__main__":
    main()
