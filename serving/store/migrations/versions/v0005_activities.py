"""Activities that were sent to the service."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "activities",
        sa.Column("sequence", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("activity_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("contact_id", sa.Text),
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("direction", sa.String(16), nullable=False),
        sa.Column("occurred_at", sa.DateTime, nullable=False),
        sa.Column("known_at", sa.DateTime, nullable=False),
        sa.Column("quantity", sa.BigInteger, nullable=False),
        sa.Column("seconds", sa.BigInteger),
        sa.Column("people", sa.BigInteger),
        sa.Column("traffic", sa.String(16)),
        sa.Column("api_key_id", sa.Integer),
        sa.PrimaryKeyConstraint("sequence", name="pk_activities"),
        sa.UniqueConstraint("activity_id", name="uq_activities_activity_id"),
    )
    op.create_index("ix_activities_account_id_sequence", "activities", ["account_id", "sequence"])
