"""Seeds, accounts like one, and the plan over HTTP, on a real server."""

from __future__ import annotations

import bz2
import io
import itertools
from collections.abc import Iterator
from typing import Any

import httpx
import openpyxl
import pytest
from people_with_keys import people
from server_process import Server

from features.workspace import Workspace


@pytest.fixture(scope="module")
def ann(keyed_server: Server, keyed: Workspace) -> Iterator[httpx.Client]:
    with people(keyed_server, keyed) as person:
        yield person("Ann")


def uploaded(
    client: httpx.Client, content: bytes, *, name: str = "seeds.csv", **query: str
) -> httpx.Response:
    return client.post("/v1/seeds/upload", params=query, files={"file": (name, content)})


PASTED = """company0.example
https://www.company7.example/about?x=1
ann@company8.example
acc-09
Company 10
company0.example
compani11.example
company1.example
ann@gmail.com
Nobody Knows Ltd

acc-999
"""
EXPECTED = [
    ("matched", "acc-00"),
    ("matched", "acc-07"),
    ("matched", "acc-08"),
    ("matched", "acc-09"),
    ("matched", "acc-10"),
    ("repeated", "acc-00"),
    ("ambiguous", None),
    ("ambiguous", None),
    ("unmatched", None),
    ("unmatched", None),
    ("unmatched", None),
]


def test_each_pasted_row_says_what_it_means(ann: httpx.Client) -> None:
    told = ann.post("/v1/seeds/match", json={"text": PASTED}).json()
    rows = told["details"]
    assert [(row["status"], row["account"] and row["account"]["account_id"]) for row in rows] == EXPECTED, (
        rows
    )
    assert [row["row"] for row in rows] == [*range(1, 11), 12]
    counts = {name: told[name] for name in ("rows", "matched", "ambiguous", "repeated", "unmatched")}
    assert counts == {"rows": 11, "matched": 5, "ambiguous": 2, "repeated": 1, "unmatched": 3}
    assert told["account_ids"] == ["acc-00", "acc-07", "acc-08", "acc-09", "acc-10"]
    assert "did you mean company11.example?" in rows[6]["reason"]
    assert [one["account_id"] for one in rows[6]["candidates"]] == ["acc-11"]
    assert [one["account_id"] for one in rows[7]["candidates"]] == ["acc-01", "acc-02"]
    assert "mail provider" in rows[8]["reason"]
    chinese = ann.post("/v1/seeds/match", json={"text": "ann@gmail.com"}, headers={"Accept-Language": "zh"})
    assert "邮箱服务商" in chinese.json()["details"][0]["reason"]


def test_files_are_read_in_their_encoding_and_as_workbooks(ann: httpx.Client) -> None:
    text = "公司,网址\n某某,company7.example\n".encode("gb18030")
    refused = uploaded(ann, text)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "file")
    assert "encoding=gb18030" in refused.json()["detail"]
    assert "/tmp" not in refused.text
    assert uploaded(ann, text, encoding="gb18030").json()["account_ids"] == ["acc-07"]
    book = openpyxl.Workbook()
    for row in (("Company", "Note"), ("Company 8", "=1+1")):
        book.active.append(row)
    book.save(sink := io.BytesIO())
    assert uploaded(ann, sink.getvalue(), name="seeds.xlsx").json()["account_ids"] == ["acc-08"]
    plain = ann.post(
        "/v1/seeds/upload", content=b"company9.example\n", headers={"Content-Type": "text/plain"}
    )
    assert plain.json()["account_ids"] == ["acc-09"]


@pytest.mark.parametrize(
    ("content", "name", "status", "told"),
    [
        (b"", "seeds.csv", 422, "is empty"),
        (b"a,b\n1,2\n", "seeds.csv", 422, "no column says which companies are meant"),
        (b"x", "seeds.pdf", 415, "not read here"),
        (b"PK\x03\x04 broken", "seeds.xlsx", 422, "file"),
        (b"a\n" * 11_000_000, "seeds.csv", 413, "keep the column"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(
    ann: httpx.Client, content: bytes, name: str, status: int, told: str
) -> None:
    answer = uploaded(ann, content, name=name)
    assert (answer.status_code, told in answer.text) == (status, True), answer.text
    assert "/tmp" not in answer.text


@pytest.mark.parametrize("encoding", ["bz2", "zlib", "rot13", "hex", "no-such"])
def test_what_is_no_encoding_of_texts_is_refused(ann: httpx.Client, encoding: str) -> None:
    packed = bz2.compress(b"company9.example\n" * 100_000)
    answer = uploaded(ann, packed, encoding=encoding)
    assert (answer.status_code, answer.json()["errors"][0]["what"]) == (422, "encoding: is none of texts")


def test_accounts_like_one_share_what_it_has(ann: httpx.Client) -> None:
    told = ann.get("/v1/accounts/acc-00/similar", params={"limit": 3}).json()
    assert (told["account"]["name"], told["compared"], len(told["accounts"])) == ("Company 0", 120, 3)
    first: Any = told["accounts"][0]
    assert first["why"]["nearest"][0]["account_id"] == "acc-00"
    assert "industry: software" in first["why"]["nearest"][0]["shared"]
    unknown = ann.get("/v1/accounts/nobody/similar")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:spearfish:problem:unknown-account")


def test_the_plan_follows_from_the_goal_and_the_rates(ann: httpx.Client) -> None:
    goal = {"reps": 2, "wins_per_rep": 3, "win_rate": 0.5, "account_to_opportunity": 0.25}
    told = ann.get("/v1/plan", params=goal | {"users": 100, "units_each": 2, "unit_price": 5}).json()
    assert told["target_accounts"] == {"value": 48.0, "low": 48.0, "high": 48.0}
    assert (told["wins"], told["market_size"]) == (6.0, 1000.0)
    curve = told["curve"]
    assert [point["accounts"] for point in curve] == sorted({point["accounts"] for point in curve})
    assert all(one["marginal"] >= other["marginal"] for one, other in itertools.pairwise(curve))
    assert curve[0]["wins"] == curve[0]["marginal"]
    assert curve[-1]["accounts"] == told["accounts"] == told["scored"]
    enough = [point for point in curve if point["wins"] >= 6]
    assert (told["enough"] is None) == (not enough)
    counted = ann.get("/v1/plan", params={"reps": 1, "wins_per_rep": 1, "days": 200}).json()
    assert "win_rate" in counted, counted
    rate = counted["win_rate"]
    assert rate["value"] == rate["hits"] / rate["of"]
    assert rate["low"] < rate["value"] < rate["high"]
    for query, name in (({"reps": 1}, "wins_per_rep"), ({"reps": 1, "wins_per_rep": "x"}, "wins_per_rep")):
        assert ann.get("/v1/plan", params=query).json()["errors"][0]["field"] == name
