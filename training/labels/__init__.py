"""Labels: canonical tables and a cutoff in, rows of (account_id, as_of, label) out.

Time rule: these are the only modules that look past `as_of`, and they stop at the cutoff: a training label
rests on rows with `known_at < cutoff` alone, and its window `[as_of, as_of + horizon)` has ended by then.
Whether an account is in the population rests on rows with `known_at < as_of`. Null rule: an opportunity
without an outcome is open, never lost; a time to close that is not over yet is censored, not dropped.
"""

from __future__ import annotations

from features.label_rules import left_out, require_dateless
from training.labels.cutoffs import next_cutoff, require_past
from training.labels.events import first_events
from training.labels.intent import (
    IntentLabels,
    history_starts,
    intent_labels,
    intent_outcomes,
    intent_snapshots,
    label_snapshots,
)
from training.labels.population import fit_population, intent_population, known_accounts, spoken_of
from training.labels.survival import TimeToClose, time_to_close
from training.labels.universe import Universe, distinct_accounts
from training.labels.won_lost import FitLabels, fit_followed, fit_labels

__all__ = [
    "FitLabels",
    "IntentLabels",
    "TimeToClose",
    "Universe",
    "distinct_accounts",
    "first_events",
    "fit_followed",
    "fit_labels",
    "fit_population",
    "history_starts",
    "intent_labels",
    "intent_outcomes",
    "intent_population",
    "intent_snapshots",
    "known_accounts",
    "label_snapshots",
    "left_out",
    "next_cutoff",
    "require_dateless",
    "require_past",
    "spoken_of",
    "time_to_close",
]
