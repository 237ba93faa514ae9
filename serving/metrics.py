"""What /metrics tells beyond BentoML's own traffic numbers.

Turns answers and problems into Prometheus counters, which BentoML collects over all workers. Time rule: none.
Null rule: a half that was not given is not counted.
"""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import Counter, Gauge

from serving.answers import ScoreAnswer

__all__ = [
    "count_activities",
    "count_answer",
    "count_dropped",
    "count_kept",
    "count_problem",
    "show_log",
    "show_release",
    "show_waiting",
]

_SCORES = Counter("spearfish_scores", "Scores given, by model and grade.", ["model", "grade"])
_UNSEEN = Counter(
    "spearfish_unseen_categories", "Values that the models have not met in training, by feature.", ["feature"]
)
_PROBLEMS = Counter("spearfish_problems", "Answers that were a problem, by kind.", ["problem"])
_RELEASE = Gauge("spearfish_release", "Release that answers.", multiprocess_mode="livemax")
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
    multiprocess_mode="livemax",
)
_WAITING = Gauge("spearfish_log_waiting", "Answers that wait to be written.", multiprocess_mode="livesum")


def count_answer(answer: ScoreAnswer) -> None:
    """Count the scores and the unseen categories of an answer."""
    for half in (answer.fit, answer.intent):
        if half is not None:
            _SCORES.labels(model=half.model.name, grade=half.grade).inc()
    for feature in answer.unseen_categories:
        _UNSEEN.labels(feature=feature).inc()


def count_problem(slug: str) -> None:
    """Count a problem."""
    _PROBLEMS.labels(problem=slug).inc()


def show_release(release_id: int) -> None:
    """Show the number of the release that answers."""
    _RELEASE.set(release_id)


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


def show_waiting(activities: int) -> None:
    """Show how many activities wait for the next ingest."""
    _TO_MOVE.set(activities)
