"""From nothing to an explained score, command by command, as a newcomer would type them."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pandas as pd
import pytest
from command import Done, program, spearfish

from features.mapping import load_config

CONFIG = Path(__file__).parents[2] / "configs" / "simulated_market.toml"
ACCOUNTS = 600
INSTALLED = ("simulate", "train", "promote", "score")
"""Commands that are run as they are installed; the others as children of a process that has imported all."""
QUICK = """
[model.fit]
max_rounds = 10
members = 1
folds = 1
few_rows = 0

[model.intent]
max_rounds = 10
folds = 1
crossed_folds = 2
"""
"""What the shipped config leaves to learning; how well it learns is for other tests."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("whole") / "workspace"


@pytest.fixture(scope="module")
def bound(home: Path) -> tuple[object, ...]:
    """The options that bind the simulated market's files, with a config that learns quickly."""
    config = home.parent / "market.toml"
    text = CONFIG.read_text(encoding="utf-8").replace("[model.intent]", QUICK.strip())
    text = text.replace("step_days = 30", "step_days = 30\nhistory_days = 500")
    config.write_text(text.replace("[backtest]", "[backtest]\nreplicates = 100"), encoding="utf-8")
    return ("--config", config, "--set", f"folder={home.parent / 'market'}", "--json")


@pytest.fixture(scope="module")
def done(home: Path, bound: tuple[object, ...]) -> dict[str, Done]:
    """What each command said, in the usual order; each must succeed before the next makes sense."""
    said: dict[str, Done] = {}
    predictions = home.parent / "predictions.parquet"
    for name, *arguments in (
        ("simulate", "--out", home.parent / "market", "--accounts", ACCOUNTS, "--json"),
        ("ingest", *bound),
        ("train", *bound),
        ("backtest", *bound, "--predictions", predictions),
        ("promote", "--why", "the first release", "--json"),
        ("score", "--top", 3, "--out", home.parent / "ranking.csv", "--json"),
        ("plan", "--reps", 2, "--wins-per-rep", 5, "--out", home.parent / "plan.csv", "--json"),
        ("doctor", "--json"),
    ):
        run = program if name in INSTALLED else spearfish
        said[name] = run(name, *arguments, home=home)
        assert said[name].code == 0, said[name].err
    return said


def test_every_row_is_ingested_or_accounted_for(done: dict[str, Done]) -> None:
    written = done["simulate"].document["rows"]
    for name, table in done["ingest"].document["tables"].items():
        assert table["read"] == written[f"{name}.parquet"]
        assert table["loaded"] + table["collapsed"] + sum(table["quarantined"].values()) == table["read"]


def test_both_models_are_trained_and_reported(done: dict[str, Done]) -> None:
    trained = done["train"].document
    assert set(trained["models"]) == {"fit", "intent"}
    page = Path(trained["report"]).read_text(encoding="utf-8")
    assert "ICP fit" in page
    assert "Buying intent" in page
    loaded = re.findall(r"""(?:src|href)=["'](?!#|data:)|url\((?!#)|@import""", page)
    assert loaded == []


def test_every_report_names_what_is_assumed_of_consent(done: dict[str, Done], home: Path) -> None:
    assumed = load_config(CONFIG, overrides={}).assumptions
    assert len(assumed) == 1
    (text,) = assumed.values()
    assert done["ingest"].document["consent"]["assumed"] == assumed
    assert done["train"].document["consent_assumed"] == assumed
    assert done["backtest"].document["consent_assumed"] == assumed
    assert text in Path(done["train"].document["report"]).read_text(encoding="utf-8")
    cards = [json.loads(file.read_text(encoding="utf-8")) for file in (home / "artifacts").rglob("card.json")]
    assert cards
    assert all(card["consent_assumed"] == assumed for card in cards)
    told = spearfish("features", "--catalogue", "--json", home=home).document
    assert told["consent_assumed"] == assumed
    pages = sorted(Path(told["catalogue"]).parent.glob("index*.html"))
    assert len(pages) == 2
    assert all(text in page.read_text(encoding="utf-8") for page in pages)


def test_predictions_hold_one_row_per_account_and_cutoff(done: dict[str, Done], home: Path) -> None:
    rows = pd.read_parquet(home.parent / "predictions.parquet")
    assert list(rows.columns) == ["cutoff", "account_id", "probability", "label"]
    assert not rows.duplicated(["cutoff", "account_id"]).any()
    assert rows["probability"].between(0, 1).all()
    assert done["backtest"].document["cutoffs"][0]["events"] == rows["label"].sum()


def test_a_release_is_made_of_what_was_trained(done: dict[str, Done]) -> None:
    release = done["promote"].document["release"]
    for kind, model in done["train"].document["models"].items():
        assert release["models"][kind] == model["fingerprint"]
    assert release["reason"] == "the first release"


def test_a_release_serves_with_the_settings_of_the_training(done: dict[str, Done], home: Path) -> None:
    settings = done["promote"].document["release"]["settings"]
    config = load_config(home.parent / "market.toml", overrides={})
    assert config.labels.intent.history_days == 500
    assert settings["labels"] == config.labels.model_dump(mode="json")
    assert settings["serving"] == config.serving.model_dump(mode="json")
    assert settings["time_zone"] == config.workspace.time_zone


def test_the_ranking_holds_every_account(done: dict[str, Done], home: Path) -> None:
    ranked = pd.read_csv(home.parent / "ranking.csv")
    assert len(ranked) == ACCOUNTS
    assert list(ranked["account_id"].head(3)) == [
        row["account_id"] for row in done["score"].document["accounts"]
    ]
    assert not ((ranked["fit_grade"] == "D") & ranked["priority"].isin(["sales now", "sales"])).any()


def test_the_plan_rests_on_the_chances_of_the_ranking(done: dict[str, Done], home: Path) -> None:
    said, curve = done["plan"].document, pd.read_csv(home.parent / "plan.csv")
    ranked = pd.read_csv(home.parent / "ranking.csv").dropna(subset=["fit_probability", "intent_probability"])
    horizon = load_config(home.parent / "market.toml", overrides={}).labels.intent.horizon_days
    within_a_year = 1 - (1 - ranked["intent_probability"]) ** (365 / horizon)
    expected = (ranked["fit_probability"] * within_a_year).sort_values(ascending=False)
    assert set(curve["account_id"]) == set(ranked["account_id"])
    assert curve["expected_wins"].to_numpy() == pytest.approx(expected.to_numpy())
    assert curve["wins"].to_numpy() == pytest.approx(expected.cumsum().to_numpy())
    assert (curve["wins_low"] <= curve["wins"]).all()
    assert (curve["wins"] <= curve["wins_high"]).all()
    rates = said["win_rate"]["value"] * said["account_to_opportunity"]["value"]
    assert said["target_accounts"]["value"] == pytest.approx(10 / rates)
    assert said["target_accounts"]["low"] < 10 / rates < said["target_accounts"]["high"]


def test_the_ranking_agrees_with_single_answers(done: dict[str, Done], home: Path) -> None:
    row = done["score"].document["accounts"][0]
    answer = spearfish("explain", row["account_id"], "--as-of", row["as_of"], "--json", home=home).document
    assert answer["fit"]["probability"] == row["fit_probability"]
    assert answer["intent"]["probability"] == row["intent_probability"]
    assert answer["priority"]["action"] == row["priority"]


def test_reasons_add_up_to_the_probability(done: dict[str, Done], home: Path) -> None:
    account = done["score"].document["accounts"][0]["account_id"]
    answer = spearfish("explain", account, "--json", home=home).document
    for half in (answer["fit"], answer["intent"]):
        shown = [reason["contribution"] for reason in half["reasons_for"] + half["reasons_against"]]
        assert half["baseline"] + math.fsum(shown) + half["other"] == pytest.approx(half["logit"], abs=1e-9)
        assert half["probability"] == 1 / (1 + math.exp(-half["logit"]))


def test_training_again_gives_the_same_models(
    done: dict[str, Done], home: Path, bound: tuple[object, ...]
) -> None:
    again = spearfish("train", *bound, home=home).document["models"]
    first = done["train"].document["models"]
    assert {kind: model["fingerprint"] for kind, model in again.items()} == {
        kind: model["fingerprint"] for kind, model in first.items()
    }


def test_there_is_nothing_before_the_first_release(done: dict[str, Done], home: Path) -> None:
    refused = spearfish("rollback", "--json", home=home)
    assert refused.code == 2
    assert "nothing" in refused.err or "no release" in refused.err


def test_features_are_written_for_every_account(done: dict[str, Done], home: Path) -> None:
    out = home.parent / "features.parquet"
    told = spearfish("features", "--as-of", "2024-06-01", "--out", out, "--json", home=home).document
    frame = pd.read_parquet(out)
    assert len(frame) == told["accounts"]
    assert {entry["feature"] for entry in told["features"]} == set(frame.columns) - {"account_id", "as_of"}
