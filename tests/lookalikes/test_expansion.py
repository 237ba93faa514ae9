"""From seeds to a list: what must not matter does not, what is planted is found, and sums are sums."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from planted_likeness import members, planted_frame, planted_universe

from features.errors import InputError, NotEnoughDataError
from models.lookalikes import Expansion, expand, prepare, rank_universe
from models.lookalikes.rankers import RANKERS, RankerName

FRAME = planted_frame()
KIN = members(FRAME)
SEEDS = KIN[:60]
PREPARED = prepare(planted_universe(FRAME))


@pytest.fixture(scope="module", params=RANKERS)
def expansion(request: pytest.FixtureRequest) -> Expansion:
    return expand(PREPARED, SEEDS, size=40, rankers=[request.param])


def test_the_planted_cluster_is_found(expansion: Expansion) -> None:
    first = [one.account_id for one in expansion.suggestions[: len(KIN) - len(SEEDS)]]
    # Of all other accounts, one in eighteen belongs to it.
    assert len(set(first) & set(KIN)) / len(first) >= 0.6


def test_no_seed_is_suggested_and_places_count_from_one(expansion: Expansion) -> None:
    assert not {one.account_id for one in expansion.suggestions} & set(SEEDS)
    assert [one.place for one in expansion.suggestions] == list(range(1, 41))
    scores = [one.score for one in expansion.suggestions]
    assert scores == sorted(scores, reverse=True)


def test_baseline_reasons_and_the_rest_add_up_to_the_score(expansion: Expansion) -> None:
    scores = dict(zip(PREPARED.universe.account_ids, expansion.ranking.scores, strict=True))
    for one in expansion.suggestions:
        told = sum(reason.contribution for reason in (*one.reasons_for, *one.reasons_against))
        assert one.baseline + told + one.other == pytest.approx(one.score, abs=1e-9)
        assert one.score == pytest.approx(scores[one.account_id], abs=1e-9)


def test_each_reason_tells_one_attribute_and_points_where_it_says(expansion: Expansion) -> None:
    for one in expansion.suggestions:
        names = [reason.attribute for reason in (*one.reasons_for, *one.reasons_against)]
        assert len(names) == len(set(names))
        assert all(reason.contribution > 0 for reason in one.reasons_for)
        assert all(reason.contribution < 0 for reason in one.reasons_against)


def test_nearest_seeds_are_those_of_the_rankers_own_space(expansion: Expansion) -> None:
    """Against a plain loop over all seeds."""
    ranking = expansion.ranking
    ids = PREPARED.universe.account_ids
    for one in expansion.suggestions[::8]:
        at = ids.index(one.account_id)
        part = int(ranking.account_parts[at])
        points = {
            account: ranking.learned.space(ranking.encoded(np.array([ids.index(account)])), part=part)[0]
            for account in (one.account_id, *SEEDS)
        }
        own = points[one.account_id].astype(float)
        far = {seed: float(np.linalg.norm(points[seed] - own)) for seed in SEEDS}
        assert [seed.distance for seed in one.nearest] == pytest.approx(sorted(far.values())[:3], rel=1e-5)
        assert [far[seed.account_id] for seed in one.nearest] == pytest.approx(
            [seed.distance for seed in one.nearest], rel=1e-5
        )


def test_what_is_shared_is_true_of_both(expansion: Expansion) -> None:
    told = FRAME.set_index("account_id")
    for one in expansion.suggestions:
        for seed in one.nearest:
            for words in seed.shared:
                if words.en.startswith("industry: "):
                    both = {told.loc[one.account_id, "industry"], told.loc[seed.account_id, "industry"]}
                    assert both == {words.en.removeprefix("industry: ")}


@pytest.mark.parametrize("ranker", RANKERS)
def test_the_order_of_rows_and_of_seeds_and_repeats_do_not_matter(ranker: RankerName) -> None:
    shuffled = planted_universe(FRAME.sample(frac=1.0, random_state=4))
    one = rank_universe(PREPARED, SEEDS, rankers=[ranker])
    other = rank_universe(prepare(shuffled), [*reversed(SEEDS), *SEEDS[:7]], rankers=[ranker])
    assert one.scores.tobytes() == other.scores.tobytes()
    assert one.choice.shares.tobytes() == other.choice.shares.tobytes()


@pytest.mark.parametrize("ranker", RANKERS)
def test_deleting_what_cannot_be_compared_changes_no_bit(ranker: RankerName) -> None:
    tiers = FRAME.assign(customer_tier=FRAME["account_id"].isin(SEEDS).map({True: "gold", False: None}))
    universe = planted_universe(tiers)
    whole = rank_universe(prepare(universe), SEEDS, rankers=[ranker])
    assert [one.name for one in whole.compared if not one.used] == ["customer_tier"]
    less = rank_universe(prepare(universe.without(["customer_tier"])), SEEDS, rankers=[ranker])
    assert whole.scores.tobytes() == less.scores.tobytes()
    assert whole.order.tobytes() == less.order.tobytes()
    assert whole.choice.shares.tobytes() == less.choice.shares.tobytes()


@pytest.mark.parametrize("ranker", RANKERS)
def test_that_a_cell_is_empty_does_not_count_where_one_side_leaves_more_of_them_empty(
    ranker: RankerName,
) -> None:
    """A word that says nothing, known of nearly all seeds and of two thirds of the others."""
    random = np.random.default_rng(5)
    seed = FRAME["account_id"].isin(SEEDS)
    known = random.random(len(FRAME)) < np.where(seed, 0.98, 0.65)
    tier = pd.Series(random.choice(["gold", "tin"], len(FRAME))).where(known, None)
    universe = planted_universe(FRAME.assign(customer_tier=tier))
    ranking = rank_universe(prepare(universe), SEEDS, rankers=[ranker])
    (told,) = (one for one in ranking.compared if one.name == "customer_tier")
    assert (told.used, told.emptiness) == (True, False)
    encoding = ranking.prepared.encoding
    names = np.array([one.name for one in encoding.attributes])[encoding.owners[ranking.columns]]
    each, _ = ranking.contributions(np.flatnonzero((~seed & ~known).to_numpy()))
    assert (each[:, names == "customer_tier"] == 0.0).all()


def test_ties_are_told_apart_by_account_id() -> None:
    names = [f"x{number}" for number in range(9)]
    rows = pd.DataFrame({"account_id": names, "industry": ["a"] * 4 + ["b"] * 5})
    twice = pd.concat([rows, rows.assign(account_id=rows["account_id"] + "-again")])
    found = expand(planted_universe(twice), ["x0"], size=5)
    assert [one.account_id for one in found.suggestions[:3]] == ["x0-again", "x1", "x1-again"]


def test_one_seed_gives_a_list_and_says_that_nothing_could_be_checked() -> None:
    found = expand(PREPARED, SEEDS[:1], size=10)
    assert found.ranker == "similarity"
    assert len(found.suggestions) == 10
    assert "single seed" in found.notes[0].en
    assert "一个种子" in found.notes[0].zh
    assert found.suggestions[0].lift.value is None


@pytest.mark.parametrize(("seeds", "tried"), [(9, 1), (10, 3), (49, 3), (50, 4)])
def test_how_many_seeds_decide_what_is_tried(seeds: int, tried: int) -> None:
    assert len(rank_universe(PREPARED, SEEDS[:seeds]).choice.trials) == tried


def test_few_seeds_say_so() -> None:
    notes = " ".join(words.en for words in expand(PREPARED, SEEDS[:5], size=10).notes)
    assert "5 seeds are too few to learn from" in notes


def test_a_mixed_bag_of_seeds_is_told() -> None:
    bag = FRAME["account_id"].sample(12, random_state=3).tolist()
    notes = " ".join(words.en for words in expand(PREPARED, bag, size=10).notes)
    assert "belong together" in notes


def test_accounts_that_are_left_out_are_counted_once_by_the_first_reason() -> None:
    out = {"competitors": KIN[60:65], "partners": [*KIN[63:67], SEEDS[0]]}
    found = expand(PREPARED, SEEDS, size=20, leave_out=out, rankers=["similarity"])
    assert found.left_out == {"competitors": 5, "partners": 2}
    assert not {one.account_id for one in found.suggestions} & set(KIN[60:67])


def test_a_list_longer_than_the_universe_is_told() -> None:
    found = expand(PREPARED, SEEDS, size=5_000, rankers=["similarity"])
    assert len(found.suggestions) == len(FRAME) - len(SEEDS)
    assert "fewer than the 5,000" in found.notes[0].en


def test_a_known_label_rate_gives_chances_with_intervals() -> None:
    found = expand(PREPARED, SEEDS, size=30, label_rate=60 / 90, rankers=["linear"])
    first = found.suggestions[0].chance
    assert first.value is not None
    assert first.low <= first.value <= first.high <= 1.0
    assert first.value > 0.3
    assert expand(PREPARED, SEEDS, size=1, rankers=["linear"]).suggestions[0].chance.value is None


@pytest.mark.parametrize(
    ("seeds", "size", "error", "said"),
    [
        ([], 5, NotEnoughDataError, "there is no seed"),
        (["nobody"], 5, InputError, "1 seeds are no accounts"),
        (FRAME["account_id"].tolist(), 5, InputError, "every account is a seed"),
        (SEEDS[:2], 0, InputError, "at least 1"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_way_out(
    seeds: list[str], size: int, error: type[InputError], said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        expand(PREPARED, seeds, size=size)
    assert caught.value.fix


def test_a_universe_of_one_kind_has_nothing_to_be_alike_in() -> None:
    rows = pd.DataFrame({"account_id": ["a", "b", "c"], "industry": ["steel"] * 3})
    with pytest.raises(NotEnoughDataError, match="nothing to be alike in"):
        expand(planted_universe(rows), ["a"])
