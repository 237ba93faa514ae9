"""What was measured of the service is told beside what was asked of it."""

from __future__ import annotations

from typing import Any

from training.publishing.speed import SERVICE, load_figures, replay_figures, speed_figures

TIMES = {"median_ms": 4.04, "p99_ms": 9.06, "requests": 4_000}
ROUNDS = {"ratio": 1.64, "quartiles": [1.5, 1.75]}
SPEED: dict[str, Any] = {
    "rows": {"accounts": 5_000},
    "cores": 2,
    "load_before": 0.1,
    "known_account": {**TIMES, "empty": TIMES, **ROUNDS, "faster_than_mlflow": 12.04},
    "record": {**TIMES, "ratio": 8.06, "quartiles": [7.96, 9.0], "faster_than_mlflow": 1.5},
    "rate": TIMES,
    "rate_first_time": {**TIMES, "p99_ms": 31.0},
    "batch": {"median_seconds": 0.25},
    "batch_first_time": {"median_seconds": 1.9},
    "swap": {**TIMES, "failed": 0, "ratio_of_p99": 1.44},
    "mlflow": TIMES,
}
JOB = {"accounts": 1_000_000, "seconds": 600.0, "peak_megabytes": 1_500}


def test_every_line_of_the_table_has_its_figure() -> None:
    own = [line for line in SERVICE if line[2] == "serving_speed"]
    told = {what: reached(SPEED | {"job": JOB}) for what, _, _, reached, _ in own}
    assert list(told.values()) == [
        "1.6 x; half of the rounds 1.5 to 1.8",
        "8.1 x; half of the rounds 8.0 to 9.0",
        "12.0 x",
        "1.5 x",
        "9 ms; asked for the first time 31 ms",
        "1.90 s; remembered 0.25 s",
        "1,000,000 in 10.0 min, 1.5 GB",
        "0 of 4,000 failed; p99 1.4 x",
    ]


def test_a_job_that_was_not_measured_has_no_line() -> None:
    lines = list(speed_figures(SPEED))
    assert "| a known account, 8 clients | 4.0 ms | 9.1 ms | 4,000 |" in lines
    reached = "8.1 x; half of the rounds 8.0 to 9.0"
    assert f"| a record with 100 activities with reasons, the same | 10 x, aim 5 x | {reached} |" in lines
    assert not [line for line in lines if "file job" in line]


def test_load_and_replay_are_told() -> None:
    done = {"seconds": 600.0, "workers": 2, "workers killed": 19, "releases chosen": 39, "findings": 0}
    load = {**done, "requests": {"score": 9_000}, "looked_at": {"in the store": 9_100, "replayed": 4_000}}
    assert next(load_figures(load)).endswith("Wrong, mixed, lost or failed: 0.")
    turn = {"answers": 1_000, "same_bits": 1_000, "same_words": 1_000, "features_compared": 1_000}
    replay = {"after_restart": turn, "after_promotion": {**turn, "same_bits": 999}}
    assert "1,000 have the same bits after a restart, of 1,000 999" in next(replay_figures(replay))
    told = {result: reached for _, _, result, reached, _ in SERVICE}
    assert told["serving_load"](load) == "0 findings, 4,000 answers judged, 10 min"
    assert told["serving_replay"](replay) == "1,000 of 1,000, 999 of 1,000"
