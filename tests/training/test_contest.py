"""Whom a challenger contends with: what answers its rows today, as the server would choose it."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from features.label_settings import FitLabelSettings, IntentLabelSettings, RowSettings
from features.settings import GateSettings
from features.tables import Tables
from training.fit import Training
from training.gate.comparing import compare
from training.gate.contest import Champion, Contest, Contested
from training.gate.held_out import held_out

SETTINGS = GateSettings(replicates=100)
ALL = FitLabelSettings()
EMEA, DACH, US, APAC, CRM = (
    FitLabelSettings(where=where, product=product)
    for where, product in (
        ({"region": ("EMEA",)}, None),
        ({"country": ("DE",)}, None),
        ({"region": ("US",)}, None),
        ({"region": ("APAC",)}, None),
        ({"region": ("EMEA",)}, "CRM"),
    )
)
ACCOUNTS = pd.DataFrame(
    {
        "account_id": ["berlin", "paris", "boston"],
        "known_at": pd.Timestamp("2025-01-01"),
        "region": ["EMEA", "EMEA", "US"],
        "country": ["DE", "FR", "US"],
    }
)
ROWS = ACCOUNTS[["account_id"]].assign(as_of=pd.Timestamp("2025-06-01"), label=[1, 0, 0])
TABLES = Tables.from_frames({"accounts": ACCOUNTS})


def contest(
    key: str, labels: RowSettings, *, before: tuple[RowSettings, ...] = (), **served: RowSettings
) -> Contest:
    """served: labels by key, in the order in which they are asked."""
    champions = (Champion(name.replace("_", "."), name, None, None, one) for name, one in served.items())
    return Contest(key, tuple(champions), labels, before)


def answered(given: Contest, *accounts: str) -> dict[str, str]:
    rows = given.of(ROWS[ROWS["account_id"].isin(accounts)], tables=TABLES).rows
    return {row.account_id: given.champions[row.place].key for row in rows.itertuples()}


@pytest.mark.parametrize(
    ("given", "accounts", "expected"),
    [
        # The named model that answered so far, not the unnamed one.
        (contest("fit.dach", DACH, fit_emea=EMEA, fit=ALL), ["berlin"], {"berlin": "fit.emea"}),
        # It keeps its name, not its accounts.
        (contest("fit.emea", US, fit_emea=EMEA, fit=ALL), ["boston"], {"boston": "fit"}),
        # Two that share the rows.
        (
            contest("fit", ALL, fit_emea=EMEA, fit=ALL),
            ["paris", "boston"],
            {"paris": "fit.emea", "boston": "fit"},
        ),
        # Of the unnamed one, what a named one will answer is not asked.
        (contest("fit", ALL, fit=ALL, before=(EMEA,)), ["berlin", "paris", "boston"], {"boston": "fit"}),
        # The order in which they are asked decides.
        (contest("fit.x", DACH, fit_dach=DACH, fit_emea=EMEA), ["berlin"], {"berlin": "fit.dach"}),
        # Labels that cannot be read speak of everybody.
        (
            replace(contest("fit", ALL), champions=(Champion("fit", "", None, None),)),
            ["paris"],
            {"paris": "fit"},
        ),
    ],
)
def test_a_row_is_compared_with_what_answers_it_today(
    given: Contest, accounts: list[str], expected: dict[str, str]
) -> None:
    assert answered(given, *accounts) == expected


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (contest("fit.us", US, fit_emea=EMEA), "nothing that is served answers these accounts yet"),
        (contest("fit.us", US, fit=ALL, before=(US,)), "is asked before this one will answer"),
        (contest("fit.crm", CRM, fit=ALL), "another question for these accounts, about another product"),
        (contest("fit.us", US, fit=ALL), None),
    ],
)
def test_what_nothing_served_answers_is_told_truly(given: Contest, told: str | None) -> None:
    outside = given.of(ROWS[ROWS["account_id"] == "boston"], tables=TABLES).outside(smallest=5)
    assert outside is None if told is None else told in str(outside)


@pytest.mark.parametrize(
    ("answered_by_something", "nobody", "events", "new"),
    [
        # A handful in both senses: a small share, and too few to compare.
        (9, 91, 4, True),
        (9, 91, 5, True),
        # Enough to compare, however small the share.
        (10, 991, 5, False),
        # Too few to compare, and no small share: what is served stays.
        (10, 90, 4, False),
        # Rows that are not its own do not count for the share.
        (0, 0, 0, True),
    ],
)
def test_a_handful_that_something_answers_leaves_a_segment_new(
    answered_by_something: int, nobody: int, events: int, new: bool
) -> None:
    rows = pd.DataFrame({"label": [1] * events + [0] * (answered_by_something - events)})
    found = Contested(rows, {"asked_before": 1000, "unanswered": nobody, "other_product": 0})
    told = found.outside(smallest=5)
    assert (told is not None) is new
    if new and len(rows):
        assert (
            f"of its 100 rows 9 are answered by something served (9.0 %, fewer than 10 %), {events} "
            in str(told)
        )


def test_who_has_an_open_deal_is_not_answered_by_an_intent_model() -> None:
    deals = pd.DataFrame(
        {
            "opportunity_id": ["d"],
            "account_id": ["paris"],
            "known_at": pd.Timestamp("2025-05-01"),
            "created_at": pd.Timestamp("2025-05-01"),
        }
    )
    tables = Tables.from_frames({"accounts": ACCOUNTS, "opportunities": deals})
    labels = IntentLabelSettings(where={"region": ("EMEA",)})
    found = contest("intent.x", IntentLabelSettings(), intent=labels).of(ROWS, tables=tables)
    assert list(found.rows["account_id"]) == ["berlin"]
    assert found.left_out == {"asked_before": 0, "unanswered": 2, "other_product": 0}


def test_each_row_is_scored_by_the_model_that_answers_it(fit_training: Training, market: Tables) -> None:
    """The named champion says what the challenger says, and the other one nothing: only its rows differ."""
    bundle = fit_training.bundle
    early = replace(bundle, card=bundle.card | {"cutoff": "2020-01-01T00:00:00Z"})
    with market.connect() as connection:
        country = connection.execute("SELECT mode(country) FROM accounts").fetchall()[0][0]
    named = Champion("fit.home", "a", early, None, FitLabelSettings(where={"country": (country,)}))
    given = Contest(
        "fit", (named, Champion("fit", "b", early, None, ALL)), FitLabelSettings(minimum_deal_days=1)
    )
    held = held_out(fit_training, settings=SETTINGS, secret=b"made")
    found = compare(held, contest=given, tables=market, settings=SETTINGS)
    answered_by = found.check.figures["answered_by"]
    assert set(answered_by) == {"fit.home", "fit"}
    assert sum(answered_by.values()) == found.check.figures["rows"]
    assert found.champion is not None
    assert answered_by[found.champion.key] == max(answered_by.values())
    assert f"icp_fit.home ({answered_by['fit.home']:,})" in found.check.sentence
    only = compare(held, contest=replace(given, champions=(named,)), tables=market, settings=SETTINGS).check
    assert only.figures["rows"] == answered_by["fit.home"]
    assert only.figures["left_out"]["unanswered"] == answered_by["fit"]
    assert "rows are left out: nothing that is served answers these accounts yet" in only.sentence
