"""The text of an answer is the document of its model, whatever names the answer holds."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from small_workspace import ACCOUNTS, AS_OF, NOW, account_id, as_record

from features.feature import Language
from serving.answer_text import answer_text
from serving.answers import ScoreAnswer
from serving.desk import Desk
from serving.requests import parse_request
from serving.scoring import score_account

ODD = '","inputs":[],"fit_unavailable_reason":null,"intent_unavailable_reason":{}'


def answered(desk: Desk, language: Language = "en", **request: Any) -> ScoreAnswer:
    checked = parse_request(json.dumps(request).encode(), attributes=desk.snapshot.manifest.attributes)
    return score_account(desk, request=checked, now=NOW, language=language)


def told(text: str) -> Any:
    """A document with the order of its members."""
    return json.loads(text, object_pairs_hook=list)


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("number", range(0, ACCOUNTS, 13))
def test_the_text_is_the_document_of_the_model(desk: Desk, number: int, language: Language) -> None:
    answer = answered(desk, language, account_id=account_id(number), as_of=AS_OF)
    assert told(answer_text(answer)) == told(answer.model_dump_json())
    read = ScoreAnswer.model_validate_json(answer_text(answer))
    assert told(answer_text(read)) == told(read.model_dump_json())


def test_an_answer_without_a_half_has_null_in_its_place(desk: Desk) -> None:
    # acc-04 has an open deal: nothing is said of its intent.
    answer = answered(desk, account_id="acc-04", as_of=AS_OF)
    assert (answer.fit is None, answer.intent is None) == (False, True)
    assert told(answer_text(answer)) == told(answer.model_dump_json())
    nothing = answer.model_copy(update={"fit": None})
    assert told(answer_text(nothing)) == told(nothing.model_dump_json())


def test_a_name_that_looks_like_the_next_member_is_a_name(desk: Desk) -> None:
    record = as_record(desk.snapshot.tables, number=7)
    record["account"] |= {"name": ODD, "industry": ODD}
    answer = answered(desk, record=record)
    odd = answer.model_copy(
        update={
            "account": answer.account.model_copy(update={"name": ODD}),
            "fit": answer.fit and answer.fit.model_copy(update={"meaning": ODD}),
            "fit_unavailable_reason": ODD,
        }
    )
    assert answer.fit is not None
    for one in (answer, odd):
        assert told(answer_text(one)) == told(one.model_dump_json())
