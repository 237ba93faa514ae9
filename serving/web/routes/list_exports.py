"""Lists on their way out: exports, and their files.

Time rule: `now` is read once per request. Null rule: none of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile
from typing import IO

from sqlalchemy import Connection
from starlette.concurrency import iterate_in_threadpool
from starlette.responses import Response, StreamingResponse

from features.errors import WorkspaceError
from serving.access.callers import name_of
from serving.lists.answers import ExportAnswer, ExportsAnswer, export_answer
from serving.lists.files import write
from serving.lists.handing_over import current, hand_over, lines
from serving.lists.requests import ExportRequest
from serving.reading import parse_body
from serving.scoring import utc_now
from serving.store import list_exports, lists
from serving.store.idempotency import Answered
from serving.store.list_exports import Export, UnknownExportError
from serving.store.lists import ListChangedError, ListStateError, UnknownListError
from serving.web.bodies import json_body
from serving.web.endpoint import Call, Endpoint, Operation, json_answer
from serving.web.list_queries import LIST_ID, id_parameter, path_number
from serving.web.repeats import answer_once

__all__ = ["ENDPOINTS"]

_CSV = "text/csv"
_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MOST = 100
_IN_MEMORY, _AT_ONCE = 1_000_000, 65_536
_EXPORT = id_parameter("export_id", "The id of an export of this list.")


async def _export(call: Call) -> Response:
    body, list_id = await json_body(call.request), path_number(call)
    request = parse_body(body, model=ExportRequest)

    def write(connection: Connection) -> Answered:
        done = hand_over(
            connection,
            list_id=list_id,
            file_format=request.file_format(),
            who=name_of(call.caller),
            now=utc_now(),
            match=request.match(),
            draft=request.draft,
        )
        return Answered(201, export_answer(done.export, current=True, unfound=done.unfound).model_dump_json())

    return await answer_once(call, body=body, write=write)


async def _exports(call: Call) -> Response:
    list_id = path_number(call)

    def work() -> ExportsAnswer:
        with call.services.door.open().reading() as connection:
            found = lists.find(connection, list_id=list_id)
            made = list_exports.of_list(connection, list_id=list_id, limit=_MOST)
        newest = current(found, made)
        return ExportsAnswer(exports=[export_answer(one, current=one.id in newest) for one in made])

    return json_answer(await call.compute(work))


async def _file(call: Call) -> Response:
    list_id, export_id = path_number(call), path_number(call, "export_id")

    def work() -> tuple[Export, IO[bytes]]:
        with call.services.door.open().reading() as connection:
            lists.find(connection, list_id=list_id)
            export = list_exports.find(connection, list_id=list_id, export_id=export_id)
            return export, _written(connection, export)

    export, file = await call.compute(work)
    kind = "xlsx" if export.format == "xlsx" else "csv"
    name = f"list-{list_id}-version-{export.version}-{export.format}.{kind}"
    return StreamingResponse(
        iterate_in_threadpool(_read(file)),
        media_type=_EXCEL if kind == "xlsx" else _CSV,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _written(connection: Connection, export: Export) -> IO[bytes]:
    """The file, whole before the first of it is sent: what fails on the way must not look like a list."""
    with ExitStack() as unless_whole:
        file = unless_whole.enter_context(SpooledTemporaryFile(_IN_MEMORY))
        try:
            write(file, lines(connection, export), file_format=export.format, at=export.at)
            file.seek(0)
        except OSError as error:
            raise WorkspaceError(
                "the file cannot be kept on disk", got=error, fix="free some space"
            ) from error
        # Who sends it closes it.
        unless_whole.pop_all()
    return file


def _read(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while part := file.read(_AT_ONCE):
            yield part


_READING = (UnknownListError, WorkspaceError)

ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/lists/{id}/exports",
        scope="lists",
        handle=_export,
        operation=Operation(
            name="exportList",
            summary="Hand a list over to a CRM or to people",
            description="The version that was approved last, each account with list, segment and target: "
            "true, and false for every account that an earlier export called a target and that has left, so "
            "that no flag goes stale. A draft goes to people alone, as csv or xlsx. The file is at "
            "/v1/lists/{id}/exports/{export_id}/file.",
            tag="lists",
            parameters=(LIST_ID,),
            body=lambda _: ExportRequest,
            body_description="The format, and what the CRM finds accounts by.",
            example={"format": "salesforce"},
            answer=ExportAnswer,
            answer_description="The export.",
            status=201,
            repeatable=True,
            problems=(*_READING, ListStateError),
        ),
    ),
    Endpoint(
        "GET",
        "/v1/lists/{id}/exports",
        scope="lists",
        handle=_exports,
        operation=Operation(
            name="listExports",
            summary="What was handed over of a list, to whom and when",
            description=f"The last {_MOST} exports.",
            tag="lists",
            parameters=(LIST_ID,),
            answer=ExportsAnswer,
            answer_description="Exports, the latest first.",
            problems=_READING,
        ),
    ),
    Endpoint(
        "GET",
        "/v1/lists/{id}/exports/{export_id}/file",
        scope="lists",
        handle=_file,
        operation=Operation(
            name="getExportFile",
            summary="The file of an export",
            description="CSV in UTF-8, with a byte-order mark where it is for people, or an Excel workbook. "
            "Cells that begin with = + - @ are written so that no spreadsheet calculates them. What the list "
            "said when it was exported: the same bytes whenever they are asked for, but for accounts that "
            "were forgotten, whatever became of the list. After a list was changed, renamed or archived, "
            "export it again and import that file last: each export takes back every flag of those before "
            "it. The file of a draft that has changed since is refused.",
            tag="lists",
            parameters=(LIST_ID, _EXPORT),
            answer=ExportAnswer,
            answer_files=(_CSV, _EXCEL),
            answer_description="The file, in the format of the export.",
            problems=(*_READING, UnknownExportError, ListChangedError),
        ),
    ),
)
