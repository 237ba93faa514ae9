"""Days of warning: how long before an opportunity its account was handed to sales.

Turns weekly rankings and a weekly capacity into the day on which each account is flagged, and that into days
before the event. Time rule: the ranking of a week reads facts with `known_at` before the week's first second
only, by a model that learned at the cutoff and is not trained again; what happened is joined afterwards.
Null rule: an account that was not flagged before its event was warned of by 0 days. Each week the best
accounts that were not flagged yet are handed over; equal ones in an order drawn at random.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.catalogue import Catalogue
from features.mapping import Config
from features.tables import Tables
from models.booster import Matrix
from training.backtesting.baselines import activity_heuristic
from training.backtesting.evaluate import Estimate, interval, resampled
from training.fit import matrix
from training.labels import first_events, intent_population

__all__ = ["RANDOM", "Warnings", "days_of_warning", "hand_over", "measure_warning", "usual_capacity"]

RANDOM = "random"
"""The ranker that knows nothing: its figures are the base of all others."""

_KEYS_AT_ONCE = 100_000
_DAY = np.timedelta64(1, "D")

Ranker = Callable[[Matrix], Matrix | None]


@dataclass(frozen=True)
class Warnings:
    """What several rankers give at the same weekly capacities.

    frame: cutoff, account_id, happened_at and the days of warning by each ranker, one row per account with
    the event. capacities: accounts a week, by cutoff. out_of_reach: events of accounts that were in no week's
    population before. estimates: by ranker and figure; ahead: by other ranker, the first minus it, paired,
    and median_days_earlier, the median of the differences over events of which either of the two warned:
    where fewer than half of the events are warned of, as at a small capacity, plain medians are 0.
    """

    frame: pd.DataFrame
    capacities: Mapping[datetime, int]
    out_of_reach: int
    estimates: Mapping[str, Mapping[str, Estimate]]
    ahead: Mapping[str, Mapping[str, Estimate]]


def usual_capacity(accounts: int) -> int:
    """So many accounts a week that each of them would have its turn once a year, at least one.

    >>> usual_capacity(5200), usual_capacity(10)
    (100, 1)
    """
    return max(1, round(accounts / 52))


def days_of_warning(
    tables: Tables,
    *,
    cutoff: datetime,
    catalogue: Catalogue,
    predict: Callable[[Matrix], Matrix],
    capacity: int,
    config: Config,
) -> pd.DataFrame:
    """One row per account with the event in the horizon after `cutoff`.

    predict: from every feature of `catalogue` (n, k) to a ranking (n,). Columns: cutoff, account_id,
    happened_at, reachable (it was in some week's population before), and by ranker the days of warning.
    """
    settings = config.labels.intent
    until = cutoff + timedelta(days=settings.horizon_days)
    rankers: dict[str, Ranker] = {
        "probability": predict,
        "recent_activity": lambda X: activity_heuristic(X, catalogue=catalogue),
    }
    weeks = list(
        _weeks(tables, cutoff=cutoff, until=until, catalogue=catalogue, config=config, rankers=rankers)
    )
    events = first_events(tables, since=cutoff, until=until, settings=settings)
    first_seen = pd.concat(weeks).groupby("account_id")["week"].min()
    seen = events["account_id"].map(first_seen)
    told = {
        ranker: _days(events, flagged=hand_over(weeks, ranker=ranker, capacity=capacity))
        for ranker in (*rankers, RANDOM)
        if ranker in weeks[0].columns
    }
    return events.assign(cutoff=pd.Timestamp(cutoff), reachable=(seen <= events["happened_at"]), **told)


def _weeks(
    tables: Tables,
    *,
    cutoff: datetime,
    until: datetime,
    catalogue: Catalogue,
    config: Config,
    rankers: Mapping[str, Ranker],
) -> Iterator[pd.DataFrame]:
    """The population of each week with its rankings: account_id, week, one column per ranker."""
    count = math.ceil((until - cutoff) / timedelta(days=7))
    moments = [cutoff + timedelta(days=7 * number) for number in range(count)]
    everybody = [intent_population(tables, as_of=moment, settings=config.labels.intent) for moment in moments]
    generator = np.random.default_rng(config.model.intent.seed)
    for together in _batches(everybody):
        keys = pd.concat(together, ignore_index=True)
        X = matrix(tables, keys, catalogue=catalogue)
        told = {name: rank(X) for name, rank in rankers.items()}
        known = {name: values for name, values in told.items() if values is not None}
        frame = keys.rename(columns={"as_of": "week"}).assign(
            **known, **{RANDOM: generator.random(len(keys))}
        )
        yield from (week for _, week in frame.groupby("week", sort=True))


def _batches(populations: Sequence[pd.DataFrame]) -> Iterator[list[pd.DataFrame]]:
    """Weeks whose features are computed at once: fewer passes over the tables, within bounded memory."""
    batch: list[pd.DataFrame] = []
    for population in populations:
        if batch and sum(map(len, batch)) + len(population) > _KEYS_AT_ONCE:
            yield batch
            batch = []
        batch.append(population)
    yield batch


def hand_over(weeks: Sequence[pd.DataFrame], *, ranker: str, capacity: int) -> dict[str, pd.Timestamp]:
    """When each account is flagged: each week the `capacity` best that were not flagged before.

    weeks: account_id, week, the ranker's column and `random`, which orders equal ones; oldest week first.
    """
    flagged: dict[str, pd.Timestamp] = {}
    for week in weeks:
        left = week[~week["account_id"].isin(flagged.keys())]
        best = left.sort_values([ranker, RANDOM], ascending=False).head(capacity)
        flagged |= dict(zip(best["account_id"], best["week"], strict=True))
    return flagged


def _days(events: pd.DataFrame, *, flagged: Mapping[str, pd.Timestamp]) -> NDArray[np.float64]:
    moments = events["account_id"].map(flagged).to_numpy(dtype="datetime64[us]")
    days = (events["happened_at"].to_numpy(dtype="datetime64[us]") - moments) / _DAY
    return np.where(np.isnan(days), 0.0, np.maximum(days, 0.0))


def measure_warning(
    frames: Sequence[pd.DataFrame],
    *,
    capacities: Mapping[datetime, int],
    replicates: int = 1000,
    seed: int = 0,
) -> Warnings | None:
    """Days of warning over all events that could be warned of; None where there were none.

    frames: of `days_of_warning`. Intervals are over resampled accounts, with the flags as they were. Figures:
    median_days and mean_days (0 where not warned of), share_warned, and median_days_if_warned.
    """
    whole = pd.concat(frames, ignore_index=True)
    frame = whole[whole["reachable"]].drop(columns="reachable").reset_index(drop=True)
    if frame.empty:
        return None
    rankers = [name for name in ("probability", "recent_activity", RANDOM) if name in frame.columns]
    drawn = _drawn(frame, rankers=rankers, replicates=replicates, seed=seed)
    base = {name: float(drawn[RANDOM][name][0]) for name in drawn["probability"]}
    ours = drawn["probability"]
    return Warnings(
        frame=frame,
        capacities=capacities,
        out_of_reach=len(whole) - len(frame),
        estimates={
            ranker: {name: _estimate(found[name], base=base[name]) for name in base}
            for ranker, found in drawn.items()
        },
        ahead={
            other: {name: _estimate(ours[name] - drawn[other][name], base=0.0) for name in base}
            | {"median_days_earlier": _estimate(drawn[other]["median_days_earlier"], base=0.0)}
            for other in rankers[1:]
        },
    )


def _drawn(
    frame: pd.DataFrame, *, rankers: Sequence[str], replicates: int, seed: int
) -> dict[str, dict[str, Matrix]]:
    parts: dict[str, list[dict[str, Matrix]]] = {ranker: [] for ranker in rankers}
    days = {ranker: frame[ranker].to_numpy(dtype=np.float64) for ranker in rankers}
    ours = days["probability"]
    for weights in resampled(frame["account_id"], replicates=replicates, seed=seed):
        parts["probability"].append(_figures(ours, weights))
        for other in rankers[1:]:
            either = ((ours > 0) | (days[other] > 0)).astype(np.float64)
            earlier = {"median_days_earlier": _medians(ours - days[other], weights * either)}
            parts[other].append(_figures(days[other], weights) | earlier)
    return {
        ranker: {name: np.concatenate([one[name] for one in found]) for name in found[0]}
        for ranker, found in parts.items()
    }


def _figures(days: Matrix, weights: Matrix) -> dict[str, Matrix]:
    """Of each replicate, (replicates,)."""
    warned = (days > 0).astype(np.float64)
    total = weights.sum(axis=1)
    return {
        "median_days": _medians(days, weights),
        "mean_days": weights @ days / total,
        "share_warned": weights @ warned / total,
        "median_days_if_warned": _medians(days, weights * warned),
    }


def _medians(days: Matrix, weights: Matrix) -> Matrix:
    """The least value that at least half of the weight does not exceed, (replicates,); NaN without weight."""
    order = np.argsort(days, kind="stable")
    below = np.cumsum(weights[:, order], axis=1)
    reached = (below >= below[:, -1:] / 2).argmax(axis=1)
    medians: Matrix = np.where(below[:, -1] > 0, days[order][reached], np.nan)
    return medians


def _estimate(drawn: Matrix, *, base: float) -> Estimate:
    return Estimate(float(drawn[0]), *interval(drawn[1:]), base=base)
