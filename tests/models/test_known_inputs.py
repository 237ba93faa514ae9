"""What a model was told: missing columns, numbers beyond the training, values never met."""

from __future__ import annotations

import math

import numpy as np
import pytest
from small_world import CATALOGUE, LEVELS, make, make_world, train

from models.known_inputs import InputsTold, KnownInputs


@pytest.fixture(scope="module")
def known() -> KnownInputs:
    world = make_world()
    return KnownInputs(make(train(world), world))


def told(known: KnownInputs, **cells: float) -> InputsTold:
    row = np.zeros(len(CATALOGUE.names))
    for name, cell in cells.items():
        row[CATALOGUE.index(name)] = cell
    (found,) = known.told(row[np.newaxis])
    return found


def test_everything_known_and_usual(known: KnownInputs) -> None:
    found = told(known)
    assert (found.missing, found.beyond, found.unseen, found.behaviour) == ((), (), (), False)
    assert [one.name for one in found.known] == [one.name for one in known.inputs]


def test_a_column_that_is_not_known_is_missing(known: KnownInputs) -> None:
    found = told(known, industry=math.nan)
    assert [one.name for one in found.missing] == ["industry"]
    assert "industry" not in [one.name for one in found.known]


def test_a_number_beyond_the_training_is_told_with_the_end_of_the_range(known: KnownInputs) -> None:
    visits = make_world().X[:, CATALOGUE.index("visits_7d")]
    (above,) = told(known, visits_7d=1e6).beyond
    (below,) = told(known, visits_7d=-1e6).beyond
    assert (above.declared.name, above.above, below.above) == ("visits_7d", True, False)
    assert above.limit == np.nanmax(visits)
    assert below.limit == np.nanmin(visits)


def test_a_category_that_training_never_saw(known: KnownInputs) -> None:
    found = told(known, industry=float(len(LEVELS)))
    assert [one.name for one in found.unseen] == ["industry"]
    assert (found.missing, found.beyond) == ((), ())
