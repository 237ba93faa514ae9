"""Drift: whether the served models still match the data."""
