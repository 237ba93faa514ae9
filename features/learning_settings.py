"""How a model is learned: [model.fit] and [model.intent].

Turns a table of the TOML file into frozen, checked settings. Time rule: dates without a time mean midnight
UTC. Null rule: a key that is left out has the default written here.
"""

from __future__ import annotations

from pydantic import Field

from features.section import Moment, Section

__all__ = ["FitLearningSettings", "LearningSettings"]


class LearningSettings(Section):
    """[model.fit] or [model.intent]: the parameters of LightGBM and of the search for its length.

    groups: feature groups to learn from; None means all that the model may use.
    members: boosters with different seeds that are averaged into one.
    folds: later time slices on which the number of rounds and the calibration are found.
    min_rounds, max_rounds: bounds on the number of trees that early stopping finds.
    rising, falling: features that may only raise, or only lower, the probability when they grow; names with
        * for any text, so that a few events cannot teach the model that more interest means less.
    leave_out: features not to learn from; names with *.
    negatives_per_positive: the most rows without the event to learn from, per row with it; None means all.
    linear_strength: C of a ridge logistic regression whose lines the trees are grown upon; None for trees
        alone. Few events bear lines better than trees, and lines go on where the past has no example.
    crossed_folds: parts of the accounts, each predicted by a model of the others, for the calibration where
        the later slices hold few events; 0 to calibrate on the later slices alone.
    few_rows: where a class comes to fewer accounts that count alike (of a weighed training, or of snapshots,
        as many as their weights leave), lines and small trees of several kinds are averaged, drawn to the
        base rate, and most of the settings above follow from the rows instead; 0 for never. Eighty accounts
        with an event of intent come to some seventy.
    tuned_through: until when the facts went on which these settings were chosen; written by `spearfish tune`.
    In a config, `parameters_from` names a file of `spearfish tune` whose parameters replace those given here.
    """

    groups: tuple[str, ...] | None = None
    rising: tuple[str, ...] = ()
    falling: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    learning_rate: float = Field(default=0.05, gt=0.0, le=1.0)
    num_leaves: int = Field(default=15, ge=2, le=255)
    min_data_in_leaf: int = Field(default=20, ge=1)
    min_sum_hessian_in_leaf: float = Field(default=1.0, ge=0.0)
    feature_fraction: float = Field(default=0.5, gt=0.0, le=1.0)
    bagging_fraction: float = Field(default=0.8, gt=0.0, le=1.0)
    lambda_l1: float = Field(default=0.0, ge=0.0)
    lambda_l2: float = Field(default=5.0, ge=0.0)
    path_smooth: float = Field(default=0.0, ge=0.0)
    max_bin: int = Field(default=63, ge=2, le=1023)
    min_rounds: int = Field(default=1, ge=1)
    max_rounds: int = Field(default=400, ge=1, le=5000)
    patience: int = Field(default=40, ge=1)
    members: int = Field(default=1, ge=1, le=20)
    folds: int = Field(default=2, ge=1, le=10)
    negatives_per_positive: float | None = Field(default=None, gt=0.0)
    linear_strength: float | None = Field(default=None, gt=0.0)
    crossed_folds: int = Field(default=5, ge=0, le=20)
    few_rows: int = Field(default=70, ge=0, le=1000)
    tuned_through: Moment | None = None
    seed: int = Field(default=7, ge=0)


class FitLearningSettings(LearningSettings):
    """[model.fit]: some thousand opportunities bear small trees; averaging three steadies them."""

    learning_rate: float = Field(default=0.08, gt=0.0, le=1.0)
    num_leaves: int = Field(default=4, ge=2, le=255)
    feature_fraction: float = Field(default=0.8, gt=0.0, le=1.0)
    members: int = Field(default=3, ge=1, le=20)
    few_rows: int = Field(default=200, ge=0, le=1000)
