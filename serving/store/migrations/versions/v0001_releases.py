"""Bundles, releases, the pointer and the log of releases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "bundles",
        sa.Column("fingerprint", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_bundles"),
        sa.CheckConstraint("kind IN ('fit', 'intent')", name="kind"),
    )
    op.create_table(
        "releases",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("fit_fingerprint", sa.String(128)),
        sa.Column("intent_fingerprint", sa.String(128)),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("previous_id", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_releases"),
        sa.ForeignKeyConstraint(["fit_fingerprint"], ["bundles.fingerprint"]),
        sa.ForeignKeyConstraint(["intent_fingerprint"], ["bundles.fingerprint"]),
        sa.ForeignKeyConstraint(["previous_id"], ["releases.id"]),
        sa.CheckConstraint("fit_fingerprint IS NOT NULL OR intent_fingerprint IS NOT NULL", name="one_model"),
        sqlite_autoincrement=True,
    )
    pointer = op.create_table(
        "pointer",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("release_id", sa.Integer),
        sa.Column("activate_at", sa.DateTime),
        sa.Column("replaced_id", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_pointer"),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"]),
        sa.ForeignKeyConstraint(["replaced_id"], ["releases.id"]),
        sa.CheckConstraint("id = 1", name="one_row"),
    )
    op.create_table(
        "release_events",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("release_id", sa.Integer, nullable=False),
        sa.Column("replaced_id", sa.Integer),
        sa.Column("activate_at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_release_events"),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"]),
        sa.ForeignKeyConstraint(["replaced_id"], ["releases.id"]),
        sqlite_autoincrement=True,
    )
    op.bulk_insert(pointer, [{"id": 1}])
