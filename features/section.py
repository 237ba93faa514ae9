"""What every table of the TOML file obeys, and how it reads a moment.

Turns a table of the file into frozen, checked settings. Time rule: a date without a time means midnight UTC.
Null rule: a key that is left out has the default written in its section.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

__all__ = ["Moment", "Section"]


def _naive_utc(moment: datetime) -> datetime:
    utc = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return utc.replace(microsecond=0)


Moment = Annotated[datetime, AfterValidator(_naive_utc)]
"""A date or a time; kept as naive UTC, whole seconds."""


class Section(BaseModel):
    """A table of the TOML file: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
