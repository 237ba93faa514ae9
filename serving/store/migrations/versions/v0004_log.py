"""The log of answers, and what people say of accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "predictions",
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("as_of", sa.DateTime, nullable=False),
        sa.Column("account_id", sa.Text),
        sa.Column("api_key_id", sa.Integer),
        sa.Column("release_id", sa.Integer, nullable=False),
        sa.Column("fit_probability", sa.Double),
        sa.Column("fit_grade", sa.String(1)),
        sa.Column("intent_probability", sa.Double),
        sa.Column("intent_grade", sa.String(1)),
        sa.Column("machine_score", sa.Double),
        sa.Column("working_score", sa.Double),
        sa.Column("inputs", sa.LargeBinary),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("evidence", sa.LargeBinary, nullable=False),
        sa.Column("erased", sa.String(16)),
        sa.PrimaryKeyConstraint("request_id", name="pk_predictions"),
    )
    op.create_index("ix_predictions_at", "predictions", ["at"])
    op.create_index("ix_predictions_account_id_at", "predictions", ["account_id", "at"])
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("request_id", sa.String(64)),
        sa.Column("reason", sa.Text),
        sa.Column("outcome", sa.String(32)),
        sa.Column("machine_score", sa.Double),
        sa.Column("given_by", sa.String(200)),
        sa.Column("api_key_id", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
        sa.CheckConstraint("verdict IN ('accepted', 'rejected', 'outcome')", name="verdict"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_feedback_at", "feedback", ["at"])
    op.create_index("ix_feedback_account_id", "feedback", ["account_id"])
