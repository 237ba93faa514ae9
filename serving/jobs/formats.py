"""The formats of files: how each is announced, and how it begins.

Turns a media type, a name and first bytes into a format. Time rule: none. Null rule: a file that is not
announced by its media type is known by its name.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Literal, get_args

from features.errors import InputError
from serving.problems import FieldError, InvalidRequestError, MediaTypeError

__all__ = ["FORMATS", "MEDIA_TYPES", "Format", "format_of", "refused", "require_format"]

Format = Literal["csv", "parquet", "ndjson"]

FORMATS: tuple[Format, ...] = get_args(Format)

MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "ndjson": "application/x-ndjson",
}
"""How an answer in each format is announced."""

_ANNOUNCED: dict[str, Format] = {
    **{media_type: name for name, media_type in MEDIA_TYPES.items()},
    "application/csv": "csv",
    "application/x-parquet": "parquet",
    "application/parquet": "parquet",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/x-jsonlines": "ndjson",
}
_ENDINGS: dict[str, Format] = {
    ".csv": "csv",
    ".parquet": "parquet",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
}
_PARQUET = b"PAR1"
_FOREIGN = {
    b"PK\x03\x04": ("is an Excel workbook or a ZIP archive", "save it as CSV in UTF-8"),
    b"\x1f\x8b": ("is compressed", "send it as it is, or as Parquet, which is compressed in itself"),
    b"\xff\xfe": ("is written in UTF-16", "save it as UTF-8"),
    b"\xfe\xff": ("is written in UTF-16", "save it as UTF-8"),
}


def refused(
    what: str, *, got: object = None, allowed: str | None = None, fix: str | None = None
) -> InputError:
    """What is wrong with a file as a whole."""
    return InvalidRequestError([FieldError("file", what, None if got is None else str(got), allowed, fix)])


def format_of(media_type: str, *, name: str = "") -> Format:
    """The format that a file is announced in. name: of the file, where there is one.

    Raises MediaTypeError for any other.
    """
    ending = _ENDINGS.get(PurePath(name.lower()).suffix)
    found = ending or _ANNOUNCED.get(media_type.partition(";")[0].strip().lower())
    if found is None:
        raise MediaTypeError(
            "the file is of a type that is not read here",
            got=name[:80] or media_type[:80] or "no Content-Type",
            allowed=", ".join((*MEDIA_TYPES.values(), *_ENDINGS)),
            fix="send it with the Content-Type of what it is",
        )
    return found


def require_format(head: bytes, *, file_format: Format) -> None:
    """Refuse a file that does not begin as its format does. head: its first bytes."""
    if not head:
        raise refused("is empty", fix="send a file with a row for each account")
    for magic, (what, fix) in _FOREIGN.items():
        if head.startswith(magic):
            raise refused(what, allowed="CSV, NDJSON or Parquet", fix=fix)
    if head.startswith(_PARQUET) != (file_format == "parquet"):
        found = "Parquet" if head.startswith(_PARQUET) else "no Parquet"
        raise refused("is not what it is announced as", got=found, allowed=file_format)
    if file_format != "parquet" and b"\x00" in head:
        raise refused("is no text", allowed="text in UTF-8", fix="save it as CSV or NDJSON in UTF-8")
