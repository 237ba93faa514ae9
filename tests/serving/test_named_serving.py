"""Several models of a kind: each account is answered by the first whose population holds it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from small_workspace import AS_OF, NOW, account_id, as_record, ask

from features.label_settings import LabelSettings
from models.making import with_name
from models.scoring import Scorer
from serving.desk import Desk
from serving.ranking import rank_accounts
from serving.releases import ServedModel

GERMAN = {"where": {"country": "DE"}}
NO_BANKS = {"exclude": [{"name": "banks", "attribute": "industry", "values": "Banking"}]}


def named(model: ServedModel, *, key: str, place: int, rules: dict[str, Any]) -> ServedModel:
    """The same trees under another name, about some accounts alone."""
    bundle = with_name(model.scorer.bundle, key=key, place=place)
    labels = LabelSettings.model_validate({bundle.kind: rules})
    return ServedModel(Scorer(bundle, threads=1), labels)


@pytest.fixture(scope="module")
def several(desk: Desk) -> Desk:
    """Fit: Germany, then all but banks, then all. Intent: Germany alone."""
    fit, intent = desk.release.models
    models = (
        named(fit, key="fit.germany", place=0, rules=GERMAN),
        named(fit, key="fit.trade", place=1, rules=NO_BANKS),
        fit,
        named(intent, key="intent.germany", place=2, rules=GERMAN),
    )
    return Desk(desk.snapshot, release=replace(desk.release, models=models))


def test_the_answer_names_the_model_and_the_ranking_agrees(several: Desk) -> None:
    moment = ask(several, account_id=account_id(0), as_of=AS_OF).as_of
    ranked = rank_accounts(several, now=NOW, as_of=moment)
    answered: set[str | None] = set()
    for row in ranked[::3].to_dict("records"):
        answer = ask(several, account_id=row["account_id"], as_of=AS_OF)
        for kind in ("fit", "intent"):
            half = getattr(answer, kind)
            told = None if half is None else half.model.name
            assert (None if pd.isna(row[f"{kind}_model"]) else row[f"{kind}_model"]) == told
            answered.add(told)
    assert answered == {"icp_fit.germany", "icp_fit.trade", "icp_fit", "buying_intent.germany", None}


def test_inside_and_outside_of_a_segment(several: Desk) -> None:
    record = as_record(several.snapshot.tables, number=1)
    record["account"]["country"] = "DE"
    inside = ask(several, record=record, as_of=AS_OF)
    record["account"]["country"] = "FR"
    outside = ask(several, record=record, as_of=AS_OF)
    assert inside.fit is not None
    assert outside.fit is not None
    assert inside.intent is not None
    assert (inside.fit.model.name, inside.intent.model.name) == ("icp_fit.germany", "buying_intent.germany")
    assert outside.fit.model.name != "icp_fit.germany"
    assert (outside.intent, inside.fit.model.version == outside.fit.model.version) == (None, False)
    assert str(outside.intent_unavailable_reason).endswith("what its labels leave out: other country")
