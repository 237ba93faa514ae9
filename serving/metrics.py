"""What /metrics tells beyond BentoML's own traffic numbers.

Turns answers and problems into Prometheus counters, which BentoML collects over all workers. Time rule: none.
Null rule: a half that was not given is not counted.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge

from serving.answers import ScoreAnswer

__all__ = ["count_answer", "count_problem", "show_release"]

_SCORES = Counter("spearfish_scores", "Scores given, by model and grade.", ["model", "grade"])
_UNSEEN = Counter(
    "spearfish_unseen_categories", "Values that the models have not met in training, by feature.", ["feature"]
)
_PROBLEMS = Counter("spearfish_problems", "Answers that were a problem, by kind.", ["problem"])
_RELEASE = Gauge("spearfish_release", "Release that answers.", multiprocess_mode="livemax")


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
