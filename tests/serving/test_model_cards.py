"""GET /v1/model: what is served, by whom, and what is told of each model."""

from __future__ import annotations

import gc
import weakref

import httpx
import pytest
from small_workspace import NOW

from features.workspace import Workspace
from models.scoring import Scorer
from serving.answers import iso
from serving.desk import Desk
from serving.halves import model_version
from serving.model_cards import model_answer
from serving.store import Store


@pytest.fixture(scope="module")
def store(company: Workspace) -> Store:
    return Store.open(company.store_url)


def test_it_tells_the_release_and_each_model(client: httpx.Client, desk: Desk, store: Store) -> None:
    told = client.get("/v1/model").raise_for_status().json()
    (event,) = store.events()
    assert told["release"] == {
        "id": desk.release.release.id,
        "created_at": iso(desk.release.release.created_at),
        "created_by": "test",
        "reason": "test",
        "serving_since": iso(event.activate_at),
        "chosen_by": "test",
        "chosen_because": "test",
        "chosen_with": "promote",
    }
    assert [one["key"] for one in told["models"]] == ["fit", "intent"]
    for one, served in zip(told["models"], desk.release.models, strict=True):
        bundle = served.scorer.bundle
        assert one["model"]["fingerprint"] == bundle.fingerprint
        assert one["features"] == list(bundle.catalogue.names)
        assert one["counts"] == [{"name": "rows", "value": 120.0}]
        assert one["base_rate"] == 0.5
    assert told["models"][1]["horizon_days"] == 90


def test_it_says_since_when_after_a_way_back(desk: Desk, store: Store) -> None:
    """The newest move to this release counts, not the one that made it."""
    (made,) = store.events()
    back = made.__class__(NOW, "Ada", "worse", "rollback", made.release_id, 7, NOW)
    away = made.__class__(NOW, "Bob", "better", "promote", 7, made.release_id, NOW)
    told = model_answer(desk.release, events=(back, away, made), language="zh")
    assert (told.release.chosen_by, told.release.chosen_with) == ("Ada", "rollback")
    assert told.models[0].meaning == desk.release.models[0].scorer.bundle.card["meaning"]["zh"]


def test_the_version_of_a_model_does_not_hold_the_model(desk: Desk) -> None:
    served = desk.release.models[0].scorer
    scorer = Scorer(served.bundle, cuts=served.cuts)
    assert model_version(scorer) == model_version(served)
    gone = weakref.ref(scorer)
    del scorer
    gc.collect()
    assert gone() is None
