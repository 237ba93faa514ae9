"""Labels of intent: snapshots in, whether the event happened within the horizon out.

Time rule: a training label rests on rows with `known_at < cutoff` alone, and its window [as_of, as_of +
horizon) has ended by then; a snapshot whose window has not is left out, or counts in parts (`censoring`).
Null rule: an event that is not known has not happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pandas as pd

from features.label_rules import any_rule, counted, left_out, require_known_names
from features.label_settings import IntentLabelSettings
from features.listed_accounts import lines_without_account
from features.tables import Tables
from training.labels.censoring import in_parts
from training.labels.events import events_sql, require_known_event
from training.labels.population import POPULATION, blocking
from training.labels.reading import frame, register_moments

__all__ = [
    "IntentLabels",
    "history_starts",
    "intent_labels",
    "intent_outcomes",
    "intent_snapshots",
    "label_snapshots",
]

_HISTORY_STARTS = """
    SELECT min(moment) FROM (
        SELECT min(occurred_at) AS moment FROM activities WHERE known_at < $cutoff
        UNION ALL SELECT min(created_at) FROM opportunities WHERE known_at < $cutoff
    )
"""


@dataclass(frozen=True)
class IntentLabels:
    """frame: account_id, as_of, label, label_known_at (the end of the window); by date and account.

    parts: of snapshots whose window has not ended, where they count by weight: account_id, as_of, label,
    weight, the weights of a row adding up to 1; empty otherwise. counts: rows that rules left
    out, and lines of lists.
    """

    frame: pd.DataFrame
    parts: pd.DataFrame
    counts: dict[str, int] = field(default_factory=dict)


def history_starts(tables: Tables, *, cutoff: datetime) -> datetime | None:
    """The first activity or opportunity known before the cutoff; None without any."""
    with tables.connect() as connection:
        row = connection.execute(_HISTORY_STARTS, {"cutoff": cutoff}).fetchone()
    start: datetime | None = None if row is None else row[0]
    return start


def intent_snapshots(
    tables: Tables, *, cutoff: datetime, settings: IntentLabelSettings
) -> tuple[datetime, ...]:
    """The dates that train a model at `cutoff`: cutoff - horizon - k * step, oldest first.

    They go back `history_days`, and never to before the first activity or opportunity.
    """
    start = history_starts(tables, cutoff=cutoff)
    if start is None:
        return ()
    if settings.history_days is not None:
        start = max(start, cutoff - timedelta(days=settings.history_days))
    last = cutoff - timedelta(days=settings.horizon_days)
    steps = (last - start) // timedelta(days=settings.step_days)
    return tuple(last - timedelta(days=settings.step_days * k) for k in range(steps, -1, -1))


def intent_labels(tables: Tables, *, cutoff: datetime, settings: IntentLabelSettings) -> pd.DataFrame:
    """The snapshots whose window has ended at `cutoff`, by date and account.

    Columns: account_id, as_of, label, label_known_at (the end of the window).
    """
    return label_snapshots(tables, cutoff=cutoff, settings=settings).frame


def label_snapshots(tables: Tables, *, cutoff: datetime, settings: IntentLabelSettings) -> IntentLabels:
    """What trains an intent model at `cutoff`: labels, parts of labels, and what rules left out.

    Raises ConfigError for a name in the settings that the tables do not hold.
    """
    require_known_names(tables, settings=settings)
    require_known_event(tables, settings=settings)
    ended = intent_snapshots(tables, cutoff=cutoff, settings=settings)
    running = _running(ended, cutoff=cutoff, settings=settings)
    found, reasons = _happened(tables, as_of=[*ended, *running], settings=settings, known_before=cutoff)
    horizon = timedelta(days=settings.horizon_days)
    whole = found["as_of"] + horizon <= pd.Timestamp(cutoff)
    labels = found[whole].reset_index(drop=True)
    return IntentLabels(
        frame=_labelled(labels).assign(label_known_at=labels["as_of"] + horizon),
        parts=in_parts(found, cutoff=cutoff, horizon=horizon),
        counts=counted(reasons, settings=settings) | lines_without_account(tables, settings=settings),
    )


def intent_outcomes(
    tables: Tables,
    *,
    as_of: Sequence[datetime],
    settings: IntentLabelSettings,
    known_before: datetime | None = None,
) -> pd.DataFrame:
    """Population and label at the given dates, by rows known before `known_before`.

    Without `known_before` everything counts: for evaluation, never for training.
    Columns: account_id, as_of (datetime64[us]), label (int64, 0 or 1); sorted by as_of, account_id.
    """
    found, _ = _happened(tables, as_of=as_of, settings=settings, known_before=known_before)
    return _labelled(found)


def _running(ended: Sequence[datetime], *, cutoff: datetime, settings: IntentLabelSettings) -> list[datetime]:
    """The snapshots after the last whole one, whose windows are still running at the cutoff."""
    if settings.censoring == "leave_out" or not ended:
        return []
    step = timedelta(days=settings.step_days)
    count = -((ended[-1] - cutoff) // step) - 1
    return [ended[-1] + step * k for k in range(1, count + 1)]


def _happened(
    tables: Tables, *, as_of: Sequence[datetime], settings: IntentLabelSettings, known_before: datetime | None
) -> tuple[pd.DataFrame, pd.Series[str]]:
    """The population and when the event first happened within the window; and why others were left out."""
    events, parameters = events_sql(settings)
    sql = f"""
        WITH population AS ({POPULATION}), event AS ({events})
        SELECT population.account_id, population.as_of, min(event.happened_at) AS happened_at
        FROM population LEFT JOIN event
          ON event.account_id = population.account_id
         AND event.happened_at >= population.as_of AND event.happened_at < population.until
        GROUP BY population.account_id, population.as_of
        ORDER BY population.as_of, population.account_id
    """
    given = {"known_before": known_before, "product": settings.product, "blocking": blocking(settings)}
    with tables.connect() as connection:
        register_moments(connection, as_of, horizon=timedelta(days=settings.horizon_days))
        found = frame(connection, sql, **given | parameters)
        if not any_rule(settings):
            return found, pd.Series(dtype="object")
        reasons = left_out(connection, found, settings=settings)
    return found[reasons.isna()].reset_index(drop=True), reasons


def _labelled(found: pd.DataFrame) -> pd.DataFrame:
    label = found["happened_at"].notna().astype("int64")
    return found[["account_id", "as_of"]].assign(label=label)
