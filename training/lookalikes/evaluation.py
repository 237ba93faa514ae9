"""Seeds hidden among the other accounts: how many a list finds again, beside simpler means.

Turns seeds into recall and lift at several lengths of the list, for the product and for each baseline, in the
same draws. Time rule: none, the universe is of one moment. Null rule: none, every account has a place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features.errors import NotEnoughDataError
from models.lookalikes import Prepared, rank_universe
from training.lookalikes.baselines import BASELINES, encoded_plainly, scores_of

__all__ = ["OURS", "Evaluation", "Line", "evaluate_seeds"]

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]

OURS: Final = "spearfish"
_SHARE: Final = 0.5
_LENGTHS: Final = (100, 500, 1_000)
_LEAST: Final = 4
_RESAMPLES: Final = 1_000


@dataclass(frozen=True)
class Line:
    """One ranker at one length of the list: recall with its 95 % interval, lift, and by how much the product
    finds more, with the interval of that; the intervals come from drawing the hidden seeds again."""

    ranker: str
    length: int
    recall: float
    low: float
    high: float
    lift: float
    lift_low: float
    lift_high: float
    behind: float
    behind_low: float
    behind_high: float


@dataclass(frozen=True)
class Evaluation:
    """seeds, hidden: how many there are, and how many of them are hidden in each of `draws` draws."""

    seeds: int
    hidden: int
    draws: int
    accounts: int
    lines: tuple[Line, ...]

    def table(self) -> tuple[list[str], list[tuple[object, ...]]]:
        """Columns and rows for people."""
        columns = ["ranker", "list", "seeds found again", "95 %", "lift", "product finds more"]
        rows: list[tuple[object, ...]] = [
            (
                one.ranker,
                f"{one.length:,}",
                f"{one.recall:.1%}",
                f"{one.low:.1%} to {one.high:.1%}",
                f"{one.lift:.1f} ({one.lift_low:.1f} to {one.lift_high:.1f})",
                ""
                if one.ranker == OURS
                else f"{one.behind:+.1%} ({one.behind_low:+.1%} to {one.behind_high:+.1%})",
            )
            for one in self.lines
        ]
        return columns, rows

    def to_json(self) -> dict[str, Any]:
        return {
            "seeds": self.seeds,
            "hidden": self.hidden,
            "draws": self.draws,
            "accounts": self.accounts,
            "lines": [vars(one) for one in self.lines],
        }


def evaluate_seeds(
    prepared: Prepared,
    seeds: Iterable[str],
    *,
    size: int = 500,
    share: float = _SHARE,
    draws: int | None = None,
    seed: int = 0,
) -> Evaluation:
    """Hide a share of the seeds among the other accounts, several times, and look for them.

    size: a length of the list, beside 100, 500 and 1,000. draws: how many times; more for fewer seeds.
    Raises NotEnoughDataError for fewer than 4 seeds.
    """
    universe = prepared.universe
    positions = universe.positions(seeds)
    if len(positions) < _LEAST:
        raise NotEnoughDataError(
            "too few seeds to hide some of them",
            got=f"{len(positions)}",
            allowed=f"at least {_LEAST}",
            fix="add seeds, or leave --evaluate out",
        )
    hidden = min(max(1, round(share * len(positions))), len(positions) - 1)
    draws = draws or (3 if len(positions) >= 200 else 5)
    lengths = sorted({length for length in (*_LENGTHS, size) if length < len(universe) - len(positions)})
    lengths = lengths or [len(universe) - len(positions)]
    X = encoded_plainly(universe)
    ids = universe.account_ids
    # By ranker: how often each seed was found again within each length, of the draws in which it was hidden.
    found = {name: np.zeros((len(positions), len(lengths))) for name in (OURS, *BASELINES)}
    times = np.zeros(len(positions))
    for draw in range(draws):
        order = np.random.default_rng([seed, draw]).permutation(len(positions))
        away, kept = np.sort(order[:hidden]), np.sort(order[hidden:])
        times[away] += 1
        scores = {OURS: rank_universe(prepared, [ids[at] for at in positions[kept]]).scores}
        for name in BASELINES:
            scores[name] = scores_of(name, universe, X, seeds=positions[kept], seed=draw)
        for name, told in scores.items():
            places = _places(told, seeds=positions[kept])[positions[away]]
            found[name][away] += places[:, None] < np.array(lengths)
    return Evaluation(
        len(positions),
        hidden,
        draws,
        len(universe),
        tuple(_lines(found, times=times, lengths=lengths, others=len(universe) - len(positions) + hidden)),
    )


def _places(scores: Doubles, *, seeds: Integers) -> Integers:
    """Each account's place among those that are no seeds, from 0; ties by account_id."""
    told = scores.copy()
    told[seeds] = -np.inf
    places = np.empty(len(told), dtype=np.int64)
    places[np.lexsort((np.arange(len(told)), -told))] = np.arange(len(told))
    return places


def _lines(
    found: dict[str, Doubles], *, times: Doubles, lengths: Sequence[int], others: int
) -> Iterable[Line]:
    drawn = np.flatnonzero(times)
    again = np.random.default_rng(7).integers(0, len(drawn), (_RESAMPLES, len(drawn)))
    weight = times[drawn]
    below = weight[again].sum(axis=1)

    def told(values: Doubles) -> tuple[float, float, float]:
        resampled = values[again].sum(axis=1) / below
        low, high = np.quantile(resampled, [0.025, 0.975])
        return float(values.sum() / weight.sum()), float(low), float(high)

    for name, hits in found.items():
        for at, length in enumerate(lengths):
            own = hits[drawn, at]
            recall, chance = told(own), length / others
            ahead = told(found[OURS][drawn, at] - own)
            least, value, most = (part / chance for part in (recall[1], recall[0], recall[2]))
            yield Line(name, length, *recall, value, least, most, *ahead)
