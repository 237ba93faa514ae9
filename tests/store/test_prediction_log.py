"""The log of answers in the store: batches, order, retention, faults, sudden death; in both databases."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import logging_process
import pytest
from logging_process import AT, Made, Nobody, made
from sqlalchemy import delete, func, select

from features.errors import ConfigError, WorkspaceError
from serving.log.retention import prune_before
from serving.log.settings import LogSettings, Mode
from serving.log.writer import LogUnavailableError, PredictionLog
from serving.store import Store, engine, feedback, predictions
from serving.store.feedback import Feedback
from serving.store.predictions import Prediction
from serving.store.schema import predictions as table

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store without answers."""
    sqlite_url = f"sqlite:///{tmp_path}/store.db"
    url = sqlite_url if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    with Store.open(url) as opened:
        yield opened
        with opened.writing() as connection:
            connection.execute(delete(table))


@contextmanager
def logging(open_store: Callable[[], Store], mode: Mode, **settings: int) -> Iterator[PredictionLog]:
    log = PredictionLog(open_store, settings=LogSettings(mode=mode, **settings), clock=lambda: AT)
    log.start()
    try:
        yield log
    finally:
        log.stop()


def stored(store: Store) -> set[str]:
    with store.reading() as connection:
        return set(connection.execute(select(table.c.request_id)).scalars())


def keep(store: Store, *rows: Prediction) -> None:
    with store.writing() as connection:
        predictions.insert(connection, rows)


def test_what_is_kept_comes_back_and_stays_when_it_is_kept_again(store: Store) -> None:
    row = made("r", fit_probability=0.1 + 0.2, evidence=bytes(range(256)), answer='{"so":"契合度"}')
    keep(store, row)
    keep(store, made("r", answer="{}"), made("s"))
    with store.reading() as connection:
        assert predictions.find(connection, request_id="r") == row
        assert predictions.find(connection, request_id="t") is None
    assert stored(store) == {"r", "s"}


def test_a_history_is_read_page_by_page_the_newest_first(store: Store) -> None:
    hours = [AT + timedelta(hours=hour // 2) for hour in range(7)]
    keep(store, *(made(f"r{n}", at=hour) for n, hour in enumerate(hours)), made("x", account_id="b"))
    pages, after = [], None
    with store.reading() as connection:
        while rows := predictions.of_account(connection, account_ids=["a"], limit=3, after=after):
            pages.append([row.request_id for row in rows])
            after = rows[-1].at, rows[-1].request_id
    assert pages == [["r6", "r5", "r4"], ["r3", "r2", "r1"], ["r0"]]


def test_what_is_too_old_goes(store: Store) -> None:
    keep(store, *(made(f"r{day}", at=AT - timedelta(days=day)) for day in range(10)))
    assert prune_before(store, before=AT - timedelta(days=4)) == 5
    assert prune_before(store, before=AT - timedelta(days=4)) == 0
    assert stored(store) == {"r0", "r1", "r2", "r3", "r4"}


@pytest.mark.parametrize("mode", ["buffered", "durable"])
def test_everything_is_written_before_the_end(store: Store, mode: Mode) -> None:
    names = {f"r{n}" for n in range(1_200)}
    with logging(lambda: store, mode) as log:
        told = [log.keep(Made(name)) for name in names]
    assert [each.result(timeout=0) for each in told] == [True] * len(names)
    assert stored(store) == names
    assert (log.waiting, log.lag) == (0, 0.0)


def test_a_durable_answer_is_in_the_store_when_it_is_acknowledged(store: Store) -> None:
    with logging(lambda: store, "durable") as log:
        for n in range(20):
            assert log.keep(Made(f"r{n}")).result(timeout=30)
            assert f"r{n}" in stored(store)


def closed() -> Store:
    raise WorkspaceError("the store is locked by another process")


def test_a_store_that_does_not_write_refuses_a_durable_answer() -> None:
    with logging(closed, "durable") as log, pytest.raises(LogUnavailableError, match="try again"):
        log.keep(Made("r")).result(timeout=30)
    assert LogUnavailableError.http_status == 503


def test_a_buffered_log_goes_on_when_the_store_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)
    with (
        Store.open(f"sqlite:///{tmp_path}/store.db") as store,
        closing(sqlite3.connect(tmp_path / "store.db")) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with logging(lambda: store, "buffered") as log:
            assert log.keep(Made("r")).result(timeout=0)
            threading.Event().wait(0.3)
            assert log.waiting == 1
            assert log.lag > 0.2
            other.rollback()
        assert stored(store) == {"r"}


def test_a_row_that_cannot_be_made_waits_as_for_the_store(store: Store) -> None:
    damaged = [WorkspaceError("the list is damaged", fix="restore it"), PermissionError("no")]

    class Late(Made):
        def row(self) -> Prediction:
            if damaged:
                raise damaged.pop()
            return super().row()

    with logging(lambda: store, "buffered") as log:
        log.keep(Late("r"))
        threading.Event().wait(0.3)
        assert log.writing
        assert log.waiting == 1
    assert stored(store) == {"r"}


class Refused(Made):
    """What no database takes."""

    def row(self) -> Prediction:
        return made(self.request_id, release_id=None)


@pytest.mark.parametrize("mode", ["buffered", "durable"])
def test_a_row_that_is_refused_takes_no_other_with_it(store: Store, mode: Mode) -> None:
    log = PredictionLog(lambda: store, settings=LogSettings(mode=mode), clock=lambda: AT)
    # Before it begins to write, so that all are in one batch.
    told = [log.keep(Refused(name) if name == "r3" else Made(name)) for name in ("r1", "r2", "r3", "r4")]
    log.start()
    log.stop()
    assert stored(store) == {"r1", "r2", "r4"}
    if mode == "durable":
        assert [one.exception() is None for one in told] == [True, True, False, True]
        with pytest.raises(LogUnavailableError):
            told[2].result()
    assert log.waiting == 0


def test_somebody_forgotten_while_a_row_waits_for_its_turn_is_not_in_it(store: Store) -> None:
    told = iter(["before", "after"])

    class Forgetting(Nobody):
        def listed(self) -> object:
            return next(told)

    class Waited(Made):
        def row(self) -> Prediction:
            made_before.append(self.request_id)
            return made(self.request_id, account_id=None if made_before.count(self.request_id) > 1 else "a")

    made_before: list[str] = []
    people = Forgetting()
    log = PredictionLog(lambda: store, settings=LogSettings(mode="buffered"), clock=lambda: AT)
    # Before it begins to write, so that all are in one batch, whose people are asked once each time.
    for entry in (Waited("r"), Waited("s", people=people), Waited("t", people=people)):
        log.keep(entry)
    log.start()
    log.stop()
    with store.reading() as connection:
        kept = [predictions.find(connection, request_id=name) for name in "rst"]
    assert [one and one.account_id for one in kept] == [None, None, None]
    assert None not in kept


@pytest.mark.parametrize("mode", ["buffered", "durable"])
def test_a_full_queue_is_told_of(mode: Mode) -> None:
    log = PredictionLog(closed, settings=LogSettings(mode=mode, longest=2), clock=lambda: AT)
    log.keep(Made("r"))
    log.keep(Made("s"))
    if mode == "durable":
        with pytest.raises(LogUnavailableError, match="too many answers wait"):
            log.keep(Made("t"))
    else:
        assert log.keep(Made("t")).result(timeout=0) is False


def test_a_log_that_is_off_keeps_nothing(store: Store) -> None:
    with logging(lambda: store, "off") as log:
        assert log.keep(Made("r")).result(timeout=0)
        assert log.writing
    assert stored(store) == set()


def test_sudden_death_loses_nothing_that_was_acknowledged(store: Store) -> None:
    url = store.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, logging_process.__file__, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=ENVIRONMENT, text=True) as process:
        assert process.stdout is not None
        told = [next(process.stdout).strip() for _ in range(40)]
        process.kill()
        # A line that death cut short was not told.
        told += [line.strip() for line in process.stdout if line.endswith("\n")]
    with Store.open(url) as again:
        assert set(told) <= stored(again)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, LogSettings("buffered", 10_000, 5, 365)),
        ({"SPEARFISH_LOG": "durable", "SPEARFISH_LOG_DAYS": "0"}, LogSettings("durable", 10_000, 5, 0)),
        ({"SPEARFISH_LOG": "", "SPEARFISH_LOG_QUEUE": "7"}, LogSettings("buffered", 7, 5, 365)),
    ],
)
def test_settings_come_from_the_environment(given: dict[str, str], expected: LogSettings) -> None:
    assert LogSettings.from_environment(given) == expected


@pytest.mark.parametrize(
    "given", [{"SPEARFISH_LOG": "on"}, {"SPEARFISH_LOG_QUEUE": "0"}, {"SPEARFISH_LOG_DAYS": "x"}]
)
def test_settings_that_cannot_be_meant_are_refused(given: dict[str, str]) -> None:
    (name,) = given
    with pytest.raises(ConfigError, match=name):
        LogSettings.from_environment(given)


def test_forgotten_people_and_accounts_go_and_the_rest_stays(store: Store) -> None:
    record = {"account": {}, "contacts": [{"contact_id": "c-1"}], "activities": [{"contact_id": "c-2"}, {}]}
    answer = (
        '{"account": {"account_id": "a", "name": "Acme", "domain": "acme.example"}, "fit": 0.25, "lead": '
        '{"sentence": "Matched to account a", "possible_account_ids": [], "how": "company_name"}}'
    )
    nobody = (
        '{"account": {"account_id": null, "name": null, "domain": null}, "fit": 0.25, "lead": '
        '{"sentence": "", "possible_account_ids": [], "how": "company_name"}}'
    )
    rows = [
        made("of-account", answer=answer),
        made("of-person", account_id=None, inputs=json.dumps({"record": record})),
        made("of-another", account_id="b"),
    ]
    keep(store, *rows)
    # Nobody of this name is left in the database by other tests.
    with store.writing() as connection:
        for account in ("a", "b"):
            feedback.add(connection, Feedback(AT, account, "rejected", reason="Zenobia said no"))
    gone = {("account", "a"), ("contact", "c-2")}
    erase = {"clean": lambda text: text.replace("Zenobia", "***"), "gone": lambda *named: named in gone}
    assert store.erase(**erase) == {"predictions": 2, "feedback": 2 + 1}
    with store.reading() as connection:
        account, person, another = (predictions.find(connection, request_id=row.request_id) for row in rows)
        (left,) = feedback.since(connection, moment=None)
        assert connection.execute(select(func.count()).select_from(table)).scalar() == 3
    assert account is not None
    assert (account.account_id, account.inputs, account.erased, account.answer) == (
        None,
        None,
        "account",
        nobody,
    )
    assert account.evidence == rows[0].evidence
    assert person is not None
    assert person.erased == "people"
    assert json.loads(person.inputs or "")["record"] == record | {"activities": [{}]}
    assert another == rows[2]
    assert (left.account_id, left.reason) == ("b", "*** said no")
    assert store.erase(**erase) == {}
    with store.writing() as connection:
        feedback.forget(connection, gone=lambda _: True)


@pytest.mark.parametrize("name", ["Ann+News", "Müller & Söhne"])
def test_a_name_that_was_sent_in_codes_is_forgotten_and_others_stay_as_they_were(
    store: Store, name: str
) -> None:
    codes = "".join(f"\\u{ord(letter):04x}" for letter in name)
    rows = [
        made(told, account_id=None, inputs=f'{{"record": {{"account": {{"name": "{text}"}}}}}}')
        for told, text in (("named", f"by {codes}"), ("other", "by K\\u00f6nig"))
    ]
    keep(store, *rows)
    assert store.erase(lambda text: text.replace(name, "***"), gone=lambda *_: False)["predictions"] == 1
    with store.reading() as connection:
        named, other = (predictions.find(connection, request_id=row.request_id) for row in rows)
    assert named is not None
    assert json.loads(named.inputs or "") == {"record": {"account": {"name": "by ***"}}}
    assert other == rows[1]
