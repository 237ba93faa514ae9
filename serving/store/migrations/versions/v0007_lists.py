"""Target account lists: versions, members, overrides, approvals, and what was handed to a CRM."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    _lists()
    _members()
    _people()
    _handed_over()


def _lists() -> None:
    op.create_table(
        "target_lists",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("pilot", sa.Boolean, nullable=False),
        sa.Column("sub_industry", sa.Text),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("segments", sa.JSON, nullable=False),
        sa.Column("goals", sa.JSON, nullable=False),
        sa.Column("rules", sa.JSON, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("approved_version", sa.Integer),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("changed_at", sa.DateTime, nullable=False),
        sa.Column("changed_by", sa.String(200), nullable=False),
        sa.Column("refreshed_at", sa.DateTime),
        sa.Column("rebuilt_at", sa.DateTime),
        sa.Column("erased", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_target_lists"),
        sa.CheckConstraint("state IN ('draft', 'review', 'approved', 'archived')", name="state"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "list_versions",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("list_id", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("opened_at", sa.DateTime, nullable=False),
        sa.Column("opened_by", sa.String(200), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("source", sa.JSON, nullable=False),
        sa.Column("drops", sa.JSON, nullable=False),
        sa.Column("approved_at", sa.DateTime),
        sa.ForeignKeyConstraint(["list_id"], ["target_lists.id"], name="fk_list_versions_list_id"),
        sa.PrimaryKeyConstraint("id", name="pk_list_versions"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_list_versions_list_id_number", "list_versions", ["list_id", "number"], unique=True)


def _members() -> None:
    op.create_table(
        "list_members",
        sa.Column("list_id", sa.Integer, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("since", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("until", sa.Integer, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("segment", sa.Text, nullable=False),
        sa.Column("why", sa.String(40), nullable=False),
        sa.Column("override_id", sa.Integer),
        sa.Column("move_id", sa.Integer),
        sa.Column("suggested", sa.Boolean, nullable=False),
        sa.Column("machine_segment", sa.Text, nullable=False),
        sa.Column("score", sa.Double, nullable=False),
        sa.Column("probability", sa.Double),
        sa.Column("low", sa.Double),
        sa.Column("high", sa.Double),
        sa.Column("draw", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_key", sa.Text, nullable=False),
        sa.Column("domain", sa.Text, nullable=False),
        sa.Column("industry", sa.Text, nullable=False),
        sa.Column("country", sa.Text, nullable=False),
        sa.Column("account_owner", sa.Text, nullable=False),
        sa.Column("left_why", sa.String(40)),
        sa.Column("left_override_id", sa.Integer),
        sa.ForeignKeyConstraint(["list_id"], ["target_lists.id"], name="fk_list_members_list_id"),
        sa.PrimaryKeyConstraint("list_id", "account_id", "since", name="pk_list_members"),
        sa.CheckConstraint("status IN ('target', 'dropped')", name="status"),
    )
    op.create_index(
        "ix_list_members_name", "list_members", ["list_id", "until", "status", "name_key", "account_id"]
    )
    op.create_index(
        "ix_list_members_score", "list_members", ["list_id", "until", "status", "score", "account_id"]
    )
    op.create_index(
        "ix_list_members_segment",
        "list_members",
        ["list_id", "until", "status", "segment", "score", "account_id"],
    )
    op.create_table(
        "list_suggestions",
        sa.Column("list_id", sa.Integer, nullable=False),
        sa.Column("draw", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("detail", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["target_lists.id"], name="fk_list_suggestions_list_id"),
        sa.PrimaryKeyConstraint("list_id", "draw", "account_id", name="pk_list_suggestions"),
    )
    op.create_table(
        "list_drops",
        sa.Column("list_id", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("rule", sa.String(80), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("score", sa.Double),
        sa.ForeignKeyConstraint(["list_id"], ["target_lists.id"], name="fk_list_drops_list_id"),
        sa.PrimaryKeyConstraint("list_id", "version", "account_id", name="pk_list_drops"),
    )


def _people() -> None:
    op.create_table(
        "list_overrides",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("list_id", sa.Integer, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("segment", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("made_by", sa.String(200), nullable=False),
        sa.Column("made_at", sa.DateTime, nullable=False),
        sa.Column("expires_at", sa.DateTime),
        sa.Column("machine_score", sa.Double),
        sa.Column("ended_at", sa.DateTime),
        sa.Column("ended_by", sa.String(200)),
        sa.Column("ended_why", sa.Text),
        sa.ForeignKeyConstraint(["list_id"], ["target_lists.id"], name="fk_list_overrides_list_id"),
        sa.PrimaryKeyConstraint("id", name="pk_list_overrides"),
        sa.CheckConstraint("kind IN ('pin', 'drop', 'move')", name="kind"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_list_overrides_list_id_account_id", "list_overrides", ["list_id", "account_id"])
    op.create_table(
        "list_approvals",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("list_id", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("side", sa.String(16), nullable=False),
        sa.Column("decision", sa.String(24), nullable=False),
        sa.Column("approver", sa.String(200), nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["target_lists.id"], name="fk_list_approvals_list_id"),
        sa.PrimaryKeyConstraint("id", name="pk_list_approvals"),
        sa.CheckConstraint("decision IN ('approved', 'changes_requested')", name="decision"),
        sa.CheckConstraint("side IN ('marketing', 'sales')", name="side"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_list_approvals_list_id_version", "list_approvals", ["list_id", "version"])
    op.create_table(
        "list_changes",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("list_id", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("area", sa.String(16), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("account_id", sa.Text),
        sa.Column("detail", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["target_lists.id"], name="fk_list_changes_list_id"),
        sa.PrimaryKeyConstraint("id", name="pk_list_changes"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_list_changes_list_id_revision", "list_changes", ["list_id", "revision"])


def _handed_over() -> None:
    op.create_table(
        "list_exports",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("list_id", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("format", sa.String(16), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("found_by", sa.String(16), nullable=False),
        sa.Column("draft", sa.Boolean, nullable=False),
        sa.Column("targets", sa.Integer, nullable=False),
        sa.Column("leavers", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["target_lists.id"], name="fk_list_exports_list_id"),
        sa.PrimaryKeyConstraint("id", name="pk_list_exports"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_list_exports_list_id", "list_exports", ["list_id"])
    op.create_table(
        "list_flags",
        sa.Column("list_id", sa.Integer, nullable=False),
        sa.Column("format", sa.String(16), nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("export_id", sa.Integer, nullable=False),
        sa.Column("found_by", sa.String(16), nullable=False),
        sa.Column("identifier", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["target_lists.id"], name="fk_list_flags_list_id"),
        sa.PrimaryKeyConstraint("list_id", "format", "account_id", name="pk_list_flags"),
    )
    op.create_table(
        "list_exclusions",
        sa.Column("list_id", sa.Integer, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["target_lists.id"], name="fk_list_exclusions_list_id"),
        sa.PrimaryKeyConstraint("list_id", "entry", name="pk_list_exclusions"),
    )
