"""Accounts that the labels of a model leave out: no score of it, and the reason, alone and in the ranking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from small_workspace import ACCOUNTS, AS_OF, NOW, account_id, as_record, ask

from features.label_settings import LabelSettings
from features.settings import Section
from serving.desk import Desk
from serving.ranking import rank_accounts
from training.labels import fit_population, intent_population


def of(desk: Desk, labels: Mapping[str, Any]) -> Desk:
    """The same desk with a release whose models were trained with other labels."""
    settings = LabelSettings.model_validate(labels)
    models = tuple(replace(one, labels=settings) for one in desk.release.models)
    return Desk(desk.snapshot, release=replace(desk.release, models=models))


RULES: list[dict[str, Any]] = [
    {"where": {"country": "DE"}},
    {
        "exclude": [{"name": "banks", "attribute": "industry", "values": "Banking"}],
        "minimum_account_days": 60,
    },
]


@pytest.mark.parametrize("rules", RULES, ids=str)
def test_alone_in_the_ranking_and_in_training_the_same_accounts_are_left_out(
    desk: Desk, rules: dict[str, Any]
) -> None:
    asked = of(desk, {"fit": rules, "intent": rules})
    labels, tables = asked.release.models[0].labels, desk.snapshot.tables
    moment = {"as_of": ask(desk, account_id=account_id(0), as_of=AS_OF).as_of}
    populations: dict[str, Section] = {"fit": labels.fit, "intent": labels.intent}
    trained = {
        "fit": fit_population(tables, settings=labels.fit, **moment),
        "intent": intent_population(tables, settings=labels.intent, **moment),
    }
    ranked = rank_accounts(asked, now=NOW, **moment).set_index("account_id")
    some = set(ranked.index[::20])
    answers = {name: ask(asked, account_id=name, as_of=AS_OF) for name in some}
    for kind in populations:
        there = set(trained[kind]["account_id"])
        assert 0 < len(there) < ACCOUNTS
        assert set(ranked.index[ranked[f"{kind}_score"].notna()]) == there
        assert {name for name, answer in answers.items() if getattr(answer, kind)} == there & some


def test_the_reason_is_told_in_the_reader_s_language(desk: Desk) -> None:
    asked = of(desk, {"fit": {"where": {"country": "DE"}}})
    answer = ask(asked, account_id=account_id(1), as_of=AS_OF)
    assert answer.fit is None
    assert str(answer.fit_unavailable_reason).endswith("what its labels leave out: other country")
    assert ask(asked, account_id=account_id(0), as_of=AS_OF).fit is not None


def test_a_record_is_left_out_by_what_it_says(desk: Desk) -> None:
    asked = of(desk, {"fit": {"where": {"country": "DE"}}})
    record = as_record(desk.snapshot.tables, number=1)
    assert ask(asked, record=record, as_of=AS_OF).fit is None
    record["account"]["country"] = "DE"
    assert ask(asked, record=record, as_of=AS_OF).fit is not None
