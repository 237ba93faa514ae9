"""Files of jobs: every row comes out in its order, right or wrong; only a whole file is refused."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import InputError
from serving.jobs import reading
from serving.jobs.asking import requests_of
from serving.jobs.formats import Format, format_of
from serving.jobs.handing_out import written
from serving.jobs.reading import read_parts
from serving.jobs.results import result_table, to_bytes
from serving.problems import MediaTypeError
from serving.requests import ScoreRequest


def as_parquet(**columns: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, compression="none")
    return sink.getvalue()


def asked(content: bytes, file_format: Format) -> list[Any]:
    """What each row asks for, or the first words of what is wrong with it."""
    parts = read_parts(io.BytesIO(content), file_format=file_format, most_rows=100)
    rows = [row for part in parts for row in requests_of(part, attributes=(), as_of=None)]
    return [
        row.model_dump(exclude_none=True) if isinstance(row, ScoreRequest) else row.sentence() for row in rows
    ]


A, B = {"account_id": "a"}, {"account_id": "b"}
AT = datetime.fromisoformat("2026-01-31T09:30:00")


@pytest.mark.parametrize(
    ("content", "file_format", "expected"),
    [
        (b"account_id\na\nb\n", "csv", [A, B]),
        (b"\xef\xbb\xbfaccount_id\r\na\r\n\r\nb", "csv", [A, B]),
        (b"domain;account_id\nx.de;\n;b\n", "csv", [{"domain": "x.de"}, B]),
        (b"account_id\tas_of\na\t2026-01-31T09:30:00Z\n", "csv", [A | {"as_of": AT}]),
        (b'account_id\n"a"\n"b\nb"\n', "csv", [A, "account_id"]),
        ('account_id\na\n"é"\n'.encode("latin-1"), "csv", [A, "(row): is not written in UTF-8"]),
        (b'account_id\na\n"x"y\nb\n', "csv", [A, "(row): cannot be read as CSV", B]),
        (b"account_id,domain\na\nb,,\na,\n", "csv", ["(row): has another number", "(row): has", A]),
        (b"account_id,domain\na,x.de\n,\n", "csv", ["(body): must name the account in exactly one"] * 2),
        (b'record\n"{""account"": {}"\n[]\n', "csv", ["record is not valid JSON", "record is no JSON"]),
        (b"account_id\n\x01\n", "csv", ["account_id"]),
        (b'{"account_id":"a"}\n\n{"account_id":"b"}', "ndjson", [A, B]),
        (b'\xef\xbb\xbf{"account_id":"a"}\n{"bad\n\xff\n7', "ndjson", [A, "the body is", "(row)", "(body)"]),
        (b'{"domain":"a","domain":"b"}\n{"id":"a"}', "ndjson", ["the key 'domain'", "id: no such"]),
        (as_parquet(account_id=["a", "b"]), "parquet", [A, B]),
        (as_parquet(account_id=[7]), "parquet", [{"account_id": "7"}]),
        (as_parquet(account_id=[None], domain=["x.de"]), "parquet", [{"domain": "x.de"}]),
        (
            as_parquet(
                account_id=pa.array(["a"]).dictionary_encode(),
                as_of=pa.array([AT.replace(microsecond=7)], pa.timestamp("us", "UTC")).cast(
                    pa.timestamp("us", "Europe/Berlin")
                ),
            ),
            "parquet",
            [A | {"as_of": AT}],
        ),
    ],
)  # fmt: skip
def test_rows_come_out_in_their_order_right_or_wrong(
    content: bytes, file_format: Format, expected: list[Any]
) -> None:
    found = asked(content, file_format)
    assert len(found) == len(expected)
    for row, wanted in zip(found, expected, strict=True):
        assert row.startswith(wanted) if isinstance(wanted, str) else row == wanted


@pytest.mark.parametrize(
    ("content", "file_format", "what"),
    [
        (b"", "csv", "is empty"),
        (b"account_id\n", "csv", "holds no row"),
        (b"\n\n", "ndjson", "holds no row"),
        (as_parquet(account_id=pa.array([], pa.string())), "parquet", "holds no row"),
        (b"name,employees\nx,1\n", "csv", "has a column that is not known"),
        (b"acount_id\na\n", "csv", "did you mean 'account_id'"),
        (b"as_of\n2026-01-31T09:30:00Z\n", "csv", "names no accounts"),
        (b"account_id,account_id\na,a\n", "csv", "has a column twice"),
        (b'account_id\na\n"b\nc\n', "csv", "ends within quotes"),
        ("account_id\na".encode("utf-16"), "csv", "is written in UTF-16"),
        (b"PK\x03\x04", "csv", "Excel"),
        (b"\x1f\x8b\x08", "ndjson", "is compressed"),
        (b"account_id\n\x00", "csv", "is no text"),
        (b'[{"account_id":"a"}]', "ndjson", "is one list"),
        (as_parquet(account_id=["a"]), "csv", "is not what it is announced as"),
        (b"account_id\na", "parquet", "is not what it is announced as"),
        (as_parquet(account_id=["a"])[:-30], "parquet", "cannot be read as Parquet"),
        (as_parquet(account_id=["aaa", "bbb"]).replace(b"aaa", b"\xff\xff\xff"), "parquet", "cannot be read"),
        (as_parquet(account_id=[1.5]), "parquet", "has a column account_id of another type"),
        (as_parquet(account_id=["a"], as_of=[AT]), "parquet", "has a column as_of of another type"),
        (b"account_id\n" + b"a\n" * 101, "csv", "holds too many rows"),
        (as_parquet(account_id=["a"] * 101), "parquet", "holds too many rows"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_meant_is_refused_as_a_whole(
    content: bytes, file_format: Format, what: str
) -> None:
    with pytest.raises(InputError, match=what):
        asked(content, file_format)


@pytest.mark.parametrize("size", ["MOST_ROWS", "MOST_BYTES"])
def test_parts_stay_small_and_lose_no_row(monkeypatch: pytest.MonkeyPatch, size: str) -> None:
    monkeypatch.setattr(reading, size, 7)
    names = [f"account-{number}" for number in range(20)]
    for content, file_format in (
        ("\n".join(["account_id", *names]).encode(), "csv"),
        (b"\n".join(json.dumps({"account_id": name}).encode() for name in names), "ndjson"),
        (as_parquet(account_id=names), "parquet"),
    ):
        assert [row["account_id"] for row in asked(content, file_format)] == names
        parts = list(read_parts(io.BytesIO(content), file_format=file_format, most_rows=20))
        assert max(part.num_rows for part in parts) <= 7


def test_a_row_that_is_too_large_is_refused_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LARGEST_ROW", 30)
    lines = [b'{"account_id":"a"}', b'{"account_id":"' + b"x" * 100 + b'"}', b'{"account_id":"b"}']
    first, second, third = asked(b"\n".join(lines), "ndjson")
    assert (first, third) == (A, B)
    assert second.startswith("(row): is too large")
    cells = asked(b"account_id\na\n" + b"x" * 100 + b"\nb\n", "csv")
    assert (cells[0], cells[2]) == (A, B)
    assert cells[1].startswith("(row): is too large")


@pytest.mark.parametrize(
    ("media_type", "name", "expected"),
    [
        ("text/csv; charset=utf-8", "", "csv"),
        ("application/octet-stream", "Accounts.JSONL", "ndjson"),
        ("application/x-parquet", "", "parquet"),
        ("application/json", "", None),
        ("", "accounts.xlsx", None),
    ],
)
def test_a_format_is_known_by_its_announcement(media_type: str, name: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(MediaTypeError, match="not read here"):
            format_of(media_type, name=name)
    else:
        assert format_of(media_type, name=name) == expected


HARD = {
    "row": [1, 2, 3],
    "account_id": ["a", None, 'quote " comma , and\nline'],
    "name": ["名称", None, "=1+1"],
    "to_sales": [True, None, False],
    "fit_logit": [0.1 + 0.2, None, -5e-324],
    "fit_probability": [1 / 3, None, 1e-300],
    "error_status": [None, 404, None],
}


@pytest.mark.parametrize("file_format", ["csv", "ndjson", "parquet"])
def test_a_result_keeps_every_bit_in_every_format(file_format: Format) -> None:
    whole = result_table(HARD, rows=3)
    parts = [to_bytes(whole.slice(0, 2)), to_bytes(whole.slice(2))]
    content = b"".join(written(parts, file_format=file_format))
    expected = whole.to_pylist()
    if file_format == "parquet":
        assert pq.read_table(io.BytesIO(content)).to_pylist() == expected
    elif file_format == "ndjson":
        assert [json.loads(line) for line in content.splitlines()] == expected
    else:
        found = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
        assert [float(row["fit_logit"]) for row in found if row["fit_logit"]] == [0.1 + 0.2, -5e-324]
        assert [row["account_id"] or None for row in found] == HARD["account_id"]
        assert [row["name"] or None for row in found] == HARD["name"]
