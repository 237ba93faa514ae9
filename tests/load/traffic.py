"""Mixed traffic as CRMs make it: scores one by one and in batches, records, activities, feedback, look-ups.

Turns accounts and records into requests of several clients, each of which asks again until it is answered: a
write keeps its Idempotency-Key, as a careful CRM does. Time rule: a client asks as soon as it has its answer.
Null rule: a reply that may come again (409, 429, 503) and a connection that ends are counted, not failures.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from ledger import Ledger, digest
from wire import Reply, Wire, request_bytes

from serving.answers import iso
from serving.scoring import utc_now

__all__ = ["Traffic"]

_AGAIN = (409, 429, 503)
_MOST_TRIES = 200
_BATCH = 20
_CHANNELS = ("web_visit", "webinar", "email")


class Traffic:
    """Clients of one server. quiet: accounts that no activities are sent for; busy: the others.

    requests: everything that is asked to be scored; its first ones name the quiet accounts, the next ones the
    busy ones, the last ones are records.
    """

    def __init__(
        self, port: int, *, quiet: Sequence[str], busy: Sequence[str], records: Sequence[Mapping[str, Any]]
    ) -> None:
        self.ledger = Ledger()
        self.requests = [*({"account_id": name} for name in (*quiet, *busy)), *records]
        self._port, self._quiet, self._busy, self._known = port, quiet, busy, len(quiet) + len(busy)
        self._sent = [request_bytes("POST", "/v1/score", body=request) for request in self.requests]
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Let every client end with its present request."""
        self._stopping.set()

    async def client(self, number: int) -> None:
        """One client, until all are to stop."""
        chosen = random.Random(number)
        actions: list[Callable[[_Line, random.Random], Awaitable[None]]] = [
            *([self._score] * 10),
            *([self._record] * 2),
            *([self._batch] * 1),
            *([self._activities] * 3),
            *([self._feedback] * 2),
            *([self._look_up] * 2),
        ]
        line = _Line(self._port, self.ledger, name=f"c{number}")
        while not self._stopping.is_set():
            await chosen.choice(actions)(line, chosen)
        line.close()

    async def _score(self, line: _Line, chosen: random.Random) -> None:
        await self._one(line, chosen.randrange(self._known), what="score")

    async def _record(self, line: _Line, chosen: random.Random) -> None:
        await self._one(line, chosen.randrange(self._known, len(self.requests)), what="record")

    async def _one(self, line: _Line, place: int, *, what: str) -> None:
        reply = await line.ask(self._sent[place], what=what)
        if reply is not None:
            self.ledger.answered(reply.json(), request=place)

    async def _batch(self, line: _Line, chosen: random.Random) -> None:
        places = chosen.sample(range(self._known), min(_BATCH, self._known))
        body = {"accounts": [self.requests[place] for place in places]}
        reply = await line.ask(request_bytes("POST", "/v1/score/batch", body=body), what="batch")
        for row in [] if reply is None else reply.json()["results"]:
            if row["answer"] is not None:
                self.ledger.answered(row["answer"], request=places[row["position"]])
            elif row["problem"]["status"] not in _AGAIN:
                self.ledger.failed(f"a row of a batch: {row['problem']}")

    async def _activities(self, line: _Line, chosen: random.Random) -> None:
        names = [line.name_of("a") for _ in range(3)]
        rows = [self._activity(name, chosen) for name in names]
        reply = await line.write("/v1/activities", {"activities": rows}, what="activities")
        for name, result in zip(names, [] if reply is None else reply.json()["results"], strict=False):
            if result["status"] in ("accepted", "repeated"):
                self.ledger.activities.add(name)
            else:
                self.ledger.failed(f"activity {name}: {result}")

    def _activity(self, name: str, chosen: random.Random) -> dict[str, Any]:
        ago = timedelta(seconds=chosen.randrange(60, 90 * 86_400))
        return {
            "activity_id": name,
            "account_id": chosen.choice(self._busy),
            "channel": chosen.choice(_CHANNELS),
            "direction": "inbound",
            "occurred_at": iso(utc_now() - ago),
            "seconds": chosen.randrange(5, 2_000),
        }

    async def _feedback(self, line: _Line, chosen: random.Random) -> None:
        name = line.name_of("f")
        said: dict[str, Any] = {"verdict": "accepted"}
        if chosen.random() < 0.5:
            said = {"verdict": "rejected", "reason": "no budget"}
        body = {"account_id": chosen.choice((*self._quiet, *self._busy)), "given_by": name, **said}
        if await line.write("/v1/feedback", body, what="feedback") is not None:
            self.ledger.feedback.add(name)

    async def _look_up(self, line: _Line, chosen: random.Random) -> None:
        if not self.ledger.answers:
            return
        # One of the last hundred, without a copy of them all.
        newest = reversed(self.ledger.answers)
        name = next(name for name, _ in zip(newest, range(chosen.randrange(100) + 1), strict=False))
        reply = await line.ask(request_bytes("GET", f"/v1/predictions/{name}"), what="look-up")
        if reply is not None and digest(reply.json()["answer"]) != self.ledger.answers[name].content:
            self.ledger.failed(f"prediction {name} is not the answer that was given")


class _Line:
    """A client's connection, opened again whenever it ends."""

    def __init__(self, port: int, ledger: Ledger, *, name: str) -> None:
        self._port, self._ledger, self._name, self._count = port, ledger, name, 0
        self._wire: Wire | None = None

    def name_of(self, kind: str) -> str:
        """A name that nothing else has."""
        self._count += 1
        return f"load-{kind}-{self._name}-{self._count}"

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()

    async def write(self, path: str, body: Mapping[str, Any], *, what: str) -> Reply | None:
        """As `ask`, with an Idempotency-Key: what is sent again is done once."""
        headers = {"Idempotency-Key": self.name_of("k")}
        return await self.ask(request_bytes("POST", path, body=body, headers=headers), what=what)

    async def ask(self, request: bytes, *, what: str) -> Reply | None:
        """The reply of success; None after a failure, which is noted."""
        for _ in range(_MOST_TRIES):
            try:
                reply = await self._once(request)
            except ConnectionError:
                self._ledger.counts["connections that ended"] += 1
                await asyncio.sleep(0.05)
                continue
            if reply.status < 300:
                self._ledger.counts[what] += 1
                return reply
            if reply.status not in _AGAIN:
                self._ledger.failed(f"{what}: {reply.status} {reply.body.decode()[:300]}")
                return None
            self._ledger.counts[f"asked again after {reply.status}"] += 1
            await asyncio.sleep(min(float(reply.header("retry-after") or 1), 1.0))
        self._ledger.failed(f"{what}: no answer after {_MOST_TRIES} tries")
        return None

    async def _once(self, request: bytes) -> Reply:
        if self._wire is None or not self._wire.is_open:
            self._wire = await Wire.opened(self._port)
        return await self._wire.ask(request)
