"""A remembered answer is the one that would be computed, and nothing is remembered beyond its time."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from server_process import until
from small_workspace import AS_OF, NOW, account_id, bundle, publish

from features.workspace import Workspace
from serving import remembered as remembering
from serving.batches import BatchAnswer, batch_answer, batch_text, score_batch
from serving.desk import Desk, open_desk
from serving.holder import DeskHolder
from serving.problems import DuplicateAccountError
from serving.remembered import Remembered
from serving.requests import parse_batch, parse_request
from serving.scoring import Scored, score_in_full, utc_now
from serving.store import Draft, Store, StoredBundle, feedback
from serving.store.feedback import Feedback


@pytest.fixture(scope="module")
def own_desk(company: Workspace) -> Iterator[Desk]:
    with open_desk(company, now=NOW) as opened:
        yield opened


def asked(desk: Desk, **request: Any) -> Any:
    return parse_request(json.dumps(request).encode(), attributes=desk.snapshot.manifest.attributes)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    "request_",
    [{"account_id": "acc-12"}, {"account_id": "acc-13", "as_of": AS_OF}, {"domain": "company9.example"}],
    ids=str,
)
def test_the_second_answer_is_the_computed_one(own_desk: Desk, request_: Any, language: Any) -> None:
    remembered, request = Remembered(own_desk), asked(own_desk, **request_)
    told: dict[str, Any] = {"now": NOW, "language": language}
    assert remembered.at_once(request, request_id="a", **told) is None
    remembered.score(request, request_id="a", **told)
    again = remembered.at_once(request, request_id="b", **told)
    computed = score_in_full(own_desk, request=request, request_id="b", **told)
    assert again is not None
    assert again.answer == computed.answer
    assert again.text() == computed.text() == computed.answer.model_dump_json()


def test_another_day_an_earlier_moment_and_the_future_are_no_same_question(own_desk: Desk) -> None:
    remembered, request = Remembered(own_desk), asked(own_desk, account_id=account_id(12))
    remembered.score(request, now=NOW, language="en", request_id="a")
    assert remembered.at_once(request, now=NOW, language="en", request_id="b")
    assert remembered.at_once(request, now=NOW, language="zh", request_id="b") is None
    assert remembered.at_once(request, now=NOW + timedelta(days=1), language="en", request_id="b") is None
    ahead = asked(own_desk, account_id=account_id(12), as_of="2099-01-01T00:00:00Z")
    assert remembered.at_once(ahead, now=NOW, language="en", request_id="b") is None


def test_what_sales_said_makes_it_another_answer(company: Workspace) -> None:
    with open_desk(company, now=NOW) as desk:
        remembered, request = Remembered(desk), asked(desk, account_id=account_id(14))
        told: dict[str, Any] = {"now": NOW, "language": "en", "request_id": "a"}
        remembered.score(request, **told)
        desk.verdicts.note(
            Feedback(
                id=1,
                at=NOW,
                account_id=account_id(14),
                verdict="rejected",
                reason="too small",
                outcome=None,
                request_id=None,
                machine_score=50.0,
                api_key_id=None,
            )
        )
        assert remembered.at_once(request, **told) is None
        assert remembered.score(request, **told).answer == score_in_full(desk, request=request, **told).answer


def test_the_oldest_make_room(own_desk: Desk) -> None:
    remembered = Remembered(own_desk, most=2)
    requests = [asked(own_desk, account_id=account_id(number)) for number in (10, 11, 12)]
    for request in requests:
        remembered.score(request, now=NOW, language="en", request_id="a")
    found = [remembered.at_once(one, now=NOW, language="en", request_id="b") for one in requests]
    assert [one is None for one in found] == [True, False, False]
    assert [request.account_id for request, _ in remembered.newest(5)] == ["acc-12", "acc-11"]


def test_a_new_desk_learns_what_the_last_one_was_asked_until_it_has_to_answer(own_desk: Desk) -> None:
    request = asked(own_desk, account_id=account_id(10))
    told: dict[str, Any] = {"now": NOW, "language": "en", "request_id": "a"}
    late, in_time = Remembered(own_desk), Remembered(own_desk)
    late.learn([(request, "en")], now=NOW, until=time.monotonic())
    in_time.learn([(request, "en")], now=NOW, until=time.monotonic() + 600)
    assert late.at_once(request, **told) is None
    assert in_time.at_once(request, **told) is not None


@pytest.mark.parametrize(
    ("until", "rests"),
    [(None, []), (100.0, [2.0, 2.0, 2.0]), (5.5, [0.5, 0.5, 0.5]), (4.0, [0.0, 0.0, 0.0])],
)
def test_a_desk_that_is_not_to_answer_yet_rests_as_it_learns(
    own_desk: Desk, monkeypatch: pytest.MonkeyPatch, until: float | None, rests: list[float]
) -> None:
    """Twice as long as each of its four groups takes, which is a second here, or what time is left for."""
    clock = Clock()
    monkeypatch.setattr(remembering, "time", clock)
    monkeypatch.setattr(remembering, "_AT_ONCE", 1)
    three = [asked(own_desk, account_id=account_id(number)) for number in (10, 11, 12)]
    of_one = Remembered(own_desk, stop=clock)
    monkeypatch.setattr(of_one, "score_subjects", lambda *_, **__: clock.sleep(1.0))
    of_one.learn([*((one, "en") for one in three), (three[0], "zh")], now=NOW, until=until)
    assert [slept for slept in clock.slept if slept != 1.0] == rests
    assert clock.slept.count(1.0) == 4


class Rest(threading.Event):
    """One to be set, which knows when somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.seconds = threading.Event(), 0.0

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds = timeout or 0.0
        self.begun.set()
        return super().wait(timeout)


def test_a_desk_that_rests_for_long_ends_its_learning_at_once_when_it_is_stopped(
    own_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembering, "_AT_ONCE", 1)
    monkeypatch.setattr(remembering, "_REST", 1e9)
    stop, requests = Rest(), [asked(own_desk, account_id=account_id(number)) for number in (10, 11)]
    one = Remembered(own_desk, stop=stop)
    end = time.monotonic() + 7_200

    def learn() -> None:
        one.learn([(request, "en") for request in requests], now=NOW, until=end)

    learning = threading.Thread(target=learn, daemon=True)
    learning.start()
    assert stop.begun.wait(60)
    assert stop.seconds > 3_600
    stop.set()
    learning.join(60)
    assert not learning.is_alive()
    assert [request.account_id for request, _ in one.newest(5)] == ["acc-10"], "the other one is not learned"


def test_a_worker_hears_of_feedback_and_ends_while_a_release_to_come_learns(
    without_release: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The release is due tomorrow, and rests for hours between the two answers that it is to learn."""
    monkeypatch.setattr(remembering, "_AT_ONCE", 1)
    monkeypatch.setattr(remembering, "_REST", 1e9)
    publish(without_release, kinds=["fit"])
    holder, rest, now = DeskHolder(without_release), Rest(), utc_now()
    holder._watch.stopping = rest
    holder.start()
    try:
        for number in (10, 11):
            body = json.dumps({"account_id": account_id(number)}).encode()
            holder.answer(body, request_id=f"r{number}", language="en")
        made = bundle(without_release.tables(), kind="fit", seed=2)
        with Store.open(without_release.store_url) as store:
            draft = Draft(
                (StoredBundle("fit", made.name, made.fingerprint, made.to_bytes()),), "test", "test"
            )
            store.publish(draft, activate_at=now + timedelta(days=1), now=now)
            assert rest.begun.wait(60)
            assert rest.seconds > 3_600
            with store.writing() as connection:
                feedback.add(connection, Feedback(now, account_id(10), "rejected", reason="no budget"))
        later = now + timedelta(minutes=1)
        until(lambda: holder.desk().verdicts.rejection(account_id(10), before=later) is not None, patience=30)
        assert holder._coming is None, "it learns still"
    finally:
        holder.stop()
    assert not any(one.alive for one in holder._watches)


def test_what_is_let_go_is_no_longer_remembered(own_desk: Desk) -> None:
    one = Remembered(own_desk)
    requests = [asked(own_desk, account_id=account_id(number)) for number in range(25)]
    one.learn([(request, "en") for request in requests], now=NOW)
    assert len(one.newest(100)) == 25
    one.let_go()
    assert one.newest(100) == []
    told: dict[str, Any] = {"now": NOW, "language": "en", "request_id": "a"}
    assert one.at_once(requests[0], **told) is None
    assert one.score(requests[0], **told).answer.account.account_id == account_id(0)


class Clock(threading.Event):
    """One that passes when somebody sleeps or waits for it, and only then."""

    def __init__(self) -> None:
        super().__init__()
        self.slept = list[float]()

    def monotonic(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def wait(self, timeout: float | None = None) -> bool:
        self.sleep(timeout or 0.0)
        return self.is_set()


def test_a_batch_is_written_as_its_model_says(own_desk: Desk) -> None:
    rows = [{"account_id": account_id(number)} for number in (10, 11, 10)]
    body = json.dumps({"accounts": rows}).encode()
    parsed = parse_batch(body, attributes=own_desk.snapshot.manifest.attributes)
    remembered = Remembered(own_desk)
    for _ in range(2):
        found = score_batch(own_desk, rows=parsed, now=NOW, language="en", remembered=remembered)
        texts = [one.text() if isinstance(one, Scored) else one for one in found]
        answers = [one.answer if isinstance(one, Scored) else one for one in found]
        whole: BatchAnswer = batch_answer(answers, request_id="batch")
        assert batch_text(texts, request_id="batch") == whole.model_dump_json()
        assert isinstance(found[2], DuplicateAccountError)
