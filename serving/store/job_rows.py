"""Takes forgotten people out of the rows of jobs, in their files and in their results.

Turns tables of rows into ones that name none of them. Of a result, who a row is about goes and its scores
stay, as in the log of answers; of a file that waits, a row that names any of them becomes one that is
refused. Time rule: none. Null rule: an
empty text names nobody.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import Connection, select, update

from features.privacy.identifiers import person_identifier
from serving.store import schema

__all__ = ["EXPANSION", "forget", "without_forgotten"]

EXPANSION = "expansion"
"""The one column of the parts of an expansion: JSON, of what was asked or of one account."""

_TABLE = schema.job_parts
_NAMED = ("account_id", "asked_account_id")
_WHO = (*_NAMED, "name", "domain", "asked_domain", "error_detail", "lead_sentence")
_FAULT = json.dumps(
    {"what": "named somebody who has asked to be forgotten since", "fix": "send it again without them"}
)

Gone = Callable[[Literal["account", "contact"], str], bool]


def without_forgotten(result: pa.Table, *, gone: Callable[[str], bool] | None) -> pa.Table:
    """A result without who its rows are about where that is an account that was forgotten.

    gone: whether an identifier is that of one; None where nobody was ever forgotten.
    """
    if gone is None:
        return result
    hit = [
        any(name is not None and gone(name) for name in names)
        for names in zip(*(result.column(name).to_pylist() for name in _NAMED), strict=True)
    ]
    return _blanked(result, hit) if any(hit) else result


def _blanked(result: pa.Table, hit: list[bool]) -> pa.Table:
    for name in _WHO:
        place = result.column_names.index(name)
        left = pc.if_else(pa.array(hit), pa.scalar(None, pa.string()), result.column(name))
        result = result.set_column(place, result.schema.field(name), left)
    return result


def forget(connection: Connection, *, clean: Callable[[str], str], gone: Gone) -> int:
    """Take them out of the parts of all jobs. Returns parts changed.

    clean: from a text to one that names none of them. gone: whether an identifier of an account or a contact
    is one of theirs.
    """
    changed = 0
    keys = connection.execute(select(_TABLE.c.job_id, _TABLE.c.number)).all()
    for job_id, number in keys:
        part = (_TABLE.c.job_id == job_id) & (_TABLE.c.number == number)
        row = connection.execute(select(_TABLE.c.input, _TABLE.c.result).where(part)).one()
        left = {
            "input": _changed(row.input, partial(_input_without, clean=clean, gone=gone)),
            "result": _changed(row.result, partial(_result_without, clean=clean, gone=gone)),
        }
        if left != row._asdict():
            connection.execute(update(_TABLE).where(part).values(left))
            changed += 1
    return changed


def _changed(content: bytes | None, change: Callable[[pa.Table], pa.Table]) -> bytes | None:
    if content is None:
        return None
    table = pq.read_table(io.BytesIO(content))
    left = change(table)
    if left.equals(table):
        return content
    sink = io.BytesIO()
    pq.write_table(left, sink, compression="zstd")
    return sink.getvalue()


def _expansion_without(table: pa.Table, *, clean: Callable[[str], str], gone: Gone) -> pa.Table:
    """Of what an expansion asks and answers: without the forgotten, as seeds, as suggestions and as the
    seeds that others are near to."""
    told = [json.loads(text) for text in table.column(EXPANSION).to_pylist()]
    left = [_told_without(one, gone=gone) for one in told if not gone("account", one.get("account_id") or "")]
    texts = [clean(json.dumps(one, ensure_ascii=False)) for one in left]
    return pa.table({EXPANSION: pa.array(texts, pa.string())})


def _told_without(told: dict[str, Any], *, gone: Gone) -> dict[str, Any]:
    """A question has `account_ids`; an answer has `nearest`."""
    left = dict(told)
    if told.get("account_ids"):
        left["account_ids"] = [name for name in told["account_ids"] if not gone("account", name)]
    if told.get("nearest"):
        left["nearest"] = [one for one in told["nearest"] if not gone("account", one["account_id"])]
    return left


def _result_without(result: pa.Table, *, clean: Callable[[str], str], gone: Gone) -> pa.Table:
    if EXPANSION in result.column_names:
        return _expansion_without(result, clean=clean, gone=gone)
    result = without_forgotten(result, gone=partial(gone, "account"))
    for name in _WHO:
        column = result.column(name)
        texts = {
            text: left for text in pc.unique(column).to_pylist() if text and (left := clean(text)) != text
        }
        if texts:
            told = [texts.get(text, text) for text in column.to_pylist()]
            place = result.column_names.index(name)
            result = result.set_column(place, result.schema.field(name), pa.array(told, pa.string()))
    return result


def _input_without(rows: pa.Table, *, clean: Callable[[str], str], gone: Gone) -> pa.Table:
    if EXPANSION in rows.column_names:
        return _expansion_without(rows, clean=clean, gone=gone)
    told = rows.to_pylist()
    left = [{"fault": _FAULT} if _names(row, clean=clean, gone=gone) else row for row in told]
    return pa.Table.from_pylist(left, schema=rows.schema)


def _names(row: Mapping[str, str | None], *, clean: Callable[[str], str], gone: Gone) -> bool:
    """Whether a row of a file names any of them."""
    if any(text is not None and clean(text) != text for text in row.values()):
        return True
    if row["account_id"] is not None:
        return gone("account", row["account_id"])
    return any(
        gone(kind, person_identifier(name) if kind == "contact" else name)
        for text in (row["body"], row["record"])
        for kind, name in _identifiers(text)
    )


def _identifiers(text: str | None) -> Iterator[tuple[Literal["account", "contact"], str]]:
    """The accounts and the contacts that a JSON text names by their identifiers."""
    try:
        waiting = [json.loads(text)] if text else []
    except (ValueError, RecursionError):
        return
    while waiting:
        value = waiting.pop()
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        waiting.extend(inner)
        for kind in ("account", "contact"):
            name = value.get(f"{kind}_id") if isinstance(value, dict) else None
            if isinstance(name, str):
                yield kind, name
