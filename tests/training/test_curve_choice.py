"""Which learning curve a model has: that of wins and losses where nothing is dated."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, cast

import pytest

from features.errors import ContractError
from features.mapping import Config
from features.settings import NamedModel
from features.workspace import Manifest, Workspace
from training.backtesting import curve
from training.backtesting.curve import workspace_curves

UNDATED = Manifest(
    contract_version=1,
    snapshot="by hand",
    fingerprint="0" * 64,
    workspace="by hand",
    time_zone="UTC",
    tables={},
    attributes=(),
    current_value_only={},
    data_through=None,
    quarantine={},
    channels=(),
    created_by="test",
    undated={"opportunities": ("leads.csv",)},
)


class OneLease:
    """A workspace whose opportunities have no dates."""

    def lease(self) -> nullcontext[Manifest]:
        return nullcontext(UNDATED)


@pytest.fixture
def named(config: Config) -> Config:
    models = tuple(
        NamedModel(name="emea", kind=kind, where={"region": ("EMEA",)}) for kind in ("fit", "intent")
    )
    return config.model_copy(update={"model": config.model.model_copy(update={"named": models})})


@pytest.mark.parametrize(
    ("key", "regions"), [("fit", {}), ("intent", {}), ("fit.emea", {"region": ("EMEA",)})]
)
def test_without_dates_it_is_that_of_wins_and_losses(
    named: Config, monkeypatch: pytest.MonkeyPatch, *, key: str, regions: dict[str, Any]
) -> None:
    asked: list[Config] = []
    monkeypatch.setattr(curve, "undated_curve", lambda _, *, config, **__: asked.append(config) or {})
    assert workspace_curves(cast(Workspace, OneLease()), config=named, key=key) == {}
    assert [dict(config.labels.fit.where) for config in asked] == [regions]


def test_a_named_intent_model_needs_dates(named: Config) -> None:
    with pytest.raises(ContractError, match=r"a learning curve of intent\.emea needs to know when"):
        workspace_curves(cast(Workspace, OneLease()), config=named, key="intent.emea")
