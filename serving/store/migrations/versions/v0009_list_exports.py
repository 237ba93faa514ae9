"""What a list was when it was handed over, so that the file of an export says the same from then on.

Exports from before are of their list as it is now: nobody wrote down what it was.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_LISTS = sa.table(
    "target_lists",
    *map(sa.column, ("id", "name", "state", "revision", "version", "approved_version")),
)
_EXPORTS = sa.table(
    "list_exports",
    *map(sa.column, ("id", "list_id", "revision", "name", "in_use")),
    sa.column("others", sa.JSON),
)


def upgrade() -> None:
    for column in (
        sa.Column("revision", sa.Integer, nullable=False, server_default="0"),
        sa.Column("name", sa.String(200), nullable=False, server_default=""),
        sa.Column("in_use", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("others", sa.JSON, nullable=False, server_default="[]"),
    ):
        op.add_column("list_exports", column)
    connection = op.get_bind()
    known = connection.execute(sa.select(_LISTS).order_by(_LISTS.c.id)).all()
    in_use = [one for one in known if one.state != "archived" and one.approved_version is not None]
    for found in known:
        others = [[one.id, one.name, one.approved_version] for one in in_use if one.id != found.id]
        told = {"revision": found.revision, "name": found.name, "in_use": found.state != "archived"}
        own = _EXPORTS.c.list_id == found.id
        connection.execute(sa.update(_EXPORTS).where(own).values(others=others, **told))
