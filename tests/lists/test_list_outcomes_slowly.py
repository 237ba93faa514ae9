"""What became of lists against a slow count in plain Python, in a simulated market; and counts add up."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from slow_outcomes import Held, SlowVersion, slow_outcomes

from features.tables import Tables
from models.list_outcomes import LADDER
from serving.lists.outcomes import list_outcomes
from serving.store.list_outcomes import ListsTold
from serving.store.list_tables import OPEN
from training.market import MarketSettings, simulate

NOW = datetime.fromisoformat("2025-01-01")
COUNTED = ("accounts", "too_early", "ripe", "opened", "won", "ended", "ended_won", "taken_up_later")
STATES: tuple[Held, ...] = ((True, True), (True, False), (False, True), (False, False))
"""Suggested, pinned, taken off, and taken off without having been suggested."""


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    """Accounts of a market with two product lines, some of whose rows were deleted later."""
    settings = MarketSettings(accounts=250, seed=3, hazard="several_products")
    folder = simulate(settings, directory=tmp_path_factory.mktemp("market") / "small").directory
    names = ("accounts", "opportunities", "activities")
    tables = Tables({name: (folder / f"{name}.parquet",) for name in names})
    random, found = np.random.default_rng(5), {}
    for name in names:
        frame = tables.read(name)
        gone = random.random(len(frame)) < 0.03
        later = frame.known_at + pd.to_timedelta(random.integers(1, 400, len(frame)), unit="D")
        found[name] = frame.assign(withdrawn_at=later.where(gone))
    return found


def lists_of(frames: dict[str, pd.DataFrame], *, seed: int) -> list[SlowVersion]:
    """Two or three lists of a few versions, most of them approved; who is on them is drawn at random."""
    random = np.random.default_rng(seed)
    accounts = sorted(frames["accounts"].account_id.unique())
    products = [None, *sorted(frames["opportunities"]["product"].dropna().unique())[:1]]
    versions = []
    for list_id in range(1, 1 + int(random.integers(2, 4))):
        held: dict[str, Held] = {}
        moment = NOW - timedelta(days=int(random.integers(500, 700)))
        product = products[int(random.integers(0, len(products)))]
        for number in range(1, int(random.integers(3, 6))):
            held = {name: told for name, told in held.items() if random.random() < 0.8}
            for name in random.choice(accounts, 25, replace=False):
                held[str(name)] = STATES[random.choice(4, p=[0.6, 0.15, 0.2, 0.05])]
            moment += timedelta(days=int(random.integers(20, 155)), seconds=int(random.integers(0, 3)))
            approved = moment if random.random() < 0.8 else None
            versions.append(SlowVersion(list_id, number, approved, product, dict(held)))
    return versions


def told_by(versions: list[SlowVersion]) -> ListsTold:
    """The same lists as the store has them: rows that hold for an interval of versions."""
    rows: list[dict[str, Any]] = []
    for list_id in sorted({one.list_id for one in versions}):
        own = [one for one in versions if one.list_id == list_id]
        before: dict[str, dict[str, Any]] = {}
        for one in own:
            for name in [*before]:
                row = before[name]
                if one.held.get(name) != (row["target"], row["suggested"]):
                    row["until"] = one.number
                    del before[name]
            for name, (target, suggested) in one.held.items():
                if name not in before:
                    before[name] = {
                        "list_id": list_id,
                        "account_id": name,
                        "since": one.number,
                        "until": OPEN,
                        "target": target,
                        "suggested": suggested,
                    }
                    rows.append(before[name])
    told = ("list_id", "number", "approved_at", "product")
    kinds = {"approved_at": pa.timestamp("us"), "product": pa.string()}
    columns = {name: pa.array([getattr(one, name) for one in versions], kinds.get(name)) for name in told}
    return ListsTold(pa.Table.from_pylist(rows), pa.table(columns), {})


@pytest.mark.parametrize(
    ("seed", "list_id", "days"), [(1, None, 180), (2, 1, 365), (3, 2, 90), (4, None, 30)]
)
def test_every_count_is_that_of_the_slow_way(
    frames: dict[str, pd.DataFrame],
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    list_id: int | None,
    days: int,
) -> None:
    """With strata of all facts, however few of the accepted find somebody in them."""
    monkeypatch.setattr("models.list_outcomes.LADDER", LADDER[:1])
    versions = lists_of(frames, seed=seed)
    asked: dict[str, Any] = {"list_id": list_id, "days": days, "now": NOW, "until": NOW}
    found = list_outcomes(Tables.from_frames(frames), told_by(versions), threads=1, **asked)
    slow = slow_outcomes(frames, versions, **asked)
    for name, group in [*found.groups.items(), ("others", found.comparable)]:
        counts: Counter[str] = slow["others"] if name == "others" else slow["groups"][name]
        assert {each: getattr(group, each) for each in COUNTED} == {each: counts[each] for each in COUNTED}
        assert group.left_out == {each: counts[each] for each in group.left_out}
    assert found.comparable.on_lists == slow["others"]["on_lists"]
    matched, told = found.matched, slow["matched"]
    names = ("accepted", "matched", "rows", "accounts")
    assert {each: getattr(matched, each) for each in names} == {each: told[each] for each in names}
    assert matched.matched > 0
    assert matched.effective == pytest.approx(told["effective"])
    for name in ("opened", "won"):
        compared = getattr(matched, name)
        rates = compared.first.value, compared.second.value
        expected = told["rates"]["accepted", name], told["rates"]["others", name]
        assert rates == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_counts_add_up_and_nobody_is_lost(frames: dict[str, pd.DataFrame], seed: int) -> None:
    versions, days = lists_of(frames, seed=100 + seed), (30, 90, 365)[seed % 3]
    asked: dict[str, Any] = {"list_id": None, "days": days, "now": NOW, "until": NOW}
    found = list_outcomes(Tables.from_frames(frames), told_by(versions), threads=1, **asked)
    approved = [one for one in versions if one.approved_at is not None and one.approved_at < NOW]
    targets = {name for one in approved for name, held in one.held.items() if held[0]}
    assert found.groups["accepted"].accounts + found.groups["added"].accounts == len(targets)
    rejected = {name for one in approved for name, held in one.held.items() if held == (False, True)}
    assert len(rejected - targets) <= found.groups["rejected"].accounts <= len(rejected)
    for group in (*found.groups.values(), found.comparable):
        assert group.won <= group.opened <= group.ripe
        assert group.won <= group.ended_won <= group.ended
        left_out = sum(group.left_out.values()) + getattr(group, "on_lists", 0)
        assert group.accounts == left_out + group.too_early + group.ripe
        assert (group.first_ripe_at is None) == (group.too_early == 0)
    matched = found.matched
    assert matched.accepted == found.groups["accepted"].ripe
    assert matched.matched + matched.alone == matched.accepted
    assert matched.effective <= matched.accounts + 1e-9
    assert matched.accounts <= matched.rows <= found.comparable.ripe
    for one in (matched.won, matched.opened, found.rejected_won, found.rejected_opened):
        for estimate in (one.first, one.second, one.difference, one.ratio):
            assert estimate is None or estimate.low <= estimate.value <= estimate.high
