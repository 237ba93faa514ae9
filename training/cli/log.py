"""Commands on the log of answers: replay, predictions prune.

Turn what was typed into calls of public functions. Time rule: `prune` counts days back from the clock. Null
rule: an option that is left out is None, and the settings of the environment decide.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import ConfigError
from training.cli.given import open_output, open_workspace, refuse
from training.cli.options import WORKSPACE, JsonOption, WorkspaceOption

if TYPE_CHECKING:
    from serving.log.replay import Replay
    from training.console import Output

__all__ = ["commands"]

commands = typer.Typer()
_predictions = typer.Typer(help="The log of answers.", no_args_is_help=True)
commands.add_typer(_predictions, name="predictions")

_SHOWN = 20


@commands.command()
def replay(
    *,
    request_id: Annotated[
        list[str] | None, typer.Argument(help="The request_id of an answer; several may be given.")
    ] = None,
    last: Annotated[
        int | None, typer.Option(min=1, help="In place of identifiers: so many of the answers given last.")
    ] = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Compute logged answers again and compare them to the last bit. Exit code 1 when one differs.

    Scores are computed from the features that the log keeps, with the models of that release, whatever is
    served now; features are computed from what was asked, where the tables are still those.
    """
    from serving.log.replay import Replayer

    if (last is None) == (not request_id):
        raise ConfigError(
            "replay does not know which answers", allowed="REQUEST_ID or --last", fix="give one of the two"
        )
    output = open_output(as_json=as_json)
    with Replayer(open_workspace(workspace), many=(last or 0) > _SHOWN) as replayer:
        found = list(replayer.last(last) if last else map(replayer.of, request_id or ()))
    _show(found, output=output)
    equal = all(one.equal for one in found)
    output.result({"equal": equal, "answers": len(found), "replays": [one.to_json() for one in found]})
    if not equal:
        raise typer.Exit(1)


@_predictions.command()
def prune(
    *,
    days: Annotated[
        int | None, typer.Option(min=1, help="Keep this many days. Default: SPEARFISH_LOG_DAYS, else 365.")
    ] = None,
    workspace: WorkspaceOption = WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Delete answers that are older than is kept; the server does so as well, a few at a time."""
    from serving.log.retention import prune_before
    from serving.log.settings import LogSettings
    from serving.store import Store

    output, kept = open_output(as_json=as_json), days or LogSettings.from_environment().days
    if not kept:
        refuse("prune", given=kept, where="while SPEARFISH_LOG_DAYS is 0", fix="give --days")
    before = datetime.now(UTC).replace(tzinfo=None, microsecond=0) - timedelta(days=kept)
    with Store.open(open_workspace(workspace).store_url, create=False) as store:
        gone = prune_before(store, before=before)
    output.note(f"answers older than {kept} days deleted: {gone:,}")
    output.result({"deleted": gone, "days": kept})


def _show(found: list[Replay], *, output: Output) -> None:
    rows = [
        ("" if one.equal else "DIFFERS", one.request_id, one.release_id, _scores(one), _features(one))
        for one in sorted(found, key=lambda one: one.equal)[:_SHOWN]
    ]
    output.table(["", "request", "release", "scores", "features"], rows, title="Replay")
    same, bits = sum(one.equal for one in found), sum(one.exact for one in found)
    output.note(f"the same: {same:,} of {len(found):,}; {bits:,} of them compared to the last bit")
    for line in dict.fromkeys(note for one in found for note in _notes(one)):
        output.note(line)


def _scores(one: Replay) -> str:
    return "every bit" if one.exact and not one.scores else "to 1e-12" if not one.scores else _few(one.scores)


def _features(one: Replay) -> str:
    if one.features is None:
        return "not compared"
    return _few(one.features) if one.features else "every bit"


def _few(places: tuple[str, ...]) -> str:
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    return ", ".join(places[:3]) + more


def _notes(one: Replay) -> list[str]:
    notes = [] if one.unchecked is None else [f"features not compared: {one.unchecked}"]
    if not one.exact:
        then, here = dict(one.then), dict(one.here)
        notes.append(f"compared to 1e-12: the answer is of {then}, here is {here}")
    if not one.wording:
        notes.append("some words read differently; the numbers decide")
    return notes
