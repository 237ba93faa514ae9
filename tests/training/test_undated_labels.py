"""Rules of labels where nothing has a date: they hold, and what needs dates is refused."""

from __future__ import annotations

from typing import Any

import pytest
from label_tables import account, deal, tables

from features.errors import ConfigError
from features.label_settings import FitLabelSettings
from features.mapping import Config
from features.tables import Tables
from training.undated.backtest import undated_rows


@pytest.fixture(scope="module")
def leads() -> Tables:
    deals = [
        deal(f"d{number}", f"a{number}", "2024-01-01", closed_at="2024-01-02", type=kind, outcome=outcome)
        for number, (kind, outcome) in enumerate(
            [("new", "won"), ("Renewal", "won"), ("new", "lost"), (None, "lost"), ("new", "won")]
        )
    ]
    accounts = [
        account(f"a{number}", country="DE" if number < 4 else "US", employees=number + 1)
        for number in range(5)
    ]
    return tables(accounts=accounts, opportunities=deals).without_times()


def with_labels(config: Config, **given: Any) -> Config:
    labels = config.labels.model_copy(update={"fit": FitLabelSettings.model_validate(given)})
    return config.model_copy(update={"labels": labels})


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ({}, ["d0", "d1", "d2", "d3", "d4"]),
        ({"where": {"country": "DE"}}, ["d0", "d1", "d2", "d3"]),
        ({"exclude": [{"name": "renewals", "deal_types": "renewal"}]}, ["d0", "d2", "d3", "d4"]),
        ({"exclude": [{"name": "tests", "accounts": ["a2", "a4"]}]}, ["d0", "d1", "d3"]),
    ],
)
def test_rules_hold_without_dates(
    leads: Tables, config: Config, given: dict[str, Any], left: list[str]
) -> None:
    rows = undated_rows(leads, config=with_labels(config, **given))
    assert rows.frame["opportunity_id"].tolist() == left
    assert len(rows.X) == len(left)


@pytest.mark.parametrize(
    "given", [{"against": "universe"}, {"minimum_account_days": 3}, {"minimum_deal_days": 3}], ids=str
)
def test_what_needs_dates_is_refused(leads: Tables, config: Config, given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(given))}.*needs dates"):
        undated_rows(leads, config=with_labels(config, **given))
