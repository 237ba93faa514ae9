"""What /metrics tells: traffic, scores, the log, activities and what is served.

Turns requests, answers and problems into Prometheus metrics, added up over all workers. BentoML's own traffic
numbers are off: they count by path, and a path names an account. Time rule: none. Null rule: a half that was
not given is not counted.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from serving.answers import ScoreAnswer
from serving.metrics_folder import SHARED
from serving.store.job_figures import JobFigures

__all__ = [
    "MEDIA_TYPE",
    "count_activities",
    "count_answer",
    "count_dropped",
    "count_kept",
    "count_problem",
    "count_request",
    "exposition",
    "in_progress",
    "in_threads",
    "show_data_through",
    "show_fault",
    "show_jobs",
    "show_log",
    "show_release",
    "show_waiting",
]

MEDIA_TYPE = CONTENT_TYPE_LATEST
"""Of `exposition`."""

_SCORES = Counter("spearfish_scores", "Scores given, by model and grade.", ["model", "grade"])
_UNSEEN = Counter(
    "spearfish_unseen_categories", "Values that the models have not met in training, by feature.", ["feature"]
)
_PROBLEMS = Counter("spearfish_problems", "Answers that were a problem, by kind.", ["problem"])
_RELEASE = Gauge("spearfish_release", "Release that answers.", multiprocess_mode="livemax")
_FAULT = Gauge(
    "spearfish_fault",
    "1 while the newest release, or the newest tables, cannot be used.",
    ["part"],
    multiprocess_mode="livemax",
)
_THROUGH = Gauge(
    "spearfish_data_through_seconds",
    "When the newest fact of the tables that answer was known, in seconds since 1970.",
    multiprocess_mode="livemin",
)
_KEPT = Counter("spearfish_log_kept", "Answers written to the log.")
_DROPPED = Counter("spearfish_log_dropped", "Answers given that the log could not keep.")
_LAG = Gauge(
    "spearfish_log_lag_seconds",
    "How long the oldest answer waits to be written.",
    multiprocess_mode="livemax",
)
_ACTIVITIES = Counter(
    "spearfish_activities", "Activities that were sent, by what became of them.", ["status"]
)
_TO_MOVE = Gauge(
    "spearfish_activities_waiting",
    "Activities that the tables do not hold yet; the next ingest moves them.",
    multiprocess_mode="livemostrecent",
)
# Of the store, which every worker asks for itself: what the last one was told counts.
_JOBS = Gauge(
    "spearfish_jobs",
    "Jobs over files that the store holds, by state.",
    ["state"],
    multiprocess_mode="livemostrecent",
)
_JOB_ROWS = Gauge(
    "spearfish_job_rows",
    "Rows of the files of these jobs, by what became of them.",
    ["outcome"],
    multiprocess_mode="livemostrecent",
)
_JOB_SECONDS = Gauge(
    "spearfish_job_seconds",
    "Seconds that those of these jobs that are done took, added up.",
    multiprocess_mode="livemostrecent",
)
_JOB_AGE = Gauge(
    "spearfish_job_oldest_seconds",
    "How long the oldest job that waits or is worked on has been there.",
    multiprocess_mode="livemostrecent",
)
_WAITING = Gauge("spearfish_log_waiting", "Answers that wait to be written.", multiprocess_mode="livesum")
_SECONDS = Histogram(
    "spearfish_request_seconds",
    "How long requests took, by route, method and status.",
    ["route", "method", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
_IN_PROGRESS = Gauge(
    "spearfish_requests_in_progress", "Requests that are being answered.", multiprocess_mode="livesum"
)
_IN_THREADS = Gauge(
    "spearfish_requests_computing",
    "Requests that are computed in a thread or wait for one.",
    multiprocess_mode="livesum",
)
_PROBABILITIES = Histogram(
    "spearfish_probability",
    "Probabilities that were given, by model.",
    ["model"],
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1),
)
_MODELS = Gauge(
    "spearfish_model",
    "1 for each model of the release that answers, by its version.",
    ["model", "version"],
    multiprocess_mode="livemax",
)

_METHODS = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"))
_shown: set[tuple[str, str]] = set()


def count_answer(answer: ScoreAnswer) -> None:
    """Count the scores and the unseen categories of an answer."""
    for half in (answer.fit, answer.intent):
        if half is not None:
            _SCORES.labels(half.model.name, half.grade).inc()
            _PROBABILITIES.labels(half.model.name).observe(half.probability)
    for feature in answer.unseen_categories:
        _UNSEEN.labels(feature=feature).inc()


def count_problem(slug: str) -> None:
    """Count a problem."""
    _PROBLEMS.labels(problem=slug).inc()


def count_request(*, route: str, method: str, status: int, seconds: float) -> None:
    """Count a request. status: 0 where nobody waited for it. A method is one that HTTP knows."""
    known = method if method in _METHODS else "other"
    _SECONDS.labels(route, known, str(status)).observe(seconds)


def in_progress() -> AbstractContextManager[None]:
    """Count a request for as long as it is being answered."""
    return _IN_PROGRESS.track_inprogress()


def in_threads() -> AbstractContextManager[None]:
    """Count a request for as long as it is computed in a thread, or waits for one."""
    return _IN_THREADS.track_inprogress()


def exposition() -> bytes:
    """All of it as Prometheus reads it, over all workers of this server."""
    if SHARED not in os.environ:
        return generate_latest(REGISTRY)
    _forget_the_dead(Path(os.environ[SHARED]))
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return generate_latest(registry)


def _forget_the_dead(folder: Path) -> None:
    """What a worker that was killed showed last would be shown for good: nobody else forgets it."""
    for file in folder.glob("gauge_live*.db"):
        process = int(file.stem.rpartition("_")[2])
        if not _lives(process):
            # Another worker may be doing the same.
            with suppress(FileNotFoundError):
                mark_process_dead(process, path=str(folder))


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def show_release(release_id: int, *, models: Mapping[str, str]) -> None:
    """Show the release that answers. models: versions by name."""
    _RELEASE.set(release_id)
    for labels in _shown - set(models.items()):
        _MODELS.labels(*labels).set(0)
    for labels in models.items():
        _MODELS.labels(*labels).set(1)
    _shown.update(models.items())


def show_fault(part: Literal["release", "tables"], *, is_there: bool) -> None:
    """Show whether what is newest of a part cannot be used, so that what was before goes on."""
    _FAULT.labels(part).set(is_there)


def show_data_through(moment: datetime | None) -> None:
    """Show through when the tables that answer know facts. moment: naive UTC; None shows nothing."""
    if moment is not None:
        _THROUGH.set(moment.replace(tzinfo=UTC).timestamp())


def count_kept(answers: int) -> None:
    """Count answers that are in the log."""
    _KEPT.inc(answers)


def count_dropped(answers: int) -> None:
    """Count answers that were given and are not in the log."""
    _DROPPED.inc(answers)


def show_log(*, lag: float, waiting: int) -> None:
    """Show how far the log of this worker is behind. lag: in seconds."""
    _LAG.set(lag)
    _WAITING.set(waiting)


def count_activities(counts: Mapping[str, int]) -> None:
    """Count activities that were sent. counts: by what became of them."""
    for status, count in counts.items():
        _ACTIVITIES.labels(status=status).inc(count)


def show_jobs(figures: JobFigures) -> None:
    """Show how jobs over files go."""
    for state, count in figures.jobs.items():
        _JOBS.labels(state=state).set(count)
    for outcome in ("answered", "refused", "waiting"):
        _JOB_ROWS.labels(outcome=outcome).set(getattr(figures, outcome))
    _JOB_SECONDS.set(figures.seconds)
    _JOB_AGE.set(figures.oldest)


def show_waiting(activities: int) -> None:
    """Show how many activities wait for the next ingest."""
    _TO_MOVE.set(activities)
