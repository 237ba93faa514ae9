"""Learning the profile: the labelled rows of a fit model in, the profile of its card out.

Turns rows into earlier and later accounts, searches the first and checks on the second. Each account counts
once on either side, with its oldest row there, and an account of the earlier rows is none of the later ones.
Time rule: the outcome of an earlier row was known when the later ones begin. Null rule: rows that are too few
to cut in two give a profile without traits that says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.catalogue import Catalogue
from features.errors import NotEnoughDataError
from features.profile_settings import ProfileSettings
from models.profile import Basis, Condition, Figures, Profile, Trait
from training.ideal_profile.checking import Held, check, figures
from training.ideal_profile.conditions import conditions_of, holding
from training.ideal_profile.searching import meeting, search
from training.ideal_profile.stated import compare_stated
from training.learn import Rows
from training.splits import time_folds

__all__ = ["learn_profile"]

Positions = NDArray[np.int64]

_LATER_SHARE = 0.4
_MOST_FOR, _MOST_AGAINST = 7, 3
_MOST_SEARCHED = 20_000


def learn_profile(
    rows: Rows, *, basis: Basis = "won_or_lost", settings: ProfileSettings | None = None
) -> Profile:
    """The traits that set wins apart, found on earlier accounts and checked on later ones.

    basis: what the rows without a win are: lost, or only known. settings: with what sales stated.
    """
    once = _first_of_each(rows, np.arange(len(rows.frame), dtype=np.int64))
    profile = _learned(rows, basis=basis)
    if settings is None or not settings.stated:
        return profile
    return compare_stated(
        profile, settings.stated, X=rows.X[once], won=rows.label[once], catalogue=rows.catalogue
    )


def _learned(rows: Rows, *, basis: Basis) -> Profile:
    try:
        fold = time_folds(rows.frame, folds=1, later_share=_LATER_SHARE)[0]
    except NotEnoughDataError as error:
        return _without(rows, basis=basis, why=error.sentence())
    earlier = _first_of_each(rows, fold.earlier)
    seen = set(rows.frame["account_id"].iloc[fold.earlier])
    new = ~rows.frame["account_id"].iloc[fold.later].isin(seen).to_numpy()
    later = _first_of_each(rows, fold.later[new])
    searched = _Side.of(rows, _at_most(earlier))
    conditions = list(conditions_of(rows.catalogue, searched.X))
    met = searched.met(conditions)
    candidates = search(conditions, met=met, won=searched.won)
    checked = _Side.of(rows, later)
    held = check(candidates, met=checked.met(conditions), won=checked.won)
    traits = _shown([_trait(one, conditions=conditions, met=met, won=searched.won) for one in held])
    nothing = "" if traits else "nothing that set wins apart among earlier accounts held among later ones"
    return Profile(
        basis=basis,
        earlier=figures(len(earlier), int(rows.label[earlier].sum())),
        later=figures(len(later), int(rows.label[later].sum())),
        split_at=f"{fold.starts.replace(microsecond=0).isoformat()}Z",
        candidates=len(candidates),
        traits=traits,
        missing_en=nothing,
        missing_zh="" if traits else "在早期客户中区分赢单的特征，在后期客户中均未得到证实",
    )


@dataclass(frozen=True)
class _Side:
    """The accounts of one period."""

    X: NDArray[np.float64]
    won: NDArray[np.int64]
    catalogue: Catalogue

    @classmethod
    def of(cls, rows: Rows, positions: Positions) -> _Side:
        return cls(rows.X[positions], rows.label[positions], rows.catalogue)

    def met(self, conditions: Sequence[Condition]) -> NDArray[np.bool_]:
        """Which account meets which condition, bool (conditions, accounts)."""
        found = [holding(condition, self.X, catalogue=self.catalogue) for condition in conditions]
        return np.stack(found) if found else np.empty((0, len(self.won)), dtype=np.bool_)


def _first_of_each(rows: Rows, positions: Positions) -> Positions:
    """The oldest row of each account among the positions."""
    part = rows.frame.iloc[positions][["account_id", "as_of"]].assign(position=positions)
    oldest = part.sort_values(["as_of", "position"], kind="stable").drop_duplicates("account_id")
    return np.sort(oldest["position"].to_numpy(dtype=np.int64))


def _at_most(positions: Positions) -> Positions:
    """All positions, or a random sample that can be searched in a second."""
    if len(positions) <= _MOST_SEARCHED:
        return positions
    return np.sort(np.random.default_rng(0).choice(positions, size=_MOST_SEARCHED, replace=False))


def _trait(
    held: Held, *, conditions: Sequence[Condition], met: NDArray[np.bool_], won: NDArray[np.int64]
) -> Trait:
    inside = meeting(met, held.candidate.members)
    return Trait(
        direction="for" if held.candidate.side > 0 else "against",
        conditions=tuple(conditions[i] for i in held.candidate.members),
        later=held.later,
        earlier=figures(int(inside.sum()), int(won[inside].sum())),
        chance=held.chance,
    )


def _shown(traits: Sequence[Trait]) -> tuple[Trait, ...]:
    """What is told: the highest win rates first, then the lowest."""
    speak_for = sorted((one for one in traits if one.direction == "for"), key=lambda one: -one.later.low)
    against = sorted((one for one in traits if one.direction == "against"), key=lambda one: one.later.high)
    return (*speak_for[:_MOST_FOR], *against[:_MOST_AGAINST])


def _without(rows: Rows, *, basis: Basis, why: str) -> Profile:
    once = _first_of_each(rows, np.arange(len(rows.frame), dtype=np.int64))
    everyone = figures(len(once), int(rows.label[once].sum()))
    nobody = Figures(0, 0, 0.0, 0.0, 1.0)
    return Profile(
        basis, everyone, nobody, None, 0, (), why, "历史数据过短，无法在早期客户上学习并在后期客户上检验"
    )
