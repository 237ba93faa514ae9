"""A desk takes over what another one has: only of the same tables, and only what means the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from small_workspace import ACCOUNTS, CUTOFF, NOW, account_id

from features.catalogue import Catalogue
from features.errors import EngineError
from features.workspace import Workspace
from serving.desk import Desk, Snapshot
from serving.known_engine import ReadyFeatureEngine
from serving.releases import LoadedRelease, load_current
from serving.resident_rows import ResidentRows
from serving.store import Store

EVERYONE = [account_id(number) for number in range(0, ACCOUNTS, 3)]


@pytest.fixture(scope="module")
def release(company: Workspace) -> LoadedRelease:
    with Store.open(company.store_url) as store:
        return load_current(store, now=NOW)


@pytest.fixture(scope="module")
def snapshot(company: Workspace) -> Snapshot:
    return Snapshot(company)


@pytest.fixture
def before(snapshot: Snapshot, release: LoadedRelease) -> Desk:
    """A desk with the features of everyone at hand."""
    desk = Desk(snapshot, release=release, resident=True)
    desk.compute_ahead(keys())
    return desk


def keys(as_of: datetime = CUTOFF) -> pd.DataFrame:
    moments = np.full(len(EVERYONE), np.datetime64(as_of), dtype="datetime64[us]")
    return pd.DataFrame({"account_id": EVERYONE, "as_of": moments})


def bits(desk: Desk, *, as_of: datetime = CUTOFF) -> dict[str, bytes]:
    models = {model.key for model in desk.release.models}
    return {key: matrix.tobytes() for key, matrix in desk.matrices(keys(as_of), models).items()}


def only(release: LoadedRelease, kind: str) -> LoadedRelease:
    return replace(release, models=tuple(model for model in release.models if model.key == kind))


@pytest.fixture
def refuse_to(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    def refuse(*_: object) -> None:
        raise EngineError("computed again", sql="")

    with monkeypatch.context() as patch:
        patch.setattr(ReadyFeatureEngine, "_matrix", refuse)
        yield patch


def test_a_release_that_reads_the_same_has_all_that_was_computed(
    before: Desk, snapshot: Snapshot, release: LoadedRelease, refuse_to: pytest.MonkeyPatch
) -> None:
    # One model less: what both read together is what this one reads alone.
    after = Desk(snapshot, release=only(release, "intent"), before=before)
    assert (after.is_resident, after.is_quick) == (True, True)
    found = bits(after)
    with pytest.raises(EngineError, match="computed again"):
        bits(after, as_of=CUTOFF + timedelta(days=1))
    refuse_to.undo()
    assert found == bits(Desk(snapshot, release=only(release, "intent")))


def test_a_catalogue_that_counts_alike_shares_the_rows_and_computes_its_own_features(
    before: Desk, snapshot: Snapshot, release: LoadedRelease, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = bits(Desk(snapshot, release=only(release, "fit")))
    computed = counted(monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(ResidentRows, "__init__", None)
        after = Desk(snapshot, release=only(release, "fit"), before=before)
    assert (after.is_resident, after.is_quick) == (True, True)
    assert bits(after) == expected
    assert computed == [len(EVERYONE)]


@pytest.mark.parametrize("what", ["anonymous visits", "a channel that nobody uses"])
def test_a_catalogue_that_counts_otherwise_takes_nothing_over(
    before: Desk, snapshot: Snapshot, release: LoadedRelease, what: str
) -> None:
    (model,) = only(release, "intent").models
    bundle = model.scorer.bundle
    scorer = type(model.scorer)(replace(bundle, catalogue=otherwise(bundle.catalogue, what)))
    other = replace(release, models=(replace(model, scorer=scorer),))
    late = Desk(snapshot, release=other, before=before)
    assert (late.is_resident, late.is_quick) == (False, False)
    after = Desk(snapshot, release=other, before=before, resident=True)
    assert after.is_quick
    assert bits(after) == bits(late) == bits(Desk(snapshot, release=other))
    same = bits(after)["intent"] == bits(before)["intent"]
    assert same == (what == "a channel that nobody uses")


def otherwise(catalogue: Catalogue, what: str) -> Catalogue:
    if what == "a channel that nobody uses":
        return replace(catalogue, engagement_channels=(*catalogue.engagement_channels, "telex"))
    return replace(catalogue, rules=replace(catalogue.rules, anonymous=not catalogue.rules.anonymous))


def test_other_tables_take_nothing_over(
    before: Desk, company: Workspace, release: LoadedRelease, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = counted(monkeypatch)
    with Desk(Snapshot(company), release=release, resident=True, before=before) as after:
        assert bits(after) == bits(before)
    assert computed == [len(EVERYONE)]


def test_tables_in_files_are_not_taken_over_where_there_is_time_to_copy_them(
    snapshot: Snapshot, release: LoadedRelease
) -> None:
    slow = Desk(snapshot, release=release)
    assert not Desk(snapshot, release=release, before=slow).is_quick
    assert Desk(snapshot, release=release, before=slow, resident=True).is_quick


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many accounts are computed each time from here on."""
    found, compute = list[int](), ReadyFeatureEngine._computed

    def counting(self: ReadyFeatureEngine, keys: pd.DataFrame) -> object:
        found.append(len(keys))
        return compute(self, keys)

    monkeypatch.setattr(ReadyFeatureEngine, "_computed", counting)
    return found
