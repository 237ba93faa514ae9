"""Challenger against champion: the same rows, neither of which either has learned from.

Turns the challenger's held-out predictions, and those of the served models that answer the same accounts
today, into a paired comparison. The rule: a challenger passes when its figure is at least `keep` times the
champion's in a share `certainty` of the bootstrap's replicates, in which accounts are drawn with replacement,
the same for both (Microsoft's Dynamics publishes a new model only when it holds 95 % of the active one's
accuracy), unless it is surely worse: it fails, too, when the whole 95 % interval of what it is ahead by lies
below 0. There are enough rows when there are `smallest_class` of each class in all and of the served model
that answers most of the challenger's rows, unless it never had as many; of any other with fewer, it is told
that nothing can be said of that one alone.
Time rule: the rows are those whose label became known after the cutoff of the served model that answers them;
it scores them from what was known at their moment, and the challenger is asked in its rehearsal, in which it
learned by its own settings from what was known by such a cutoff (`training.gate.bases`). Where there was
none, as when another model was served when the challenger was trained, its later slices answer, which is hard
on it, as their boosters had learned from fewer rows. Where such rows are too few, as after two trainings on
the same data, the rows that both held out are compared by what each predicted of them then. Null rule: rows
that are left out are counted, by why; those of accounts that the tables no longer hold are gone. Where too
few are left, the challenger has not shown what it must. Where nothing served answers any of its rows, or
hardly any (`training.gate.contest`), the comparison does not apply.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from features.settings import GateSettings
from features.tables import Tables
from models.scoring import Scorer
from training.backtesting.evaluate import Estimate, interval, resampled
from training.backtesting.metrics import Slice, Vector, means
from training.fit import matrix
from training.gate.bases import Basis, bases_of
from training.gate.calibrated import smaller_class
from training.gate.contest import Champion, Contest, Contested
from training.gate.held_out import HeldOut
from training.gate.verdict import GateCheck, figure

__all__ = ["Comparison", "compare", "compared"]

_NAMES = {"roc_auc": "ROC AUC", "pr_auc": "PR AUC"}


@dataclass(frozen=True)
class Comparison:
    """What was found. champion: the served model that answers most of the rows; None where none does."""

    check: GateCheck
    champion: Champion | None


def compare(held: HeldOut, *, contest: Contest, tables: Tables, settings: GateSettings) -> Comparison:
    """The comparison of a challenger with what answers its rows today. contest: with champions."""
    accounts = _accounts(tables)
    own = _asked(held, contest, tables=tables, accounts=accounts)
    outside = own.outside(smallest=settings.smallest_class)
    if outside is not None:
        return Comparison(GateCheck("comparison", "does not apply", outside), None)
    main = contest.main(own.rows) or contest.champions[-1]
    asked = set(own.rows["place"]) or range(len(contest.champions))
    faults = [contest.champions[place] for place in asked if contest.champions[place].bundle is None]
    if faults:
        sentence = f"the served model cannot be scored with: {faults[0].fault}"
        return Comparison(GateCheck("comparison", "failed", sentence), faults[0])
    bases = bases_of(
        own,
        _asked(held, contest, tables=tables, accounts=accounts, rehearsed=True),
        champions=contest.champions,
        rehearsed_at=held.rehearsed_at,
        accounts=accounts,
    )
    return Comparison(_check(bases, own.rows, contest=contest, tables=tables, settings=settings), main)


def _asked(
    held: HeldOut, contest: Contest, *, tables: Tables, accounts: list[str], rehearsed: bool = False
) -> Contested:
    rows = held.of(accounts, rehearsed=rehearsed).rename(columns={"probability": "challenger"})
    return contest.of(rows, tables=tables)


def _check(
    bases: Sequence[Basis], own: pd.DataFrame, *, contest: Contest, tables: Tables, settings: GateSettings
) -> GateCheck:
    """The verdict on the first basis with enough rows. own: the challenger's, by `place`."""
    smallest = settings.smallest_class
    main = _bearing(own, smallest=smallest)
    lacking: list[str] = []
    for basis in bases:
        drawn = basis.with_rows(_sampled(basis.rows, most=settings.largest_sample))
        if drawn.bears(smallest, main=main):
            scored = drawn.with_rows(_scored(drawn, contest=contest, tables=tables))
            return _told(scored, own, lacking=lacking, contest=contest, settings=settings)
        lacking.append(drawn.lacking(contest, smallest=smallest, among=own))
    return _not_comparable(bases, lacking, smallest=smallest)


def _bearing(own: pd.DataFrame, *, smallest: int) -> int | None:
    """The place of the served model that must have enough rows: the one that answers most, if it has any."""
    if own.empty:
        return None
    main = int(np.bincount(own["place"]).argmax())
    return main if smaller_class(own[own["place"] == main]) >= smallest else None


def _told(
    basis: Basis, own: pd.DataFrame, *, lacking: list[str], contest: Contest, settings: GateSettings
) -> GateCheck:
    """The verdict on rows (place, and those of `compared`), and whose answers they were compared with.

    lacking: why what would have been fairer was not taken.
    """
    check = compared(basis.rows, settings=settings, basis=basis.what)
    more = contest.told(basis.rows, left_out=basis.found.left_out)
    few = list(basis.few(contest, smallest=settings.smallest_class, among=own))
    counts = basis.counts(contest, smallest=settings.smallest_class)
    told = {
        **check.figures,
        "answered_by": {key: found["rows"] for key, found in counts.items() if found["rows"]},
        "served_models": counts,
        "left_out": dict(basis.found.left_out),
    }
    sentence = "; ".join([f"{check.sentence}{more}", *few, *lacking])
    return replace(check, sentence=sentence, figures=told)


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


def _accounts(tables: Tables) -> list[str]:
    with tables.connect() as connection:
        found = connection.execute("SELECT DISTINCT account_id FROM accounts ORDER BY account_id").fetchall()
    return [account for (account,) in found]


def _scored(basis: Basis, *, contest: Contest, tables: Tables) -> pd.DataFrame:
    """The rows, each with the probability that its champion gives it."""
    if basis.is_scored:
        return basis.rows
    rows, parts = basis.rows, []
    for place in sorted(rows["place"].unique()):
        bundle, keys = contest.champions[place].bundle, rows[rows["place"] == place]
        assert bundle is not None
        X = matrix(tables, keys, catalogue=bundle.catalogue)
        parts.append(keys.assign(champion=Scorer(bundle).score(X, contributions=False).probability))
    scored: pd.DataFrame = pd.concat(parts).sort_index()
    return scored


def _sampled(rows: pd.DataFrame, *, most: int) -> pd.DataFrame:
    """All rows of as many accounts, drawn at random, as fit."""
    if len(rows) <= most:
        return rows.reset_index(drop=True)
    accounts = np.sort(rows["account_id"].unique())
    size = int(len(accounts) * most / len(rows))
    drawn = np.random.default_rng(0).choice(accounts, size=size, replace=False)
    return rows[rows["account_id"].isin(drawn)].reset_index(drop=True)


def _not_comparable(bases: Sequence[Basis], lacking: list[str], *, smallest: int) -> GateCheck:
    told = "; ".join(lacking)
    sentence = f"cannot be compared with the served model: {told}; {smallest} of each are needed"
    *unseen, both = (len(basis.rows) for basis in bases)
    left_out = dict(bases[-2].found.left_out)
    figures = {"rows": max(unseen), "rows_held_by_both": both, "left_out": left_out}
    return GateCheck("comparison", "failed", sentence, figures)
