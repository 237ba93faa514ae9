"""Traffic that is no engagement: our own people, and machines.

Turns what a source says of the visitor (an e-mail address, a user agent) into the mark `traffic` of its
activities, by rules that the mapping declares. A marked row stays in its table and in the load report;
features leave it out. The address and the user agent themselves are never stored. Time rule: none. Null
rule: a visitor of whom nothing is told is a genuine one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import duckdb
from pydantic import model_validator

from features.contract import TRAFFIC
from features.engine import run_sql
from features.settings import Section
from features.validation import literal

__all__ = ["DEFAULT_BOTS", "TrafficColumns", "traffic_counts"]

DEFAULT_BOTS = (
    *("bot/", "bot;", "bot)", "bot-", "bot ", "+http", "crawler", "spider", "slurp", "facebookexternalhit"),
    *("headlesschrome", "phantomjs", "python-requests", "python-urllib", "curl/", "wget/", "go-http-client"),
    *("barracuda", "mimecast", "proofpoint", "safelinks", "uptimerobot", "pingdom", "lighthouse"),
)
"""Parts of user agents of search engines, link scanners of mail gateways, monitors and scripts."""


class TrafficColumns(Section):
    """[sources.traffic]: the source columns that tell who was there; the rules are those of [engagement].

    email: the visitor's address; one of ours is internal traffic.
    user_agent: what the browser says it is; a machine's is a bot.
    """

    email: str | None = None
    user_agent: str | None = None
    own_domains: tuple[str, ...] = ()
    own_emails: tuple[str, ...] = ()
    bots: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _tells_something(self) -> TrafficColumns:
        if not self.columns:
            raise ValueError("give 'email', 'user_agent' or both: columns of the source")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The source columns that are read."""
        return tuple(name for name in (self.email, self.user_agent) if name is not None)

    def sql(self, cell: Callable[[str], str]) -> str:
        """The mark of a row. cell: from a source column to its SQL."""
        told = []
        if self.email is not None and (self.own_domains or self.own_emails):
            told.append(f"WHEN {self._internal(cell(self.email))} THEN 'internal'")
        if self.user_agent is not None and self.bots:
            parts = "|".join(re.escape(part.lower()) for part in self.bots)
            agent = f"lower(CAST({cell(self.user_agent)} AS VARCHAR))"
            told.append(f"WHEN regexp_matches({agent}, {literal(parts)}) THEN 'bot'")
        return f"CASE {' '.join(told)} END" if told else "CAST(NULL AS VARCHAR)"

    def _internal(self, cell: str) -> str:
        address = f"lower(trim(CAST({cell} AS VARCHAR)))"
        domain = f"'.' || split_part({address}, '@', -1)"
        ways = [f"ends_with({domain}, {literal('.' + name.lower())})" for name in self.own_domains]
        ways += [f"{address} = {literal(email.lower())}" for email in self.own_emails]
        return f"(contains({address}, '@') AND ({' OR '.join(ways)}))"


def traffic_counts(connection: duckdb.DuckDBPyConnection, *, folder: Path) -> dict[str, int]:
    """Marked activities of a snapshot by mark, in the order of the contract."""
    file = folder / "activities.parquet"
    if not file.is_file():
        return {}
    sql = f"SELECT traffic, count(*) FROM read_parquet({literal(str(file))}) GROUP BY traffic"
    found = dict(run_sql(connection, sql).fetchall())
    return {mark: int(found[mark]) for mark in TRAFFIC if mark in found}
