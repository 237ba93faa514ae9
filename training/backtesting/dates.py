"""The dates of a backtest: what was asked for, or the config, in; cutoffs that can be tested out.

Turns options, settings and the extent of the tables into cutoffs. Time rule: of intent, a cutoff can be
tested when its whole horizon is known, as what did not happen yet would count as if it never did; the config
may let a few days of it be missing, which is told beside the figures. Of fit, at least half of the window
must be known: what is still open counts for nothing. Null rule: without any date, the last cutoff at which
every outcome can be known.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from features.errors import ConfigError, InputError, NotEnoughDataError
from features.mapping import Config
from features.settings import IntentLabelSettings
from features.tables import Tables
from models.card import Kind
from training.labels import fit_labels, intent_snapshots, next_cutoff, require_past

__all__ = ["chosen_cutoffs", "evenly", "last_testable_cutoff", "require_enabled", "require_history"]

_MOST = 200


def evenly(since: datetime, *, until: datetime, step_days: int) -> tuple[datetime, ...]:
    """since, since + step, ... up to and with `until`.

    >>> since, until = datetime.fromisoformat("2024-01-01"), datetime.fromisoformat("2024-02-01")
    >>> [one.day for one in evenly(since, until=until, step_days=14)]
    [1, 15, 29]
    """
    if until < since:
        raise InputError(
            "the backtest would end before it starts",
            got=f"{since.isoformat()}Z to {until.isoformat()}Z",
            fix="swap --from and --to",
        )
    count = (until - since) // timedelta(days=step_days) + 1
    if count > _MOST:
        raise InputError("too many cutoffs", got=f"{count:,}", allowed=f"up to {_MOST}", fix="raise --step")
    return tuple(since + timedelta(days=step_days * number) for number in range(count))


def chosen_cutoffs(
    tables: Tables,
    *,
    config: Config,
    kind: Kind = "intent",
    asked: Sequence[datetime] = (),
    development: bool = False,
) -> tuple[datetime, ...]:
    """The cutoffs to test, oldest first: those asked for, else the config's, else the last testable one.

    Raises ConfigError where development cutoffs are wanted and there are none, InputError for a cutoff after
    which too little is known, NotEnoughDataError where the horizon is longer than the data.
    """
    settings = config.backtest
    require_enabled(config, kind=kind)
    if development and not settings.development_cutoffs:
        raise ConfigError("[backtest] names no development_cutoffs", fix="add dates to choose on")
    listed = settings.development_cutoffs if development else settings.cutoffs
    given = tuple(sorted(set(asked or listed)))
    require_past(*given, tables=tables, name="--cutoff" if asked else "[backtest] cutoffs")
    if given:
        _require_followed(given, tables=tables, config=config, kind=kind)
    moments = given or (_last(tables, config=config, kind=kind),)
    if kind == "intent":
        require_history(tables, cutoff=moments[0], settings=config.labels.intent)
    return moments


def require_enabled(config: Config, *, kind: Kind) -> None:
    """ConfigError for a fit model that the config switches off."""
    if kind == "fit" and not config.labels.fit.enabled:
        raise ConfigError(
            "the config has no fit model",
            got="[labels.fit] enabled = false",
            allowed="enabled = true",
            fix="take the intent model, or switch fit on",
        )


def last_testable_cutoff(tables: Tables, *, horizon_days: float) -> datetime:
    """The last midnight whose horizon has ended by the newest known fact."""
    ended = next_cutoff(tables) - timedelta(days=horizon_days)
    return ended.replace(hour=0, minute=0, second=0)


def _last(tables: Tables, *, config: Config, kind: Kind) -> datetime:
    """For fit, so early that opportunities of the window have had their typical time to close."""
    if kind == "intent":
        return last_testable_cutoff(tables, horizon_days=config.labels.intent.horizon_days)
    end = next_cutoff(tables)
    typical = fit_labels(tables, cutoff=end, settings=config.labels.fit).time_to_close
    wait = config.backtest.fit_window_days + (typical.days if typical else 0.0)
    return last_testable_cutoff(tables, horizon_days=wait)


def require_history(tables: Tables, *, cutoff: datetime, settings: IntentLabelSettings) -> None:
    """NotEnoughDataError unless one horizon at least has ended between the first fact and the cutoff."""
    if intent_snapshots(tables, cutoff=cutoff, settings=settings):
        return
    raise NotEnoughDataError(
        "the horizon is longer than the data before the cutoff",
        got=f"a horizon of {settings.horizon_days} days before {cutoff.isoformat()}Z",
        allowed="a first activity or opportunity at least one horizon before the cutoff",
        fix="choose a shorter horizon_days in [labels.intent] or a later cutoff, or load a longer history",
    )


def _require_followed(cutoffs: Sequence[datetime], *, tables: Tables, config: Config, kind: Kind) -> None:
    end = next_cutoff(tables)
    needed, told = _needed(config, kind=kind)
    last = end - needed
    late = [cutoff for cutoff in cutoffs if cutoff > last]
    if late:
        raise InputError(
            "what followed a cutoff is not known yet, and would count as if nothing had happened",
            got=f"{late[0].isoformat()}Z, and facts up to {end.isoformat()}Z",
            allowed=f"up to {last.isoformat()}Z, so that {told} known",
            fix="choose an earlier cutoff, or ingest newer tables",
        )


def _needed(config: Config, *, kind: Kind) -> tuple[timedelta, str]:
    """How much after a cutoff must be known, and in words; never less than half."""
    if kind == "fit":
        days = config.backtest.fit_window_days
        return timedelta(days=days) / 2, f"half of the {days} days are"
    days = config.labels.intent.horizon_days
    unfinished = min(config.backtest.unfinished_days, days // 2)
    rest = f" but {unfinished} ([backtest] unfinished_days)" if unfinished else ""
    return timedelta(days=days - unfinished), f"all of the {days} days{rest} are"
