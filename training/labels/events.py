"""Events: what an intent model foresees.

Turns deals, their stages and activities into when the event happened to whom. Time rule: only what was known
before the cutoff; without one, all. Null rule: a deal without a type is of no excluded type.
"""

from __future__ import annotations

from datetime import datetime

import pandas as pd

from features.errors import ConfigError, suggestion
from features.label_settings import IntentEvent, IntentLabelSettings
from features.tables import Tables
from training.labels.reading import STATE, frame

__all__ = ["events_sql", "first_events", "require_known_event"]

_DEALS = f"""
    SELECT * FROM ({STATE}) WHERE type IS NULL OR NOT list_contains($excluded, lower(type))
"""

_EVENTS: dict[IntentEvent, str] = {
    "opportunity_created": f"SELECT account_id, created_at AS happened_at FROM ({_DEALS})",
    "won": f"SELECT account_id, closed_at AS happened_at FROM ({_DEALS}) WHERE outcome = 'won'",
    "stage": f"""
        SELECT deal.account_id, change.occurred_at AS happened_at
        FROM stage_changes AS change JOIN ({_DEALS}) AS deal USING (opportunity_id)
        WHERE list_contains($names, change.stage)
          AND ($known_before IS NULL OR change.known_at < $known_before)
          AND (change.withdrawn_at IS NULL OR change.withdrawn_at >= $known_before)
    """,
    "activity": """
        SELECT account_id, occurred_at AS happened_at FROM activities
        WHERE list_contains($names, channel) AND traffic IS NULL
          AND ($known_before IS NULL OR known_at < $known_before)
          AND (withdrawn_at IS NULL OR withdrawn_at >= $known_before)
    """,
}

_NAMES: dict[IntentEvent, str] = {
    "stage": "SELECT DISTINCT stage FROM stage_changes",
    "activity": "SELECT DISTINCT channel FROM activities",
}


def events_sql(settings: IntentLabelSettings) -> tuple[str, dict[str, object]]:
    """The query of account_id and happened_at, and its parameters but `known_before`."""
    names = [*settings.stage, *settings.channel]
    deals: dict[str, object] = {
        "product": settings.product,
        "excluded": [kind for kind, _ in settings.excluded_deal_types],
    }
    if settings.event == "activity":
        return _EVENTS["activity"], {"names": names}
    return _EVENTS[settings.event], deals | ({"names": names} if settings.event == "stage" else {})


def first_events(
    tables: Tables,
    *,
    since: datetime | None,
    until: datetime,
    settings: IntentLabelSettings,
    known_before: datetime | None = None,
) -> pd.DataFrame:
    """When the event first happened to each account in [since, until), by rows known before `known_before`.

    Without `known_before` everything counts: for evaluation, never for training.
    Columns: account_id, happened_at; sorted by account_id.
    """
    events, parameters = events_sql(settings)
    sql = f"""
        SELECT account_id, min(happened_at) AS happened_at FROM ({events})
        WHERE ($since IS NULL OR happened_at >= $since) AND happened_at < $until
        GROUP BY account_id ORDER BY account_id
    """
    with tables.connect() as connection:
        return frame(connection, sql, known_before=known_before, since=since, until=until, **parameters)


def require_known_event(tables: Tables, *, settings: IntentLabelSettings) -> None:
    """ConfigError, with a suggestion, for a stage or channel that the tables do not hold."""
    if settings.event not in _NAMES:
        return
    with tables.connect() as connection:
        known = sorted(str(row[0]) for row in connection.execute(_NAMES[settings.event]).fetchall())
    for name in (*settings.stage, *settings.channel):
        if name not in known:
            raise ConfigError(
                f"[labels.intent] {settings.event}: the tables hold no such one",
                got=repr(name),
                allowed=", ".join(known[:20]) + (", ..." if len(known) > 20 else "") or "none",
                fix=suggestion(name, known) or "name one of them, or ingest the tables that hold it",
            )
