"""Puts the rules of counting into an SQL engine, beside the tables that they are about.

Turns a catalogue's rules into the relations `channel_rules`, `level_weights` and `size_levels`, and the table
`activities` into `counted_activities`, which every step reads in its place: without those of people who have
opted out. Time and null rules: those of `features.queries`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import duckdb

from features.counting import CountingRules, SizeLevel, rule_relations
from features.queries import consent_periods, counted_activities

__all__ = ["count_by", "install_rules", "know_consent"]


def install_rules(
    connection: duckdb.DuckDBPyConnection,
    rules: CountingRules,
    *,
    own: Collection[str] = (),
    sizes: Sequence[SizeLevel] = (),
) -> None:
    """Create the relations of the rules as tables, so that every cursor of the connection sees them."""
    for name, relation in rule_relations(rules, own=own, sizes=sizes).items():
        connection.register("given", relation)
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
        connection.unregister("given")


def know_consent(connection: duckdb.DuckDBPyConnection, *, kind: str = "TABLE") -> None:
    """Create `consent_periods` from `consent_told`, once for all who ask. kind: TABLE, or TEMP TABLE."""
    connection.execute(f"CREATE {kind} consent_periods AS {consent_periods()}")


def count_by(connection: duckdb.DuckDBPyConnection, rules: CountingRules, *, kind: str = "VIEW") -> None:
    """Create `counted_activities` over `activities` and `consent_periods`.

    kind: VIEW, or TEMP TABLE where it is read twice.
    """
    connection.execute(f"CREATE {kind} counted_activities AS {counted_activities(anonymous=rules.anonymous)}")
