"""The report of a training: one self-contained page that a marketing manager can read.

Time rule: figures are from later slices than the rows that were learned from. Null rule: a model that could
not be trained is named with the reason.
"""

from __future__ import annotations

from training.report.page import write_report

__all__ = ["write_report"]
