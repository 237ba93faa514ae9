"""Mappings for the exports of well-known systems, as texts to start from.

Turns the name of a preset into a commented TOML file. Time rule: each source of a preset says how
`known_at` follows from its data. Null rule: what an export lacks is left out or stays empty.
"""

from __future__ import annotations

from importlib import resources

__all__ = ["PRESETS", "preset_text"]

PRESETS = ("salesforce", "salesforce_reports", "hubspot", "hubspot_reports", "csv")
"""`NAME` is the shape in which a replication tool lands objects, `NAME_reports` the system's own export."""


def preset_text(name: str) -> str:
    """The TOML file of a preset."""
    return resources.files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
