"""After forgetting, no file of the workspace holds the address, its hash, the name or an identifier."""

from __future__ import annotations

import gzip
import json
import shutil
import warnings
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from workspace_search import found_in

from features.ingest import ingest
from features.mapping import load_config
from features.privacy.addresses import email_digest
from features.privacy.forgetting import Request
from features.workspace import Workspace
from training.cli.answering import answer_one, rank_all
from training.forgetting import forget
from training.market.settings import MarketSettings
from training.market.write import simulate
from training.releasing.promote import promote
from training.train import train

CONFIG = Path(__file__).parents[2] / "configs" / "simulated_market.toml"
NOW = datetime.fromisoformat("2026-05-01T12:00:00")
ACCOUNT, COMPANY, DOMAIN = (
    "account-gone-fishing",
    "Gone Fishing Tackle Limited",
    "gone-fishing-tackle.example",
)
PERSON, EMAIL, NAME = "contact-walter-waller", "Walter.Waller@gone-fishing-tackle.example", "Walter Waller"
DEAL = "deal-gone-fishing"

QUICK = """
[model.fit]
max_rounds = 20
members = 1
folds = 1
few_rows = 0

[model.intent]
max_rounds = 20
folds = 1
crossed_folds = 0
"""

LEADS = """
[[sources]]
table = "contacts"
name = "leads"
path = "{folder}/leads.csv"
known_at = "since"
[sources.columns]
contact_id = "id"
account_id = "account"
title = "title"
email = "email"
consent_basis = "basis"
"""
LINES = f"""id,account,title,email,basis,since,name
{PERSON},{ACCOUNT},Angler,{EMAIL},consent,2024-01-01T00:00:00Z,{NAME}
{PERSON},{ACCOUNT},Angler,{EMAIL},NO BASIS AT ALL,2024-01-02T00:00:00Z,{NAME}
{PERSON},{ACCOUNT},Angler,{EMAIL},consent,2024-01-03T00:00:00Z,{NAME},a cell,too many
,{ACCOUNT},Angler,{EMAIL},consent,2024-01-04T00:00:00Z,{NAME}
"""


def _renamed(folder: Path) -> None:
    """One account, one of its people and one of its deals bear names that nothing else does."""
    frames = {file.stem: pd.read_parquet(file) for file in folder.glob("*.parquet")}
    busy = frames["activities"].dropna(subset=["contact_id"])["contact_id"].value_counts().index
    sold = frames["opportunities"].set_index("account_id")["opportunity_id"]
    works = frames["contacts"].drop_duplicates("contact_id").set_index("contact_id")["account_id"]
    person = next(one for one in busy if works[one] in sold.index)
    account, deal = works[person], sold.loc[[works[person]]].iloc[0]
    changed = {
        "account_id": {account: ACCOUNT},
        "contact_id": {person: PERSON},
        "opportunity_id": {deal: DEAL},
    }
    for name, frame in frames.items():
        for column in changed.keys() & set(frame.columns):
            frame[column] = frame[column].replace(changed[column])
        if name == "accounts":
            own = frame["account_id"] == ACCOUNT
            frame.loc[own, ["name", "domain"]] = [COMPANY, DOMAIN]
            # Often enough to be a level of a category, and thereby in a model.
            frame["funding_stage"] = frame["funding_stage"].where(frame.index % 3 > 0, EMAIL)
            frame["city"] = frame["city"].where(frame.index % 3 > 1, f"{NAME} <{EMAIL}>")
        frame.to_parquet(folder / f"{name}.parquet", index=False)


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Ingested, trained, promoted and answered from; with logs in it that somebody directed there."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MLFLOW_TRACKING_URI", "SPEARFISH_STORE_URL", "BENTOML_HOME", "SPEARFISH_HOME"):
            patch.delenv(name, raising=False)
        home = tmp_path_factory.mktemp("used")
        market = home / "market"
        simulate(MarketSettings(accounts=400, seed=5), directory=market)
        _renamed(market)
        (market / "leads.csv").write_text(LINES, encoding="utf-8")
        mapping = home / "market.toml"
        bound = CONFIG.read_text(encoding="utf-8").replace("[model.intent]", QUICK.strip())
        mapping.write_text(bound.replace("[labels.intent]", f"{LEADS}\n[labels.intent]"), encoding="utf-8")
        workspace = Workspace(home / "workspace")
        config = load_config(mapping, overrides={"folder": str(market)})
        loaded = ingest(config, workspace=workspace, now=NOW)
        assert set(loaded.table("accounts").withheld) == {"funding_stage", "city"}
        with warnings.catch_warnings():
            # Plotting warns of what it imports.
            warnings.simplefilter("ignore")
            train(workspace, config=config)
        why = f"asked for by {EMAIL} of {COMPANY}, see {PERSON}"
        promote(workspace, who=EMAIL, why=why, force=why)
        told = (
            json.dumps(answer_one(workspace, account=ACCOUNT))
            + f"\nGET /v1/accounts/{ACCOUNT} {PERSON} {EMAIL}\n"
        )
        rank_all(workspace)
        (workspace.home / "serve.log").write_text(told, encoding="utf-8")
        (workspace.home / "serve.log.1.gz").write_bytes(gzip.compress(told.encode()))
        return workspace


def _copy(used: Workspace, folder: Path) -> Workspace:
    shutil.copytree(used.home, folder / "workspace")
    return Workspace(folder / "workspace")


PERSONAL = (PERSON, EMAIL, NAME)


@pytest.mark.parametrize(
    ("request_", "needles"),
    [
        (Request(emails=(EMAIL,)), PERSONAL),
        (Request(contacts=(PERSON,)), PERSONAL),
        (Request(accounts=(ACCOUNT,)), (*PERSONAL, ACCOUNT, DEAL, COMPANY)),
    ],
    ids=["email", "contact", "account"],
)
def test_no_file_of_the_workspace_holds_them(
    used: Workspace, tmp_path: Path, request_: Request, needles: tuple[str, ...]
) -> None:
    workspace = _copy(used, tmp_path)
    hashed = email_digest(workspace, EMAIL)
    before = found_in(workspace.home, [*needles, hashed])
    assert {PERSON, EMAIL, hashed} <= before.keys()
    assert len(before[PERSON]) >= 4
    done = forget(workspace, request_, who="Ada", now=NOW, patience=0)
    assert done.complete
    left = found_in(workspace.home, [*needles, hashed])
    assert left == {}
    assert [json.loads(line)["event"] for line in _audit(workspace)] == ["begun", "done"]
    _still_answers(workspace, gone=bool(request_.accounts))


def _audit(workspace: Workspace) -> list[str]:
    return (workspace.home / "erasures.jsonl").read_text(encoding="utf-8").splitlines()


def _still_answers(workspace: Workspace, *, gone: bool) -> None:
    ranked = rank_all(workspace)
    assert (ACCOUNT in set(ranked["account_id"])) is not gone


def test_mlflow_and_the_models_hold_nobody(used: Workspace) -> None:
    tables = used.tables()
    people = tables.read("contacts")
    accounts = tables.read("accounts")
    needles = {EMAIL, NAME, email_digest(used, EMAIL), PERSON, ACCOUNT, COMPANY, DOMAIN, DEAL}
    needles |= set(people["contact_id"].head(50)) | set(accounts["domain"].dropna().head(50))
    places: Mapping[str, Path] = {"artifacts": used.artifacts, "reports": used.home / "reports"}
    found = {name: found_in(folder, needles) for name, folder in places.items()}
    copied = used.home.parent / "tracking"
    copied.mkdir()
    shutil.copy(used.home / "mlflow.db", copied)
    assert {**found, "mlflow": found_in(copied, needles)} == {"artifacts": {}, "reports": {}, "mlflow": {}}
    assert found_in(used.bentoml_home, needles) == {}
