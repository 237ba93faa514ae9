"""Commands on the size of lists: plan.

Turn what was typed into calls of public functions. Time rule: moments are read by training.cli.given. Null
rule: a rate that is left out is counted in the tables.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from features.errors import NotEnoughDataError
from training.cli.answering import plan_of
from training.cli.given import open_output, open_workspace, read_as_of, refuse
from training.cli.options import WORKSPACE, AsOfOption, JsonOption, WorkspaceOption

__all__ = ["commands"]

commands = typer.Typer()


@commands.command()
def plan(
    *,
    reps: Annotated[
        int, typer.Option(min=1, help="Sales representatives who work the list.", show_default=False)
    ],
    wins_per_rep: Annotated[
        float,
        typer.Option(min=0, help="Deals that each of them is to win within --days.", show_default=False),
    ],
    days: Annotated[
        int, typer.Option(min=1, help="The span of the goal, and of the past that rates are counted in.")
    ] = 365,
    product: Annotated[
        str | None, typer.Option(help="Count deals of this product line alone.", show_default=False)
    ] = None,
    win_rate: Annotated[
        float | None,
        typer.Option(help="Deals won of those that end. Default: as counted.", show_default=False),
    ] = None,
    account_to_opportunity: Annotated[
        float | None,
        typer.Option(
            help="Accounts that open a deal within --days. Default: as counted.", show_default=False
        ),
    ] = None,
    users: Annotated[
        float | None, typer.Option(min=0, help="For the size of the market: its users.", show_default=False)
    ] = None,
    units_each: Annotated[float, typer.Option(min=0, help="Units that each user will buy.")] = 1.0,
    unit_price: Annotated[
        float | None, typer.Option(min=0, help="The price of a unit; with --users.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write the wins expected of each further account, .csv or .parquet."),
    ] = None,
    as_of: AsOfOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Say how many accounts a list should hold, and what each further one is expected to bring."""
    from models.planning import Goal, Market
    from training.feature_table import check_target, write_frame
    from training.plan_shown import curve_frame, plan_document, show_plan

    output = open_output(as_json=as_json)
    if out is not None:
        check_target(out)
    if users is None:
        refuse("--unit-price", given=unit_price, where="without --users", fix="give both, or neither")
    market = None if users is None else Market(users, units_each, unit_price or 0.0)
    goal = Goal(reps, wins_per_rep, days, product, win_rate, account_to_opportunity)
    found = plan_of(open_workspace(workspace), goal=goal, until=read_as_of(as_of))
    show_plan(found, market=market, output=output)
    if out is not None:
        frame = curve_frame(found)
        if frame is None:
            raise NotEnoughDataError("there is no curve to write", got="no release", fix="train and promote")
        write_frame(frame, out=out)
        output.note(f"{len(frame):,} accounts written to {out}")
    output.result(plan_document(found, market=market))
