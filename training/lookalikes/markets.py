"""The check of simulated markets: half of the customers hidden, and looked for beside the best possible
ranker.

Turns seeds into markets, hides half of the customers of each among all other accounts, and compares how
many of them the first thousand hold: of the product, of cosine similarity and of other simple means, and of
two rankers that know the truth: the true chance to win, and the true expected number of wins since the
market began as a function of the same attributes (learned from the truth itself, out of fold), as who
engages more opens more opportunities. Time rule: all accounts are taken as they are known at the end of the
market. Null rule: none, every account has its truth.

    python -m training.lookalikes.markets --seeds 10 --out results/lookalike_markets.json
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
from lightgbm import LGBMRegressor
from numpy.typing import NDArray
from sklearn.model_selection import KFold, cross_val_predict

from features.mapping import load_config
from features.universe import customers, read_universe
from models.lookalikes import Prepared, prepare, rank_universe
from training.backtesting.means import mean_of
from training.checks.market import market_tables
from training.checks.results import ROOT, write_result
from training.console import Output
from training.lookalikes.baselines import encoded_plainly, scores_of
from training.market.settings import MarketSettings
from training.market.write import Truth, read_truth, simulate

__all__ = ["HiddenCustomers", "check_market", "recall_at", "summarise"]

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]

_CONFIG: Final = ROOT / "configs" / "simulated_market.toml"
_FIRST_SEED: Final = 900
"""Seeds 300 to 302 were looked at while rankers were made; these were not."""

_BASELINES: Final = ("same industry", "cosine on firmographics", "won against all")
_STEPS_OF_HORIZON: Final = 3


@dataclass(frozen=True)
class HiddenCustomers:
    """One market. recall: of the hidden customers in the first `length` accounts, by ranker."""

    seed: int
    accounts: int
    customers: int
    hidden: int
    length: int
    ranker: str
    recall: dict[str, float] = field(default_factory=dict)

    @property
    def best(self) -> float:
        return max(self.recall["true chance to win"], self.recall["true expected wins"])


def check_market(seed: int, *, accounts: int, folder: Path, length: int = 1_000) -> HiddenCustomers:
    """Hide half of the customers of one market and look for them. folder: an earlier market is replaced."""
    settings = MarketSettings(accounts=accounts, seed=seed)
    simulate(settings, directory=folder)
    tables = market_tables(folder, config=load_config(_CONFIG))
    prepared = prepare(read_universe(tables, as_of=settings.end))
    universe, truth = prepared.universe, read_truth(folder)
    owners = universe.positions(customers(tables, as_of=settings.end))
    order = np.random.default_rng([seed, 1]).permutation(len(owners))
    away = np.sort(owners[order[: len(owners) // 2]])
    seeds = np.sort(owners[order[len(owners) // 2 :]])
    ids = universe.account_ids
    ranking = rank_universe(prepared, [ids[at] for at in seeds])
    X = encoded_plainly(universe)
    scores = {name: scores_of(name, universe, X, seeds=seeds, seed=seed) for name in _BASELINES}
    scores |= _truths(prepared, truth) | {"spearfish": ranking.scores}
    return HiddenCustomers(
        seed=seed,
        accounts=len(universe),
        customers=len(owners),
        hidden=len(away),
        length=length,
        ranker=ranking.choice.ranker,
        recall={
            name: recall_at(length, scores=told, seeds=seeds, hidden=away) for name, told in scores.items()
        },
    )


def recall_at(length: int, *, scores: Doubles, seeds: Integers, hidden: Integers) -> float:
    """The share of the hidden among the first accounts that are no seeds, ties by account_id."""
    told = scores.copy()
    told[seeds] = -np.inf
    first = np.lexsort((np.arange(len(told)), -told))[:length]
    return float(np.isin(hidden, first).mean())


def _truths(prepared: Prepared, truth: Truth) -> dict[str, Doubles]:
    """Scores of rankers that know what nobody knows."""
    ids = prepared.universe.account_ids
    wins = truth.accounts.set_index("account_id")["probability"].reindex(ids).to_numpy()
    steps = truth.intent[truth.intent["in_population"]]
    opened = steps.groupby("account_id")["probability"].sum().reindex(ids, fill_value=0.0).to_numpy()
    expected = opened / _STEPS_OF_HORIZON * wins
    names = [one.name for one in prepared.universe.attributes]
    columns = prepared.view("trees", names=names, emptiness=names)
    facts = np.column_stack([prepared.rows(np.arange(len(ids)))[:, columns], np.log(wins / (1.0 - wins))])
    learner = LGBMRegressor(
        n_estimators=200,
        learning_rate=0.05,
        num_leaves=15,
        random_state=0,
        n_jobs=1,
        deterministic=True,
        force_row_wise=True,
        verbosity=-1,
    )
    folds = KFold(3, shuffle=True, random_state=0)
    return {
        "true chance to win": wins,
        "true expected wins": np.asarray(cross_val_predict(learner, facts, expected, cv=folds)),
    }


def summarise(found: Sequence[HiddenCustomers]) -> dict[str, Any]:
    """Means over markets with 95 % intervals (Student's t)."""
    recalls = pd.DataFrame([one.recall for one in found])
    best = np.array([one.best for one in found])
    return {
        "recall": {str(name): mean_of(recalls[name], share=True) for name in recalls},
        "share_of_best": {
            str(name): mean_of(recalls[name].to_numpy() / best) for name in ("spearfish", *_BASELINES)
        },
        "more_than": {name: mean_of(recalls["spearfish"] - recalls[name]) for name in _BASELINES},
    }


def main() -> None:
    """The command: check some markets and write what was found as JSON."""
    parser = argparse.ArgumentParser(prog="python -m training.lookalikes.markets", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="how many markets")
    parser.add_argument("--first-seed", type=int, default=_FIRST_SEED, help="300 to 302 were for development")
    parser.add_argument("--accounts", type=int, default=50_000, help="accounts of each market")
    parser.add_argument("--length", type=int, default=1_000, help="of the list")
    parser.add_argument("--out", type=Path, help="write the JSON here, too")
    given = parser.parse_args()
    output, started = Output(as_json=True), time.monotonic()
    found: list[HiddenCustomers] = []
    with output.progress() as progress, tempfile.TemporaryDirectory() as name:
        for seed in range(given.first_seed, given.first_seed + given.seeds):
            found.append(
                check_market(seed, accounts=given.accounts, folder=Path(name) / "market", length=given.length)
            )
            progress("look for hidden customers", len(found), given.seeds)
    document = {
        "seeds": [one.seed for one in found],
        "accounts": given.accounts,
        "length": given.length,
        "minutes": round((time.monotonic() - started) / 60, 1),
        **summarise(found),
        "by_seed": [asdict(one) for one in found],
    }
    output.result(write_result(document, out=given.out, also=[_CONFIG]))


if __name__ == "__main__":
    main()
