"""The commands `profile` and `explain --from`: what they tell, what they refuse, and how."""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from command import spearfish
from leaky_market import LEAKY, Leaky

from features.errors import ConfigError
from features.workspace import Workspace
from models.bundle import Bundle
from models.calibration import Calibration
from serving.store import Draft, Store, StoredBundle
from training.ideal_profile import shown

START, END = LEAKY.end - timedelta(days=60), LEAKY.end
BOLDER = Calibration(slope=1.7, intercept=-0.4)


@dataclass(frozen=True)
class Explained:
    """told: the change of an account's scores from release 1 at START to release 2, whose intent model is
    bolder, at END. first, last: what release 1 says of it at the two moments. own: its calibration."""

    told: dict[str, Any]
    first: dict[str, Any]
    last: dict[str, Any]
    own: Calibration


@pytest.fixture(scope="module")
def explained(leaky: Leaky, tmp_path_factory: pytest.TempPathFactory) -> Explained:
    account = active_prospect(leaky.market)
    home = tmp_path_factory.mktemp("two releases") / "workspace"
    shutil.copytree(leaky.home, home)
    own = publish_bolder(Workspace(home))
    moments = ("--from", START.isoformat(), "--to", END.isoformat())
    releases = ("--from-release", 1, "--to-release", 2)
    done = spearfish("explain", account, *moments, *releases, "--json", home=home)
    assert done.code == 0, done.err
    first, last = (
        spearfish("explain", account, "--as-of", moment.isoformat(), "--json", home=leaky.home).document
        for moment in (START, END)
    )
    return Explained(done.document, first, last, own)


def active_prospect(market: Path) -> str:
    """The account without any opportunity that did most both before and after START."""
    activities = pd.read_parquet(market / "activities.parquet", columns=["account_id", "known_at"])
    deals = pd.read_parquet(market / "opportunities.parquet", columns=["account_id"])
    open_to_all = activities[~activities["account_id"].isin(deals["account_id"])]
    counts = (
        open_to_all.groupby(["account_id", open_to_all["known_at"] >= START]).size().unstack(fill_value=0)
    )
    return str(counts.min(axis="columns").idxmax())


def publish_bolder(workspace: Workspace) -> Calibration:
    """Another release, with the same fit model; returns how its intent model was calibrated before."""
    with Store.open(workspace.store_url, create=False) as store:
        release = store.release(1)
        read = [Bundle.from_bytes(store.bundle_bytes(one)) for one in release.fingerprints.values()]
        bundles = [replace(one, calibration=BOLDER) if one.kind == "intent" else one for one in read]
        models = (StoredBundle(one.key, one.name, one.fingerprint, one.to_bytes()) for one in bundles)
        draft = Draft(tuple(models), created_by="test", reason="bolder", settings=release.settings)
        moment = datetime.fromisoformat("2025-03-01")
        assert store.publish(draft, activate_at=None, now=moment).release.id == 2
    return next(one.calibration for one in read if one.kind == "intent")


def test_a_change_is_told_in_parts_that_add_up(explained: Explained) -> None:
    for kind in ("fit", "intent"):
        change = explained.told[kind]
        assert set(change["parts"]) == {"decay", "data", "model"}
        totals = {name: part["total"] for name, part in change["parts"].items()}
        assert math.fsum(totals.values()) == pytest.approx(change["difference"], abs=1e-9)
        assert change["after"]["logit"] - change["before"]["logit"] == change["difference"]
        for part in change["parts"].values():
            assert math.fsum(part["groups"].values()) == pytest.approx(part["total"], abs=1e-9)


def test_each_part_is_what_single_answers_say(explained: Explained) -> None:
    told, first, last = explained.told, explained.first, explained.last
    for kind in ("fit", "intent"):
        parts = told[kind]["parts"]
        assert told[kind]["before"]["logit"] == pytest.approx(first[kind]["logit"], abs=1e-9)
        facts_and_time = parts["decay"]["total"] + parts["data"]["total"]
        assert facts_and_time == pytest.approx(last[kind]["logit"] - first[kind]["logit"], abs=1e-9)
    assert told["fit"]["parts"]["model"]["total"] == 0.0
    margin = (last["intent"]["logit"] - explained.own.intercept) / explained.own.slope
    bolder = BOLDER.slope * margin + BOLDER.intercept
    other = told["intent"]["parts"]["model"]["total"]
    assert other == pytest.approx(bolder - last["intent"]["logit"], abs=1e-9)
    assert all(part["total"] for part in told["intent"]["parts"].values())


def test_the_profile_of_what_is_served(leaky: Leaky) -> None:
    done = spearfish("profile", "--json", home=leaky.home)
    assert done.code == 0, done.err
    (entry,) = leaky.said["releases"].document["releases"]
    trained = leaky.said["train"].document["models"]["fit"]
    assert trained["fingerprint"] == entry["models"]["fit"]
    assert (done.document["model"], done.document["version"]) == ("icp_fit", trained["version"])
    assert done.document["profile"] == trained["profile"]
    profile = done.document["profile"]
    assert bool(profile["traits"]) is not bool(profile["missing_en"])
    for figures in (profile["earlier"], profile["later"], *(one["later"] for one in profile["traits"])):
        assert figures["won"] <= figures["accounts"]
        assert figures["low"] <= figures["rate"] <= figures["high"]


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ("Ideal customer profile", "later accounts were won")), ("zh", ("理想客户画像", "后期"))],
)
def test_people_read_the_profile_in_their_language(
    leaky: Leaky, language: str, words: tuple[str, ...]
) -> None:
    done = spearfish("profile", "--language", language, home=leaky.home)
    assert done.code == 0, done.err
    assert [word for word in words if word not in done.out + done.err] == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["explain", "a", "--to", "2024-01-01"], "give --from as well"),
        (["explain", "a", "--from-release", "1"], "give --from as well"),
        (["explain", "a", "--from", "2024-01-01", "--as-of", "2024-02-01"], "give --from and --to alone"),
        (["explain", "a", "--from", "2999-01-01"], "--from is in the future"),
        (["explain", "a", "--from", "spring"], "--from is not a time"),
        (["profile", "--language", "fr"], "unknown language"),
        (["profile"], "store"),
        (["profile", "--model", "intent"], "--model names no fit model"),
        (["profile", "--model", "foo", "--fit", "1"], "(got 'foo'; allowed fit, or a named one"),
    ],
)
def test_a_refusal_is_one_sentence(tmp_path: Path, options: list[str], words: str) -> None:
    done = spearfish(*options, "--json", home=tmp_path / "workspace")
    assert done.code in (1, 2)
    assert words in done.document["error"]["sentence"]


@pytest.mark.parametrize(
    ("model", "fix"), [("fit.eme", "did you mean 'fit.emea'"), ("fit.warehouses", "name one of them")]
)
def test_a_fit_model_that_was_never_trained_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, fix: str
) -> None:
    known = {"fit": (), "intent": (), "fit.emea": ()}
    monkeypatch.setattr(shown, "RegisteredModels", lambda _: SimpleNamespace(known=lambda: known))
    with pytest.raises(ConfigError, match=rf"got '{model}'; allowed fit, fit\.emea\); {fix}"):
        shown.read_profile(Workspace(tmp_path), fit="1", model=model)
