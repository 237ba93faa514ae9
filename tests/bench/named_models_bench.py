"""What an answer costs as the number of named models grows: one account by its id, with reasons.

Turns counts of named models per kind into microseconds of processor time of one request on a warm desk,
without HTTP: the median over many requests, asked for in turn. Each named model is of one industry and has a
catalogue of its own, as trainings of different populations give. Two accounts are asked for: one whose
industry the last named model is for, and one whose industry none is for, so that each is asked in vain before
the model without a name answers. Time rule: none. Null rule: none.

    PYTHONPATH=.:tests/serving python tests/bench/named_models_bench.py --models 0 1 5 20
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import small_workspace as small

from features.catalogue import Catalogue
from features.label_settings import LabelSettings
from features.model_keys import KINDS, ModelKey, kind_of, model_key
from features.workspace import Workspace
from models.bundle import Bundle
from models.choice import NAMED_LABELS, ORDER
from models.making import with_name
from serving.desk import Desk, Snapshot
from serving.releases import load_current
from serving.store import Draft, Store, StoredBundle

ACCOUNTS = {"answered by the last named model": "acc-07", "asked of all in vain": "acc-06"}
"""A bank, and a beekeeper."""


def named_models(count: int) -> Iterator[tuple[ModelKey, str]]:
    """Keys of so many models per kind, each with its industry."""
    for kind in KINDS:
        for place in range(count):
            industry = "banking" if place == count - 1 else f"industry {place}"
            yield model_key(kind, name=f"number_{place}"), industry


def own_catalogue(bundle: Bundle, *, industry: str) -> Bundle:
    """The same model with a category that no other one knows."""
    features = tuple(
        replace(one, levels=(*one.levels, f"like {industry}")) if one.name == "industry" else one
        for one in bundle.catalogue.features
    )
    given = bundle.catalogue
    catalogue = Catalogue(features, given.engagement_channels, given.outreach_channels, given.attributes)
    return replace(bundle, catalogue=catalogue)


def publish(workspace: Workspace, *, count: int) -> None:
    """A release of both models and so many named ones of each kind."""
    tables = workspace.tables()
    unnamed: dict[ModelKey, Bundle] = {kind: small.bundle(tables, kind=kind) for kind in KINDS}
    bundles, labels = dict(unnamed), {}
    for place, (key, industry) in enumerate(named_models(count)):
        own = own_catalogue(unnamed[kind_of(key)], industry=f"{industry} {place}")
        bundles[key] = with_name(own, key=key, place=place)
        shared = LabelSettings().of(kind_of(key))
        labels[key] = shared.model_copy(update={"where": {"industry": (industry,)}}).model_dump(mode="json")
    stored = (StoredBundle(key, one.name, one.fingerprint, one.to_bytes()) for key, one in bundles.items())
    settings = {"time_zone": "Europe/Berlin", NAMED_LABELS: labels, ORDER: list(labels)}
    draft = Draft(tuple(stored), created_by="bench", reason="bench", settings=settings)
    with Store.open(workspace.store_url) as store:
        store.publish(draft, activate_at=small.CUTOFF, now=small.CUTOFF)


def opened(workspace: Workspace) -> Desk:
    """As the service has it."""
    with Store.open(workspace.store_url) as store:
        return Desk(Snapshot(workspace), release=load_current(store, now=small.NOW), resident=True)


def microseconds(desk: Desk, account: str, *, requests: int) -> list[float]:
    """Of each request."""
    found = []
    for _ in range(requests):
        began = time.process_time()
        small.ask(desk, account_id=account)
        found.append(1e6 * (time.process_time() - began))
    return found


def measure(counts: list[int], *, requests: int, rounds: int) -> list[dict[str, Any]]:
    """A line for each count. rounds: in which all are asked in turn, so that a busy machine is one to all."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder) / "workspace")
        small.load_data(workspace, folder=Path(folder))
        desks = {}
        for count in counts:
            publish(workspace, count=count)
            desks[count] = opened(workspace)
        times: dict[tuple[int, str], list[float]] = {}
        for turn in range(rounds + 1):
            for count, desk in desks.items():
                for what, account in ACCOUNTS.items():
                    found = microseconds(desk, account, requests=requests)
                    # The first turn warms up.
                    times.setdefault((count, what), []).extend(found if turn else ())
        for desk in desks.values():
            desk.close()
    return [
        {"named_per_kind": count, **{what: round(statistics.median(times[count, what])) for what in ACCOUNTS}}
        for count in counts
    ]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", type=int, default=[0, 1, 5, 20], help="named ones per kind")
    parser.add_argument("--requests", type=int, default=50, help="in each round")
    parser.add_argument("--rounds", type=int, default=4)
    given = parser.parse_args()
    told: dict[str, Any] = {"unit": "microseconds of processor time per request, median"}
    told["lines"] = measure(given.models, requests=given.requests, rounds=given.rounds)
    sys.stdout.write(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
