"""Challenger against champion: the same rows, neither of which either has learned from.

Turns the challenger's held-out predictions, and those of the served models that answer the same accounts
today, into a paired comparison. The rule: a
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
are left, the challenger has not shown what it must. Where nothing served answers any of its rows, the
comparison does not apply.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from features.settings import GateSettings
from features.tables import Tables
from models.scoring import Scorer
from training.backtesting.evaluate import Estimate, interval, resampled
from training.backtesting.metrics import Slice, Vector, means
from training.fit import matrix
from training.gate.calibrated import rates_of
from training.gate.contest import Champion, Contest, Contested, cutoff_of
from training.gate.held_out import HeldOut
from training.gate.verdict import GateCheck, figure

__all__ = ["Comparison", "compare", "compared"]

_NAMES = {"roc_auc": "ROC AUC", "pr_auc": "PR AUC"}
_UNSEEN = "whose outcome was not known when the served model was trained"
_BOTH = "that both models held out of their trainings"


@dataclass(frozen=True)
class Comparison:
    """What was found. champion: the served model that answers most of the rows; None where none does."""

    check: GateCheck
    champion: Champion | None


def compare(held: HeldOut, *, contest: Contest, tables: Tables, settings: GateSettings) -> Comparison:
    """The comparison of a challenger with what answers its rows today. contest: with champions."""
    accounts = _accounts(tables)
    own = _asked(held, contest, tables=tables, accounts=accounts)
    if own.outside is not None:
        return Comparison(GateCheck("comparison", "does not apply", own.outside), None)
    main = contest.main(own.rows) or contest.champions[-1]
    asked = set(own.rows["place"]) or range(len(contest.champions))
    faults = [contest.champions[place] for place in asked if contest.champions[place].bundle is None]
    if faults:
        sentence = f"the served model cannot be scored with: {faults[0].fault}"
        return Comparison(GateCheck("comparison", "failed", sentence), faults[0])
    rehearsed = _asked(held, contest, tables=tables, accounts=accounts, rehearsed=True)
    return Comparison(
        _check(own, rehearsed, contest=contest, tables=tables, settings=settings, accounts=accounts), main
    )


def _asked(
    held: HeldOut, contest: Contest, *, tables: Tables, accounts: list[str], rehearsed: bool = False
) -> Contested:
    rows = held.of(accounts, rehearsed=rehearsed).rename(columns={"probability": "challenger"})
    return contest.of(rows, tables=tables)


def _check(
    own: Contested,
    rehearsed: Contested,
    *,
    contest: Contest,
    tables: Tables,
    settings: GateSettings,
    accounts: list[str],
) -> GateCheck:
    for found, basis in _unseen(own, rehearsed, champions=contest.champions):
        unseen = replace(found, rows=_sampled(found.rows, most=settings.largest_sample))
        if _is_enough(unseen.rows, settings):
            scored = _scored(unseen.rows, champions=contest.champions, tables=tables)
            return _told(replace(unseen, rows=scored), contest=contest, settings=settings, basis=basis)
    both = replace(own, rows=_held_by_both(own.rows, contest.champions, accounts=accounts))
    if _is_enough(both.rows, settings):
        return _told(both, contest=contest, settings=settings, basis=_BOTH)
    return _not_comparable(unseen.rows, both.rows, settings=settings)


def _told(found: Contested, *, contest: Contest, settings: GateSettings, basis: str) -> GateCheck:
    """The verdict on rows (place, and those of `compared`), and whose answers they were compared with."""
    check = compared(found.rows, settings=settings, basis=basis)
    more = contest.told(found.rows, left_out=found.left_out)
    counts = found.rows["place"].value_counts().items()
    answered = {contest.champions[int(str(place))].key: int(count) for place, count in counts}
    told = {**check.figures, "answered_by": answered, "left_out": dict(found.left_out)}
    return replace(check, sentence=f"{check.sentence}{more}", figures=told)


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
    own: Contested, rehearsed: Contested, *, champions: Sequence[Champion]
) -> Iterator[tuple[Contested, str]]:
    """Rows that their champion has not learned from, the fairer ones first, and what they are."""
    cutoffs = np.array(
        [np.datetime64("NaT") if one.bundle is None else cutoff_of(one.bundle) for one in champions],
        dtype="datetime64[us]",
    )
    bases = {" and the challenger rehearsed": rehearsed, ", of the challenger's later slices": own}
    for basis, found in bases.items():
        # No moment is after one that is not there, so that rows of what cannot be scored with stay out.
        unknown = found.rows["label_known_at"].to_numpy() > cutoffs[found.rows["place"].to_numpy()]
        yield replace(found, rows=found.rows[unknown]), f"{_UNSEEN}{basis}"


def _accounts(tables: Tables) -> list[str]:
    with tables.connect() as connection:
        found = connection.execute("SELECT DISTINCT account_id FROM accounts ORDER BY account_id").fetchall()
    return [account for (account,) in found]


def _scored(rows: pd.DataFrame, *, champions: Sequence[Champion], tables: Tables) -> pd.DataFrame:
    """The rows, each with the probability that its champion gives it."""
    parts = []
    for place in sorted(rows["place"].unique()):
        bundle, keys = champions[place].bundle, rows[rows["place"] == place]
        assert bundle is not None
        X = matrix(tables, keys, catalogue=bundle.catalogue)
        parts.append(keys.assign(champion=Scorer(bundle).score(X, contributions=False).probability))
    scored: pd.DataFrame = pd.concat(parts).sort_index()
    return scored


def _held_by_both(own: pd.DataFrame, champions: Sequence[Champion], *, accounts: list[str]) -> pd.DataFrame:
    """Rows that both held out, each with what its champion predicted of it then."""
    same, parts = ["account_id", "as_of", "label"], []
    for place in sorted(own["place"].unique()):
        held = champions[place].held_out
        if held is not None:
            theirs = held.of(accounts).rename(columns={"probability": "champion"})
            parts.append(own[own["place"] == place].merge(theirs[[*same, "champion"]], on=same))
    return pd.concat(parts, ignore_index=True) if parts else own.iloc[:0].assign(champion=np.nan)


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
