"""Whatever is sent, the answer is a score or a problem of the sender, never a fault of ours."""

from __future__ import annotations

import json
import math
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_workspace import NOW, account_id, as_record

from features.errors import InputError
from serving.answers import ScoreAnswer
from serving.desk import Desk
from serving.requests import parse_request
from serving.scoring import score_account

SHARED = settings(
    deadline=None,
    max_examples=100,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["2025-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "", "0", "inbound", "\ud800"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(st.text(max_size=8), st.sampled_from(["account_id", "record", "account", "as_of"])),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


def answer(desk: Desk, request: Any) -> ScoreAnswer | None:
    """The answer, None when the sender is told what is wrong. Anything else fails."""
    try:
        body = json.dumps(request).encode()
        checked = parse_request(body, attributes=desk.snapshot.manifest.attributes)
        return score_account(desk, request=checked, now=NOW)
    except InputError:
        return None


@SHARED
@given(request_=VALUES)
def test_any_json(desk: Desk, request_: Any) -> None:
    answer(desk, request_)


@pytest.fixture(scope="module")
def record(desk: Desk) -> dict[str, Any]:
    """An account as it would be sent, read from the tables once."""
    return as_record(desk.snapshot.tables, number=10)


@SHARED
@given(data=st.data())
def test_a_record_with_one_value_exchanged(desk: Desk, record: dict[str, Any], data: st.DataObject) -> None:
    request = {"record": deepcopy(record), "as_of": "2025-12-01T00:00:00Z"}
    holder: Any = request
    while True:
        keys = sorted(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(holder[key], dict | list) or not holder[key] or data.draw(st.integers(0, 5)) == 0:
            break
        holder = holder[key]
    holder[key] = data.draw(VALUES)
    found = answer(desk, request)
    for half in (found.fit, found.intent) if found else ():
        assert half is None or math.isfinite(half.logit)


@SHARED
@given(name=st.text(max_size=40))
def test_any_identifier(desk: Desk, name: str) -> None:
    known = {account_id(n) for n in range(10)}
    assert answer(desk, {"account_id": name}) is None or name in known or name.startswith("acc-")
