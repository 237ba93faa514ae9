"""How single values of a mapping are read: zones, delays, encodings, names of readers.

Turns what the TOML file holds into what `features.bindings` keeps. Time rule: a moment needs a zone. Null
rule: none. What cannot be read raises ValueError with what is allowed.
"""

from __future__ import annotations

import codecs
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from features.errors import ConfigError

__all__ = ["read_codec", "read_delay", "read_normaliser", "read_text", "read_zone", "with_zone"]


def read_text(value: object) -> object:
    """A constant as the text that a cell would hold."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def read_zone(name: str) -> str:
    """The name of a time zone, as it was given."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(
            f"no such time zone: {name!r}; use a name such as 'UTC' or 'Europe/Berlin'"
        ) from error
    return name


_DELAY = re.compile(
    r"\s*(?:(?P<weeks>\d+) weeks?)?\s*(?:(?P<days>\d+) days?)?"
    r"\s*(?:(?P<hours>\d+):(?P<minutes>\d\d)(?::(?P<seconds>\d\d))?)?\s*"
)


def read_delay(text: object) -> object:
    """A delay such as "6 days 23:59:59"."""
    match = _DELAY.fullmatch(text) if isinstance(text, str) else None
    if match is None or not any(match.groups()):
        raise ValueError("write a delay as '6 days 23:59:59', '1 day' or '02:00:00'")
    return timedelta(**{unit: int(number) for unit, number in match.groupdict(default="0").items()})


def read_codec(name: str | None) -> str | None:
    """The name of an encoding of texts, in its usual spelling."""
    if name is None:
        return None
    try:
        # "rot13" and the like are codecs, too, but turn no bytes into text. Four bytes are a sign of any.
        b"\0\0\0\0".decode(name)
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        raise ValueError(
            f"no such encoding: {name!r}; use a name such as 'utf-8', 'gb18030' or 'latin-1'"
        ) from error
    return codecs.lookup(name).name


def with_zone(moment: datetime) -> datetime:
    """A moment, as it was given."""
    if moment.tzinfo is None:
        raise ValueError("extracted_at needs a zone, as in 2026-01-01T00:00:00Z")
    return moment


def read_normaliser(name: str) -> str:
    """The name of a reader of cells, as it was given."""
    # Reading places and industries takes long tables: they are loaded for those who declare it.
    from features.normalisation.normalisers import normaliser

    try:
        normaliser(name)
    except ConfigError as error:
        raise ValueError(str(error)) from error
    return name
