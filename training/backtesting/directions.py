"""What declared monotone effects cost: the model with them beside the same one without, on the same rows.

Turns measured rankings into those that compete, and the difference that the declaration makes, in words and
as data. Time rule: none of its own. Null rule: where nothing is declared, or the cost was not asked, nothing
is told.
"""

from __future__ import annotations

from collections.abc import Iterator

from features.settings import LearningSettings
from training.backtesting.evaluate import Measured, measure
from training.learning.few_rows import are_few, learn_few
from training.learning.learn import Learned, Rows, judge
from training.learning.monotone import directions

__all__ = ["WITHOUT_DIRECTIONS", "competing", "cost_line", "cost_of_training", "cost_sentence"]

WITHOUT_DIRECTIONS = "without_directions"
"""The column of our model without the declared monotone effects: no rival, but what these cost."""

_COSTS = ("roc_auc", "pr_auc", "log_loss", "brier")


def cost_of_training(
    rows: Rows, *, learned: Learned, settings: LearningSettings, replicates: int
) -> Measured | None:
    """Both on the later slices of a training; None where nothing is declared.

    learned: from `rows`, by `settings`. The model without learns once more, from the same earlier rows, and
    both choose their number of trees on the slices. Rankings only, as the two are calibrated on different
    rows where events are few.
    """
    if not any(directions(rows.catalogue, settings)):
        return None
    free = settings.model_copy(update={"rising": (), "falling": ()})
    few = are_few(rows, settings=settings)
    other = learn_few(rows, settings=free).later if few else judge(rows, settings=free).later
    keys = ["position", "fold"]
    both = learned.later.merge(
        other[[*keys, "probability"]].rename(columns={"probability": WITHOUT_DIRECTIONS}), on=keys
    )
    return measure(both, columns=("probability", WITHOUT_DIRECTIONS), probabilities=(), replicates=replicates)


def competing(measured: Measured) -> Measured:
    """Without the model that is no rival."""
    return Measured(
        {name: told for name, told in measured.estimates.items() if name != WITHOUT_DIRECTIONS},
        {name: told for name, told in measured.ahead.items() if name != WITHOUT_DIRECTIONS},
    )


def cost_line(measured: Measured) -> Iterator[str]:
    """What the declared effects change, ours with them minus ours without; nothing where none are."""
    lead = measured.ahead.get(WITHOUT_DIRECTIONS)
    if lead is None:
        return
    ours = measured.estimates["probability"]
    told = "; ".join(
        f"{name.replace('_', ' ')} {lead[name].value:+.4f} ({lead[name].low:+.4f} to {lead[name].high:+.4f}; "
        f"base {ours[name].base:.3f})"
        for name in _COSTS
        if name in lead
    )
    yield f"What the declared monotone effects change, with minus without, paired: {told}"


def cost_sentence(measured: Measured) -> str:
    """Whether the effects cost accuracy, for somebody who builds no models; empty where none are declared."""
    lead = measured.ahead.get(WITHOUT_DIRECTIONS)
    if lead is None:
        return ""
    auc = lead["roc_auc"]
    verdict = (
        "They cost accuracy"
        if auc.high < 0
        else "They make it better"
        if auc.low > 0
        else "No cost in accuracy is shown, and none is ruled out within the interval"
    )
    with_them, without = (
        measured.estimates[name]["roc_auc"].value for name in ("probability", WITHOUT_DIRECTIONS)
    )
    return (
        f"{verdict}: ROC AUC {with_them:.3f} with them and {without:.3f} without, a difference of "
        f"{auc.value:+.3f} ({auc.low:+.3f} to {auc.high:+.3f}) on the same rows."
    )
