"""The measurements of the service, each against a server that runs.

Turns requests into milliseconds, and checks every answer. Time rule: the clock of this process, monotonic.
Null rule: none; an answer that is wrong or missing ends the measurement.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
from pace import Asked, as_fast, at_rate, milliseconds, rounds
from served import CORES, keep_to, workers
from server_process import Server
from truth import Truth
from wire import Wire, request_bytes

from features.workspace import Workspace
from serving.answers import iso
from serving.scoring import utc_now
from serving.store import Store

__all__ = ["CLIENTS", "EMPTY", "Measured", "batches", "beside_empty", "paced", "swapped"]

CLIENTS = 8
EMPTY = request_bytes("GET", "/livez")
"""The endpoint that does nothing: BentoML's own, without a body and without our application around it."""

_TURNS = 16
"""Rounds in which measurements take turns, so that a machine that is busy for a while is so for all."""

_EMPTY_REQUESTS = 1_000
"""To the empty endpoint in each round: a third of a second, about as long as requests of ours take."""

Told = dict[str, Any]


class WrongAnswerError(AssertionError):
    """What was served is not what it should be."""


@dataclass(frozen=True)
class Measured:
    """A server with what it must answer."""

    server: Server
    truth: Truth

    def score(self, requests: Sequence[Mapping[str, Any]]) -> list[bytes]:
        return [request_bytes("POST", "/v1/score", body=request) for request in requests]

    def require_right(self, requests: Sequence[Mapping[str, Any]], found: Sequence[Asked]) -> None:
        """Every answer, in every member, to the bit."""
        for place, reply in found:
            if reply.status != 200:
                raise WrongAnswerError(f"{reply.status}: {reply.body.decode()[:300]}")
            if wrong := self.truth.wrong(requests[place], reply.json()):
                raise WrongAnswerError(f"{requests[place]}: {wrong} differ")


def processor_seconds(server: Server) -> float:
    """What the workers have computed so far."""
    return sum(sum(process.cpu_times()[:2]) for process in workers(server))


def beside_empty(measured: Measured, requests: Sequence[Mapping[str, Any]], *, count: int) -> Told:
    """Clients at once that ask as fast as they get answers, in turns with the empty endpoint.

    ratio: of the medians of a round, the median over rounds; quartiles: of these ratios. A machine that
    changes its speed does so for both halves of a round, but for more of the one than of the other in all.
    """
    port, sent, found, empty = measured.server.port, measured.score(requests), [], []
    costs, ratios = {"ours": 0.0, "empty": 0.0}, []
    own = psutil.Process()
    client = 0.0
    for turn in range(_TURNS):
        places = [(turn + _TURNS * step) % len(sent) for step in range(count // _TURNS)]
        before = processor_seconds(measured.server)
        started, busy = time.monotonic(), sum(own.cpu_times()[:2])
        nothing = asyncio.run(as_fast(port, [EMPTY], clients=CLIENTS, turns=rounds(_EMPTY_REQUESTS, of=1)))
        client = max(client, (sum(own.cpu_times()[:2]) - busy) / (time.monotonic() - started))
        between = processor_seconds(measured.server)
        ours = asyncio.run(as_fast(port, sent, clients=CLIENTS, turns=places))
        costs["ours"] += processor_seconds(measured.server) - between
        costs["empty"] += between - before
        ratios.append(milliseconds(ours)["median_ms"] / milliseconds(nothing)["median_ms"])
        found += ours
        empty += nothing
    measured.require_right(requests, found)
    low, middle, high = statistics.quantiles(ratios, n=4)
    return {
        "clients": CLIENTS,
        "requests": len(found),
        **milliseconds(found),
        "empty": milliseconds(empty),
        "ratio": round(middle, 2),
        "quartiles": [round(low, 2), round(high, 2)],
        "processor_ratio": round(costs["ours"] / len(found) / max(costs["empty"] / len(empty), 1e-9), 2),
        "client_busy_at_most": round(client, 2),
    }


def paced(measured: Measured, requests: Sequence[Mapping[str, Any]], *, rate: float, count: int) -> Told:
    """So many requests a second, whether the server keeps up or not."""
    turns = rounds(count, of=len(requests))
    found = asyncio.run(at_rate(measured.server.port, measured.score(requests), rate=rate, turns=turns))
    measured.require_right(requests, found)
    return {"rate": rate, "requests": len(found), **milliseconds(found)}


def batches(measured: Measured, requests: Sequence[Mapping[str, Any]], *, count: int, anew: bool) -> Told:
    """One client that sends batches, to a server that may use every core: the client only waits.

    anew: whether each batch asks as of another second, so that none of its answers is remembered.
    """
    now = utc_now()
    moments = [iso(now - timedelta(seconds=turn)) if anew else None for turn in range(count)]
    keep_to(CORES, others=workers(measured.server))
    try:
        times = [_batch(measured, requests, as_of=moment) for moment in moments]
    finally:
        keep_to(CORES[:1], others=workers(measured.server))
    ordered = sorted(times)
    return {"rows": len(requests), "batches": count, "median_seconds": round(ordered[count // 2], 3)}


def _batch(measured: Measured, requests: Sequence[Mapping[str, Any]], *, as_of: str | None) -> float:
    told = {"accounts": list(requests), "as_of": as_of}
    body = request_bytes("POST", "/v1/score/batch", body=told)

    async def once() -> Asked:
        wire = await Wire.opened(measured.server.port)
        reply = await wire.ask(body)
        wire.close()
        return 0, reply

    _, reply = asyncio.run(once())
    answer = reply.json()
    if reply.status != 200 or answer["failed"]:
        raise WrongAnswerError(f"{reply.status}: {answer.get('failed')} rows failed")
    for row in answer["results"]:
        if wrong := measured.truth.wrong(requests[row["position"]], row["answer"]):
            raise WrongAnswerError(f"{requests[row['position']]}: {wrong} differ")
    return reply.seconds


def swapped(
    measured: Measured,
    workspace: Workspace,
    requests: Sequence[Mapping[str, Any]],
    *,
    releases: Sequence[int],
    rate: float,
    swaps: int,
    every: float,
) -> Told:
    """Requests at a rate while one release after the other is made the current one."""
    count = int(rate * every * (swaps + 1))
    calm = paced(measured, requests, rate=rate, count=count)
    sent, chosen = measured.score(requests), []

    async def both() -> list[Asked]:
        asking = at_rate(measured.server.port, sent, rate=rate, turns=rounds(count, of=len(sent)))
        found, _ = await asyncio.gather(
            asking, _swap(workspace, chosen, releases=releases, swaps=swaps, every=every)
        )
        return found

    found = asyncio.run(both())
    measured.require_right(requests, found)
    under = milliseconds(found)
    return {
        "rate": rate,
        "requests": len(found),
        "swaps": swaps,
        "failed": sum(reply.status != 200 for _, reply in found),
        "releases": sorted({reply.json()["release"]["id"] for _, reply in found}),
        "late_seconds": _late(found, chosen),
        **under,
        "calm": calm,
        "ratio_of_p99": round(under["p99_ms"] / calm["p99_ms"], 2),
    }


async def _swap(
    workspace: Workspace,
    chosen: list[tuple[float, int]],
    *,
    releases: Sequence[int],
    swaps: int,
    every: float,
) -> None:
    """Move the pointer between two releases, as `promote` and `rollback` do: to answer in three seconds."""
    with Store.open(workspace.store_url) as store:
        for swap in range(swaps):
            await asyncio.sleep(every)
            release_id, moment = releases[(swap + 1) % 2], utc_now() + timedelta(seconds=3)
            # The pointer has whole seconds: its moment comes up to one sooner than in three.
            due = time.monotonic() + (moment.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds()
            store.activate(release_id, activate_at=moment, who="bench", why="swap", now=utc_now())
            chosen.append((due, release_id))


def _late(found: Sequence[Asked], chosen: Sequence[tuple[float, int]]) -> float:
    """How long after its moment a release was still not the one that answered; at most."""
    told = [0.0]
    for place, (due, release_id) in enumerate(chosen):
        until = chosen[place + 1][0] if place + 1 < len(chosen) else float("inf")
        told += [
            reply.sent_at - due
            for _, reply in found
            if due < reply.sent_at < until and reply.json()["release"]["id"] != release_id
        ]
    return round(max(told), 2)
