"""What was typed of learning and judging, as what it takes: a model, cutoffs, a changed config.

Turns options into values, or into an error that names the option. Time rule: a cutoff is read as every moment
is. Null rule: no cutoff means those of the config.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import ConfigError
from training.cli.given import read_moment, refuse

if TYPE_CHECKING:
    from features.mapping import Config
    from features.model_keys import Kind, ModelKey
    from features.workspace import Workspace

__all__ = ["read_cutoffs", "read_model", "with_capacity", "with_parameters"]

_STEP_DAYS = 30


def read_model(text: str, *, config: Config) -> ModelKey:
    """The model of the config that --model names."""
    from features.model_keys import require_key

    return require_key(text, known=config.models, what="--model names no model of the config")


def read_cutoffs(
    cutoffs: list[str] | None, *, since: str | None, until: str | None, step_days: int | None
) -> tuple[datetime, ...]:
    """The moments of --cutoff, or those from --from to --to, 30 days apart; none where none was typed."""
    from training.backtesting.dates import evenly

    listed = tuple(read_moment("--cutoff", value=text) for text in cutoffs or ())
    if since is None and until is None:
        refuse("--step", given=step_days, where="without --from and --to", fix="give both, or leave it out")
        return listed
    if listed or since is None or until is None:
        raise ConfigError(
            "cutoffs are given in part or twice",
            got="--cutoff beside --from or --to" if listed else "one of --from and --to",
            allowed="--cutoff, or --from and --to together",
            fix="leave one out, or add the other",
        )
    start, end = read_moment("--from", value=since), read_moment("--to", value=until)
    return evenly(start, until=end, step_days=_STEP_DAYS if step_days is None else step_days)


def with_capacity(config: Config, capacity: int | None, *, kind: Kind, workspace: Workspace) -> Config:
    """The config with the weekly capacity that was typed, if one was.

    Fit has no days of warning, nor have outcomes without dates.
    """
    if capacity is None:
        return config
    if kind == "fit":
        refuse("--capacity", given=capacity, where="with --model fit")
    with workspace.lease() as manifest:
        if "opportunities" in manifest.undated:
            refuse("--capacity", given=capacity, where="where opportunities have no dates")
    settings = config.backtest.model_copy(update={"weekly_capacity": capacity})
    return config.model_copy(update={"backtest": settings})


def with_parameters(config: Config, file: Path | None) -> Config:
    """The config with the parameters of a file of `spearfish tune`, if one was typed."""
    if file is None:
        return config
    from training.tuning.parameters import use_parameters

    return use_parameters(config, file=file)
