"""The whole path on a simulated market, with what it found at the end.

Turns nothing into a trained, promoted and explained pair of models in a workspace. Time rule: the market
ends today, so that the scores speak of today. Null rule: none.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pandas as pd
from rich.text import Text

from features.errors import WorkspaceError
from features.mapping import Config, load_config
from features.workspace import Workspace
from training.backtesting.backtest import backtest
from training.console import Output, ReportProgress
from training.ingesting import ingest_all
from training.market.settings import MarketSettings
from training.market.write import simulate
from training.present import show_ranking
from training.releasing.promote import promote
from training.tracking.registered import shown_uri
from training.train import train

__all__ = ["run_demo", "telling"]

CONFIG = Path(__file__).parents[1] / "configs" / "simulated_market.toml"
_EXPLAINED = 3
_NEW_MARKET = "a demo draws another market each day: what an earlier one served is no measure"


class Rank(Protocol):
    """Ranks every account of a workspace."""

    def __call__(self, workspace: Workspace, *, now: datetime) -> pd.DataFrame: ...


class Answer(Protocol):
    """Answers for one account as the service does."""

    def __call__(self, workspace: Workspace, *, account: str, now: datetime) -> dict[str, Any]: ...


class WaysIn(NamedTuple):
    """A sign-in link, the file of a key that may ask for scores, and whom the link lets in as what."""

    link: str
    key: Path
    name: str
    role: str


class Welcome(Protocol):
    """Lets somebody in: a link to sign in by, once, and the file of a key for scripts."""

    def __call__(self, workspace: Workspace, *, address: str, now: datetime) -> WaysIn: ...


def run_demo(
    workspace: Workspace,
    *,
    accounts: int,
    output: Output,
    address: str,
    rank: Rank,
    answer: Answer,
    welcome: Welcome | None,
) -> None:
    """Simulate, ingest, train, backtest, promote and score; the market replaces an earlier demo's.

    welcome: None where nothing will be served; then this machine needs no key and nobody has to sign in.

    Raises WorkspaceError when the workspace holds tables of another config.
    """
    folder = workspace.home / "simulated_market"
    config = load_config(CONFIG, overrides={"folder": str(folder.absolute())})
    _require_own(workspace, config=config)
    with telling(output) as progress:
        today = datetime.now(UTC).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
        progress("simulate accounts", 0, accounts)
        simulate(
            MarketSettings(accounts=accounts, end=today),
            directory=folder,
            progress=lambda done, total: progress("simulate accounts", done, total),
        )
        ingested = ingest_all(config, workspace=workspace, progress=progress)
        trained = train(workspace, config=config, progress=progress)
        tested = backtest(workspace, config=config, progress=progress)
        progress("promote", 0, 1)
        promotion = promote(workspace, who="demo", why="the demo promotes what it trained", force=_NEW_MARKET)
        progress("promote", 1, 1)
        # A release that follows another one answers a few seconds later; the summary is about the new one.
        now = max(promotion.activate_at, datetime.now(UTC).replace(tzinfo=None, microsecond=0))
        progress("rank accounts", 0, 1)
        ranked = rank(workspace, now=now)
        progress("rank accounts", 1, 1)
    output.show(ingested)
    output.show(trained)
    output.show(tested)
    output.note(promotion.sentence)
    show_ranking(ranked, output=output, top=10)
    for account in ranked["account_id"].head(_EXPLAINED):
        _show_why(answer(workspace, account=account, now=now), output=output)
    _show_places(workspace, report=trained.report, address=address, output=output)
    if welcome is not None:
        _show_ways_in(welcome(workspace, address=address, now=now), address=address, output=output)


@contextmanager
def telling(output: Output) -> Iterator[ReportProgress]:
    """Bars where somebody watches them; else a line on standard error for each step, once it begins.

    Bars that are piped are written at the very end, and whoever reads them waits for minutes in the dark.
    """
    if output.errors.is_terminal:
        with output.progress() as bars:
            yield bars
        return
    began, told = time.monotonic(), set[str]()

    def report(what: str, done: int, total: int) -> None:
        if what not in told:
            told.add(what)
            output.errors.print(Text(f"{time.monotonic() - began:4.0f} s  {what}"))

    yield report


def _require_own(workspace: Workspace, *, config: Config) -> None:
    if not workspace.manifest_path.exists():
        return
    holder = workspace.manifest().workspace
    if holder != config.workspace.name:
        raise WorkspaceError(
            f"{workspace.home} holds the tables of another config",
            got=repr(holder),
            allowed=repr(config.workspace.name),
            fix="give the demo a folder of its own: SPEARFISH_HOME=demo make demo",
        )


def _show_why(answer: dict[str, Any], *, output: Output) -> None:
    account = answer["account"]
    output.heading(f"Why {account['name'] or account['account_id']}? ({answer['priority']['action']})")
    for half in ("fit", "intent"):
        for reason in (answer[half] or {"reasons_for": ()})["reasons_for"][:3]:
            output.note(f"  {half:<6} {reason['contribution']:+.2f}  {reason['sentence']}")
        for reason in (answer[half] or {"reasons_against": ()})["reasons_against"][:1]:
            output.note(f"  {half:<6} {reason['contribution']:+.2f}  {reason['sentence']}")


def _show_places(workspace: Workspace, *, report: Path, address: str, output: Output) -> None:
    programs = Path(sys.executable).parent
    output.heading("Where things are")
    output.note(f"  report   {report}")
    output.note(f"  page     {address}/ once served ({programs / 'spearfish'} serve)")
    tracking = shown_uri(workspace.mlflow_uri)
    served = tracking.startswith(("http://", "https://"))
    command = "" if served else f"{programs / 'mlflow'} ui --backend-store-uri "
    output.note(f"  MLflow   {command}{tracking}")
    output.note(f"  tables   {workspace.home}")


def _show_ways_in(found: WaysIn, *, address: str, output: Output) -> None:
    link, key = found.link, found.key
    said = "-H 'Content-Type: application/json' -d '{\"account_id\": \"account-0000042\"}'"
    asked = f'curl -s {address}/v1/score -H "Authorization: Bearer $(cat {key})" {said}'
    output.heading("Ways in")
    output.note(
        f"  Sign in on the page as {found.name}, {found.role}, by this link, once, within a day "
        f"(`spearfish users link '{found.name}'` makes more):"
    )
    _show_whole(link, output=output)
    output.note(f"  Ask from a script with the key in {key}, which may ask for scores for a week:")
    _show_whole(asked, output=output)


def _show_whole(text: str, *, output: Output) -> None:
    """On one line however long it is, as it will be copied."""
    output.people.print(Text(f"\n    {text}\n"), soft_wrap=True)
