"""What sales states of the ideal customer, held against the data."""

from __future__ import annotations

from pathlib import Path

import pytest
from planted_profile import ATTRIBUTES, mid_sized, planted
from pydantic import ValidationError

from features.errors import ConfigError
from features.mapping import load_config
from features.profile_settings import ProfileSettings, StatedTraitSettings
from models.profile import StatedTrait, Verdict, percent
from training.ideal_profile import learn_profile
from training.ideal_profile.stated import require_columns

ROWS = planted(mid_sized)
MARKET = Path(__file__).parents[2] / "configs" / "simulated_market.toml"


def stated(column: str, op: str, value: object) -> StatedTraitSettings:
    return StatedTraitSettings.model_validate({"column": column, "op": op, "value": value})


def judged(*traits: StatedTraitSettings) -> tuple[StatedTrait, ...]:
    return learn_profile(ROWS, settings=ProfileSettings(stated=traits)).stated


@pytest.mark.parametrize(
    ("trait", "verdict", "words"),
    [
        (stated("employees", "between", (51, 200)), "agrees", "51 to 200 people"),
        (stated("employees", "at_most", 50), "conflicts", "at most 50 people"),
        (stated("industry", "is", "Software"), "no_evidence", "industry software"),
        (
            stated("technologies", "has", ("Salesforce", "HubSpot")),
            "no_evidence",
            "uses hubspot or uses salesforce",
        ),
        (stated("partner", "is", True), "no_evidence", "is a partner"),
        (stated("industry", "is", "mining"), "no_evidence", "industry is mining"),
        (stated("employees", "at_least", 1e6), "no_evidence", "1 million or more people"),
    ],
)
def test_the_data_agree_conflict_or_lack_evidence(
    trait: StatedTraitSettings, verdict: Verdict, words: str
) -> None:
    (found,) = judged(trait)
    assert (found.verdict, found.words_en) == (verdict, words)
    assert found.why_en
    assert found.why_zh


def test_figures_are_of_all_accounts_with_an_outcome() -> None:
    (found,) = judged(stated("employees", "between", (51, 200)))
    employees = ROWS.X[:, ROWS.catalogue.index("employees")]
    inside = (employees >= 51) & (employees <= 200)
    assert found.found is not None
    assert (found.found.accounts, found.found.won) == (inside.sum(), ROWS.label[inside].sum())
    assert f"of {inside.sum():,}, all" in found.why_en
    interval = f"(95 % interval {percent(found.found.low)} to {percent(found.found.high)})"
    assert f"earlier and later together {interval}; more than" in found.why_en


def test_a_conflict_names_what_the_data_tell_instead() -> None:
    (found,) = judged(stated("employees", "at_most", 50))
    assert "the data tell instead: 51 to 200 people" in found.why_en
    assert "数据显示的是：员工51至200人" in found.why_zh


def test_what_sales_did_not_mention_is_named() -> None:
    settings = ProfileSettings(stated=(stated("industry", "is", "software"), stated("partner", "is", True)))
    profile = learn_profile(ROWS, settings=settings)
    assert "51 to 200 people" in [profile.traits[place].words() for place in profile.unmentioned]
    assert profile.together is not None
    assert profile.together.words_en == "everything that sales stated"


def test_a_column_that_accounts_do_not_have_is_refused_with_a_suggestion() -> None:
    with pytest.raises(ConfigError, match="employees"):
        require_columns([stated("employes", "at_least", 5)], attributes=ATTRIBUTES)
    require_columns(
        [stated("partner", "is", True), stated("company_age", "at_least", 5)], attributes=ATTRIBUTES
    )


@pytest.mark.parametrize(
    ("op", "value"),
    [
        *(("between", (200, 51)), ("between", 5), ("at_least", "many"), ("at_least", True)),
        *(("has", 3), ("is", 3.5), ("is", ()), ("like", "x")),
    ],
)
def test_a_value_that_does_not_fit_is_refused(op: str, value: object) -> None:
    with pytest.raises(ValidationError):
        stated("employees", op, value)


def test_it_is_read_from_the_config(tmp_path: Path) -> None:
    text = MARKET.read_text(encoding="utf-8")
    for table in (
        'column = "employees"\nop = "between"\nvalue = [51, 200]',
        'column = "industry"\nop = "is"\nvalue = ["software", "banking"]',
        'column = "has_procurement_team"\nop = "is"\nvalue = true',
        'column = "employees"\nop = "at_least"\nvalue = 20',
    ):
        text += f"\n[[profile.stated]]\n{table}\n"
    file = tmp_path / "market.toml"
    file.write_text(text, encoding="utf-8")
    traits = load_config(file, overrides={"folder": str(tmp_path)}).profile.stated
    assert [trait.bounds for trait in traits] == [(51, 200), (None, None), (None, None), (20, None)]
    assert traits[1].texts == ("software", "banking")
