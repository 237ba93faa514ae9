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
import pandas as pd
from numpy.typing import NDArray

from features.catalogue import Catalogue
from features.errors import NotEnoughDataError
from features.profile_settings import ProfileSettings
from models.profile import Basis, Condition, Figures, Profile, Trait
from training.ideal_profile.checking import Held, check, figures
from training.ideal_profile.conditions import conditions_of, holding
from training.ideal_profile.searching import meeting, search
from training.ideal_profile.stated import compare_stated
from training.learning.learn import Rows
from training.learning.splits import Fold, time_folds

__all__ = ["learn_profile"]

Positions = NDArray[np.int64]

_LATER_SHARE = 0.4
_MOST_FOR, _MOST_AGAINST = 7, 3
_ALIKE = 0.9
_MOST_SEARCHED = 20_000
_NOTHING_HELD = (
    "nothing that set wins apart among earlier accounts held among later ones",
    "在早期客户中区分赢单的特征，在后期客户中均未得到证实",
)
_TOO_SHORT_ZH = "历史数据过短，无法在早期客户上学习并在后期客户上检验"


def learn_profile(
    rows: Rows,
    *,
    basis: Basis = "won_or_lost",
    stands_for: float = 1.0,
    settings: ProfileSettings | None = None,
) -> Profile:
    """The traits that set wins apart, found on earlier accounts and checked on later ones.

    basis: what the rows without a win are: lost, or only known. stands_for: accounts that a row without a win
    stands for, where such rows were drawn; shares speak of all of them. settings: with what sales stated.
    """
    profile = _learned(rows, basis=basis, stands_for=stands_for)
    if settings is None or not settings.stated:
        return profile
    whole = np.arange(len(rows.frame), dtype=np.int64)
    everyone = _once(rows, whole, basis=basis)
    return compare_stated(
        profile,
        settings.stated,
        X=rows.X[everyone],
        won=rows.label[everyone],
        catalogue=rows.catalogue,
        stands_for=_each_stands_for(stands_for, rows, drawn=whole, once=everyone, basis=basis),
    )


def _learned(rows: Rows, *, basis: Basis, stands_for: float) -> Profile:
    try:
        fold = time_folds(rows.frame, folds=1, later_share=_LATER_SHARE)[0]
    except NotEnoughDataError as error:
        return _without(rows, basis=basis, stands_for=stands_for, why=error.sentence())
    earlier = _once(rows, fold.earlier, basis=basis)
    unseen = _unseen(rows, fold, basis=basis)
    later = _once(rows, unseen, basis=basis)
    then = _each_stands_for(stands_for, rows, drawn=fold.earlier, once=earlier, basis=basis)
    now = _each_stands_for(stands_for, rows, drawn=unseen, once=later, basis=basis)
    searched = _Side.of(rows, _at_most(earlier))
    conditions = list(conditions_of(rows.catalogue, searched.X))
    met = searched.met(conditions)
    candidates = search(searched.subjects(conditions), met=met, won=searched.won)
    checked = _Side.of(rows, later)
    held = check(candidates, met=checked.met(conditions), won=checked.won, stands_for=now)
    traits = _shown([_trait(one, conditions, met=met, won=searched.won, stands_for=then) for one in held])
    return Profile(
        basis=basis,
        earlier=_all_of(rows, earlier, stands_for=then),
        later=_all_of(rows, later, stands_for=now),
        split_at=f"{fold.starts.replace(microsecond=0).isoformat()}Z",
        candidates=len(candidates),
        traits=traits,
        missing_en="" if traits else _NOTHING_HELD[0],
        missing_zh="" if traits else _NOTHING_HELD[1],
    )


def _unseen(rows: Rows, fold: Fold, *, basis: Basis) -> Positions:
    """Later rows of accounts that are not among the earlier ones.

    Accounts drawn for comparison may be drawn again: nobody knew what would become of them.
    """
    if basis == "known":
        return fold.later
    accounts = rows.frame["account_id"]
    return fold.later[~accounts.iloc[fold.later].isin(set(accounts.iloc[fold.earlier])).to_numpy()]


@dataclass(frozen=True)
class _Side:
    """The accounts of one period."""

    X: NDArray[np.float64]
    won: NDArray[np.int64]
    catalogue: Catalogue

    @classmethod
    def of(cls, rows: Rows, positions: Positions) -> _Side:
        return cls(rows.X[positions], rows.label[positions], rows.catalogue)

    def subjects(self, conditions: Sequence[Condition]) -> list[str]:
        """What each condition is about: its feature, or an earlier one that ranks accounts nearly alike."""
        names = list(self.catalogue.names)
        ranked = pd.DataFrame(self.X, columns=names).corr(method="spearman").to_numpy()
        alike = np.nan_to_num(np.abs(ranked)) >= _ALIKE
        np.fill_diagonal(alike, val=True)
        first = {name: names[int(alike[place].argmax())] for place, name in enumerate(names)}
        return [first[condition.feature] for condition in conditions]

    def met(self, conditions: Sequence[Condition]) -> NDArray[np.bool_]:
        """Which account meets which condition, bool (conditions, accounts)."""
        found = [holding(condition, self.X, catalogue=self.catalogue) for condition in conditions]
        return np.stack(found) if found else np.empty((0, len(self.won)), dtype=np.bool_)


def _once(rows: Rows, positions: Positions, *, basis: Basis) -> Positions:
    """One row of each account among the positions: its oldest, or its win where others were only drawn."""
    part = rows.frame.iloc[positions][["account_id", "as_of", "label"]].assign(position=positions)
    if basis == "known":
        part["as_of"] = part["as_of"].where(part["label"] == 0, pd.Timestamp.min)
    oldest = part.sort_values(["as_of", "position"], kind="stable").drop_duplicates("account_id")
    return np.sort(oldest["position"].to_numpy(dtype=np.int64))


def _each_stands_for(
    stands_for: float, rows: Rows, *, drawn: Positions, once: Positions, basis: Basis
) -> float:
    """As `stands_for`, of accounts that count once: one that was drawn twice stands for twice as many."""
    if basis != "known":
        return stands_for
    before, after = (int((rows.label[positions] == 0).sum()) for positions in (drawn, once))
    return stands_for * before / max(1, after)


def _all_of(rows: Rows, positions: Positions, *, stands_for: float) -> Figures:
    return figures(len(positions), int(rows.label[positions].sum()), stands_for=stands_for)


def _at_most(positions: Positions) -> Positions:
    """All positions, or a random sample that can be searched in a second."""
    if len(positions) <= _MOST_SEARCHED:
        return positions
    return np.sort(np.random.default_rng(0).choice(positions, size=_MOST_SEARCHED, replace=False))


def _trait(
    held: Held,
    conditions: Sequence[Condition],
    *,
    met: NDArray[np.bool_],
    won: NDArray[np.int64],
    stands_for: float,
) -> Trait:
    inside = meeting(met, held.candidate.members)
    return Trait(
        direction="for" if held.candidate.side > 0 else "against",
        conditions=tuple(conditions[i] for i in held.candidate.members),
        later=held.later,
        earlier=figures(int(inside.sum()), int(won[inside].sum()), stands_for=stands_for),
        chance=held.chance,
    )


def _shown(traits: Sequence[Trait]) -> tuple[Trait, ...]:
    """What is told: the highest win rates first, then the lowest."""
    speak_for = sorted((one for one in traits if one.direction == "for"), key=lambda one: -one.later.low)
    against = sorted((one for one in traits if one.direction == "against"), key=lambda one: one.later.high)
    return (*speak_for[:_MOST_FOR], *against[:_MOST_AGAINST])


def _without(rows: Rows, *, basis: Basis, stands_for: float, why: str) -> Profile:
    everyone = _once(rows, np.arange(len(rows.frame), dtype=np.int64), basis=basis)
    return Profile(
        basis=basis,
        earlier=_all_of(rows, everyone, stands_for=stands_for),
        later=figures(0, 0),
        split_at=None,
        candidates=0,
        traits=(),
        missing_en=why,
        missing_zh=_TOO_SHORT_ZH,
    )
