"""The linear part: its scale, its lines, and that it survives storing."""

from __future__ import annotations

import json

import lightgbm
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_world import LEVELS, LINEAR, World, feature, make

from features.catalogue import Catalogue
from features.errors import BundleError
from models.bundle import Bundle
from models.linear import Line, LinearPart, doublings

PART = LinearPart(
    1.0, (Line(weight=0.5, centre=2.0, missing=-3.0), Line(levels=(0.1, 0.2, 0.4), missing=9.0))
)
NOTHING = np.nan


@pytest.mark.parametrize(
    ("value", "times"), [(0, 0), (1, 1), (3, 2), (7, 3), (5, 2.5), (-1, -1), (2**40 - 1, 40)]
)
def test_powers_of_two_are_whole_doublings_and_between_them_is_a_straight_line(value, times):
    assert doublings(np.array([value], dtype=np.float64)).tolist() == [times]


@given(values=st.lists(st.floats(-1e15, 1e15), min_size=2, max_size=20))
def test_the_scale_keeps_order_and_stays_close_to_the_logarithm(values):
    ordered = np.sort(np.array(values))
    scale = doublings(ordered)
    assert (np.diff(scale) >= 0).all()
    # Between powers of two a chord lies below the logarithm, by 0.0861 at most.
    assert np.abs(scale - np.sign(ordered) * np.log2(1 + np.abs(ordered))).max() < 0.0861


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ((7.0, 0.0), (0.5, 0.1)),
        ((7.0, 1.0), (0.5, 0.2)),
        ((0.0, 2.0), (-1.0, 0.4)),
        ((NOTHING, NOTHING), (-3.0, 9.0)),
    ],
)
def test_lines_as_worked_out_by_hand(row, told):
    X = np.array([row])
    np.testing.assert_allclose(PART.contributions(X), [told], rtol=0, atol=1e-15)
    np.testing.assert_allclose(PART.margins(X), [1.0 + sum(told)], rtol=0, atol=1e-15)


def test_a_part_survives_json_bit_for_bit():
    assert LinearPart.from_json(json.loads(json.dumps(LINEAR.to_json()))) == LINEAR


def test_another_linear_part_is_another_model(booster: lightgbm.Booster, world: World):
    other = LinearPart(LINEAR.intercept, (*LINEAR.lines[:-1], Line(weight=0.5)))
    bundles = [make(booster, world, linear=linear) for linear in (None, LINEAR, other)]
    assert len({bundle.fingerprint for bundle in bundles}) == 3
    assert [Bundle.from_bytes(bundle.to_bytes()).linear for bundle in bundles] == [None, LINEAR, other]


@pytest.mark.parametrize(
    "lines", [LINEAR.lines[:-1], (*LINEAR.lines[1:], Line()), (Line(), *LINEAR.lines[1:])]
)
def test_a_part_of_other_columns_is_refused(booster: lightgbm.Booster, world: World, lines):
    with pytest.raises(BundleError, match="linear part and catalogue"):
        make(booster, world, linear=LinearPart(0.0, lines))


def test_a_part_fits_when_every_level_has_a_value():
    PART.require_fitting(Catalogue((feature("visits"), feature("industry", levels=LEVELS[:2]))))
    with pytest.raises(BundleError, match="2 lines"):
        PART.require_fitting(Catalogue((feature("visits"), feature("industry", levels=LEVELS))))
