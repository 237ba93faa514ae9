"""The sections of the TOML file that say what is predicted, how it is learned and how it is judged.

Turns the tables [labels], [model], [backtest], [serving], [gate], [drift] and [retrain] into frozen, checked
settings. Time rule: dates without a time mean midnight UTC. Null rule: a key that is left out has the
default written here.
"""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field, field_validator

from features.label_settings import FitLabelSettings, IntentLabelSettings, LabelSettings
from features.learning_settings import FitLearningSettings, LearningSettings
from features.named_models import NamedModel
from features.section import Moment, Section

__all__ = [
    "DEFAULT_PRIORITIES",
    "GRADES",
    "PRIORITIES",
    "SALES_PRIORITIES",
    "BacktestSettings",
    "DriftSettings",
    "FitLabelSettings",
    "FitLearningSettings",
    "GateSettings",
    "Grade",
    "GradeOrNone",
    "IntentLabelSettings",
    "LabelSettings",
    "LearningSettings",
    "ModelSettings",
    "Moment",
    "NamedModel",
    "Priority",
    "RetrainSettings",
    "Section",
    "ServingSettings",
    "TuningSettings",
    "UndatedSettings",
]


class ModelSettings(Section):
    """[model]; named: the models of segments, products and regions, the first that holds an account first."""

    fit: FitLearningSettings = FitLearningSettings()
    intent: LearningSettings = LearningSettings()
    named: tuple[NamedModel, ...] = ()


class BacktestSettings(Section):
    """[backtest]: choose on `development_cutoffs`, report `cutoffs` once.

    seeds: how many are averaged. top_k: the length of the list whose precision and recall are told.
    replicates: of the bootstrap by account. fit_window_days: opportunities opened in so many days after a
    cutoff are asked for in the backtest of fit. weekly_capacity: accounts that sales takes each week, for the
    days of warning; None means one of 52, so that each has its turn once a year. monotone_cost: whether to
    learn once more without `rising` and `falling`, where they are declared, and tell what they cost.
    unfinished_days: how many days of an intent cutoff's horizon may lie beyond the newest fact, half of it
    at most; what happens in them counts as if it had not happened, which a note tells.
    """

    cutoffs: tuple[Moment, ...] = ()
    development_cutoffs: tuple[Moment, ...] = ()
    seeds: int = Field(default=5, ge=1, le=50)
    top_k: int = Field(default=10, ge=1)
    replicates: int = Field(default=1000, ge=100, le=100_000)
    fit_window_days: int = Field(default=180, ge=1, le=3650)
    weekly_capacity: int | None = Field(default=None, ge=1)
    monotone_cost: bool = True
    unfinished_days: int = Field(default=0, ge=0, le=365)


class TuningSettings(Section):
    """[tuning]: how `spearfish tune` judges what it tries.

    outer_folds: later slices on which tuned parameters are judged; each is tuned for on earlier rows alone.
    inner_folds: later slices of those earlier rows on which a trial is judged. later_share: of the rows, in
    each outer slice. trials: the most per search. seed: of the search.
    """

    outer_folds: int = Field(default=2, ge=1, le=5)
    inner_folds: int = Field(default=2, ge=1, le=5)
    later_share: float = Field(default=0.15, gt=0.0, le=0.3)
    trials: int = Field(default=200, ge=2, le=10_000)
    seed: int = Field(default=7, ge=0)


class UndatedSettings(Section):
    """[undated]: how a table in which nothing has a date is judged: by folds, equal rows kept together.

    seed: of the reported folds; repeat r takes seed + r. development_seed: of those for choosing.
    columns: features to learn from, under a name for each choice, with *; the first is told first. None
        means all that a fit model may use.
    """

    folds: int = Field(default=5, ge=2, le=20)
    repeats: int = Field(default=1, ge=1, le=20)
    seed: int = Field(default=20_000, ge=0)
    development_seed: int = Field(default=100, ge=0)
    columns: dict[str, tuple[str, ...]] = Field(default_factory=dict)


Grade = Literal["A", "B", "C", "D"]
GRADES: tuple[Grade, ...] = get_args(Grade)
GradeOrNone = Literal["A", "B", "C", "D", "none"]
Priority = Literal["sales now", "sales", "nurture", "watch", "do not pursue"]
PRIORITIES: tuple[Priority, ...] = get_args(Priority)
"""From the most to the least urgent."""

SALES_PRIORITIES: tuple[Priority, ...] = ("sales now", "sales")
"""Those that hand an account to sales."""

DEFAULT_PRIORITIES: dict[GradeOrNone, dict[GradeOrNone, Priority]] = {
    "A": {"A": "sales now", "B": "sales", "C": "nurture", "D": "nurture", "none": "nurture"},
    "B": {"A": "sales", "B": "sales", "C": "nurture", "D": "watch", "none": "nurture"},
    "C": {"A": "nurture", "B": "nurture", "C": "watch", "D": "watch", "none": "watch"},
    "D": {
        "A": "watch",
        "B": "do not pursue",
        "C": "do not pursue",
        "D": "do not pursue",
        "none": "do not pursue",
    },
    "none": {"A": "sales", "B": "nurture", "C": "watch", "D": "watch"},
}
"""By fit grade, then by intent grade; "none" where that half of the answer is absent."""


class ServingSettings(Section):
    """[serving]

    grade_cuts: shares of the reference population that get at least A, B and C.
    priority: what to do, by fit grade, then by intent grade; cells that are left out have the default.
    """

    grade_cuts: tuple[float, float, float] = (0.10, 0.30, 0.60)
    priority: dict[GradeOrNone, dict[GradeOrNone, Priority]] = Field(
        default_factory=dict, validate_default=True
    )

    @field_validator("grade_cuts")
    @classmethod
    def _cuts_rise(cls, cuts: tuple[float, float, float]) -> tuple[float, float, float]:
        if not 0.0 < cuts[0] < cuts[1] < cuts[2] < 1.0:
            raise ValueError("the three grade cuts must rise and lie between 0 and 1")
        return cuts

    @field_validator("priority")
    @classmethod
    def _priority_is_whole(
        cls, given: dict[GradeOrNone, dict[GradeOrNone, Priority]]
    ) -> dict[GradeOrNone, dict[GradeOrNone, Priority]]:
        handed = sorted(set(given.get("D", {}).values()) & set(SALES_PRIORITIES))
        if handed:
            raise ValueError(
                f"an account of fit D is never routed to sales, but priority.D holds {handed[0]!r}"
            )
        return {fit: row | given.get(fit, {}) for fit, row in DEFAULT_PRIORITIES.items()}


class GateSettings(Section):
    """[gate]: what a model must show before it replaces the one that is served.

    metric, keep: the share of the served model's figure that it must hold on rows that neither learned from.
    certainty: in how many of the bootstrap's replicates it must; 0.5 means as likely as not.
    smallest_class: rows with the event, and rows without, that a comparison or a calibration needs.
    slope: where the calibration slope may lie. level: where observed by expected events may lie. A limit is
        broken when the whole 95 % interval is beyond it.
    largest_sample: rows at most, of accounts drawn at random. replicates: of the bootstrap.
    """

    metric: Literal["roc_auc", "pr_auc"] = "roc_auc"
    keep: float = Field(default=0.95, gt=0.0, le=1.0)
    certainty: float = Field(default=0.5, gt=0.0, lt=1.0)
    smallest_class: int = Field(default=5, ge=5)
    slope: tuple[float, float] = (0.67, 1.5)
    level: tuple[float, float] = (0.67, 1.5)
    largest_sample: int = Field(default=50_000, ge=1_000)
    replicates: int = Field(default=1000, ge=100, le=100_000)

    @field_validator("slope", "level")
    @classmethod
    def _around_one(cls, limits: tuple[float, float]) -> tuple[float, float]:
        if not 0.0 < limits[0] < 1.0 < limits[1]:
            raise ValueError("the lower limit must lie between 0 and 1, the upper one above 1")
        return limits


class DriftSettings(Section):
    """[drift]: from where on the served models count as no longer matching the data.

    psi: population stability index of an input or of the score, from which on a change counts; it must be
        beyond chance as well. chance: of one false alarm among all inputs of a model.
    calibration: where observed by expected events may lie, of labels that ended since the training; it counts
        when the whole 95 % interval is beyond.
    """

    psi: float = Field(default=0.2, gt=0.0)
    chance: float = Field(default=0.01, gt=0.0, lt=0.5)
    calibration: tuple[float, float] = (0.67, 1.5)
    smallest_class: int = Field(default=5, ge=5)
    replicates: int = Field(default=1000, ge=100, le=100_000)


class RetrainSettings(Section):
    """[retrain]: when `spearfish retrain` trains.

    every_days: days of new facts after those that each served model knows; 0 trains on anything new.
    on_drift: train before that when `spearfish drift` finds some.
    """

    every_days: int = Field(default=0, ge=0)
    on_drift: bool = True
