"""Jobs over files, with their rows and results."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("started_at", sa.DateTime),
        sa.Column("finished_at", sa.DateTime),
        sa.Column("api_key_id", sa.Integer),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("format", sa.String(16), nullable=False),
        sa.Column("as_of", sa.DateTime),
        sa.Column("release_id", sa.Integer),
        sa.Column("fingerprints", sa.JSON),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("problem", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("lease", sa.String(32)),
        sa.Column("lease_until", sa.DateTime),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="state"),
    )
    op.create_index("ix_jobs_finished_at", "jobs", ["finished_at"])
    op.create_index("ix_jobs_state_created_at", "jobs", ["state", "created_at"])
    op.create_table(
        "job_parts",
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("first_row", sa.Integer, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("input", sa.LargeBinary),
        sa.Column("result", sa.LargeBinary),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_job_parts_job_id"),
        sa.PrimaryKeyConstraint("job_id", "number", name="pk_job_parts"),
    )
    if op.get_bind().dialect.name == "postgresql":
        # Parts are compressed already: to try it again costs time and saves nothing.
        for column in ("input", "result"):
            op.execute(f"ALTER TABLE job_parts ALTER COLUMN {column} SET STORAGE EXTERNAL")
