"""Commands that run the whole: serve, doctor and demo.

Turn what was typed into calls of public functions. Time rule: none of its own. Null rule: an option that is
left out is None, and the function called decides.
"""

from __future__ import annotations

from typing import Annotated

import typer

from training.cli.answering import answer_one, rank_all
from training.cli.given import open_output, open_workspace, read_optional_config
from training.cli.options import WORKSPACE, JsonOption, OptionalConfig, SetOption, WorkspaceOption

__all__ = ["commands"]

commands = typer.Typer()


@commands.command()
def serve(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 3000,
    workers: Annotated[int, typer.Option(help="Processes that answer.", min=1, max=64)] = 1,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Serve the current release, with the page at / and the interface at /docs.json, until interrupted."""
    from serving.launch import access_notice
    from serving.launch import serve as run_server

    output, address, place = open_output(as_json=as_json), f"http://{host}:{port}", open_workspace(workspace)
    notice = access_notice(place, host=host)
    output.note(f"The page will be at {address}/ and the interface at {address}/docs.json. Ctrl+C ends it.")
    output.note(notice)
    output.result({"page": f"{address}/", "interface": f"{address}/docs.json", "access": notice})
    raise typer.Exit(run_server(place, host=host, port=port, workers=workers))


@commands.command()
def doctor(
    *,
    config: OptionalConfig = None,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what follows from the store.")] = False,
    overrides: SetOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Say whether everything is in place, and how to mend what is not."""
    from training.releasing.doctor import doctor as run_doctor

    output = open_output(as_json=as_json)
    checks = run_doctor(
        open_workspace(workspace),
        config=read_optional_config(config, overrides=overrides),
        repair=repair,
    )
    rows = [("ok" if check.ok else "WRONG", check.name, check.what, check.fix or "") for check in checks]
    output.table(["", "check", "found", "how to mend it"], rows)
    output.result({"ok": all(check.ok for check in checks), "checks": [check.to_json() for check in checks]})
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


@commands.command()
def demo(
    *,
    port: Annotated[int, typer.Option(help="Port to serve on.", min=1, max=65535)] = 3000,
    accounts: Annotated[int, typer.Option(help="Number of simulated accounts.")] = 5_000,
    serving: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve after the summary.")] = True,
    workspace: WorkspaceOption = WORKSPACE,
) -> None:
    """Walk the whole path on a simulated market: simulate, ingest, train, backtest, promote, score, serve."""
    from serving.launch import serve as run_server
    from training.cli.demonstrating import welcome
    from training.demo import run_demo

    place = open_workspace(workspace)
    address = f"http://127.0.0.1:{port}"
    output = open_output(as_json=False)
    run_demo(
        place,
        accounts=accounts,
        output=output,
        address=address,
        rank=rank_all,
        answer=answer_one,
        welcome=welcome if serving else None,
    )
    if serving:
        output.note(f"\nServing on {address} until interrupted (Ctrl+C).")
        raise typer.Exit(run_server(place, port=port))
