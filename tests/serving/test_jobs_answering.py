"""Every row of a file gets the answer that it would get alone, bit for bit, in columns."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from small_workspace import ACCOUNTS, AS_OF, NOW, account_id, as_record

from features.errors import InputError
from features.feature import Language
from serving.answers import FitScore, IntentScore, ScoreAnswer, iso
from serving.desk import Desk
from serving.jobs.answering import Answerer, Seen
from serving.jobs.asking import requests_of
from serving.jobs.reading import read_parts
from serving.jobs.results import NAMING, named_by
from serving.requests import parse_request
from serving.scoring import score_account
from serving.store.feedback import Feedback
from serving.working import Verdicts


def asked(desk: Desk, rows: list[Any]) -> pa.Table:
    lines = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows).encode()
    (part,) = read_parts(io.BytesIO(lines), file_format="ndjson", most_rows=1_000)
    return part


def answered(
    desk: Desk, rows: list[Any], *, language: Language = "en", seen: Seen | None = None, first_row: int = 1
) -> pa.Table:
    requests = requests_of(asked(desk, rows), attributes=desk.snapshot.manifest.attributes, as_of=None)
    answerer = Answerer(desk, now=NOW, language=language, seen=seen)
    return answerer.tell(answerer.look(requests, first_row=first_row))


def half(row: dict[str, Any], kind: str) -> Any:
    """What the row says of one half, in the shape of `told`."""
    sides = [
        [
            (row[f"{kind}_{side}_{number}"], row[f"{kind}_{side}_{number}_contribution"])
            for number in range(1, 6)
            if row[f"{kind}_{side}_{number}"] is not None
        ]
        for side in ("for", "against")
    ]
    numbers = [
        row[f"{kind}_{name}"]
        for name in ("probability", "low", "high", "score", "grade", "logit", "baseline", "other")
    ]
    words = [row[f"{kind}_{name}"] for name in ("inputs", "model", "fingerprint", "unavailable_reason")]
    return numbers, sides, words


def told(found: FitScore | IntentScore | None, reason: str | None) -> Any:
    """What a single answer says of one half."""
    if found is None:
        return [None] * 8, [[], []], [None, None, None, reason]
    interval, sides = found.probability_interval, (found.reasons_for, found.reasons_against)
    scores = (found.score, found.grade, found.logit, found.baseline, found.other)
    return (
        [found.probability, interval.low, interval.high, *scores],
        [[(one["sentence"], one["contribution"]) for one in side] for side in sides],
        [found.inputs.sentence, found.model.name, found.model.fingerprint, reason],
    )


def require_equal(row: dict[str, Any], answer: ScoreAnswer) -> None:
    assert half(row, "fit") == told(answer.fit, answer.fit_unavailable_reason)
    assert half(row, "intent") == told(answer.intent, answer.intent_unavailable_reason)
    expected = {
        "account_id": answer.account.account_id,
        "name": answer.account.name,
        "domain": answer.account.domain,
        "as_of": iso(answer.as_of),
        "data_through": answer.data_through and iso(answer.data_through),
        "priority": answer.priority.action,
        "to_sales": answer.priority.to_sales,
        "machine_score": answer.machine_score,
        "adjustment": answer.adjustment,
        "working_score": answer.working_score,
        "adjustment_reason": answer.adjustment_reason,
        "working_priority": answer.working_priority.action,
        "lead_matched": answer.lead and answer.lead.account_matched,
        "lead_sentence": answer.lead and answer.lead.sentence,
        "warnings": "; ".join(answer.warnings) or None,
        "release_id": answer.release.id,
        "error": None,
    }
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize("language", ["en", "zh"])
def test_rows_hold_what_single_answers_say_bit_for_bit(
    desk: Desk, language: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = desk.snapshot.tables
    rows: list[Any] = [
        *({"account_id": account_id(number)} for number in range(1, ACCOUNTS, 7)),
        *({"account_id": account_id(number), "as_of": AS_OF} for number in (0, 3, 4, 5, 6)),
        {"domain": "company7.example"},
        *({"record": as_record(tables, number=number)} for number in (0, 3)),
        {"lead": {"email": "ann@company9.example", "title": "CMO"}},
        {"lead": {"company": "Nobody Knows", "industry": "software", "employees": 90}},
    ]
    verdicts = Verdicts()
    verdicts.note(Feedback(id=1, at=NOW - timedelta(days=1), account_id=account_id(8), verdict="rejected"))
    monkeypatch.setattr(desk, "verdicts", verdicts)
    table = answered(desk, rows, language=language, first_row=7)
    assert table.column("row").to_pylist() == list(range(7, 7 + len(rows)))
    for row, request in zip(table.to_pylist(), rows, strict=True):
        checked = parse_request(json.dumps(request).encode(), attributes=desk.snapshot.manifest.attributes)
        require_equal(row, score_account(desk, request=checked, now=NOW, language=language))
        assert (row["asked_account_id"], row["asked_domain"]) == (checked.account_id, checked.domain)


def test_a_row_that_is_refused_says_why_and_changes_no_other(desk: Desk) -> None:
    good = {"account_id": account_id(8)}
    wrong = [
        '{"bad',
        {"account_id": "nobody"},
        {"domain": "company1.example"},
        {"lead": {"email": "a@gmail.com"}},
    ]
    table = answered(desk, [wrong[0], good, *wrong[1:], good])
    errors = zip(*(table.column(name).to_pylist() for name in ("error", "error_status")), strict=True)
    assert list(errors) == [
        ("malformed-json", 400),
        (None, None),
        ("unknown-account", 404),
        ("ambiguous-domain", 409),
        ("invalid-request", 422),
        ("duplicate-account", 409),
    ]
    details = table.column("error_detail").to_pylist()
    assert "row 2" in details[5]
    assert table.slice(1, 1).drop(["row"]).equals(answered(desk, [good]).drop(["row"]))
    lost = table.column("fit_score").is_null().to_pylist()
    assert lost == [error is not None for error in table.column("error").to_pylist()]


def test_an_account_counts_once_over_all_parts_of_a_file(desk: Desk) -> None:
    """Also by its domain, and when a runner goes on where another one ended."""
    first = answered(desk, [{"account_id": account_id(8)}, {"account_id": account_id(8), "as_of": AS_OF}])
    seen = dict(named_by(first.select(list(NAMING))))
    again = answered(
        desk, [{"domain": "company8.example"}, {"account_id": account_id(9)}], seen=seen, first_row=3
    )
    assert again.column("error").to_pylist() == ["duplicate-account", None]
    assert "row 1" in again.column("error_detail")[0].as_py()


def test_rows_may_bring_a_moment_or_take_that_of_their_job(desk: Desk) -> None:
    part = asked(desk, [{"account_id": "a"}, {"account_id": "b", "as_of": AS_OF}, "7"])
    moment = NOW - timedelta(days=9)
    first, second, third = requests_of(part, attributes=(), as_of=moment)
    assert not isinstance(first, InputError)
    assert not isinstance(second, InputError)
    assert (first.as_of, f"{second.as_of:%Y-%m-%dT%H:%M:%SZ}") == (moment, AS_OF)
    assert isinstance(third, InputError)
