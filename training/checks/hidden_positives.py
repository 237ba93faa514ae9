"""The check of hidden positives: what learning from wins and unlabelled accounts finds, and counts.

Turns seeds into two markets each. In the one some profiles always win: positives are drawn from the truth
and all but a share is hidden at random; ranking cannot improve there, the number of the hidden can be told.
In the other sales pursued accounts by size and region: the hidden are those that nobody won yet. Time rule:
accounts are looked at as known at the market's end, scores are out of fold. Null rule: none, every account
of a simulated market has its truth.

    python -m training.checks.hidden_positives --seeds 6 --out results/hidden_positives.json
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold

from features.catalogue import learn_catalogue
from features.mapping import load_config
from models.positive_unlabelled import (
    HiddenAtRandomClassifier,
    PursuitWeightedClassifier,
    count_hidden,
    out_of_fold,
)
from models.positive_unlabelled.base import default_learner
from training.backtesting.means import mean_of
from training.checks.market import market_tables
from training.checks.positive_unlabelled_peers import (
    BaggingPeer,
    RiskPeer,
    best_bin_as_published,
    mean_of_known,
    risk_scores,
)
from training.checks.results import write_result
from training.console import Output
from training.fit import matrix, select_features
from training.market.settings import MarketSettings
from training.market.write import read_truth, simulate

__all__ = ["AtRandom", "BySelection", "check_at_random", "check_by_selection", "summarise"]

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

_CONFIG: Final = Path(__file__).parents[2] / "configs" / "simulated_market.toml"
_FIRST_SEED: Final = 700
"""Seeds 300 to 302 were looked at while methods and settings were chosen; these were not."""

_LABEL_RATES: Final = (0.2, 0.35, 0.5)
"""In turn, one per seed."""

_TOP: Final = 0.05
_FOLDS: Final = 5


@dataclass(frozen=True)
class AtRandom:
    """One market whose positives were hidden at random.

    recall_*: share of the hidden positives in the top 5 % of the accounts without a label; base: what any
    order would get. hidden: their number; estimated, low, high: as told. tries: what lost, by name.
    """

    seed: int
    accounts: int
    label_rate: float
    known: int
    hidden: int
    base: float
    recall_plain: float
    recall_ours: float
    estimated: float
    low: float
    high: float
    tries: dict[str, float] = field(default_factory=dict)

    @property
    def error(self) -> float:
        """By how much the number is off, as a share of it."""
        return self.estimated / self.hidden - 1.0


@dataclass(frozen=True)
class BySelection:
    """One market in which sales pursued by size and region.

    recall_*: expected share of the wins to be had, by the truth, in the top 5 % of those not won yet.
    level_*: mean chance told, as a share of the mean true chance, of those not won yet.
    range_*: of the number of positives that were hidden at random in the same market, where no profile
    always wins. tries: what lost, by name.
    """

    seed: int
    accounts: int
    pursued: int
    won: int
    base: float
    recall_plain: float
    recall_won_lost_weighted: float
    recall_ours: float
    recall_best: float
    level_plain: float
    level_ours: float
    range_low: float
    range_high: float
    range_truth: int
    tries: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Universe:
    """All accounts of a market at its end: features (n, k), true chance to win, won and pursued so far."""

    X: Floats
    learner: Any
    chance: Floats
    won: Labels
    pursued: Labels


def check_at_random(
    seed: int, *, accounts: int, folder: Path, label_rate: float, tries: bool = False
) -> AtRandom:
    """Hide positives at random where some profiles always win; find and count them."""
    universe = _universe(MarketSettings(accounts=accounts, seed=seed, some_always_win=True), folder=folder)
    positive, labelled = _hide(universe.chance, label_rate=label_rate, seed=seed)
    scores = out_of_fold(universe.learner, universe.X, labelled, repeats=2)
    told = count_hidden(scores, labelled=labelled, some_always_win=True, seed=seed)
    rate = labelled.sum() / (labelled.sum() + (told.estimate or 0.0))
    ours = HiddenAtRandomClassifier(universe.learner, label_rate=float(rate))
    hidden = positive.astype(np.float64)

    def recall(model: Any) -> float:
        return _recall(out_of_fold(model, universe.X, labelled), worth=hidden, among=labelled == 0)

    found = (
        {
            "bagging": recall(BaggingPeer(universe.learner)),
            "non-negative risk": recall(RiskPeer(label_rate=float(rate))),
        }
        if tries
        else {}
    )
    counts = _count_tries(scores, labelled=labelled, hidden=int(hidden[labelled == 0].sum())) if tries else {}
    return AtRandom(
        seed=seed,
        accounts=accounts,
        label_rate=label_rate,
        known=int(labelled.sum()),
        hidden=int(hidden[labelled == 0].sum()),
        base=_TOP,
        recall_plain=recall(universe.learner),
        recall_ours=recall(ours),
        estimated=float(told.estimate or 0.0),
        low=told.low,
        high=told.high,
        tries={f"recall, {name}": value for name, value in found.items()} | counts,
    )


def check_by_selection(
    seed: int, *, accounts: int, folder: Path, label_rate: float, tries: bool = False
) -> BySelection:
    """Find the wins to be had where sales pursued by size and region; tell the range at random, too."""
    universe = _universe(MarketSettings(accounts=accounts, seed=seed, pursued_by_kind=True), folder=folder)
    flattenings = {"won_lost_weighted": 1.0, "ours": PursuitWeightedClassifier().flattening}
    scores = {"plain": out_of_fold(universe.learner, universe.X, universe.won)}
    scores |= _by_pursuit(universe, flattenings=flattenings)
    if tries:
        scores |= _selection_tries(universe, plain=scores["plain"])
    among = universe.won == 0
    levels = {
        name: float(found[among].mean() / universe.chance[among].mean()) for name, found in scores.items()
    }
    recalls = {name: _recall(found, worth=universe.chance, among=among) for name, found in scores.items()}
    positive, labelled = _hide(universe.chance, label_rate=label_rate, seed=seed)
    told = count_hidden(out_of_fold(universe.learner, universe.X, labelled), labelled=labelled, seed=seed)
    return BySelection(
        seed=seed,
        accounts=accounts,
        pursued=int(universe.pursued.sum()),
        won=int(universe.won.sum()),
        base=_TOP,
        recall_plain=recalls.pop("plain"),
        recall_won_lost_weighted=recalls.pop("won_lost_weighted"),
        recall_ours=recalls.pop("ours"),
        recall_best=_recall(universe.chance, worth=universe.chance, among=among),
        level_plain=levels["plain"],
        level_ours=levels["ours"],
        range_low=told.low,
        range_high=told.high,
        range_truth=int(positive.sum() - labelled.sum()),
        tries={f"recall, {name}": value for name, value in recalls.items()},
    )


def summarise(at_random: Sequence[AtRandom], by_selection: Sequence[BySelection]) -> dict[str, Any]:
    """Means over seeds with 95 % intervals (Student's t), and what the ranges and intervals held."""
    one, other = (pd.DataFrame([asdict(found) for found in part]) for part in (at_random, by_selection))
    off = np.array([found.error for found in at_random])
    return {
        "at_random": {
            "recall_plain": mean_of(one["recall_plain"], share=True),
            "recall_ours": mean_of(one["recall_ours"], share=True),
            "recall_ours_less_plain": mean_of(one["recall_ours"] - one["recall_plain"]),
            "base": _TOP,
            "number_off_by": mean_of(np.abs(off)),
            "number_off_with_sign": mean_of(off),
            "number_within_20_percent": float((np.abs(off) <= 0.2).mean()),
            "interval_held": float(one["hidden"].between(one["low"], one["high"]).mean()),
        },
        "by_selection": {
            "recall_plain": mean_of(other["recall_plain"], share=True),
            "recall_won_lost_weighted": mean_of(other["recall_won_lost_weighted"], share=True),
            "recall_ours": mean_of(other["recall_ours"], share=True),
            "recall_best": mean_of(other["recall_best"], share=True),
            "base": _TOP,
            "level_plain": mean_of(other["level_plain"]),
            "level_ours": mean_of(other["level_ours"]),
            "ours_over_plain": mean_of(other["recall_ours"] / other["recall_plain"]),
            "ours_less_won_lost_weighted": mean_of(other["recall_ours"] - other["recall_won_lost_weighted"]),
        },
        "range_where_no_profile_always_wins": {
            "held": float(other["range_truth"].between(other["range_low"], other["range_high"]).mean()),
            "upper_end_over_truth": mean_of(other["range_high"] / other["range_truth"]),
        },
        "tries": {
            name: {"markets": len(tried), **mean_of(tried, share=name.startswith("recall"))}
            for part in (at_random, by_selection)
            for name in part[0].tries
            if (tried := [found.tries[name] for found in part if found.tries])
        },
    }


def _universe(settings: MarketSettings, *, folder: Path) -> _Universe:
    config = load_config(_CONFIG)
    simulate(settings, directory=folder / "market")
    tables = market_tables(folder / "market", config=config)
    catalogue = learn_catalogue(tables, cutoff=settings.end)
    selected = select_features(catalogue, kind="fit", settings=config.model.fit)
    truth = read_truth(folder / "market").accounts
    deals = tables.read("opportunities").dropna(subset="outcome")
    categories = [feature.kind == "category" for feature in selected.features]
    X = matrix(tables, truth[["account_id", "as_of"]], catalogue=selected)
    return _Universe(
        X=_one_hot(X, categories=np.array(categories)),
        learner=default_learner(),
        chance=truth["probability"].to_numpy(),
        won=_among(truth["account_id"], deals["account_id"][deals["outcome"] == "won"]),
        pursued=_among(truth["account_id"], deals["account_id"]),
    )


def _one_hot(X: Floats, *, categories: NDArray[np.bool_]) -> Floats:
    """A flag per level instead of codes, which no scikit-learn classifier takes for categories."""
    flags = pd.get_dummies(pd.DataFrame(X[:, categories]).astype("category"), dtype=np.float64)
    return np.column_stack([X[:, ~categories], flags.to_numpy()])


def _among(accounts: pd.Series[str], some: pd.Series[str]) -> Labels:
    flags: Labels = accounts.isin(some).to_numpy().astype(np.int64)
    return flags


def _hide(chance: Floats, *, label_rate: float, seed: int) -> tuple[Labels, Labels]:
    """Positives drawn by their true chance, and those of them that stay known."""
    generator = np.random.default_rng(seed)
    positive = generator.random(len(chance)) < chance
    known = positive & (generator.random(len(chance)) < label_rate)
    return positive.astype(np.int64), known.astype(np.int64)


def _recall(scores: Floats, *, worth: Floats, among: NDArray[np.bool_]) -> float:
    """Share of the worth of the accounts `among` that lies in the top 5 % of them."""
    rows = np.flatnonzero(among)
    top = rows[np.argsort(-scores[rows], kind="stable")[: round(len(rows) * _TOP)]]
    return float(worth[top].sum() / worth[rows].sum())


def _by_pursuit(universe: _Universe, *, flattenings: dict[str, float]) -> dict[str, Floats]:
    """Out-of-fold chances of all accounts, learned from those that were pursued, by how much is weighed."""
    X, won, pursued = universe.X, universe.won, universe.pursued
    scores = {name: np.zeros(len(won)) for name in flattenings}
    for learned, judged in _splits(won + pursued):
        for name, flattening in flattenings.items():
            model = PursuitWeightedClassifier(clone(universe.learner), flattening=flattening, folds=2)
            model.fit(X[learned], won[learned], pursued=pursued[learned])
            scores[name][judged] = model.predict_proba(X[judged])[:, 1]
    return scores


def _selection_tries(universe: _Universe, *, plain: Floats) -> dict[str, Floats]:
    X, won = universe.X, universe.won
    propensities = np.clip(out_of_fold(universe.learner, X, universe.pursued), 0.05, 1.0)
    risk = np.zeros(len(won))
    for learned, judged in _splits(won + universe.pursued):
        risk[judged] = risk_scores(
            X[learned], won=won[learned], propensities=propensities[learned], judged=X[judged]
        )
    unweighted = _by_pursuit(universe, flattenings={"half weights": 0.5, "no weights": 0.0})
    return {"quotient": plain / propensities, "propensity-weighted risk": risk, **unweighted}


def _splits(strata: Labels) -> Any:
    return StratifiedKFold(_FOLDS, shuffle=True, random_state=0).split(np.zeros((len(strata), 1)), strata)


def _count_tries(scores: Floats, *, labelled: Labels, hidden: int) -> dict[str, float]:
    """By how much other estimates of the number are off, without sign."""
    rates = {
        "mean of the known (Elkan-Noto)": mean_of_known(scores, labelled=labelled),
        "best bin as published": best_bin_as_published(scores, labelled=labelled),
    }
    known = int(labelled.sum())
    return {
        f"number off by, {name}": abs(known * (1.0 / rate - 1.0) / hidden - 1.0)
        for name, rate in rates.items()
    }


def main() -> None:
    """The command: check some seeds and write what was found as JSON."""
    parser = argparse.ArgumentParser(prog="python -m training.checks.hidden_positives", description=__doc__)
    parser.add_argument("--seeds", type=int, default=6, help="how many pairs of markets")
    parser.add_argument("--first-seed", type=int, default=_FIRST_SEED, help="300 to 302 were for development")
    parser.add_argument("--accounts", type=int, default=20_000, help="accounts of each market")
    parser.add_argument("--tries", type=int, default=3, help="on how many also the methods that lost")
    parser.add_argument("--out", type=Path, help="write the JSON here, too")
    given = parser.parse_args()
    output = Output(as_json=True)
    started = time.monotonic()
    at_random: list[AtRandom] = []
    by_selection: list[BySelection] = []
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    with output.progress() as progress, tempfile.TemporaryDirectory() as name:
        for number, seed in enumerate(seeds):
            rate = _LABEL_RATES[number % len(_LABEL_RATES)]
            chosen = {"accounts": given.accounts, "folder": Path(name), "tries": number < given.tries}
            at_random.append(check_at_random(seed, label_rate=rate, **chosen))
            by_selection.append(check_by_selection(seed, label_rate=rate, **chosen))
            progress("check hidden positives", number + 1, given.seeds)
    document = {
        "seeds": list(seeds),
        "accounts": given.accounts,
        "label_rates": list(_LABEL_RATES),
        "minutes": round((time.monotonic() - started) / 60, 1),
        **summarise(at_random, by_selection),
        "by_seed": [asdict(found) for part in (at_random, by_selection) for found in part],
    }
    output.result(write_result(document, out=given.out, also=[_CONFIG]))


if __name__ == "__main__":
    main()
