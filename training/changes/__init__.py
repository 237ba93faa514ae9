"""Why a score changed: one account at two moments in, what time, facts and model did to it out.

Time rule: at each moment only rows known before it are read. Null rule: a model that does not speak of the
account at one of the moments is no change of a score, and says why.
"""

from __future__ import annotations

from training.changes.asking import ChangeReport, explain_change

__all__ = ["ChangeReport", "explain_change"]
