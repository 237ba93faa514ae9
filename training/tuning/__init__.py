"""Tuning: parameters chosen within a time budget on forward-in-time folds, and judged on later ones."""
