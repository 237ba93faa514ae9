"""Batches: every row gets the answer that it would get alone, or a problem of its own, in order."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from small_workspace import ACCOUNTS, AS_OF, CUTOFF, NOW, account_id, as_record

from features.errors import SpearfishError
from serving.answers import iso
from serving.batches import BatchAnswer, batch_answer, score_batch
from serving.desk import Desk
from serving.problems import InvalidRequestError, MalformedJsonError, problem
from serving.requests import MOST_ROWS, parse_batch, parse_request
from serving.scoring import Scored, score_account

EARLIER = iso(CUTOFF - timedelta(days=100))


def rows_of(desk: Desk, rows: Iterable[Any], **more: Any) -> list[Scored | SpearfishError]:
    body = json.dumps({"accounts": list(rows), **more}).encode()
    parsed = parse_batch(body, attributes=desk.snapshot.manifest.attributes)
    return score_batch(desk, rows=parsed, now=NOW, language="en")


def answered(desk: Desk, rows: Iterable[Any], **more: Any) -> BatchAnswer:
    found = [one.answer if isinstance(one, Scored) else one for one in rows_of(desk, rows, **more)]
    return batch_answer(found, request_id="batch")


def alone(desk: Desk, row: Any) -> dict[str, Any]:
    """What the row alone gets: its answer, or its problem."""
    try:
        request = parse_request(json.dumps(row).encode(), attributes=desk.snapshot.manifest.attributes)
        return nameless(score_account(desk, request=request, now=NOW).model_dump_json())
    except SpearfishError as error:
        return problem(error, request_id="batch")


def nameless(answer: str) -> dict[str, Any]:
    """An answer without its name; floats keep every bit on their way through JSON."""
    document: dict[str, Any] = json.loads(answer)
    return document | {"request_id": ""}


def test_a_batch_answers_as_single_requests_do_bit_for_bit(desk: Desk) -> None:
    tables = desk.snapshot.tables
    rows = [
        *({"account_id": account_id(number)} for number in range(0, ACCOUNTS, 3)),
        *({"account_id": account_id(number), "as_of": AS_OF} for number in range(0, ACCOUNTS, 17)),
        *({"account_id": account_id(number), "as_of": EARLIER} for number in range(0, ACCOUNTS, 17)),
        {"domain": "company8.example", "as_of": "2025-11-01T00:00:00Z"},
        *({"record": as_record(tables, number=number)} for number in (0, 1, 3, 5)),
        {"record": as_record(tables, number=9), "as_of": AS_OF},
        {"lead": {"email": "ann@company9.example", "title": "CMO"}},
        {"lead": {"company": "Nobody Knows", "industry": "software", "employees": 90}},
    ]
    batch = answered(desk, rows)
    assert (batch.succeeded, batch.failed) == (len(rows), 0)
    for row, found in zip(rows, batch.results, strict=True):
        assert found.answer is not None
        assert nameless(found.answer.model_dump_json()) == alone(desk, row)


def test_each_row_is_right_or_wrong_for_itself_in_order(desk: Desk) -> None:
    wrong: list[tuple[Any, int, str]] = [
        ({"account_id": "nobody"}, 404, "no such account"),
        ({"account_id": 7}, 422, "accounts[3].account_id"),
        ({"account_id": "acc-00", "domain": "x.example"}, 422, "exactly one of"),
        ("acc-00", 422, "accounts[5]"),
        ({"account_id": "acc\u0000"}, 422, "accounts[6].account_id"),
        ({"accountid": "acc-00"}, 422, "account_id"),
        ({"domain": "company1.example"}, 409, "acc-01, acc-02"),
        ({"account_id": "acc-00", "as_of": "2199-01-01T00:00:00Z"}, 422, "future"),
        ({"record": {"account": {"employees": -1}}}, 422, "accounts[10].record.account.employees"),
        ({"lead": {"email": "ann@gmail.com"}}, 422, "mail provider"),
    ]
    rows = [{"account_id": "acc-00"}, {"account_id": "acc-01"}, *(row for row, _, _ in wrong)]
    batch = answered(desk, rows)
    assert (batch.succeeded, batch.failed) == (2, len(wrong))
    assert [row.position for row in batch.results] == list(range(len(rows)))
    assert [row.answer.account.account_id for row in batch.results[:2] if row.answer] == ["acc-00", "acc-01"]
    for (_, status, words), row in zip(wrong, batch.results[2:], strict=True):
        assert row.answer is None
        assert row.problem is not None
        assert row.problem.status == status
        assert words in row.problem.model_dump_json()


def test_an_account_that_is_named_twice_is_answered_once(desk: Desk) -> None:
    rows = [
        {"account_id": "acc-00"},
        {"domain": "company8.example"},
        {"account_id": "acc-00"},
        {"account_id": "acc-08"},
        {"account_id": "acc-00", "as_of": AS_OF},
        {"lead": {"email": "ann@company0.example"}},
        {"lead": {"email": "bob@company0.example"}},
    ]
    results = answered(desk, rows).results
    problems = {row.position: row.problem for row in results if row.problem}
    assert {place: told.status for place, told in problems.items()} == {2: 409, 3: 409}
    assert "accounts[2]: names the same account as accounts[0]" in problems[2].detail
    assert "accounts[3]: names the same account as accounts[1]" in problems[3].detail


def test_as_of_counts_for_rows_without_their_own(desk: Desk) -> None:
    rows = [{"account_id": "acc-00"}, {"account_id": "acc-01", "as_of": EARLIER}]
    results = answered(desk, rows, as_of=AS_OF).results
    assert [iso(row.answer.as_of) for row in results if row.answer] == [AS_OF, EARLIER]


def test_every_answer_has_a_name_of_its_own(desk: Desk) -> None:
    results = answered(desk, [{"account_id": account_id(number)} for number in range(9)]).results
    assert len({row.answer.request_id for row in results if row.answer}) == 9


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        ("{", MalformedJsonError, "not valid JSON"),
        ('{"accounts": [{"account_id": NaN}]}', MalformedJsonError, "no such number"),
        ('{"accounts": [{"account_id": "a", "account_id": "b"}]}', MalformedJsonError, "given twice"),
        ('{"accounts": ' + "[" * 100_000, MalformedJsonError, "not valid JSON"),
        ("[]", InvalidRequestError, "(body)"),
        ("{}", InvalidRequestError, "accounts: is missing"),
        ('{"accounts": []}', InvalidRequestError, "accounts"),
        ('{"accounts": {"account_id": "a"}}', InvalidRequestError, "accounts"),
        ('{"accounts": [{}], "acounts": 1}', InvalidRequestError, "no such field"),
        ('{"accounts": [{}], "as_of": "today"}', InvalidRequestError, "as_of"),
        (json.dumps({"accounts": [{}] * (MOST_ROWS + 1)}), InvalidRequestError, "1000"),
    ],
)
def test_a_batch_that_is_wrong_as_a_whole_is_refused(
    desk: Desk, body: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        parse_batch(body.encode(), attributes=desk.snapshot.manifest.attributes)
    assert message in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_a_batch_is_read_as_a_single_request_is_in_utf_8_alone(encoding: str) -> None:
    with pytest.raises(MalformedJsonError):
        parse_batch('{"accounts": [{"account_id": "a"}]}'.encode(encoding), attributes=())


@pytest.mark.parametrize("number", ["1e999", "-1e999"])
def test_numbers_that_are_not_finite_are_wrong_in_their_row(desk: Desk, number: str) -> None:
    body = f'{{"accounts": [{{"record": {{"account": {{"annual_revenue": {number}}}}}}}]}}'.encode()
    (row,) = parse_batch(body, attributes=desk.snapshot.manifest.attributes)
    assert isinstance(row, InvalidRequestError)
    assert row.errors[0].field == "accounts[0].record.account.annual_revenue"


@pytest.mark.parametrize("row", ['{{"account_id": {}}}', '{{"record": {{"account": {}}}}}', "{}"])
@pytest.mark.parametrize("depth", [100, 500, *range(900, 1_000, 3)])
def test_deep_nesting_is_refused_at_every_depth(row: str, depth: int) -> None:
    body = f'{{"accounts": [{row.format("[" * depth + "]" * depth)}]}}'.encode()
    try:
        (found,) = parse_batch(body, attributes=())
    except MalformedJsonError:
        return
    assert isinstance(found, InvalidRequestError)
