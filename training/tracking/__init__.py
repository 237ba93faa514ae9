"""Tracking: trainings as runs and registered models of MLflow, and their copies in the BentoML store.

Time rule: none. Null rule: a model that was not trained has no run.
"""

from __future__ import annotations
