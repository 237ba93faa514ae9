"""What was measured of the service: its speed beside what was asked, its load test, the replay of its log.

Turns `serving_speed`, `serving_load` and `serving_replay` into lines of the yardsticks and into tables.
Ratios are of one run, in which both sides took turns. Time rule: none. Null rule: what a result does not
hold, such as a job over a file, has no line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from training.publishing.shown import least, most, table

__all__ = ["SERVICE", "load_figures", "replay_figures", "speed_figures"]

Found = Mapping[str, Any]


def _to_empty(name: str) -> Callable[[Found], str]:
    def told(found: Found) -> str:
        low, high = found[name]["quartiles"]
        return f"{found[name]['ratio']:.1f} x; half of the rounds {low:.1f} to {high:.1f}"

    return told


def _faster(name: str) -> Callable[[Found], str]:
    return lambda found: f"{found[name]['faster_than_mlflow']:.1f} x"


def _rate(found: Found) -> str:
    return f"{found['rate']['p99_ms']:.0f} ms; asked for the first time {_first(found)}"


def _first(found: Found) -> str:
    return f"{found['rate_first_time']['p99_ms']:.0f} ms"


def _batch(found: Found) -> str:
    again, first = found["batch"]["median_seconds"], found["batch_first_time"]["median_seconds"]
    return f"{first:.2f} s; remembered {again:.2f} s"


def _job(found: Found) -> str | None:
    job = found.get("job")
    if job is None:
        return None
    return f"{job['accounts']:,} in {job['seconds'] / 60:.1f} min, {job['peak_megabytes'] / 1000:.1f} GB"


def _swap(found: Found) -> str:
    swap = found["swap"]
    return f"{swap['failed']} of {swap['requests']:,} failed; p99 {swap['ratio_of_p99']:.1f} x"


def _missed(name: str, ratio: str = "ratio", *, floor: float, aim: float) -> Callable[[Found], str]:
    """Of times as long, which should be few; of times faster (another `ratio`), which should be many."""
    judge = most if ratio == "ratio" else least
    return lambda found: judge(found[name][ratio], floor=floor, aim=aim)


def _job_misses(found: Found) -> str:
    job = found["job"]
    parts = (
        most(job["seconds"] / job["accounts"] * 1_000_000 / 60, floor=15, aim=5),
        most(job["peak_megabytes"], floor=4_000, aim=2_000),
    )
    return "floor" if "floor" in parts else "aim" if "aim" in parts else ""


def _swap_misses(found: Found) -> str:
    swap = found["swap"]
    return "floor" if swap["failed"] else most(swap["ratio_of_p99"], floor=float("inf"), aim=2)


def _replay_misses(found: Found) -> str:
    turns = (found["after_restart"], found["after_promotion"])
    return "floor" if any(one["same_bits"] < one["answers"] for one in turns) else ""


def _load(found: Found) -> str:
    looked = sum(found["looked_at"].get(name, 0) for name in ("computed again", "replayed"))
    return f"{found['findings']} findings, {looked:,} answers judged, {found['seconds'] / 60:.0f} min"


def _replay(found: Found) -> str:
    turns = (found["after_restart"], found["after_promotion"])
    return ", ".join(f"{one['same_bits']:,} of {one['answers']:,}" for one in turns)


_SPEED: tuple[tuple[str, str, Callable[[Found], str | None], Callable[[Found], str]], ...] = (
    (
        "a known account with reasons, 8 clients, to an empty endpoint",
        "3 x, aim 2 x",
        _to_empty("known_account"),
        _missed("known_account", floor=3, aim=2),
    ),
    (
        "a record with 100 activities with reasons, the same",
        "10 x, aim 5 x",
        _to_empty("record"),
        _missed("record", floor=10, aim=5),
    ),
    (
        "a known account with reasons, faster than `mlflow models serve`",
        "5 x, aim 10 x",
        _faster("known_account"),
        _missed("known_account", "faster_than_mlflow", floor=5, aim=10),
    ),
    (
        "a record with 100 activities with reasons, faster than `mlflow models serve`",
        "5 x, aim 10 x",
        _faster("record"),
        _missed("record", "faster_than_mlflow", floor=5, aim=10),
    ),
    (
        "p99 of a known account at 50 requests a second",
        "50 ms, aim 20 ms",
        _rate,
        lambda found: most(found["rate"]["p99_ms"], floor=50, aim=20),
    ),
    (
        "a batch of 1,000 with reasons",
        "1 s, aim .3 s",
        _batch,
        lambda found: most(found["batch_first_time"]["median_seconds"], floor=1, aim=0.3),
    ),
    (
        "a file job, scores and reasons",
        "1,000,000 in 15 min, 4 GB; aim 5 min, 2 GB",
        _job,
        _job_misses,
    ),
    ("a model swap under load", "none failed; aim p99 under 2 x", _swap, _swap_misses),
)

SERVICE: tuple[tuple[str, str, str, Callable[[Found], str | None], Callable[[Found], str]], ...] = (
    *((what, asked, "serving_speed", reached, missed) for what, asked, reached, missed in _SPEED),
    (
        "load with worker kills and model swaps: wrong or lost",
        "none in 10 min",
        "serving_load",
        _load,
        lambda found: "floor" if found["findings"] else "",
    ),
    (
        "logged answers replayed to the bit, after a restart and after a promotion",
        "all of 1,000",
        "serving_replay",
        _replay,
        _replay_misses,
    ),
)
"""What, asked, result, how it is told, and what of it is missed, for `training.publishing.yardsticks`."""


def speed_figures(found: Found) -> Iterator[str]:
    """The speed of the service."""
    rows = ", ".join(f"{count:,} {name}" for name, count in found["rows"].items())
    yield (
        f"**Speed of the service**: {found['cores']} cores, {found['load_before']} processes at work before, "
        f"{rows}. Answers are remembered, so that the first time is told apart."
    )
    yield ""
    yield from table(("what", "median", "p99", "requests"), _answers(found))
    yield ""
    told = ((what, asked, reached(found)) for what, asked, reached, _ in _SPEED)
    yield from table(("what", "asked", "reached"), (one for one in told if one[2] is not None))


def _answers(found: Found) -> Iterator[tuple[object, ...]]:
    names = {
        "an empty endpoint, 8 clients": found["known_account"]["empty"],
        "a known account, 8 clients": found["known_account"],
        "a record with 100 activities, 8 clients": found["record"],
        "`mlflow models serve`, finished features, no reasons, 8 clients": found["mlflow"],
        "known accounts for the first time, 50 a second": found["rate_first_time"],
        "known accounts, 50 a second": found["rate"],
        "the same, while the model changes": found["swap"],
    }
    for name, one in names.items():
        counted = one.get("requests", found["known_account"]["requests"])
        yield name, f"{one['median_ms']:.1f} ms", f"{one['p99_ms']:.1f} ms", f"{counted:,}"


def load_figures(found: Found) -> Iterator[str]:
    """The load test."""
    asked = ", ".join(f"{count:,} {name}" for name, count in found["requests"].items())
    looked = ", ".join(f"{count:,} {name}" for name, count in found["looked_at"].items())
    yield (
        f"**Load**: {found['seconds'] / 60:.0f} minutes, {found['workers']} workers, "
        f"{found['workers killed']} killed, {found['releases chosen']} changes of the model; {asked}. "
        f"Answers looked at: {looked}. Wrong, mixed, lost or failed: {found['findings']}."
    )


def replay_figures(found: Found) -> Iterator[str]:
    """The replay of the log."""
    restart, promotion = found["after_restart"], found["after_promotion"]
    yield (
        f"**Replay**: of {restart['answers']:,} logged answers {restart['same_bits']:,} have the same bits "
        f"after a restart, of {promotion['answers']:,} {promotion['same_bits']:,} after a promotion; "
        f"features were computed again for {promotion['features_compared']:,}."
    )
