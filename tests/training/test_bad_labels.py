"""Bad input to a training: refused, or handled, with a sentence that says which and what to change."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from label_tables import CUTOFF, START, OnlyTables, account, deal, deals, tables, visit

from features.errors import NotEnoughDataError
from features.mapping import Config
from features.tables import Tables
from training import train as whole
from training.fit import Training, Untrained, train_fit, train_intent
from training.labels import fit_labels, intent_labels
from training.meanings import label_notes


def refusal(found: Tables, config: Config, *, cutoff: datetime = CUTOFF) -> str:
    with pytest.raises(NotEnoughDataError) as caught:
        train_fit(found, cutoff=cutoff, config=config)
    return str(caught.value)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"won": 0, "lost": 60}, ["one class only", "got 0 rows with the event, 60 without", "40 more won"]),
        ({"won": 39, "lost": 60}, ["too few rows of one class", "at least 40 of each", "1 more won"]),
        ({"won": 30, "lost": 38}, ["10 more won and 2 more lost are missing"]),
        (
            {"won": 60, "lost": 60, "wins_until": START + timedelta(days=90)},
            ["too little history", "by slice", "0 after", "load a longer history"],
        ),
        (
            {"won": 60, "lost": 60, "facts": False},
            ["no feature tells one row from another", "without any value: kind"],
        ),
        (
            {"won": 60, "lost": 60, "known": CUTOFF - timedelta(days=1)},
            ["labels lie before the accounts exist", "account_unknown_at_creation 1", "known_at"],
        ),
    ],
    ids=["one class", "one short", "both short", "no positives in a fold", "all missing", "labels first"],
)
def test_it_is_refused_with_what_to_change(config: Config, given: dict[str, Any], told: list[str]) -> None:
    sentence = refusal(deals(**given), config)
    assert [part for part in told if part not in sentence] == [], sentence


def test_a_horizon_longer_than_the_data_is_refused(config: Config) -> None:
    found = tables(accounts=[account("a")], activities=[visit("a", "2023-12-01")])
    with pytest.raises(NotEnoughDataError, match=r"horizon of 90 days, 31 days of history.*up to 31 days"):
        train_intent(found, cutoff=CUTOFF, config=config)
    with pytest.raises(NotEnoughDataError, match="activities or opportunities before the cutoff"):
        train_intent(tables(accounts=[account("a")]), cutoff=CUTOFF, config=config)


@pytest.mark.parametrize(
    ("known", "settings", "told"),
    [
        (
            "2023-12-30",
            {},
            "before the accounts exist .*accounts from 2023-12-30 on.*start_of_time",
        ),
        ("2020-01-01", {"history_days": 30}, "history_days is shorter than the horizon .*30 .*90 days"),
        ("2022-01-01", {}, 'no account is left .*no customers.*customers = "keep"'),
    ],
    ids=["accounts later", "short history asked for", "customers only"],
)
def test_intent_without_any_snapshot_says_why(
    config: Config, known: str, settings: dict[str, Any], told: str
) -> None:
    won = deal("d", "a", "2022-01-01", closed_at="2022-01-02")
    asked = config.labels.intent.model_copy(update=settings)
    labels = config.labels.model_copy(update={"intent": asked})
    found = tables(accounts=[account("a", known)], opportunities=[won])
    with pytest.raises(NotEnoughDataError, match=told):
        train_intent(found, cutoff=CUTOFF, config=config.model_copy(update={"labels": labels}))


def test_forty_of_each_train_and_idle_features_are_named(config: Config) -> None:
    trained = train_fit(deals(won=40, lost=40), cutoff=CUTOFF, config=config)
    assert isinstance(trained, Training)
    card = trained.bundle.card
    assert "country" in card["idle"]["one value"]
    assert card["idle"]["empty"] == ["kind", "labels"]
    assert "employees" not in [name for names in card["idle"].values() for name in names]
    notes = "; ".join(label_notes(card))
    assert "features with one value in any row, which tell nothing" in notes
    assert "features with no value in any row" in notes


def test_duplicate_accounts_change_nothing(config: Config) -> None:
    once, twice = (deals(won=40, lost=40, twice=twice) for twice in (False, True))
    settings = config.labels.fit
    first, second = (fit_labels(found, cutoff=CUTOFF, settings=settings).frame for found in (once, twice))
    pd.testing.assert_frame_equal(first, second)
    intent = config.labels.intent
    snapshots = [intent_labels(found, cutoff=CUTOFF, settings=intent) for found in (once, twice)]
    pd.testing.assert_frame_equal(snapshots[0], snapshots[1])
    assert not snapshots[1].duplicated(["account_id", "as_of"]).any()


def test_without_losses_the_universe_is_pointed_to(config: Config) -> None:
    found = train_fit(deals(won=60, lost=0), cutoff=CUTOFF, config=config)
    assert isinstance(found, Untrained)
    assert 'against = "universe"' in found.reason


@pytest.mark.parametrize("kind", ["fit", "intent"])
def test_one_model_that_cannot_be_had_does_not_stop_the_other(
    fit_training: Training,
    intent_training: Training,
    config: Config,
    monkeypatch: pytest.MonkeyPatch,
    kind: Any,
) -> None:
    """Of the other one the training was made before, and nothing is audited or tracked."""
    other, training = ("intent", intent_training) if kind == "fit" else ("fit", fit_training)
    growers: dict[Any, Any] = dict(whole._GROWERS) | {other: lambda *_, **__: training}
    monkeypatch.setattr(whole, "_GROWERS", growers)
    for step in ("_audited", "_finished"):
        monkeypatch.setattr(whole, step, lambda found, **_: found)
    monkeypatch.setattr(whole, "_track", lambda _, found, **__: found)
    workspace: Any = OnlyTables(deals(won=20, lost=19))
    found: Any = whole.train(workspace, config=config)
    (absent,) = (one for one in found if isinstance(one, Untrained))
    assert (absent.key, [one for one in found if one is not absent]) == (kind, [training])
    assert "at least 40 of each" in absent.reason


def test_an_error_tells_why_neither_model_can_be_had(config: Config) -> None:
    workspace: Any = OnlyTables(deals(won=20, lost=19))
    with pytest.raises(
        NotEnoughDataError,
        match=r"no model can be had .*fit: too.*20 more won.*; intent: too few",
    ):
        whole.train(workspace, config=config)
