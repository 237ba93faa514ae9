"""A model that is used for CRM and universe alike does not learn who is in the CRM."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from trained_market import MARKET

from features.mapping import Config
from features.origins import CRM, EMPTY_ELSEWHERE, OriginRules, OriginSettings
from features.tables import Tables
from features.workspace import Workspace
from models.bundle import Bundle
from training.backtesting.evaluate import Estimate, evaluate
from training.fit import Training, train_fit
from training.origins.check import OriginCheck, check_origin
from training.report import write_report
from training.train import TrainedModel, TrainReport

ONLY_CRM = "remote_share"


@pytest.fixture(scope="module")
def two_origins(market: Tables) -> Tables:
    """Companies with a deal are of the CRM, and a third of the others; the universe lacks a column."""
    accounts = market.read("accounts")
    dealt = accounts["account_id"].isin(market.read("opportunities")["account_id"])
    third = pd.util.hash_array(accounts["account_id"].to_numpy(dtype=object)) % 3 == 0
    accounts["origin"] = np.where(dealt | third, CRM, "universe")
    accounts[ONLY_CRM] = accounts[ONLY_CRM].where(accounts["origin"] == CRM)
    schema = market.schema("accounts")
    told = pa.Table.from_pandas(
        accounts, schema=schema.append(pa.field("origin", pa.string())), preserve_index=False
    )
    return replace(
        market,
        sources={**market.sources, "accounts": told.drop_columns("origin")},
        origins=OriginRules({"a": CRM, "b": "universe"}),
        told=told.append_column("compared", pa.array([True] * told.num_rows)),
    )


@pytest.fixture(scope="module")
def training(two_origins: Tables, quick: Config) -> Training:
    found = train_fit(two_origins, cutoff=MARKET.end, config=quick)
    assert isinstance(found, Training)
    return found


@pytest.fixture(scope="module")
def check(two_origins: Tables, training: Training) -> OriginCheck:
    return check_origin(two_origins, as_of=MARKET.end, catalogue=training.bundle.catalogue)


def test_what_is_not_comparable_is_left_out_and_the_card_says_so(training: Training) -> None:
    assert ONLY_CRM not in training.bundle.catalogue.names
    assert training.bundle.card["origins"] == {"left_out": {ONLY_CRM: EMPTY_ELSEWHERE}, "kept": {}}
    assert Bundle.from_bytes(training.bundle.to_bytes()).card["origins"] == training.bundle.card["origins"]


def test_it_can_be_kept_by_name(
    two_origins: Tables, quick: Config, training: Training, check: OriginCheck
) -> None:
    keeping = quick.model_copy(update={"origins": OriginSettings(keep=("remote_*",))})
    kept = train_fit(two_origins, cutoff=MARKET.end, config=keeping)
    assert isinstance(kept, Training)
    assert set(kept.bundle.catalogue.names) == {*training.bundle.catalogue.names, ONLY_CRM}
    assert kept.bundle.card["origins"] == {"left_out": {}, "kept": {ONLY_CRM: EMPTY_ELSEWHERE}}
    told = check_origin(two_origins, as_of=MARKET.end, catalogue=kept.bundle.catalogue)
    assert told.named[0].column == ONLY_CRM
    assert told.auc.value > check.auc.value + 0.1


def test_with_one_origin_nothing_changes(fit_training: Training) -> None:
    assert "origins" not in fit_training.bundle.card
    assert ONLY_CRM in fit_training.bundle.catalogue.names


def test_the_check_reads_exactly_the_features_of_the_model(check: OriginCheck, training: Training) -> None:
    assert check.features == training.bundle.catalogue.names
    assert {name for one in check.columns for name in one.features} == set(check.features)


def page(folder: Path, training: Training, *, origins: Mapping[str, OriginCheck | str] | None = None) -> str:
    metrics: dict[str, dict[str, Estimate]] = {"fit": evaluate(training.learned.later, replicates=100)}
    file = write_report(
        Workspace(folder), [training], metrics=metrics, cutoff=MARKET.end, name="market", origins=origins
    )
    return file.read_text(encoding="utf-8")


def test_the_report_tells_it(tmp_path: Path, training: Training, check: OriginCheck) -> None:
    told = page(tmp_path, training, origins={"fit": check})
    assert "Could it have learned where an account comes from?" in told
    assert f"<code>{ONLY_CRM}</code> ({EMPTY_ELSEWHERE})" in told
    assert check.verdict in told.replace("\u00a0%", " %")
    assert "too few accounts" in page(tmp_path, training, origins={"fit": "too few accounts"})


@pytest.mark.usefixtures("one_curve")
def test_the_report_of_one_origin_is_silent(tmp_path: Path, fit_training: Training) -> None:
    assert "Could it have learned" not in page(tmp_path, fit_training)


def test_the_command_tells_it(training: Training, check: OriginCheck) -> None:
    model = TrainedModel(training, {}, "run")
    report = TrainReport(MARKET.end, (model,), (), Path("page"), "uri", "files", {"fit": check})
    told = list(report.compared())
    assert told[0] == f"icp_fit: not comparable between origins, left out: {ONLY_CRM} ({EMPTY_ELSEWHERE})"
    assert told[1] == f"icp_fit: {check.verdict}"
    document = json.loads(json.dumps(replace(report, models=()).to_json()))
    assert document["origins"]["fit"]["verdict"] == check.verdict
