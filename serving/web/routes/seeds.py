"""Seeds: which accounts people mean by what they paste or upload.

Time rule: accounts as they are known now. Null rule: a row without a word is not counted.
"""

from __future__ import annotations

import shutil
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Annotated, BinaryIO

from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from features.errors import EngineError, InputError, WorkspaceError
from features.workbooks import ENDINGS
from models.lookalikes.seed_files import read_seed_file, read_seed_lines
from models.lookalikes.seeds import match_seeds
from serving.fields import StrictModel
from serving.jobs.formats import refused
from serving.jobs.uploads import Limit, arriving, no_room
from serving.lists.seed_answers import SeedFile, SeedsAnswer, seeds_answer
from serving.lists.universes import named_accounts
from serving.problems import BodyTooLargeError, MediaTypeError, NotReadyError, SlowRequestError
from serving.reading import parse_body
from serving.web.bodies import json_body
from serving.web.endpoint import LANGUAGE, Call, Endpoint, Operation, json_answer, parameter
from serving.web.list_queries import SHORT_TEXT, text

__all__ = ["ENDPOINTS"]

_LARGEST = 20 * 1024 * 1024
_MOST_ROWS = 50_000
_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_TEXTS = ("text/csv", "text/plain")
_SUFFIXES = (".csv", ".tsv", ".txt", *ENDINGS)
Rows = list[tuple[int, dict[str, str]]]


class SeedsRequest(StrictModel):
    """Companies as people paste them."""

    text: Annotated[str, Field(min_length=1, max_length=1_000_000, pattern=r"^[^\x00]*$")] = Field(
        description="One a line: account ids, domains, URLs, e-mail addresses or names, however mixed."
    )


async def _match(call: Call) -> Response:
    request = parse_body(await json_body(call.request), model=SeedsRequest)
    return await _answered(call, read_seed_lines(request.text))


async def _upload(call: Call) -> Response:
    encoding, column = _encoding(call), text(call, "column")
    limit = Limit(_LARGEST, "keep the column that names the companies")
    async with arriving(call.request, limit=limit, kind=_suffix) as (file, suffix):
        rows = await run_in_threadpool(_read, file, suffix=suffix, encoding=encoding, column=column)
    return await _answered(call, rows)


def _encoding(call: Call) -> str | None:
    """The encoding that is asked for. Raises InputError for what is none of texts: some codecs unpack."""
    asked = text(call, "encoding")
    if asked is None:
        return None
    try:
        b"a".decode(asked)
    except UnicodeError:
        # Of two bytes a letter, as UTF-16.
        return asked
    except LookupError as error:
        raise InputError(
            "encoding: is none of texts", got=asked, allowed="utf-8, utf-16, windows-1252, gb18030 and others"
        ) from error
    return asked


def _suffix(media_type: str, name: str) -> str:
    """How the file would end on disk. Raises MediaTypeError for a kind that is not read."""
    ending, plain = PurePath(name.lower()).suffix, media_type.partition(";")[0].strip().lower()
    if ending in _SUFFIXES:
        return ending
    if not ending and plain in (*_TEXTS, _EXCEL):
        return ".xlsx" if plain == _EXCEL else ".csv"
    raise MediaTypeError(
        "the file is of a type that is not read here",
        got=name[:80] or media_type[:80] or "no Content-Type",
        allowed=", ".join((*_TEXTS, _EXCEL, *_SUFFIXES)),
        fix="save it as CSV or as a workbook of Excel",
    )


def _read(file: BinaryIO, *, suffix: str, encoding: str | None, column: str | None) -> Rows:
    with TemporaryDirectory(prefix="spearfish-seeds-") as folder:
        path = Path(folder) / f"seeds{suffix}"
        try:
            file.seek(0)
            with path.open("wb") as copy:
                shutil.copyfileobj(file, copy)
        except OSError as error:
            raise no_room(error) from error
        try:
            return read_seed_file(path, encoding=encoding, column=column)
        except InputError as error:
            raise _in_our_words(error, path=path) from error


def _in_our_words(error: InputError, *, path: Path) -> InputError:
    """What is wrong with a file, without the place that it has here, and by the names of parameters."""

    def clean(told: object) -> str | None:
        if told is None:
            return None
        short = str(told).replace(f"{path}: ", "").replace(f"{path} ", "").replace(str(path), "the file")
        return short.replace(str(path.parent), "").replace("--encoding ", "encoding=").replace("--", "")

    return refused(
        clean(error.what) or "", got=clean(error.got), allowed=clean(error.allowed), fix=clean(error.fix)
    )


async def _answered(call: Call, rows: Rows) -> Response:
    if len(rows) > _MOST_ROWS:
        raise InputError(
            "more rows than are matched at once",
            got=f"{len(rows):,} rows",
            allowed=f"{_MOST_ROWS:,}",
            fix="send them in parts, or keep the column that names the companies",
        )
    language = call.language

    def work() -> SeedsAnswer:
        universe = named_accounts(call.services.answers.desk().snapshot)
        return seeds_answer(match_seeds(universe, rows), universe=universe, language=language)

    return json_answer(await call.compute(work))


_OF_TABLES = (NotReadyError, WorkspaceError, EngineError)

ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/seeds/match",
        scope="lists",
        handle=_match,
        operation=Operation(
            name="matchSeeds",
            summary="Which accounts a pasted list of companies means",
            description="Each row is matched, ambiguous (with the accounts that it may mean), repeated, or "
            "unmatched with the reason: a typo that is near to a known domain, the domain of a mail "
            "provider, a name that nobody has. Nothing is stored.",
            tag="expansions",
            parameters=(LANGUAGE,),
            body=lambda _: SeedsRequest,
            body_description="The lines.",
            example={"text": "acme.example\nhttps://www.example.com/about\nann@example.org\nAcme Corp"},
            answer=SeedsAnswer,
            answer_description="Every row, and the seeds that follow.",
            problems=_OF_TABLES,
        ),
    ),
    Endpoint(
        "POST",
        "/v1/seeds/upload",
        scope="lists",
        handle=_upload,
        operation=Operation(
            name="uploadSeeds",
            summary="Which accounts a file of companies means",
            description="CSV, plain text or a workbook, with a header or without one. As matchSeeds. A file "
            "of text is in UTF-8, or in the encoding that is named. Nothing is stored.",
            tag="expansions",
            parameters=(
                parameter("encoding", "query", "Of a text, such as gb18030 or latin-1.", schema=SHORT_TEXT),
                parameter("column", "query", "The column that names the companies.", schema=SHORT_TEXT),
                LANGUAGE,
            ),
            files=(*_TEXTS, _EXCEL),
            form=SeedFile,
            body_description="The file, as it is or as the field `file` of a form; 20 MB at most.",
            answer=SeedsAnswer,
            answer_description="Every row, and the seeds that follow.",
            problems=(*_OF_TABLES, MediaTypeError, BodyTooLargeError, SlowRequestError),
        ),
    ),
)
