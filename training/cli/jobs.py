"""Commands on jobs over files: jobs run, jobs list.

Turn what was typed into calls of public functions. Time rule: none of its own. Null rule: none.
"""

from __future__ import annotations

from typing import Annotated

import typer

from training.cli.given import open_output, open_workspace
from training.cli.options import WORKSPACE, JsonOption, WorkspaceOption

__all__ = ["commands"]

commands = typer.Typer()
_jobs = typer.Typer(help="Jobs over files.", no_args_is_help=True)
commands.add_typer(_jobs, name="jobs")


@_jobs.command()
def run(*, workspace: WorkspaceOption = WORKSPACE) -> None:
    """Run jobs until interrupted. `serve` runs one such process itself; more of them share the work.

    Beside several replicas run it where the workspace's tables are; files and results are in the store.
    """
    from serving.jobs.running import run as run_jobs

    run_jobs(open_workspace(workspace))


@_jobs.command("list")
def list_jobs(
    *,
    last: Annotated[int, typer.Option(min=1, help="So many of the jobs sent last.")] = 20,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Show jobs, the newest first: how far each is, and who runs it until when."""
    from serving.jobs.answers import job_answer
    from serving.jobs.settings import JobSettings
    from serving.store import Store
    from serving.store.jobs import newest

    output, settings = open_output(as_json=as_json), JobSettings.from_environment()
    with (
        Store.open(open_workspace(workspace).store_url, create=False) as store,
        store.reading() as connection,
    ):
        found = newest(connection, limit=last)
    rows = [
        (job.id, job.state, job.created_at, f"{job.done:,} of {job.rows:,}", f"{job.failed:,}")
        for job in found
    ]
    output.table(["job", "state", "sent", "rows done", "refused"], rows, title="Jobs")
    told = [job_answer(job, settings=settings).model_dump(mode="json") for job in found]
    output.result({"jobs": told})
