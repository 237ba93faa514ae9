"""What every table of the store is made with: types of columns, and where the tables are declared.

Turns moments and long texts into what a database keeps. Time rule: every moment is whole seconds, UTC, stored
without a zone. Null rule: none.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Column, DateTime, LargeBinary, MetaData, TypeDecorator

from features.errors import InputError
from serving.compression import compressed, decompressed

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

__all__ = ["CompressedText", "UtcSeconds", "metadata", "moment"]


class UtcSeconds(TypeDecorator[datetime]):
    """A naive datetime that means UTC, in whole seconds; anything else is refused, never bent."""

    impl = DateTime(timezone=False)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and (value.tzinfo is not None or value.microsecond):
            raise InputError(
                "a moment in the store must be whole seconds, UTC, without a zone",
                got=value.isoformat(),
                fix="convert it with .astimezone(UTC).replace(tzinfo=None, microsecond=0)",
            )
        return value


class CompressedText(TypeDecorator[str]):
    """A text of which nobody asks the database what is in it, compressed."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else compressed(value.encode())

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        return None if value is None else decompressed(value).decode()


metadata = MetaData(
    naming_convention={
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)


def moment(name: str, *, nullable: bool = False) -> Column[datetime]:
    """A column of moments."""
    return Column(name, UtcSeconds, nullable=nullable)
