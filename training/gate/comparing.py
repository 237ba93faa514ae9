"""Challenger against champion: the same rows, neither of which either has learned from.

Turns the challenger's held-out predictions and the served model into a paired comparison. The rule: a
challenger passes when its figure is at least `keep` times the champion's in a share `certainty` of the
bootstrap's replicates, in which accounts are drawn with replacement, the same for both (Microsoft's Dynamics
publishes a new model only when it holds 95 % of the active one's accuracy), unless it is surely worse: it
fails, too, when the whole 95 % interval of what it is ahead by lies below 0. Time rule: the rows are those
whose label became known after the champion's cutoff; the champion scores them from what was known at their
moment, and the challenger is asked in its rehearsal, in which it learned by its own settings from what was
known by that cutoff. Where there was none, as when another model was served when the challenger was trained,
its later slices answer, which is hard on it, as their boosters had learned from fewer rows. Where such rows
are too few, as after two trainings on the same data, the rows that both held out are compared by what each
predicted of them then. Null rule: rows of accounts that the tables no longer hold are left out; where too few
are left, the challenger has not shown what it must.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from features.settings import GateSettings
from features.tables import Tables
from models.bundle import Bundle
from models.scoring import Scorer
from training.backtesting.evaluate import Estimate, interval, resampled
from training.backtesting.metrics import Slice, Vector, means
from training.fit import matrix
from training.gate.calibrated import rates_of
from training.gate.held_out import HeldOut
from training.gate.verdict import GateCheck, figure

__all__ = ["Champion", "compare", "compared", "cutoff_of"]

_NAMES = {"roc_auc": "ROC AUC", "pr_auc": "PR AUC"}
_UNSEEN = "whose outcome was not known when the served model was trained"
_BOTH = "that both models held out of their trainings"


@dataclass(frozen=True)
class Champion:
    """What is served.

    bundle: None where it cannot be scored with here; fault says why. held_out: None where its training kept
    nothing.
    """

    fingerprint: str
    bundle: Bundle | None
    held_out: HeldOut | None
    fault: str = ""


def compare(held: HeldOut, *, champion: Champion, tables: Tables, settings: GateSettings) -> GateCheck:
    """The comparison of a challenger with the served model."""
    bundle = champion.bundle
    if bundle is None:
        return GateCheck("comparison", "failed", f"the served model cannot be scored with: {champion.fault}")
    accounts = _accounts(tables)
    own = held.of(accounts).rename(columns={"probability": "challenger"})
    for rows, basis in _unseen(held, own, accounts=accounts, cutoff=cutoff_of(bundle)):
        unseen = _sampled(rows, most=settings.largest_sample)
        if _is_enough(unseen, settings):
            scored = unseen.assign(champion=_scored(bundle, keys=unseen, tables=tables))
            return compared(scored, settings=settings, basis=basis)
    both = _held_by_both(own, champion, accounts=accounts)
    if _is_enough(both, settings):
        return compared(both, settings=settings, basis=_BOTH)
    return _not_comparable(unseen, both, settings=settings)


def compared(rows: pd.DataFrame, *, settings: GateSettings, basis: str) -> GateCheck:
    """The verdict on rows (account_id, label, challenger, champion)."""
    ours, theirs = _drawn(rows, settings)
    holding = float(np.mean(ours[1:] >= settings.keep * theirs[1:]))
    base = 0.5 if settings.metric == "roc_auc" else float(rows["label"].mean())
    figures = {
        "challenger": _estimate(ours, base=base),
        "champion": _estimate(theirs, base=base),
        "ahead": _estimate(ours - theirs, base=0.0),
    }
    sentence = (
        f"{_NAMES[settings.metric]} {figures['challenger']} against {figures['champion']} of the served "
        f"model, ahead by {figures['ahead']}, on {len(rows):,} rows of {rows['account_id'].nunique():,} "
        f"accounts {basis}; {100 * rows['label'].mean():.1f} % of them with the event; it holds "
        f"{100 * settings.keep:g} % of the served model's figure in {100 * holding:.0f} % of the replicates, "
        f"{100 * settings.certainty:g} % needed"
    )
    surely_worse = figures["ahead"].high < 0.0
    if surely_worse:
        sentence += "; it is surely worse, as the whole interval of what it is ahead by lies below 0"
    told = {
        "metric": settings.metric,
        **{name: figure(estimate) for name, estimate in figures.items()},
        "keep": settings.keep,
        "holding": holding,
        "certainty": settings.certainty,
        "rows": len(rows),
        "accounts": int(rows["account_id"].nunique()),
        "events": int(rows["label"].sum()),
        "base_rate": float(rows["label"].mean()),
        "basis": basis,
    }
    passed = holding >= settings.certainty and not surely_worse
    return GateCheck("comparison", "passed" if passed else "failed", sentence, told)


def _drawn(rows: pd.DataFrame, settings: GateSettings) -> tuple[Vector, Vector]:
    """The metric of both: of the sample itself (first), then of each replicate that has both classes."""
    slices = [Slice.of(rows.assign(probability=rows[name])) for name in ("challenger", "champion")]
    found: list[list[Vector]] = [[], []]
    with np.errstate(divide="ignore", invalid="ignore"):
        for weights in resampled(rows["account_id"], replicates=settings.replicates, seed=0):
            for part, values in zip(slices, found, strict=True):
                values.append(means([part], weights, top_k=1, probabilities=False)[settings.metric])
    ours, theirs = map(np.concatenate, found)
    usable = np.isfinite(ours) & np.isfinite(theirs)
    return ours[usable], theirs[usable]


def _estimate(values: Vector, *, base: float) -> Estimate:
    return Estimate(float(values[0]), *interval(values[1:]), base=base)


def _unseen(
    held: HeldOut, own: pd.DataFrame, *, accounts: list[str], cutoff: datetime
) -> Iterator[tuple[pd.DataFrame, str]]:
    """Rows that the champion has not learned from, the fairer ones first, and what they are."""
    rehearsed = held.of(accounts, rehearsed=True).rename(columns={"probability": "challenger"})
    yield rehearsed[rehearsed["label_known_at"] > cutoff], f"{_UNSEEN} and the challenger rehearsed"
    yield own[own["label_known_at"] > cutoff], f"{_UNSEEN}, of the challenger's later slices"


def cutoff_of(bundle: Bundle) -> datetime:
    """Up to when a model has learned, naive UTC."""
    return datetime.fromisoformat(bundle.card["cutoff"]).replace(tzinfo=None)


def _accounts(tables: Tables) -> list[str]:
    with tables.connect() as connection:
        found = connection.execute("SELECT DISTINCT account_id FROM accounts ORDER BY account_id").fetchall()
    return [account for (account,) in found]


def _scored(bundle: Bundle, *, keys: pd.DataFrame, tables: Tables) -> Vector:
    X = matrix(tables, keys, catalogue=bundle.catalogue)
    return Scorer(bundle).score(X, contributions=False).probability


def _held_by_both(own: pd.DataFrame, champion: Champion, *, accounts: list[str]) -> pd.DataFrame:
    if champion.held_out is None:
        return own.iloc[:0].assign(champion=np.nan)
    theirs = champion.held_out.of(accounts).rename(columns={"probability": "champion"})
    same = ["account_id", "as_of", "label"]
    return own.merge(theirs[[*same, "champion"]], on=same)


def _sampled(rows: pd.DataFrame, *, most: int) -> pd.DataFrame:
    """All rows of as many accounts, drawn at random, as fit."""
    if len(rows) <= most:
        return rows.reset_index(drop=True)
    accounts = np.sort(rows["account_id"].unique())
    size = int(len(accounts) * most / len(rows))
    drawn = np.random.default_rng(0).choice(accounts, size=size, replace=False)
    return rows[rows["account_id"].isin(drawn)].reset_index(drop=True)


def _is_enough(rows: pd.DataFrame, settings: GateSettings) -> bool:
    events = int(rows["label"].sum())
    return min(events, len(rows) - events) >= settings.smallest_class


def _not_comparable(unseen: pd.DataFrame, both: pd.DataFrame, *, settings: GateSettings) -> GateCheck:
    sentence = (
        f"cannot be compared with the served model: of rows {_UNSEEN} there are {rates_of(unseen)}, "
        f"of rows {_BOTH} {rates_of(both)}; {settings.smallest_class} of each are needed"
    )
    return GateCheck("comparison", "failed", sentence, {"rows": len(unseen), "rows_held_by_both": len(both)})
