"""The served score: exact sums, one definition on every path, no silent reordering."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from functools import cache
from threading import Thread

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_world import Matrix, World, make, make_world, train

from features.catalogue import Catalogue
from features.errors import BundleError, InputError
from models.scoring import Scorer

cells = st.floats(-6, 6) | st.just(math.nan) | st.floats(allow_infinity=False, allow_nan=False, width=64)
codes = st.sampled_from([0.0, 1.0, 2.0, 3.0, math.nan])
rows = st.tuples(codes, *[cells] * 11).map(np.array)


@cache
def shared() -> Scorer:
    world = make_world()
    return Scorer(make(train(world), world))


@settings(deadline=None)
@given(row=rows)
def test_baseline_reasons_and_other_add_up_to_the_logit(row: Matrix) -> None:
    answer = shared().explain_row(row)
    shown = [reason.contribution for reason in (*answer.reasons_for, *answer.reasons_against)]
    assert abs(answer.baseline + sum(shown) + answer.other - answer.logit) < 1e-9
    assert answer.probability == 1 / (1 + math.exp(-answer.logit))


@settings(deadline=None)
@given(row=rows)
def test_reasons_are_at_most_five_a_side_strongest_first_and_never_zero(row: Matrix) -> None:
    answer = shared().explain_row(row)
    for side, sign in ((answer.reasons_for, 1), (answer.reasons_against, -1)):
        sizes = [sign * reason.contribution for reason in side]
        assert len(side) <= 5
        assert all(size > 0 for size in sizes)
        assert sizes == sorted(sizes, reverse=True)


def test_batch_equals_single_rows_and_shuffled_rows_bit_for_bit(scorer: Scorer, world: World) -> None:
    X = np.tile(world.X, (7, 1))
    order = np.random.default_rng(0).permutation(len(X))
    batch, shuffled = scorer.score(X), scorer.score(X[order])
    assert batch.contributions is not None
    assert shuffled.contributions is not None
    assert (shuffled.logit == batch.logit[order]).all()
    assert (shuffled.contributions == batch.contributions[order]).all()
    for position in range(0, 800, 7):
        one = scorer.score(X[position : position + 1])
        assert one.contributions is not None
        assert one.logit[0] == batch.logit[position]
        assert one.probability[0] == batch.probability[position]
        assert (one.contributions[0] == batch.contributions[position]).all()
    # 620 rows: the model speaks of them in three parts, the last one short.
    explained = list(scorer.explain(X[:620]))
    assert explained == [scorer.explain_row(row) for row in X[:620]]
    assert (np.array([one.contributions for one in explained]) == batch.contributions[:620]).all()


def test_whoever_asks_for_no_further_row_has_the_model_say_one_part_too_many_at_most(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer, said = Scorer(make(train(world), world)), list[int]()
    of_model = scorer._said
    monkeypatch.setattr(scorer, "_said", lambda X: said.append(len(X)) or of_model(X), raising=False)
    X = np.tile(world.X, (2, 1))[:1_010]
    asked = scorer.explain(X)
    first = next(asked)
    del asked
    assert (first, said) == (scorer.explain_row(X[0]), [250, 250, 1])
    assert len(list(scorer.explain(X))) == 1_010
    assert said[3:] == [250, 250, 250, 250, 10]


def test_what_is_wrong_with_a_row_is_said_before_any_is_explained(scorer: Scorer, world: World) -> None:
    X = np.tile(world.X, (2, 1))
    X[-1, 0] = 17.0
    with pytest.raises(InputError, match="no category code"):
        scorer.explain(X)
    assert list(scorer.explain(X[:0])) == []


def test_many_threads_get_the_answers_of_one(scorer: Scorer, world: World) -> None:
    expected = list(scorer.explain(world.X[:60]))
    answers: list[object] = [None] * 60

    def work(start: int) -> None:
        for position in range(start, 60, 6):
            answers[position] = scorer.explain_row(world.X[position])

    threads = [Thread(target=work, args=(start,)) for start in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == expected


def test_no_rows_give_no_scores(scorer: Scorer, world: World) -> None:
    scores = scorer.score(world.X[:0])
    assert scores.contributions is not None
    assert (len(scores.logit), scores.contributions.shape, len(scores.grade)) == (0, (0, 12), 0)


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (np.zeros((2, 11)), "float64 (2, 11)"),
        (np.zeros(12), "float64 (12,)"),
        (np.zeros((2, 12), dtype=np.float32), "float32"),
        (pd.DataFrame(np.zeros((2, 12))), "DataFrame"),
        (np.full((1, 12), np.inf), "industry holds an infinite value"),
        (np.full((1, 12), 4.0), "whole numbers from 0 to 3"),
        (np.full((1, 12), 0.5), "no category code"),
    ],
)
def test_a_matrix_that_does_not_fit_is_refused(scorer: Scorer, matrix: Matrix, words: str) -> None:
    with pytest.raises(InputError) as caught:
        scorer.score(matrix)
    assert words in str(caught.value)


def test_a_matrix_of_another_catalogue_is_refused(scorer: Scorer, world: World) -> None:
    own = scorer.bundle.catalogue
    reordered = Catalogue(own.features[::-1])
    assert len(scorer.score(world.X, contract=own.fingerprint).logit) == len(world.X)
    with pytest.raises(InputError, match="another catalogue"):
        scorer.score(world.X, contract=reordered.fingerprint)


def test_a_frame_is_scored_by_name_and_order(scorer: Scorer, world: World) -> None:
    names = list(scorer.bundle.catalogue.names)
    frame = pd.DataFrame(world.X, columns=names, index=[f"account {n}" for n in range(len(world.X))])
    answer = scorer.score_frame(frame)
    assert (answer.index == frame.index).all()
    assert (answer["logit"].to_numpy() == scorer.score(world.X).logit).all()
    for columns in (names[::-1], names[:-1], [*names, "more"], ["Industry", *names[1:]]):
        with pytest.raises(InputError, match="at position"):
            scorer.score_frame(frame.reindex(columns=columns))


def test_categories_that_training_never_saw_are_counted(scorer: Scorer, world: World) -> None:
    X = world.X[:10].copy()
    X[:, 0] = [0, 1, 2, 3, 3, 3, np.nan, 0, 0, 0]
    assert scorer.unseen_categories(X) == {"industry": 3}
    assert scorer.unseen_categories(X[:3]) == {}


def test_contributions_that_do_not_add_up_are_never_served(world: World) -> None:
    scorer = Scorer(make(train(world), world))
    scorer.baseline += 1e-6
    with pytest.raises(BundleError, match="do not add up"):
        scorer.score(world.X)


def test_the_score_of_a_batch_is_the_score_of_the_answer(scorer: Scorer, world: World) -> None:
    scores = scorer.score(world.X[:80], contributions=False)
    answers = list(scorer.explain(world.X[:80]))
    assert scores.contributions is None
    assert scores.score.tolist() == [answer.score for answer in answers]
    assert scores.grade.tolist() == [answer.grade for answer in answers]


def test_the_server_side_imports_nothing_that_only_training_needs() -> None:
    code = (
        "import json, sys, models.scoring, models.fire, models.making; "
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", code], text=True))
    assert not {"mlflow", "shap", "matplotlib", "optuna", "training", "serving", "bentoml"} & set(loaded)
