"""A release of what learned from a leaky market, made once."""

from __future__ import annotations

import pytest
from leaky_market import Leaky, promoted


@pytest.fixture(scope="session")
def leaky(tmp_path_factory: pytest.TempPathFactory) -> Leaky:
    return promoted(tmp_path_factory.mktemp("leaky"))
