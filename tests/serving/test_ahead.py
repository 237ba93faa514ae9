"""Features computed before anybody asks are those that would be computed, of the day and of the desk."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from small_workspace import NOW, account_id

from features.errors import EngineError
from features.workspace import Workspace
from serving import ahead
from serving.ahead import Ahead
from serving.desk import Desk, Snapshot
from serving.known_engine import ReadyFeatureEngine
from serving.releases import load_current
from serving.remembered import Remembered
from serving.requests import ScoreRequest, parse_request
from serving.scoring import score_in_full
from serving.store import Store

FEW = 5


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "utc_now", lambda: NOW)
    # As many groups as there are, whatever the machine is at.
    monkeypatch.setattr(ahead, "_SPELL", 600.0)


@pytest.fixture
def hands() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as made:
        yield made


def opened(company: Workspace) -> Desk:
    with Store.open(company.store_url) as store:
        return Desk(Snapshot(company), release=load_current(store, now=NOW), resident=True)


@pytest.fixture
def desk(company: Workspace) -> Iterator[Desk]:
    with opened(company) as made:
        yield made


def asked(desk: Desk, number: int) -> ScoreRequest:
    body = json.dumps({"account_id": account_id(number)}).encode()
    return parse_request(body, attributes=desk.snapshot.manifest.attributes)


def answered(desk: Desk, number: int, *, now: datetime) -> str:
    request = asked(desk, number)
    return score_in_full(desk, request=request, now=now, language="en", request_id="a").text()


def compute_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise EngineError("computed again", sql="")

    monkeypatch.setattr(ReadyFeatureEngine, "_matrix", refuse)


def test_every_account_is_at_hand_as_it_would_be_computed(
    company: Workspace, desk: Desk, hands: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = desk.snapshot.accounts.count
    expected = [answered(desk, number, now=NOW) for number in range(count)]
    with opened(company) as other:
        held = Remembered(other)
        Ahead(current=lambda: held, hands=hands).look()
        compute_nothing(monkeypatch)
        assert [answered(other, number, now=NOW) for number in range(count)] == expected


def test_those_with_the_newest_facts_come_first(
    desk: Desk, hands: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    everyone = desk.snapshot.accounts.everyone()
    newest = sorted(everyone.itertuples(), key=lambda one: (-one.newest_known_at.value, one.account_id))
    monkeypatch.setattr(ahead, "MOST", FEW)
    held = Remembered(desk)
    Ahead(current=lambda: held, hands=hands).look()
    compute_nothing(monkeypatch)
    numbers = {account_id(number): number for number in range(len(everyone))}
    for one in newest[:FEW]:
        assert answered(desk, numbers[one.account_id], now=NOW)
    with pytest.raises(EngineError, match="computed again"):
        answered(desk, numbers[newest[FEW].account_id], now=NOW)


def test_the_next_day_begins_anew(
    desk: Desk, hands: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    tomorrow = NOW + timedelta(days=1)
    expected = answered(desk, 7, now=tomorrow)
    held = Remembered(desk)
    computing = Ahead(current=lambda: held, hands=hands)
    computing.look()
    monkeypatch.setattr(ahead, "utc_now", lambda: tomorrow)
    computing.look()
    compute_nothing(monkeypatch)
    assert answered(desk, 7, now=tomorrow) == expected
    with pytest.raises(EngineError, match="computed again"):
        answered(desk, 7, now=NOW)


def test_another_desk_begins_anew(
    company: Workspace, desk: Desk, hands: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = answered(desk, 7, now=NOW)
    with opened(company) as other:
        current = Remembered(other)
        computing = Ahead(current=lambda: current, hands=hands)
        computing.look()
        current = Remembered(desk)
        computing.look()
    compute_nothing(monkeypatch)
    assert answered(desk, 7, now=NOW) == expected


def test_what_fails_is_left_to_requests(
    desk: Desk, hands: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    held = Remembered(desk)
    computing = Ahead(current=lambda: held, hands=hands)
    with monkeypatch.context() as patch:
        compute_nothing(patch)
        computing.look()
        computing.look()
    told = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert [one.getMessage() for one in told] == ["features are not computed ahead: computed again"]
    assert answered(desk, 7, now=NOW)


def test_a_desk_before_which_none_answers_begins_with_them(
    desk: Desk, hands: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = answered(desk, 7, now=NOW)
    Ahead(current=lambda: None, hands=hands).start(desk)
    compute_nothing(monkeypatch)
    assert answered(desk, 7, now=NOW) == expected


def test_nothing_is_computed_before_there_is_a_desk(hands: ThreadPoolExecutor) -> None:
    computing = Ahead(current=lambda: None, hands=hands)
    computing.look()
    assert not len(computing._left)
