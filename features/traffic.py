"""Traffic that is no engagement: our own people, and machines.

Turns what a source says of the visitor (an e-mail address, a user agent) into the mark `traffic` of its
activities, by rules that the mapping declares. A marked row stays in its table and in the load report;
features leave it out. The address and the user agent themselves are never stored. Time rule: none. Null
rule: a visitor of whom nothing is told is a genuine one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import duckdb
from pydantic import Field, model_validator

from features.contract import TABLES
from features.engine import run_sql
from features.settings import Section
from features.validation import literal

__all__ = ["DEFAULT_BOTS", "TrafficColumns", "traffic_counts", "with_rules"]

DEFAULT_BOTS = (
    *("bot/", "bot;", "bot)", "bot-", "bot ", "+http", "crawler", "spider", "slurp", "facebookexternalhit"),
    *("headlesschrome", "phantomjs", "python-requests", "python-urllib", "curl/", "wget/", "go-http-client"),
    *("barracuda", "mimecast", "proofpoint", "safelinks", "uptimerobot", "pingdom", "lighthouse"),
)
"""Parts of user agents of search engines, link scanners of mail gateways, monitors and scripts."""

_RULES = ("own_domains", "own_emails", "bots")


class TrafficColumns(Section):
    """[sources.traffic]: the source columns that tell who was there; the rules are those of [engagement].

    email: the visitor's address; one of ours is internal traffic.
    user_agent: what the browser says it is; a machine's is a bot.
    """

    email: str | None = None
    user_agent: str | None = None
    own_domains: tuple[str, ...] = Field(default=(), exclude=True)
    own_emails: tuple[str, ...] = Field(default=(), exclude=True)
    bots: tuple[str, ...] = Field(default=(), exclude=True)

    @model_validator(mode="after")
    def _tells_something(self) -> TrafficColumns:
        if not self.columns:
            raise ValueError("give 'email', 'user_agent' or both: columns of the source")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The source columns that are read."""
        return tuple(name for name in (self.email, self.user_agent) if name is not None)

    def sql(self, cells: Mapping[str, str]) -> str:
        """The mark of a row. cells: SQL of each source column."""
        told = []
        if self.email is not None and (self.own_domains or self.own_emails):
            told.append(f"WHEN {self._internal(cells[self.email])} THEN 'internal'")
        if self.user_agent is not None and self.bots:
            parts = "|".join(re.escape(part.lower()) for part in self.bots)
            agent = f"lower(CAST({cells[self.user_agent]} AS VARCHAR))"
            told.append(f"WHEN regexp_matches({agent}, {literal(parts)}) THEN 'bot'")
        return f"CASE {' '.join(told)} END" if told else "CAST(NULL AS VARCHAR)"

    def _internal(self, cell: str) -> str:
        address = f"lower(trim(CAST({cell} AS VARCHAR)))"
        domain = f"'.' || split_part({address}, '@', -1)"
        ways = [f"ends_with({domain}, {literal('.' + name.lower())})" for name in self.own_domains]
        ways += [f"{address} = {literal(email.lower())}" for email in self.own_emails]
        return f"(contains({address}, '@') AND ({' OR '.join(ways)}))"


def with_rules(raw: Mapping[str, Any]) -> list[object]:
    """The sources of a TOML document, the rules of [engagement] put into every [sources.traffic]."""
    engagement = raw.get("engagement", {})
    rules = {"bots": DEFAULT_BOTS} | {
        name: engagement[name] for name in _RULES if isinstance(engagement, dict) and name in engagement
    }
    return [
        source | {"traffic": source["traffic"] | rules}
        if isinstance(source, dict) and isinstance(source.get("traffic"), dict)
        else source
        for source in raw["sources"]
    ]


def traffic_counts(connection: duckdb.DuckDBPyConnection, *, relation: str) -> dict[str, int]:
    """Marked activities by mark, in the order of the contract."""
    found = dict(
        run_sql(
            connection, f"SELECT traffic, count(*) FROM {relation} WHERE traffic IS NOT NULL GROUP BY 1"
        ).fetchall()
    )
    allowed = TABLES["activities"].column("traffic").allowed or ()
    return {mark: int(found[mark]) for mark in allowed if mark in found}
