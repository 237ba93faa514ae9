"""Requests at a pace: as fast as some clients get answers, or so many a second whatever happens.

Turns requests into replies. Time rule: at a rate, a reply's seconds count from the moment at which its
request was due, so that a server that stalls is charged for all who wait (coordinated omission). Null rule:
none.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from wire import Reply, Wire

__all__ = ["Asked", "as_fast", "at_rate", "milliseconds"]

Asked = tuple[int, Reply]
"""The place of a request among those that were given, and what came back."""


@asynccontextmanager
async def _wires(port: int, count: int) -> Any:
    wires = [await Wire.opened(port) for _ in range(count)]
    try:
        yield wires
    finally:
        for wire in wires:
            wire.close()


async def as_fast(port: int, requests: Sequence[bytes], *, clients: int, turns: Iterable[int]) -> list[Asked]:
    """Each client asks again as soon as it has its answer. turns: places of the requests, in order."""
    places, found = iter(turns), []

    async def client(wire: Wire) -> None:
        for place in places:
            found.append((place, await wire.ask(requests[place])))

    async with _wires(port, clients) as wires:
        await asyncio.gather(*(client(wire) for wire in wires))
    return found


async def at_rate(
    port: int, requests: Sequence[bytes], *, rate: float, turns: Iterable[int], most: int = 64
) -> list[Asked]:
    """So many requests a second, each on a connection that is free. most: connections."""
    free: asyncio.Queue[Wire] = asyncio.Queue()
    found: list[Asked] = []

    async def once(place: int, due: float) -> None:
        wire = await free.get()
        found.append((place, await wire.ask(requests[place], due=due)))
        free.put_nowait(wire)

    async with _wires(port, most) as wires, asyncio.TaskGroup() as tasks:
        for wire in wires:
            free.put_nowait(wire)
        start = time.monotonic()
        for number, place in enumerate(turns):
            due = start + number / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            tasks.create_task(once(place, due))
    return found


def milliseconds(replies: Iterable[Asked]) -> dict[str, float]:
    """median, p99 and mean, in milliseconds."""
    seconds = sorted(reply.seconds for _, reply in replies)
    cuts = statistics.quantiles(seconds, n=100)
    told = {"median_ms": cuts[49], "p99_ms": cuts[98], "mean_ms": statistics.fmean(seconds)}
    return {name: round(value * 1e3, 3) for name, value in told.items()}


def rounds(count: int, *, of: int) -> Iterator[int]:
    """0, 1, ... of - 1, 0, 1, ... so many in all."""
    return (number % of for number in range(count))
