"""The measurements: figures by hand, development apart from what is reported, and one small run of each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from planted_likeness import members, planted_frame, planted_universe

from features.errors import NotEnoughDataError
from models.lookalikes import prepare
from training.lookalikes.baselines import BASELINES, encoded_plainly, scores_of
from training.lookalikes.companies import Draw, clusters_of, draws_of, r_precision
from training.lookalikes.companies import summarise as summarise_companies
from training.lookalikes.evaluation import OURS, evaluate_seeds
from training.lookalikes.markets import HiddenCustomers, check_market, recall_at, summarise

FRAME = planted_frame()
PREPARED = prepare(planted_universe(FRAME))


def test_evaluation_hides_half_and_compares_all_in_the_same_draws() -> None:
    found = evaluate_seeds(PREPARED, members(FRAME), size=50)
    assert (found.seeds, found.hidden, found.draws) == (90, 45, 5)
    recall = {(one.ranker, one.length): one for one in found.lines}
    assert {ranker for ranker, _ in recall} == {OURS, *BASELINES}
    assert recall[OURS, 50].recall > 0.6
    assert recall[OURS, 50].lift == pytest.approx(recall[OURS, 50].recall / (50 / 555))
    assert recall["random", 50].low <= 50 / 555 <= recall["random", 50].high
    for line in found.lines:
        ours = recall[OURS, line.length].recall
        assert line.behind == pytest.approx(ours - line.recall)
        assert line.low <= line.recall <= line.high
    assert recall["random", 50].behind_low > 0.3


def test_too_few_seeds_to_hide_any_are_refused() -> None:
    with pytest.raises(NotEnoughDataError, match="too few seeds to hide"):
        evaluate_seeds(PREPARED, members(FRAME)[:3])


def test_the_same_industry_comes_first() -> None:
    universe = PREPARED.universe
    seeds = universe.positions(members(FRAME)[:30])
    scores = scores_of("same industry", universe, encoded_plainly(universe), seeds=seeds)
    industry = np.array(universe.rows.column("industry").to_pylist(), dtype=object)
    assert scores[industry == "software"].min() > scores[industry != "software"].max()


def test_r_precision_by_hand() -> None:
    """Members 0 to 4, of whom 0 and 1 are seeds: of the first three others, 2 and 4 belong to it."""
    draw = Draw("x", 0, np.arange(5), np.array([0, 1]))
    assert r_precision(np.array([9, 9, 8, 1, 7, 7.5, 0.0]), draw) == pytest.approx(2 / 3)


def test_recall_by_hand() -> None:
    scores = np.array([5.0, 4.0, 3.0, 2.0, 1.0])
    assert recall_at(2, scores=scores, seeds=np.array([0]), hidden=np.array([1, 4])) == 0.5


def test_no_company_of_a_reported_cluster_is_in_one_that_choices_were_made_on() -> None:
    rows = [("X", "machines", "pumps")] * 70 + [("X", "machines", "drills")] * 40
    rows += [("Y", "machines", "pumps")] * 50 + [("Y", "machines", "drills")] * 30 + [("Z", None, None)] * 80
    frame = pd.DataFrame(rows, columns=["country", "industry_group", "industry"])
    reported, development = clusters_of(frame), clusters_of(frame, development=True)
    assert {name: len(part) for name, part in reported.items()} == {"X | pumps": 70}
    assert {name: len(part) for name, part in development.items()} == {
        "X | drills": 40,
        "Y | pumps": 50,
        "Y | machines": 80,
    }
    assert not set(np.concatenate(list(reported.values()))) & set(np.concatenate(list(development.values())))


def test_draws_are_of_the_cluster_and_the_same_each_time() -> None:
    clusters = {"a": np.arange(100, 180), "b": np.arange(60)}
    one, two = (list(draws_of(clusters, draws=2, seed=0)) for _ in range(2))
    assert [(draw.cluster, draw.number) for draw in one] == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    assert all(len(set(draw.seeds)) == 20 and set(draw.seeds) <= set(draw.members) for draw in one)
    assert all((x.seeds == y.seeds).all() for x, y in zip(one, two, strict=True))
    assert (one[0].seeds != one[1].seeds).any()


def test_companies_are_summed_up_by_cluster() -> None:
    rows = [("a", 0.6, 0.5, 0.3), ("a", 0.4, 0.3, 0.1), ("b", 0.7, 0.5, 0.4)]
    columns = ["cluster", "spearfish", "cosine_of_embedding", "tfidf_cosine"]
    found = summarise_companies(pd.DataFrame(rows, columns=columns).assign(ranker="linear"))
    assert found["spearfish"]["mean"] == pytest.approx(0.6)
    assert found["spearfish_over_tfidf_cosine"]["mean"] == pytest.approx(0.6 / 0.3)
    assert found["spearfish_less_cosine_of_embedding"]["mean"] == pytest.approx(0.6 - 0.45)
    assert found["served_by"] == {"linear": 3}


def test_a_small_market_is_checked_beside_those_who_know_the_truth(tmp_path: Path) -> None:
    found = check_market(300, accounts=1_000, folder=tmp_path / "market", length=100)
    assert found.customers == found.hidden * 2 + found.customers % 2
    assert 0.05 < found.recall["spearfish"] <= 1.0
    assert found.best >= found.recall["true chance to win"]
    told = summarise([found, found])
    assert told["share_of_best"]["spearfish"]["mean"] == pytest.approx(found.recall["spearfish"] / found.best)


def test_markets_are_summed_up() -> None:
    names = ("same industry", "cosine on firmographics", "won against all")
    rest = {"true chance to win": 0.2, "true expected wins": 0.25} | dict.fromkeys(names, 0.1)
    found = [HiddenCustomers(n, 9, 4, 2, 1, "trees", {"spearfish": 0.1 * n, **rest}) for n in (1, 2)]
    told = summarise(found)
    assert told["share_of_best"]["spearfish"]["mean"] == pytest.approx((0.4 + 0.8) / 2)
    assert told["more_than"]["same industry"]["mean"] == pytest.approx(0.05)
