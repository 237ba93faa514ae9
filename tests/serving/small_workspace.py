"""A small company with a real workspace: ingested tables, two learned models, a release in the store.

Account acc-00 is ordinary; acc-01 and acc-02 share a domain; acc-03 is a customer; acc-04 has an open deal;
acc-05 has no domain, no industry and no activity; acc-06 works in an industry nobody else works in.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import lightgbm
import numpy as np
import pandas as pd
from small_profile import PROFILE

from features.catalogue import FIT_GROUPS, Catalogue, learn_catalogue
from features.ingest import ingest
from features.mapping import load_config
from features.point_in_time import build_features
from features.tables import Tables
from features.workspace import Workspace
from models.bundle import Bundle, CardFacts, Kind
from models.calibration import Calibration
from models.card import Card
from models.making import make_bundle
from serving.answers import ScoreAnswer
from serving.desk import Desk
from serving.requests import parse_request
from serving.scoring import score_account
from serving.store import Draft, Store, StoredBundle

CUTOFF = datetime.fromisoformat("2025-12-01")
AS_OF = "2025-12-01T00:00:00Z"
NOW = datetime.fromisoformat("2026-03-15T10:30:00")
ACCOUNTS = 120
START = datetime.fromisoformat("2025-01-01")

MAPPING = """
[workspace]
name = "small company"
time_zone = "Europe/Berlin"

[[sources]]
table = "accounts"
path = "{folder}/accounts.parquet"
time_zone = "UTC"
known_at = "known_at"
[sources.columns]
account_id = "account_id"
name = "name"
domain = "domain"
industry = "industry"
country = "country"
employees = "employees"
founded_year = "founded_year"
technologies = "technologies"
[sources.attributes.web_rank]
column = "web_rank"
type = "number"
label = "web rank"
label_zh = "网站排名"
[sources.attributes.segment]
column = "segment"
type = "category"
label = "segment"
[sources.attributes.partner]
column = "partner"
type = "boolean"
label = "partner"
[sources.attributes.signed_up]
column = "signed_up"
type = "date"
label = "sign-up"

[[sources]]
table = "contacts"
path = "{folder}/contacts.parquet"
time_zone = "UTC"
known = "start_of_time"
consent = { assume = "consent: made-up people" }
[sources.columns]
contact_id = "contact_id"
account_id = "account_id"
seniority = "seniority"

[[sources]]
table = "activities"
path = "{folder}/activities.parquet"
time_zone = "UTC"
known_at = "known_at"
[sources.columns]
activity_id = "activity_id"
account_id = "account_id"
contact_id = "contact_id"
channel = "channel"
direction = "direction"
occurred_at = "occurred_at"
seconds = "seconds"

[[sources]]
table = "intent_topics"
path = "{folder}/intent_topics.parquet"
time_zone = "UTC"
known_at_delay = "7 days"
[sources.columns]
account_id = "account_id"
topic = "topic"
occurred_at = "occurred_at"
score = "score"

[[sources]]
table = "opportunities"
path = "{folder}/opportunities.parquet"
time_zone = "UTC"
known_at = "known_at"
[sources.columns]
opportunity_id = "opportunity_id"
account_id = "account_id"
created_at = "created_at"
closed_at = "closed_at"
outcome = "outcome"
"""


def account_id(number: int) -> str:
    return f"acc-{number:02d}"


def frames(seed: int = 11) -> dict[str, pd.DataFrame]:
    """The source tables."""
    random = np.random.default_rng(seed)
    return {
        "accounts": _accounts(random),
        "contacts": pd.DataFrame(
            {
                "contact_id": [f"c-{n:02d}-{k}" for n in range(ACCOUNTS) for k in range(2)],
                "account_id": [account_id(n) for n in range(ACCOUNTS) for _ in range(2)],
                "seniority": [level for _ in range(ACCOUNTS) for level in ("vice_president", "staff")],
            }
        ),
        "activities": _activities(random),
        "intent_topics": pd.DataFrame(
            [
                {
                    "account_id": account_id(n),
                    "topic": "account based marketing",
                    "occurred_at": START + timedelta(days=243) + timedelta(days=7 * week),
                    "score": float(random.integers(0, 100)),
                }
                for n in range(0, ACCOUNTS, 2)
                for week in range(12)
            ]
        ),
        "opportunities": _opportunities(random),
    }


def _accounts(random: np.random.Generator) -> pd.DataFrame:
    rows = [
        {
            "account_id": account_id(n),
            "known_at": START + timedelta(days=n % 30),
            "name": f"Company {n}",
            "domain": f"company{n}.example",
            "industry": ("software", "banking", "retail")[n % 3],
            "country": ("DE", "US")[n % 2],
            "employees": int(random.integers(10, 5_000)),
            "founded_year": int(random.integers(1950, 2024)),
            "technologies": "crm;chat" if n % 4 else "crm",
            "web_rank": float(random.integers(1, 1_000_000)) if n % 5 else None,
            "segment": ("mid", "large")[n % 2],
            "partner": bool(n % 7 == 0),
            "signed_up": START - timedelta(days=366) + timedelta(days=n),
        }
        for n in range(ACCOUNTS)
    ]
    rows[2]["domain"] = rows[1]["domain"]
    rows[5] |= {"domain": None, "industry": None}
    rows[6]["industry"] = "beekeeping"
    later = rows[0] | {"known_at": START + timedelta(days=181), "employees": 700}
    return pd.DataFrame([*rows, later]).astype({"employees": "Int64", "founded_year": "Int64"})


def _activities(random: np.random.Generator) -> pd.DataFrame:
    channels = (
        ("web_visit", "inbound"),
        ("webinar", "inbound"),
        ("meeting", "mutual"),
        ("email", "outbound"),
    )
    rows = []
    for n in range(ACCOUNTS):
        for k in range(0 if n == 5 else 4 + n % 40):
            channel, direction = channels[int(random.integers(0, 4))]
            occurred_at = START + timedelta(seconds=int(random.integers(0, 330 * 86_400)))
            rows.append(
                {
                    "activity_id": f"a-{n:02d}-{k}",
                    "account_id": account_id(n),
                    "contact_id": f"c-{n:02d}-{k % 2}" if k % 3 else None,
                    "channel": channel,
                    "direction": direction,
                    "occurred_at": occurred_at,
                    "known_at": occurred_at + timedelta(hours=k % 3),
                    "seconds": int(random.integers(10, 3_600)) if channel != "email" else None,
                }
            )
    return pd.DataFrame(rows).astype({"seconds": "Int64"})


def _opportunities(random: np.random.Generator) -> pd.DataFrame:
    rows = []
    for n in (3, 4, *range(10, ACCOUNTS, 3)):
        created_at = START + timedelta(days=31) + timedelta(days=int(random.integers(0, 200)))
        closed_at = created_at + timedelta(days=int(random.integers(5, 90)))
        deal = {"opportunity_id": f"o-{n}", "account_id": account_id(n), "created_at": created_at}
        rows.append(deal | {"known_at": created_at, "closed_at": None, "outcome": None})
        if n != 4:
            outcome = "won" if n == 3 or n % 2 else "lost"
            rows.append(deal | {"known_at": closed_at, "closed_at": closed_at, "outcome": outcome})
    return pd.DataFrame(rows)


def build_workspace(home: Path) -> Workspace:
    """Ingest the tables and put a release with both models into the store."""
    workspace = Workspace(home / "workspace")
    load_data(workspace, folder=home)
    publish(workspace, kinds=("fit", "intent"))
    return workspace


def load_data(workspace: Workspace, *, folder: Path, accounts: Sequence[pd.DataFrame] | None = None) -> None:
    """Ingest the tables; accounts: other ones than the usual."""
    tables = frames() | ({"accounts": pd.concat(accounts)} if accounts else {})
    for name, frame in tables.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)
    mapping = folder / "small.toml"
    mapping.write_text(MAPPING.replace("{folder}", str(folder)), encoding="utf-8")
    report = ingest(load_config(mapping, overrides={}), workspace=workspace)
    assert not workspace.manifest().quarantine, report


def publish(workspace: Workspace, *, kinds: Sequence[Kind], seed: int = 1, **settings: Any) -> int:
    """A release with these models, active at once; its number."""
    with Store.open(workspace.store_url) as store:
        published = store.publish(
            Draft(
                tuple(_stored(workspace, kind=kind, seed=seed) for kind in kinds),
                created_by="test",
                reason="test",
                settings={"time_zone": "Europe/Berlin", **settings},
            ),
            activate_at=None,
            now=CUTOFF,
        )
    return published.release.id


_LEARNED: dict[tuple[str, Kind, int], StoredBundle] = {}


def _stored(workspace: Workspace, *, kind: Kind, seed: int) -> StoredBundle:
    """What is learned from tables is the same each time: many tests begin with the same ones."""
    known = workspace.manifest().fingerprint, kind, seed
    if known not in _LEARNED:
        made = bundle(workspace.tables(), kind=kind, seed=seed)
        _LEARNED[known] = StoredBundle(kind, made.name, made.fingerprint, made.to_bytes())
    return _LEARNED[known]


def bundle(tables: Tables, *, kind: Kind, seed: int = 1) -> Bundle:
    """A real model, learned from the tables as known at the cutoff."""
    catalogue = catalogue_of(tables, kind=kind)
    # The unusual industry stays out of the training data, so that it is unseen when it is served.
    keys = pd.DataFrame({"account_id": [account_id(n) for n in range(ACCOUNTS)], "as_of": CUTOFF})
    X = build_features(tables, keys.astype({"as_of": "datetime64[us]"}), catalogue=catalogue).to_numpy()
    signal = np.nan_to_num(X).argsort(axis=0).argsort(axis=0).sum(axis=1)
    noise = np.random.default_rng(seed).normal(scale=signal.std(), size=len(X))
    labels = (signal + noise > np.median(signal)).astype(float)
    data = lightgbm.Dataset(X, labels, feature_name=list(catalogue.names))
    settings = {
        "objective": "binary",
        "num_leaves": 7,
        "min_data_in_leaf": 5,
        "verbose": -1,
        "num_threads": 1,
    }
    made = make_bundle(
        lightgbm.train(settings | {"deterministic": True, "seed": seed}, data, 20),
        kind=kind,
        catalogue=catalogue,
        calibration=Calibration(slope=0.8, intercept=-0.3),
        population=X,
        facts=CardFacts(
            meaning=MEANINGS[kind],
            horizon_days=90 if kind == "intent" else None,
            label="by hand",
            cutoff="2025-12-01T00:00:00Z",
            base_rate=0.5,
            counts={"rows": len(X)},
            metrics={},
            parameters={},
            data_fingerprint="0" * 64,
            provenance={},
        ),
    )
    if kind == "intent":
        return made
    return replace(made, card=cast(Card, {**made.card, "profile": json.loads(json.dumps(PROFILE.to_json()))}))


MEANINGS: dict[Kind, dict[str, str]] = {
    "fit": {"en": "Chance to win the account if it is pursued.", "zh": "若跟进，赢得该客户的概率。"},
    "intent": {
        "en": "Chance that the account opens an opportunity within 90 days.",
        "zh": "该客户在 90 天内开启商机的概率。",
    },
}


def catalogue_of(tables: Tables, *, kind: Kind) -> Catalogue:
    catalogue = learn_catalogue(tables, cutoff=CUTOFF)
    return catalogue.select(groups=FIT_GROUPS) if kind == "fit" else catalogue


def as_record(tables: Tables, *, number: int) -> dict[str, Any]:
    """An account of the workspace as the JSON that would be sent along with a request."""
    names = ("accounts", "contacts", "activities", "intent_topics", "opportunities")
    with tables.connect() as connection:
        rows = {
            name: [
                _as_json(row)
                for row in connection.execute(
                    f"SELECT * EXCLUDE (account_id) FROM {name} WHERE account_id = ? ORDER BY known_at",
                    [account_id(number)],
                )
                .to_arrow_table()
                .to_pylist()
            ]
            for name in names
        }
    versions = [_nested(row, tables=tables) for row in rows.pop("accounts")]
    return {"account": versions[-1], "earlier_versions": versions[:-1], **rows}


def _as_json(row: dict[str, Any]) -> dict[str, Any]:
    return {
        key: f"{value.isoformat()}Z" if isinstance(value, datetime) else value
        for key, value in row.items()
        if value is not None
    }


def _nested(row: dict[str, Any], *, tables: Tables) -> dict[str, Any]:
    names = {attribute.name for attribute in tables.attributes}
    facts = {name: value for name, value in row.items() if name not in names}
    return facts | {"attributes": {name: value for name, value in row.items() if name in names}}


def ask(desk: Desk, **request: Any) -> ScoreAnswer:
    """The answer of a desk to a request."""
    checked = parse_request(json.dumps(request).encode(), attributes=desk.snapshot.manifest.attributes)
    return score_account(desk, request=checked, now=NOW)
