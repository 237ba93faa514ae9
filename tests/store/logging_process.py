"""A process that logs answers durably and tells of each that it was told is kept; until it is killed."""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from serving.log.settings import LogSettings
from serving.log.writer import PredictionLog
from serving.store import Store
from serving.store.predictions import Prediction

AT = datetime.fromisoformat("2026-05-01T12:00:00")


def made(request_id: str, *, at: datetime = AT, account_id: str | None = "a", **told: object) -> Prediction:
    """An answer by hand."""
    empty = ("fit_probability", "fit_grade", "intent_probability", "intent_grade", "machine_score")
    values: dict[str, Any] = dict.fromkeys((*empty, "working_score", "api_key_id"))
    values |= {"inputs": '{"account_id":"a"}', "answer": '{"account":{"account_id":"a"}}', "evidence": b"e"}
    values |= {"request_id": request_id, "at": at, "as_of": at, "account_id": account_id, "release_id": 1}
    return Prediction(**(values | told))


class Nobody:
    """People of whom nobody was ever forgotten."""

    def listed(self) -> object:
        return None


@dataclass(frozen=True)
class Made:
    """What the writer asks of an entry."""

    request_id: str
    people: Any = field(default_factory=Nobody)

    def row(self) -> Prediction:
        return made(self.request_id)


def log_and_tell(url: str, name: str, pipe: int) -> None:
    """Log from four threads as fast as answers are acknowledged; each acknowledgement is a line."""
    store = Store.open(url)
    log = PredictionLog(lambda: store, settings=LogSettings(mode="durable"), clock=lambda: AT)
    log.start()

    def answer(thread: int) -> None:
        for number in range(1_000_000):
            request_id = f"{name}-{thread}-{number}"
            log.keep(Made(request_id)).result(timeout=60)
            os.write(pipe, f"{request_id}\n".encode())

    threads = [threading.Thread(target=answer, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    log_and_tell(sys.argv[1], "r", sys.stdout.fileno())
