"""What a release holds by model, as there may be several of a kind; before, by kind in columns of its row."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_MODELS = """
    INSERT INTO release_models (release_id, model, fingerprint)
    SELECT id, '{kind}', {kind}_fingerprint FROM releases WHERE {kind}_fingerprint IS NOT NULL
"""


def upgrade() -> None:
    op.create_table(
        "release_models",
        sa.Column("release_id", sa.Integer, nullable=False),
        sa.Column("model", sa.String(48), nullable=False),
        sa.Column("fingerprint", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("release_id", "model", name="pk_release_models"),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"]),
        sa.ForeignKeyConstraint(["fingerprint"], ["bundles.fingerprint"]),
    )
    for kind in ("fit", "intent"):
        op.execute(_MODELS.format(kind=kind))
    if op.get_bind().dialect.name == "sqlite":
        _replace_in_sqlite()
    else:
        # PostgreSQL drops what checks and refers by a column together with it.
        op.drop_column("releases", "fit_fingerprint")
        op.drop_column("releases", "intent_fingerprint")


def _replace_in_sqlite() -> None:
    """SQLite drops no column that a key or a check names: the table is made anew, its rows kept aside.

    What refers to a release is asked for again when the transaction ends, by when they are all back.
    """
    kept = "id, created_at, created_by, reason, settings, previous_id"
    op.execute("PRAGMA defer_foreign_keys = ON")
    op.execute(f"CREATE TEMPORARY TABLE kept_releases AS SELECT {kept} FROM releases")
    op.drop_table("releases")
    op.create_table(
        "releases",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("previous_id", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_releases"),
        sa.ForeignKeyConstraint(["previous_id"], ["releases.id"]),
        sqlite_autoincrement=True,
    )
    op.execute(f"INSERT INTO releases ({kept}) SELECT {kept} FROM kept_releases")
    op.execute("DROP TABLE kept_releases")
