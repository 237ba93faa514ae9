"""Files on their way in: from a request to parts on disk, never whole in memory.

Turns the body of a request, or the one file of a form, into compressed parts in a temporary file. Time rule:
a file arrives within three quarters of a minute. Null rule: a form without a file is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from hashlib import file_digest
from tempfile import TemporaryFile
from typing import IO, Any, BinaryIO, NamedTuple, TypeVar, cast

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from features.errors import WorkspaceError
from serving.jobs.formats import Format, format_of, refused
from serving.jobs.reading import read_parts
from serving.jobs.results import to_bytes
from serving.jobs.settings import JobSettings
from serving.problems import BodyTooLargeError, SlowRequestError
from serving.store.jobs import Part

__all__ = ["SLOWEST", "Limit", "Parts", "Upload", "arriving", "no_room", "parts_of", "uploaded"]

SLOWEST = 45
"""Seconds in which a file must have arrived; the server gives up after a minute."""

_FORM = "multipart/form-data"
_FIELD = "file"


@dataclass(frozen=True)
class Upload:
    """A file on disk, as it was announced."""

    file: BinaryIO
    format: Format


class _Place(NamedTuple):
    first_row: int
    rows: int
    start: int
    size: int


class Parts:
    """The compressed parts of a file, on disk. digest: SHA-256 of the file as it came."""

    def __init__(self, file: IO[bytes], places: list[_Place], *, digest: bytes) -> None:
        self._file, self._places, self.digest = file, places, digest

    @property
    def rows(self) -> int:
        """Of the whole file."""
        return sum(place.rows for place in self._places)

    def __iter__(self) -> Iterator[Part]:
        for number, place in enumerate(self._places):
            self._file.seek(place.start)
            yield Part(number, place.first_row, place.rows, self._file.read(place.size))


@asynccontextmanager
async def uploaded(request: Request, *, settings: JobSettings) -> AsyncIterator[Upload]:
    """The file of a request, on disk for as long as the block runs.

    Raises MediaTypeError, BodyTooLargeError, SlowRequestError, InvalidRequestError or WorkspaceError.
    """
    limit = Limit(settings.largest, "split it, or send Parquet; SPEARFISH_JOB_MEGABYTES sets the limit")
    async with arriving(request, limit=limit, kind=_format) as (file, kind):
        yield Upload(file, kind)


def _format(media_type: str, name: str) -> Format:
    return format_of(media_type, name=name)


Kind = TypeVar("Kind")


class Limit(NamedTuple):
    """Bytes that a file may have, and what to do about a larger one."""

    largest: int
    fix: str


@asynccontextmanager
async def arriving(
    request: Request, *, limit: Limit, kind: Callable[[str, str], Kind]
) -> AsyncIterator[tuple[BinaryIO, Kind]]:
    """The file of a request or of the form in it, on disk for as long as the block runs, and its kind.

    kind: from its media type and its name, which is empty outside a form. Raises as `uploaded`.
    """
    announced = request.headers.get("content-length", "")
    _require_small(int(announced) if announced.isdecimal() else 0, limit=limit)
    media_type = request.headers.get("content-type", "")
    with TemporaryFile() as spooled:
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(SLOWEST):
                    if media_type.lower().startswith(_FORM):
                        upload = await _form(request, limit=limit, stack=stack)
                        file: BinaryIO = upload.file
                        found = kind(upload.content_type or "", upload.filename or "")
                    else:
                        file, found = cast(BinaryIO, spooled), kind(media_type, "")
                        async for chunk in _limited(request, limit=limit):
                            file.write(chunk)
            except TimeoutError as error:
                raise SlowRequestError(
                    "the file did not arrive in time", allowed=f"{SLOWEST} seconds", fix="send it in parts"
                ) from error
            except OSError as error:
                raise no_room(error) from error
            yield file, found


async def _form(request: Request, *, limit: Limit, stack: AsyncExitStack) -> UploadFile:
    """The one file of a form, which its parser writes to disk."""
    try:
        form = await MultiPartParser(request.headers, _limited(request, limit=limit)).parse()
    except (MultiPartException, KeyError) as error:
        raise refused(
            "is in no form that can be read", got=str(error)[:80], fix="send a field file"
        ) from error
    stack.push_async_callback(form.close)
    fields = form.multi_items()
    names = ", ".join(name for name, _ in fields)[:200] or "an empty form"
    upload = fields[0][1] if [name for name, _ in fields] == [_FIELD] else None
    if not isinstance(upload, UploadFile):
        raise refused("is not the one field of the form", got=names, allowed=f"one file, named {_FIELD}")
    return upload


async def _limited(request: Request, *, limit: Limit) -> AsyncGenerator[bytes, None]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        _require_small(size, limit=limit)
        yield chunk


def _require_small(size: int, *, limit: Limit) -> None:
    if size > limit.largest:
        raise BodyTooLargeError(
            "the file is too large",
            got=f"{size:,} bytes or more",
            allowed=f"{limit.largest:,} bytes",
            fix=limit.fix,
        )


def parts_of(upload: Upload, *, settings: JobSettings, spool: IO[bytes]) -> Parts:
    """The parts of a file. spool: where they are kept. Raises InvalidRequestError or WorkspaceError."""
    try:
        upload.file.seek(0)
        digest = file_digest(cast(Any, upload.file), "sha256").digest()
        upload.file.seek(0)
        places, row = list[_Place](), 1
        for part in read_parts(upload.file, file_format=upload.format, most_rows=settings.rows):
            content = to_bytes(part)
            places.append(_Place(row, part.num_rows, spool.tell(), len(content)))
            spool.write(content)
            row += part.num_rows
    except OSError as error:
        raise no_room(error) from error
    return Parts(spool, places, digest=digest)


def no_room(error: OSError) -> WorkspaceError:
    return WorkspaceError(
        f"the file cannot be kept on disk: {error.strerror}", fix="free some space where TMPDIR points to"
    )
