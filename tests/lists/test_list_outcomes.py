"""What became of the accounts of a list, beside comparable ones: every count by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from followed_lists import approved_at, at, new_list, outcomes, tables_of

from features.tables import Tables
from models.list_outcomes import wilson
from serving.lists.outcomes import Group
from serving.store import Store

FIRST, SECOND, THIRD = "2024-03-01T12:00", "2024-04-15T12:00", "2024-11-01T12:00"

_SOFTWARE = ("2024-01-01", "software", "DE", 50)
ACCOUNTS: list[tuple[Any, ...]] = [
    *((name, *_SOFTWARE) for name in ("a1", "a2", "a3", "cu", "od", "r1", "p1", "x1")),
    ("a4", "2024-01-01", "banking", "FR", 50),
    # Not known at the first moment; not known at the second.
    ("nw", "2024-04-01", "software", "DE", 50),
    ("e1", "2024-10-01", "software", "DE", 50),
    *((name, *_SOFTWARE) for name in ("c1", "c2", "c3", "c4", "c7", "late", "cu2", "od2")),
]
DEALS = [
    ("1", "a1", "2024-03-15", None, None, "2024-03-15"),
    ("1", "a1", "2024-03-15", "2024-05-01", "won", "2024-05-01"),
    # Won after the hundred days.
    ("2", "a2", "2024-04-01", "2024-07-01", "won", "2024-07-01"),
    # Lost before the list: a3 and c4 had a deal.
    ("3", "a3", "2023-02-01", "2023-03-01", "lost", "2023-03-01"),
    ("4", "c4", "2023-02-01", "2023-03-01", "lost", "2023-03-01"),
    ("5", "a4", "2024-03-10", "2024-04-10", "lost", "2024-04-10"),
    ("6", "p1", "2024-05-01", "2024-05-20", "won", "2024-05-20"),
    ("7", "c1", "2024-04-01", None, None, "2024-04-01"),
    ("7", "c1", "2024-04-01", "2024-04-20", "won", "2024-04-20"),
    # After the first hundred days, within the second.
    ("8", "c2", "2024-06-10", None, None, "2024-06-10"),
    ("9", "c4", "2024-05-01", "2024-05-30", "lost", "2024-05-30"),
    *((f"w-{name}", name, "2024-01-05", "2024-02-01", "won", "2024-02-01") for name in ("cu", "cu2")),
    *((f"o-{name}", name, "2024-02-15", None, None, "2024-02-15") for name in ("od", "od2")),
]
ACTIVITIES = [("c7", "2024-02-20"), ("a1", "2023-11-01")]
FIRST_DRAW = ["a1", "a2", "a3", "a4", "cu", "od", "nw", "r1", "x1"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        yield opened


@pytest.fixture
def followed(store: Store) -> int:
    """A list: r1 is taken off, p1 pinned, x1 kept off by a rule; then a refresh takes up late, and one e1."""
    number = new_list(store)
    drawn: dict[str, Any] = {"store": store, "list_id": number, "customers": ["x1"]}
    approved_at(**drawn, moment=FIRST, suggested=FIRST_DRAW, pinned=["p1"], dropped=["r1"])
    approved_at(**drawn, moment=SECOND, suggested=[*FIRST_DRAW, "late"], kind="refresh")
    approved_at(**drawn, moment=THIRD, suggested=[*FIRST_DRAW, "late", "e1"], kind="refresh")
    return number


@pytest.fixture
def tables() -> Tables:
    return tables_of(ACCOUNTS, DEALS, ACTIVITIES)


def group(**told: Any) -> Group:
    """left_out: by what they were, as far as anybody is."""
    left_out = {"unknown": 0, "customers": 0, "open_deals": 0} | told.pop("left_out", {})
    return Group(left_out=left_out, **told)


def test_every_account_is_in_its_group_with_what_became_of_it(
    tables: Tables, store: Store, followed: int
) -> None:
    found = outcomes(tables, store, list_id=followed)
    assert (found.moments, found.ripe_moments) == (3, 2)
    # a1 to a4 and late are ripe; a1 won, a2 too late, a4 lost; e1 has not had its days.
    assert found.groups["accepted"] == group(
        accounts=9,
        left_out={"unknown": 1, "customers": 1, "open_deals": 1},
        too_early=1,
        first_ripe_at=at(THIRD) + timedelta(days=100),
        ripe=5,
        opened=3,
        won=1,
        ended=2,
        ended_won=1,
    )
    assert found.groups["added"] == group(accounts=1, ripe=1, opened=1, won=1, ended=1, ended_won=1)
    assert found.groups["rejected"] == group(accounts=1, ripe=1)
    assert found.rejected_won.difference is not None
    assert found.rejected_won.difference.value == pytest.approx(1 / 5)


def test_everybody_else_is_comparable_or_left_out_for_a_reason(
    tables: Tables, store: Store, followed: int
) -> None:
    """Of 17 accounts known at the first moment 9 were on the list or named, of 18 at the second 11."""
    others = outcomes(tables, store, list_id=followed).comparable
    assert (others.accounts, others.on_lists) == (17 + 18, 9 + 11)
    # c1 was in the deal that it won when the second moment came.
    assert others.left_out == {"unknown": 0, "customers": 2, "open_deals": 1 + 2}
    # c1, c2, c3, c4, c7 and late at the first moment; at the second neither c1 nor late.
    assert others.ripe == 6 + 4
    # At both moments c4, which lost; c1 at the first; c2 at the second.
    assert (others.opened, others.won) == (4, 1)
    assert (others.ended, others.ended_won) == (3, 1)
    # late, which is not left out at the first moment for what came after it.
    assert others.taken_up_later == 1


def test_comparable_accounts_weigh_what_their_strata_weigh_among_the_accepted(
    tables: Tables, store: Store, followed: int
) -> None:
    matched = outcomes(tables, store, list_id=followed).matched
    assert matched.strata == ("moment", "industry", "country", "size", "activity", "deal")
    # a1 and a2 beside c1, c2, c3 and late; a3 beside c4; late, later, beside c2 and c3; a4 beside nobody.
    assert (matched.accepted, matched.matched, matched.alone) == (5, 4, 1)
    assert (matched.rows, matched.accounts) == (4 + 1 + 2, 5)
    # 1/8 each in the first stratum and in the third, 1/4 in the second: c2 and c3 weigh 1/4 in all.
    assert matched.effective == pytest.approx(1 / (2 / 8**2 + 3 / 4**2))
    assert matched.won.first == wilson(1 / 4, 4)
    assert matched.won.second == wilson(1 / 8, matched.effective)
    assert matched.won.difference is not None
    assert matched.won.difference.value == pytest.approx(1 / 8)
    assert matched.opened.first is not None
    assert matched.opened.second is not None
    assert (matched.opened.first.value, matched.opened.second.value) == (2 / 4, 1 / 8 + 1 / 4 + 1 / 8)
    assert matched.won.ratio is not None
    assert matched.won.ratio.value == pytest.approx(2)
    assert matched.won.verdict == "not_enough"
