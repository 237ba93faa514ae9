"""What is wrong with a row is kept beside the answers of others; what it was found with is not."""

from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Iterator
from typing import NoReturn

import pytest
from small_workspace import NOW, account_id

from features.errors import InputError, SpearfishError
from serving.answering import Question, answer_each
from serving.desk import Desk
from serving.jobs.answering import Answerer, Looked
from serving.jobs.asking import Asked, requests_of
from serving.jobs.reading import PART_SCHEMA
from serving.remembered import Remembered
from serving.subjects import find_subjects

WRONG = ('{"bad', json.dumps({"account_id": 7}), json.dumps({"account_id": "nobody"}))


@pytest.fixture
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def asked(desk: Desk) -> list[Asked]:
    lines = [json.dumps({"account_id": account_id(8)}), *WRONG, json.dumps({"account_id": account_id(9)})]
    part = PART_SCHEMA.empty_table().from_pylist([{"body": line} for line in lines], schema=PART_SCHEMA)
    return requests_of(part, attributes=desk.snapshot.manifest.attributes, as_of=None)


def test_a_part_with_refused_rows_goes_as_soon_as_nobody_needs_it(
    desk: Desk, without_collector: None
) -> None:
    """It did not before: a job held nearly every part, a million rows four gigabytes."""
    answerer = Answerer(desk, now=NOW, language="en")

    def alive_after(looked: Looked) -> list[weakref.ref[object]]:
        assert sum(isinstance(one, Exception) for one in looked.found) == len(WRONG)
        matrices = [features for _, features in looked.matrices.values()]
        assert [len(features) for features in matrices] == [2, 2]
        return [weakref.ref(one) for one in (*matrices, *looked.subjects)]

    left = alive_after(answerer.look(asked(desk), first_row=1))
    assert [one() is not None for one in left] == [False] * 4


@pytest.mark.parametrize("body", [b'{"account_id": 7}', b'{"account_id": "nobody"}'])
def test_a_refused_request_holds_no_desk(desk: Desk, without_collector: None, body: bytes) -> None:
    """A replaced desk, and its tables, stayed for as long as the collector had not come round."""

    def refused() -> weakref.ref[Remembered]:
        current = Remembered(desk)
        asked = [Question(body, "a" * 32, "en")]
        (answer,) = answer_each(asked, current=current, now=NOW, keep=_never, restarted=_never)
        assert isinstance(answer, SpearfishError)
        return weakref.ref(current)

    left = refused()
    assert left() is None


def _never(*_: object) -> NoReturn:
    raise AssertionError("nothing is answered, and nothing failed")


def test_what_is_wrong_with_a_row_holds_nothing_but_what_it_says(desk: Desk) -> None:
    requests = [one for one in asked(desk) if not isinstance(one, InputError)]
    refused = [one for one in asked(desk) if isinstance(one, InputError)]
    subjects = find_subjects(desk, requests=requests, now=NOW, language="en")
    errors = [*refused, *(one for one in subjects if isinstance(one, Exception))]
    assert [type(one).__name__ for one in errors] == [
        "MalformedJsonError",
        "InvalidRequestError",
        "UnknownAccountError",
    ]
    for one in errors:
        assert (one.__traceback__, one.__cause__, one.__context__) == (None, None, None)
