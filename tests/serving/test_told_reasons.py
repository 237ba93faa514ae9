"""What an answer tells: one idea once with its exact parts, and in words what was missing or out of range."""

from __future__ import annotations

import math
from itertools import chain
from typing import Any

import pytest
from small_workspace import ACCOUNTS, AS_OF, account_id, as_record, ask, frames

from features.declare_accounts import STANDARD
from features.feature import Language
from models.ideas import ideas_of
from models.known_inputs import Beyond, Input, InputsTold
from serving.answers import FitScore, IntentScore
from serving.desk import Desk
from serving.inputs import inputs_read
from serving.phrases import listed


def halves(desk: Desk, **request: Any) -> list[FitScore | IntentScore]:
    answer = ask(desk, as_of=AS_OF, **request)
    return [half for half in (answer.fit, answer.intent) if half is not None]


@pytest.mark.parametrize("number", range(0, ACCOUNTS, 13))
def test_every_idea_is_told_once_and_its_parts_add_up(desk: Desk, number: int) -> None:
    models = {model.scorer.bundle.name: model.scorer for model in desk.release.models}
    for half in halves(desk, account_id=account_id(number)):
        catalogue = models[half.model.name].bundle.catalogue
        own = {idea.name: {catalogue.names[one] for one in idea.columns} for idea in ideas_of(catalogue)}
        told = [*half.reasons_for, *half.reasons_against]
        assert len({reason["idea"] for reason in told}) == len(told)
        for reason in told:
            assert math.fsum(part["contribution"] for part in reason["parts"]) == pytest.approx(
                reason["contribution"], abs=1e-12
            )
            assert {part["feature"] for part in reason["parts"]} <= own[reason["idea"]]
            assert reason["parts"][0]["feature"] == reason["feature"]
            assert reason["parts"][0]["value"] == reason["value"]
        shown = sum(part["contribution"] for part in chain.from_iterable(reason["parts"] for reason in told))
        assert half.baseline + shown + half.other == pytest.approx(half.logit, abs=1e-9)


def test_a_missing_column_is_named_with_what_the_score_rests_on(desk: Desk) -> None:
    facts = {"employees": 120, "country": "DE", "founded_year": 2001, "technologies": ["crm"]}
    record = {"account": {**facts, "attributes": {"web_rank": 9.0, "segment": "mid", "partner": True}}}
    fit, intent = halves(desk, record=record)
    assert "industry" in fit.inputs.missing
    told = fit.inputs.sentence or ""
    assert told.startswith("industry")
    assert "unknown: fit rests on " in told
    assert "employees" in told.partition("rests on")[2]
    assert "intent rests on behaviour, " in (intent.inputs.sentence or "")


def test_a_number_beyond_the_training_is_named_with_its_limit(desk: Desk) -> None:
    record = as_record(desk.snapshot.tables, number=7)
    record["account"]["employees"] = 4_000_000
    fit, _ = halves(desk, record=record)
    assert fit.inputs.out_of_range == ["employees"]
    known, _ = halves(desk, account_id="acc-07")
    assert known.inputs.out_of_range == []
    largest = max(int(row["employees"]) for row in frames()["accounts"].to_dict("records"))
    told = fit.inputs.sentence or ""
    assert f"employees: 4,000,000: above all that the fit model learned from (up to {largest:,})" in told


def test_a_value_never_met_is_named(desk: Desk) -> None:
    half = next(half for half in halves(desk, account_id="acc-06") if half.inputs.unseen)
    assert half.inputs.unseen == ["industry"]
    assert "industry: a value that the" in (half.inputs.sentence or "")


INDUSTRY, COUNTRY, SIZE = (
    Input(one.name, one.label, one.label_zh or "")
    for name in ("industry", "country", "employees")
    for one in STANDARD
    if one.name == name
)


def told(**parts: Any) -> InputsTold:
    nothing: dict[str, Any] = {"known": (), "missing": (), "beyond": (), "unseen": (), "behaviour": False}
    return InputsTold(**(nothing | parts))


@pytest.mark.parametrize(
    ("inputs", "language", "sentence"),
    [
        (told(known=(SIZE, COUNTRY)), "en", None),
        (
            told(missing=(INDUSTRY,), known=(SIZE, COUNTRY)),
            "en",
            "industry unknown: fit rests on employees and country",
        ),
        (told(missing=(INDUSTRY,), known=(SIZE, COUNTRY)), "zh", "行业未知：契合度依据员工人数、国家"),
        (
            told(missing=(INDUSTRY, SIZE), behaviour=True),
            "en",
            "industry and employees unknown: fit rests on behaviour",
        ),
        (
            told(missing=(INDUSTRY,)),
            "en",
            "industry unknown: fit rests on nothing known of the account",
        ),
        (told(unseen=(COUNTRY,)), "en", "country: a value that the fit model has not met"),
        (told(unseen=(COUNTRY,)), "zh", "国家：契合度模型未见过的取值"),
    ],
)
def test_what_was_not_told_reads_well_in_both_languages(
    inputs: InputsTold, language: Language, sentence: str | None
) -> None:
    assert inputs_read(inputs, kind="fit", language=language).sentence == sentence


def test_a_number_beyond_reads_well_in_both_languages(desk: Desk) -> None:
    employees = desk.release.of_kind("fit")[0].scorer.bundle.catalogue.feature("employees")
    above, below = (told(beyond=(Beyond(employees, cell, 500.0),)) for cell in (7_000.0, 3.0))
    assert inputs_read(above, kind="fit", language="en").sentence == (
        "employees: 7,000: above all that the fit model learned from (up to 500)"
    )
    assert inputs_read(below, kind="fit", language="zh").sentence == (
        "员工人数：3：低于契合度模型学习过的范围（最低500）"
    )


@pytest.mark.parametrize(
    ("words", "language", "text"),
    [
        (["a"], "en", "a"),
        (["a", "b"], "en", "a and b"),
        (["a", "b", "c"], "en", "a, b and c"),
        (["甲", "乙"], "zh", "甲、乙"),
    ],
)
def test_lists_read_as_people_write_them(words: list[str], language: Language, text: str) -> None:
    assert listed(words, language=language) == text
