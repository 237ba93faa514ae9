"""The tables of target account lists, in SQLAlchemy's words.

Declares the lists, their versions, who is on them and why, what the machine said of each account, what
people decided, who approved, what was changed, and what was handed to a CRM. Who is on a list is told by
intervals: a row of `list_members` holds for the versions `since` to before `until`, so that a change of one
account costs one row and any two versions can be compared. Time rule: moments are naive UTC, whole seconds.
Null rule: texts that are sorted and searched are empty where nothing is known.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from serving.store.columns import CompressedText, metadata, moment

__all__ = [
    "OPEN",
    "UNSCORED",
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
    "target_lists",
]

OPEN = 2**31 - 1
"""`until` of a row that holds for the newest version."""

UNSCORED = -1e300
"""`score` of a member that the machine never scored: an empty cell would be sorted differently by each
database."""


def _list(*, key: bool = False) -> Column[int]:
    return Column("list_id", Integer, ForeignKey("target_lists.id"), primary_key=key, nullable=False)


target_lists = Table(
    "target_lists",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("owner", String(200), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("pilot", Boolean, nullable=False),
    Column("sub_industry", Text),
    Column("size", Integer, nullable=False),
    Column("segments", JSON, nullable=False),
    Column("goals", JSON, nullable=False),
    Column("rules", JSON, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("approved_version", Integer),
    moment("created_at"),
    Column("created_by", String(200), nullable=False),
    moment("changed_at"),
    Column("changed_by", String(200), nullable=False),
    moment("refreshed_at", nullable=True),
    moment("rebuilt_at", nullable=True),
    Column("erased", Integer, nullable=False),
    CheckConstraint("state IN ('draft', 'review', 'approved', 'archived')", name="state"),
    sqlite_autoincrement=True,
)
"""The lists. revision: rises with every change of what people see. version: the newest; approved_version: the
newest that was approved, which is what a CRM gets. erased: accounts that were on it and were forgotten."""

list_versions = Table(
    "list_versions",
    metadata,
    Column("id", Integer, primary_key=True),
    _list(),
    Column("number", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    moment("opened_at"),
    Column("opened_by", String(200), nullable=False),
    Column("why", Text, nullable=False),
    Column("source", JSON, nullable=False),
    Column("drops", JSON, nullable=False),
    moment("approved_at", nullable=True),
    Index("ix_list_versions_list_id_number", "list_id", "number", unique=True),
    sqlite_autoincrement=True,
)
"""What a list was drawn from. source: as whoever drew it tells; drops: how many candidates each rule left
out."""

list_members = Table(
    "list_members",
    metadata,
    _list(key=True),
    Column("account_id", Text, primary_key=True),
    Column("since", Integer, primary_key=True, autoincrement=False),
    Column("until", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("segment", Text, nullable=False),
    Column("why", String(40), nullable=False),
    Column("override_id", Integer),
    Column("move_id", Integer),
    Column("suggested", Boolean, nullable=False),
    Column("machine_segment", Text, nullable=False),
    Column("score", Double, nullable=False),
    Column("probability", Double),
    Column("low", Double),
    Column("high", Double),
    Column("draw", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("industry", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("account_owner", Text, nullable=False),
    Column("left_why", String(40)),
    Column("left_override_id", Integer),
    CheckConstraint("status IN ('target', 'dropped')", name="status"),
    Index("ix_list_members_score", "list_id", "until", "status", "score", "account_id"),
    Index("ix_list_members_name", "list_id", "until", "status", "name_key", "account_id"),
    Index("ix_list_members_segment", "list_id", "until", "status", "segment", "score", "account_id"),
)
"""Who is on a list in the versions from `since` to before `until`. dropped: taken off by a person. suggested:
whether the machine, in its draw `draw`, wants it there. name_key: the name by which it is sorted and found.
why, left_why: of `serving.lists.merging`."""

list_suggestions = Table(
    "list_suggestions",
    metadata,
    _list(key=True),
    Column("draw", Integer, primary_key=True, autoincrement=False),
    Column("account_id", Text, primary_key=True),
    Column("detail", CompressedText, nullable=False),
)
"""What the machine said of an account in a draw, as JSON: reasons for and against, and the nearest seeds."""

list_drops = Table(
    "list_drops",
    metadata,
    _list(key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("account_id", Text, primary_key=True),
    Column("rule", String(80), nullable=False),
    Column("detail", Text, nullable=False),
    Column("score", Double),
)
"""Candidates that a rule left out of a version, the best of each rule."""

list_overrides = Table(
    "list_overrides",
    metadata,
    Column("id", Integer, primary_key=True),
    _list(),
    Column("account_id", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("segment", Text),
    Column("reason", Text, nullable=False),
    Column("made_by", String(200), nullable=False),
    moment("made_at"),
    moment("expires_at", nullable=True),
    Column("machine_score", Double),
    moment("ended_at", nullable=True),
    Column("ended_by", String(200)),
    Column("ended_why", Text),
    CheckConstraint("kind IN ('pin', 'drop', 'move')", name="kind"),
    Index("ix_list_overrides_list_id_account_id", "list_id", "account_id"),
    sqlite_autoincrement=True,
)
"""What people decided of accounts. A row is ended, never changed and never deleted but to forget an account.
machine_score: of the account at that moment."""

list_approvals = Table(
    "list_approvals",
    metadata,
    Column("id", Integer, primary_key=True),
    _list(),
    Column("version", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("side", String(16), nullable=False),
    Column("decision", String(24), nullable=False),
    Column("approver", String(200), nullable=False),
    Column("comment", Text, nullable=False),
    moment("at"),
    CheckConstraint("side IN ('marketing', 'sales')", name="side"),
    CheckConstraint("decision IN ('approved', 'changes_requested')", name="decision"),
    Index("ix_list_approvals_list_id_version", "list_id", "version"),
    sqlite_autoincrement=True,
)
"""Who approved a version, as it stood at a revision, or asked for changes."""

list_changes = Table(
    "list_changes",
    metadata,
    Column("id", Integer, primary_key=True),
    _list(),
    Column("revision", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("area", String(16), nullable=False),
    Column("action", String(32), nullable=False),
    Column("who", String(200), nullable=False),
    moment("at"),
    Column("account_id", Text),
    Column("detail", Text, nullable=False),
    Index("ix_list_changes_list_id_revision", "list_id", "revision"),
    sqlite_autoincrement=True,
)
"""Every change of a list, for whoever comes second and for whoever asks later."""

list_exports = Table(
    "list_exports",
    metadata,
    Column("id", Integer, primary_key=True),
    _list(),
    Column("version", Integer, nullable=False),
    Column("format", String(16), nullable=False),
    Column("who", String(200), nullable=False),
    moment("at"),
    Column("found_by", String(16), nullable=False),
    Column("draft", Boolean, nullable=False),
    Column("targets", Integer, nullable=False),
    Column("leavers", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("name", String(200), nullable=False),
    Column("in_use", Boolean, nullable=False),
    Column("others", JSON, nullable=False),
    Index("ix_list_exports_list_id", "list_id"),
    sqlite_autoincrement=True,
)
"""What was handed over. revision, name, in_use: of the list at that moment, and `others` those lists in use,
with their names and versions then, that had taken up who had left: the file is written anew whenever it is
asked for, and must say the same."""

list_flags = Table(
    "list_flags",
    metadata,
    _list(key=True),
    Column("format", String(16), primary_key=True),
    Column("account_id", Text, primary_key=True),
    Column("export_id", Integer, nullable=False),
    Column("found_by", String(16), nullable=False),
    Column("identifier", Text, nullable=False),
)
"""Accounts that a CRM was told to be targets, and by what it found them: `export_id` told it first. They are
told of for good, as false once they have left: nobody knows whether the file that said so was read."""

list_exclusions = Table(
    "list_exclusions",
    metadata,
    _list(key=True),
    Column("entry", Text, primary_key=True),
)
"""Accounts and domains that must not be on a list, from a file."""
