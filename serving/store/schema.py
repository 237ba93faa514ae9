"""The tables of the store, in SQLAlchemy's words.

Declares what people and services write: the bundles, the releases made of them, the one pointer row that
says which release answers, and the log of who moved it; the keys of callers, what was done with them, and
the answers to requests that must not be done twice; the log of answers, and what people say of accounts; the
activities that were sent to the service; jobs over files, with their rows and results; target account lists
(`serving.store.list_tables`); people who use the page (`serving.store.people_tables`). The database itself is
made by the migrations, and a test holds the two together. Time rule: every moment is whole seconds, UTC,
stored without a zone. Null rule: a release may lack any of the models, but one; a pointer without a release
means that nothing was promoted yet; a key without an end does not expire.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from serving.store.columns import CompressedText, UtcSeconds, metadata, moment
from serving.store.list_tables import (
    list_approvals,
    list_changes,
    list_drops,
    list_exclusions,
    list_exports,
    list_flags,
    list_members,
    list_overrides,
    list_suggestions,
    list_versions,
    target_lists,
)
from serving.store.people_tables import people_changes, sessions, sign_in_links, users

__all__ = [
    "REVISION",
    "CompressedText",
    "UtcSeconds",
    "activities",
    "api_keys",
    "audit_log",
    "bundles",
    "feedback",
    "finished_requests",
    "job_parts",
    "jobs",
    "key_changes",
    "list_approvals",
    "list_changes",
    "list_drops",
    "list_exclusions",
    "list_exports",
    "list_flags",
    "list_members",
    "list_overrides",
    "list_suggestions",
    "list_versions",
    "metadata",
    "people_changes",
    "pointer",
    "predictions",
    "refused_uses",
    "release_events",
    "release_models",
    "releases",
    "sessions",
    "sign_in_links",
    "target_lists",
    "users",
]

REVISION = "0009"
"""The newest migration. A database that says so is opened without loading alembic."""


def _release(name: str, *, nullable: bool = True) -> Column[Any]:
    return Column(name, Integer, ForeignKey("releases.id"), nullable=nullable)


bundles = Table(
    "bundles",
    metadata,
    Column("fingerprint", String(128), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("name", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
    moment("created_at"),
    CheckConstraint("kind IN ('fit', 'intent')", name="kind"),
)

releases = Table(
    "releases",
    metadata,
    Column("id", Integer, primary_key=True),
    moment("created_at"),
    Column("created_by", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("settings", JSON, nullable=False),
    _release("previous_id"),
    sqlite_autoincrement=True,
)

release_models = Table(
    "release_models",
    metadata,
    Column("release_id", Integer, ForeignKey("releases.id"), primary_key=True),
    Column("model", String(48), primary_key=True),
    Column("fingerprint", String(128), ForeignKey("bundles.fingerprint"), nullable=False),
)
"""What a release holds; `model` is the key of one, such as fit or fit.emea."""

pointer = Table(
    "pointer",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    _release("release_id"),
    moment("activate_at", nullable=True),
    _release("replaced_id"),
    CheckConstraint("id = 1", name="one_row"),
)

release_events = Table(
    "release_events",
    metadata,
    Column("id", Integer, primary_key=True),
    moment("at"),
    Column("who", String(200), nullable=False),
    Column("why", Text, nullable=False),
    Column("action", String(16), nullable=False),
    _release("release_id", nullable=False),
    _release("replaced_id"),
    moment("activate_at"),
    sqlite_autoincrement=True,
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("prefix", String(16), nullable=False, unique=True),
    Column("digest", String(64), nullable=False),
    Column("owner", String(200), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("per_minute", Integer, nullable=False),
    Column("burst", Integer, nullable=False),
    moment("created_at"),
    Column("created_by", String(200), nullable=False),
    moment("expires_at", nullable=True),
    moment("revoked_at", nullable=True),
    moment("last_used_at", nullable=True),
    sqlite_autoincrement=True,
)
"""Keys of callers. digest: SHA-256 of the key, in hexadecimal; last_used_at: to the hour."""

key_changes = Table(
    "key_changes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)
"""How often the keys were changed: one small row that workers look at, as at the pointer."""

refused_uses = Table(
    "refused_uses",
    metadata,
    Column("hour", UtcSeconds, primary_key=True),
    Column("reason", String(32), primary_key=True),
    Column("prefix", String(16), primary_key=True),
    Column("count", Integer, nullable=False),
)
"""Requests that were refused, counted by hour. prefix: that of a known key, empty for any other."""

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Integer, primary_key=True),
    moment("at"),
    Column("who", String(200), nullable=False),
    Column("action", String(32), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_autoincrement=True,
)

finished_requests = Table(
    "finished_requests",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("body", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", Text, nullable=False),
    Column("at", UtcSeconds, nullable=False, index=True),
)
"""Answers to requests that came with an Idempotency-Key. name, body: SHA-256, in hexadecimal."""

predictions = Table(
    "predictions",
    metadata,
    Column("request_id", String(64), primary_key=True),
    Column("at", UtcSeconds, nullable=False, index=True),
    moment("as_of"),
    Column("account_id", Text),
    Column("api_key_id", Integer),
    Column("release_id", Integer, nullable=False),
    Column("fit_probability", Double),
    Column("fit_grade", String(1)),
    Column("intent_probability", Double),
    Column("intent_grade", String(1)),
    Column("machine_score", Double),
    Column("working_score", Double),
    Column("inputs", CompressedText),
    Column("answer", CompressedText, nullable=False),
    Column("evidence", LargeBinary, nullable=False),
    Column("erased", String(16)),
    Index("ix_predictions_account_id_at", "account_id", "at"),
)
"""The log of answers. A key or a release that it names may be gone: it outlives them."""

feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcSeconds, nullable=False, index=True),
    Column("account_id", Text, nullable=False, index=True),
    Column("verdict", String(16), nullable=False),
    Column("request_id", String(64)),
    Column("reason", Text),
    Column("outcome", String(32)),
    Column("machine_score", Double),
    Column("given_by", String(200)),
    Column("api_key_id", Integer),
    CheckConstraint("verdict IN ('accepted', 'rejected', 'outcome')", name="verdict"),
    sqlite_autoincrement=True,
)
"""What people say of accounts. Its rows are never changed, but to forget somebody."""

activities = Table(
    "activities",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("activity_id", Text, nullable=False, unique=True),
    Column("account_id", Text, nullable=False),
    Column("contact_id", Text),
    Column("channel", String(40), nullable=False),
    Column("direction", String(16), nullable=False),
    moment("occurred_at"),
    moment("known_at"),
    Column("quantity", BigInteger, nullable=False),
    Column("seconds", BigInteger),
    Column("people", BigInteger),
    Column("traffic", String(16)),
    Column("api_key_id", Integer),
    Index("ix_activities_account_id_sequence", "account_id", "sequence"),
)
"""Activities that were sent to the service, as the contract has them. Rows are never changed, and deleted
only to forget somebody. sequence: see `serving.store.activities`."""

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    moment("created_at"),
    moment("started_at", nullable=True),
    Column("finished_at", UtcSeconds, index=True),
    Column("api_key_id", Integer),
    Column("language", String(2), nullable=False),
    Column("format", String(16), nullable=False),
    moment("as_of", nullable=True),
    Column("release_id", Integer),
    Column("fingerprints", JSON),
    Column("rows", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("problem", Text),
    Column("attempts", Integer, nullable=False),
    Column("lease", String(32)),
    moment("lease_until", nullable=True),
    CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="state"),
    Index("ix_jobs_state_created_at", "state", "created_at"),
)
"""Jobs over files. lease: of the runner that works on it, until `lease_until`; attempts: how often it was
begun since its last part was done. A key or a release that it names may be gone."""

job_parts = Table(
    "job_parts",
    metadata,
    Column("job_id", String(32), ForeignKey("jobs.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("first_row", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("input", LargeBinary),
    Column("result", LargeBinary),
)
"""The rows of jobs, as Parquet. input: until they are answered; result: from then on."""
