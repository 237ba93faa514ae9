"""The search: rows and a deadline in, trials that were judged on later slices of them out.

Turns suggestions of Optuna into log losses by group of accounts, kept in a database of the workspace, so that
a search that was interrupted goes on where it was. Time rule: a trial is judged on rows whose features and
labels came a horizon after what it learned from. Null rule: a trial that cannot be judged failed and is left
out. The first trial is always the settings as they are, so that tuning ends there where nothing is better.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.trial import FrozenTrial, TrialState

from features.settings import LearningSettings
from training.learning.learn import Judged, Rows, judge
from training.tuning.choosing import Tried, account_groups, choose, sums_by_group
from training.tuning.space import inside, of_settings, suggested, with_parameters

__all__ = ["Clock", "Found", "Search", "Tell", "open_storage"]

Vector = NDArray[np.float64]
Clock = Callable[[], float]
Tell = Callable[[str, int, dict[str, Any], dict[str, float]], None]
"""Called with the search's name, a trial's number, its parameters and its figures."""

_SMALLEST = 1e-12
_PARAMETERS, _LOSSES, _LEAVES, _ROWS = "parameters", "losses", "leaves", "rows_by_group"


@dataclass(frozen=True)
class Found:
    """What a search found: every trial, the one that is taken, and the settings as they were."""

    tried: tuple[Tried, ...]
    chosen: Tried
    untuned: Tried
    rows: Vector


def open_storage(path: Path) -> optuna.storages.RDBStorage:
    """The database of trials; made where there is none."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path.parent.mkdir(parents=True, exist_ok=True)
    return optuna.storages.RDBStorage(f"sqlite:///{path.absolute()}")


@dataclass(frozen=True)
class Search:
    """One search. name: of the study; the same name goes on with the same trials.

    settings: what is tried around; its `folds` are those that a trial is judged on.
    """

    name: str
    rows: Rows
    settings: LearningSettings
    storage: optuna.storages.RDBStorage
    seed: int
    tell: Tell
    label: str

    def run(self, *, seconds: float, trials: int, clock: Clock = time.monotonic) -> Found:
        """Try until the time or the trials are used up, but the settings as they are and one more at least.

        Raises NotEnoughDataError when the rows bear no judgement at all.
        """
        study, end = self._study(), clock() + seconds
        while (done := len(_judged(study))) < trials and (done < 2 or clock() < end):
            self._try(study, untuned=done == 0)
        tried = tuple(_tried(trial) for trial in _judged(study))
        rows = np.asarray(study.user_attrs[_ROWS], dtype=np.float64)
        return Found(tried, choose(tried, rows=rows), tried[0], rows)

    def _study(self) -> optuna.Study:
        study = optuna.create_study(
            study_name=self.name, storage=self.storage, direction="minimize", load_if_exists=True
        )
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            study.tell(trial.number, state=TrialState.FAIL)
        # A sampler draws from its seed anew in each process: with the old one it would try the same again.
        study.sampler = optuna.samplers.TPESampler(seed=self.seed + len(study.trials))
        return study

    def _try(self, study: optuna.Study, *, untuned: bool) -> None:
        if untuned:
            study.enqueue_trial(inside(of_settings(self.settings)))
        trial, started = study.ask(), time.monotonic()
        parameters = suggested(trial)
        if untuned:
            parameters = of_settings(self.settings)
        judged = judge(self.rows, settings=with_parameters(self.settings, parameters))
        losses, rows = self._losses(judged)
        loss = float(losses.sum() / rows.sum())
        if untuned:
            study.set_user_attr(_ROWS, rows.tolist())
        trial.set_user_attr(_PARAMETERS, parameters)
        trial.set_user_attr(_LOSSES, losses.tolist())
        trial.set_user_attr(_LEAVES, judged.leaves)
        seconds = time.monotonic() - started
        figures = {"log_loss": loss, "leaves": float(judged.leaves), "rounds": float(judged.rounds)}
        # Told before it counts: a trial that counts is never missing where trials are looked at.
        self.tell(self.label, trial.number, parameters, figures | {"seconds": seconds})
        study.tell(trial, loss)

    def _losses(self, judged: Judged) -> tuple[Vector, Vector]:
        """Log losses of the later rows, and how many they are, by group of accounts."""
        later = judged.later
        label = later["label"].to_numpy(dtype=np.float64)
        chance = np.clip(later["probability"].to_numpy(dtype=np.float64), _SMALLEST, 1 - _SMALLEST)
        loss = -(label * np.log(chance) + (1 - label) * np.log1p(-chance))
        groups = account_groups(later["account_id"].to_numpy(), seed=self.seed)
        return sums_by_group(loss, groups=groups), sums_by_group(np.ones(len(loss)), groups=groups)


def _judged(study: optuna.Study) -> list[FrozenTrial]:
    """Oldest first."""
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def _tried(trial: FrozenTrial) -> Tried:
    told = trial.user_attrs
    return Tried(trial.number, told[_PARAMETERS], tuple(told[_LOSSES]), told[_LEAVES])
