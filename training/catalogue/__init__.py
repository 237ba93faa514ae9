"""The feature catalogue: one page per feature, for people.

Time rule: coverage and distributions are as of a moment. Null rule: how often a feature is empty is told.
"""

from __future__ import annotations
