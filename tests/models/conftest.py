"""One world, booster, bundle and scorer for all tests of the models."""

from __future__ import annotations

import lightgbm
import pytest
from small_world import LINEAR, World, make, make_world, train

from models.bundle import Bundle
from models.scoring import Scorer


@pytest.fixture(scope="session")
def world() -> World:
    return make_world()


@pytest.fixture(scope="session")
def booster(world: World) -> lightgbm.Booster:
    return train(world)


@pytest.fixture(scope="session", params=[None, LINEAR], ids=["trees", "trees and lines"])
def bundle(booster: lightgbm.Booster, world: World, request: pytest.FixtureRequest) -> Bundle:
    return make(booster, world, linear=request.param)


@pytest.fixture(scope="session")
def scorer(bundle: Bundle) -> Scorer:
    return Scorer(bundle)
