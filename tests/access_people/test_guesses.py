"""Links that nobody made: who tries many of them waits, and nobody else does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gate_worker import Worker, invite
from in_process import ask, slug_of

from serving.access.guesses import GUESSES_AT_ONCE, GUESSES_PER_MINUTE, Guesses
from serving.problems import TooManyRequestsError

WRONG = "x" * 43


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    made = Worker(f"sqlite:///{tmp_path}/store.db")
    yield made
    made.door.close()


def redeem(worker: Worker, token: str, *, address: str) -> httpx.Response:
    return ask(worker.app, "POST", "/v1/session", address=address, json={"token": token})


def test_an_address_that_guesses_waits(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr("serving.access.guesses.time.time", lambda: now)
    link = invite(worker)
    for _ in range(GUESSES_AT_ONCE):
        assert redeem(worker, WRONG, address="192.0.2.7").status_code == 404
    refused = redeem(worker, WRONG, address="192.0.2.7")
    assert (refused.status_code, slug_of(refused)) == (429, "too-many-requests")
    assert int(refused.headers["retry-after"]) == 60 // GUESSES_PER_MINUTE
    assert "guessed from this address" in refused.json()["detail"]
    assert redeem(worker, link, address="192.0.2.7").status_code == 429, "nor does a right one tell itself"
    assert redeem(worker, WRONG, address="192.0.2.8").status_code == 404
    now += 60 / GUESSES_PER_MINUTE
    assert redeem(worker, link, address="192.0.2.7").status_code == 201


def test_links_that_were_made_are_no_guesses(worker: Worker) -> None:
    """Many people behind one address, some of whom open their link twice."""
    for number in range(GUESSES_AT_ONCE):
        link = invite(worker, f"Ada {number}")
        assert redeem(worker, link, address="192.0.2.7").status_code == 201
        assert redeem(worker, link, address="192.0.2.7").status_code == 410
    assert redeem(worker, WRONG, address="192.0.2.7").status_code == 404


def guessed(some: Guesses, *addresses: str | None) -> list[bool]:
    """Whether each address has to wait by now."""

    def waits(address: str | None) -> bool:
        try:
            some.require_few(address)
        except TooManyRequestsError:
            return True
        return False

    return [waits(address) for address in addresses]


def test_workers_share_what_is_counted_and_it_stays_as_large(tmp_path: Path) -> None:
    first, second = Guesses(tmp_path / "guesses"), Guesses(tmp_path / "guesses")
    first.require_few("192.0.2.1")
    size = (tmp_path / "guesses").stat().st_size
    for number in range(5_000):
        first.note(f"198.51.{number // 250}.{number % 250}")
    for _ in range(GUESSES_AT_ONCE):
        first.note("2001:db8::1")
    assert guessed(second, "2001:db8::1", "2001:db8::2:3", "2001:db8:0:1::1") == [True, True, False]
    assert (tmp_path / "guesses").stat().st_size == size == 65_536
    for some in (first, second):
        some.close()


def test_who_has_no_address_shares_a_bucket() -> None:
    some = Guesses(None)
    for _ in range(GUESSES_AT_ONCE):
        some.note(None)
    assert guessed(some, None, "", "192.0.2.7") == [True, True, False]
