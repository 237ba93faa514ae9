"""A search starts from the settings as they are, keeps its time, and goes on after an interruption."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dated_rows import QUICK, dated_rows

from features.errors import NotEnoughDataError
from features.settings import LearningSettings, TuningSettings
from training.learning.learn import Rows, judge
from training.tuning.nested import Outer, judge_nested, outer_folds
from training.tuning.searching import Found, Search, Tell, open_storage
from training.tuning.space import of_settings

TOLD: list[tuple[int, dict[str, Any]]] = []


def note(name: str, number: int, parameters: dict[str, Any], figures: dict[str, float]) -> None:
    assert name == "all"
    assert figures["log_loss"] > 0
    TOLD.append((number, parameters))


class Searches:
    """Searches in one database."""

    def __init__(self, file: Path) -> None:
        self._storage = open_storage(file)

    def __call__(self, name: object, *, rows: Rows | None = None, tell: Tell = note) -> Search:
        TOLD.clear()
        given = dated_rows() if rows is None else rows
        return Search(str(name), given, QUICK, self._storage, 7, tell, "all")


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Searches:
    return Searches(tmp_path_factory.mktemp("search") / "tuning.db")


@pytest.fixture(scope="module")
def found(search: Searches) -> Found:
    return search("found").run(seconds=1e6, trials=4)


def test_the_settings_as_they_are_come_first(found: Found) -> None:
    assert found.tried[0] == found.untuned
    assert found.untuned.parameters == of_settings(QUICK)
    later = judge(dated_rows(), settings=QUICK).later
    chance = later["probability"].where(later["label"] == 1, 1 - later["probability"])
    assert sum(found.untuned.losses) == pytest.approx(-np.log(chance).sum())
    assert found.rows.sum() == len(later)


def test_the_same_seed_and_trials_choose_the_same(found: Found, search: Searches) -> None:
    assert search("again").run(seconds=1e6, trials=4).tried == found.tried


def clock(*ticks: float) -> Iterator[float]:
    yield from ticks
    while True:
        yield 1e9


@pytest.mark.parametrize(("ticks", "trials"), [((0.0,), 2), ((0.0, 9.0), 3), ((0.0, 9.0, 11.0), 3)])
def test_time_ends_a_search_after_two_trials_at_least(
    search: Searches, ticks: tuple[float, ...], trials: int
) -> None:
    ticking = clock(*ticks)
    found = search(ticks).run(seconds=10.0, trials=100, clock=lambda: next(ticking))
    assert len(found.tried) == trials


def test_an_interrupted_search_goes_on_where_it_was(search: Searches) -> None:
    def interrupt(name: str, number: int, parameters: dict[str, Any], figures: dict[str, float]) -> None:
        note(name, number, parameters, figures)
        if number == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search("interrupted", tell=interrupt).run(seconds=1e6, trials=4)
    first = dict(TOLD)
    found = search("interrupted").run(seconds=1e6, trials=3)
    assert [number for number, _ in TOLD] == [2, 3]
    assert found.tried[0].parameters == first[0]
    rates = {told["learning_rate"] for told in (*first.values(), *dict(TOLD).values())}
    assert len(rates) == 4  # what was tried is not tried again


def test_a_trial_that_was_killed_is_left_out(search: Searches) -> None:
    one = search("killed")
    one._study().ask()
    assert [tried.number for tried in one.run(seconds=1e6, trials=2).tried] == [1, 2]


def outer_of(rows: Rows) -> tuple[Outer, ...]:
    return outer_folds(rows, settings=QUICK, tuning=TuningSettings(inner_folds=1))


def test_no_choice_reads_a_label_that_was_not_known(search: Searches) -> None:
    """All labels of the last slice and of the horizon before it turn round: its search finds the same."""
    rows = dated_rows(months=16)
    last = outer_of(rows)[-1]
    hidden = (rows.frame["label_known_at"] > last.fold.starts).to_numpy()
    turned = replace(
        rows, frame=rows.frame.assign(label=rows.frame["label"].where(~hidden, 1 - rows.frame["label"]))
    )
    again = outer_of(turned)[-1]
    assert hidden.sum() > len(last.fold.later)
    losses = [
        search(name, rows=outer.rows).run(seconds=1e6, trials=2).tried
        for name, outer in (("one", last), ("other", again))
    ]
    assert losses[0] == losses[1]


def test_nested_figures_are_of_the_later_slices_alone() -> None:
    rows = dated_rows(months=16)
    outer = outer_of(rows)
    weak = LearningSettings.model_validate(QUICK.model_dump() | {"max_rounds": 1, "learning_rate": 0.01})
    found = judge_nested(rows, outer=outer, tuned=[QUICK] * 2, untuned=weak, top_k=10, replicates=100)
    base = np.mean([rows.label[one.fold.later].mean() for one in outer])
    assert found.estimates["probability"]["pr_auc"].base == pytest.approx(base)
    assert found.ahead["untuned"]["roc_auc"].value == pytest.approx(
        found.estimates["probability"]["roc_auc"].value - found.estimates["untuned"]["roc_auc"].value
    )


def test_a_history_that_bears_no_nested_folds_is_refused() -> None:
    with pytest.raises(NotEnoughDataError, match="too little history to tune"):
        outer_of(dated_rows(months=4))


def test_what_monotone_effects_cost_is_told_beside_what_tuning_gives() -> None:
    """Free to fall and to rise, the tuned model is what the declared one is told against."""
    rows = dated_rows()
    outer = outer_folds(rows, settings=QUICK, tuning=TuningSettings(outer_folds=1, inner_folds=1))
    wrong = QUICK.model_copy(update={"falling": ("tells",)})
    found = judge_nested(rows, outer=outer, tuned=[wrong], untuned=wrong, top_k=10, replicates=50)
    free = judge_nested(rows, outer=outer, tuned=[QUICK], untuned=QUICK, top_k=10, replicates=50)
    assert found.estimates["without_directions"] == free.estimates["probability"]
    assert found.ahead["without_directions"]["roc_auc"].high < 0, "what tells may only fall: that costs"
    assert "without_directions" not in free.estimates
