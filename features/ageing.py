"""Features whose values move as time passes, even where nothing changes.

Turns a declaration into the reason, or into nothing: days since something grow by one each day for everybody,
and what is counted since the beginning only ever grows. What compares a population of now with one of the
past, such as drift, must not take either for a change. Time rule: told from the formula alone, never from
values. Null rule: a feature without a formula, as an older spearfish stored it, has no reason.
"""

from __future__ import annotations

from features.feature import Feature
from features.formulas import names_read

__all__ = ["ageing"]

_CLOCK = frozenset({"as_of", "age", "day", "opened_age", "closed_age"})
"""What formulas read to tell how long ago something was."""

_SPANS = frozenset({"days", "weeks", "months", "years"})
_GROWING = frozenset({"activities", "opportunities"})
"""Tables of which formulas read every row so far, but for those outside a window."""

_AGE = "it grows by itself, as it tells how long ago something was"
_LIFETIME = "it grows by itself, as it counts everything so far"


def ageing(feature: Feature) -> str:
    """Why the feature moves with time alone; empty when it does not."""
    if not feature.formula or feature.window_days is not None:
        return ""
    if _CLOCK.isdisjoint(names_read(feature)):
        return _LIFETIME if feature.table in _GROWING else ""
    is_span = feature.unit in _SPANS or feature.table in {"accounts", "opportunities"}
    return _AGE if is_span else ""
