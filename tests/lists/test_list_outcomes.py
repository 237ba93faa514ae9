"""What became of the accounts of a list, beside comparable ones: every count by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from followed_lists import approved_at, at, new_list, outcomes, tables_of

from features.origins import OriginRules
from features.tables import Tables
from models.list_outcomes import wilson
from serving.lists.deciding import move_state
from serving.lists.outcomes import Group, outcomes_of
from serving.store import Store, lists
from serving.store.list_outcomes import read_lists
from serving.store.lists import ListStateError, UnknownListError

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
    """Of 17 accounts known at the first moment 8 were on the list or rejected, of 18 at the second 10. x1 was
    neither: a rule had kept it off."""
    others = outcomes(tables, store, list_id=followed).comparable
    assert (others.accounts, others.on_lists) == (17 + 18, 8 + 10)
    # c1 was in the deal that it won when the second moment came.
    assert others.left_out == {"unknown": 0, "customers": 2, "open_deals": 1 + 2}
    # c1, c2, c3, c4, c7, late and x1 at the first moment; at the second neither c1 nor late.
    assert others.ripe == 7 + 5
    # At both moments c4, which lost; c1 at the first; c2 at the second.
    assert (others.opened, others.won) == (4, 1)
    assert (others.ended, others.ended_won) == (3, 1)
    # late, which is not left out at the first moment for what came after it.
    assert others.taken_up_later == 1


def test_comparable_accounts_weigh_what_their_strata_weigh_among_the_accepted(
    tables: Tables, store: Store, followed: int
) -> None:
    matched = outcomes(tables, store, list_id=followed).matched
    assert matched.strata == ("moment", "worked", "industry", "country", "size", "activity", "deal")
    # a1 and a2 beside c1, c2, c3, late, x1; a3 beside c4; late, later, beside c2, c3, x1; a4 beside none.
    assert (matched.accepted, matched.matched, matched.alone) == (5, 4, 1)
    assert (matched.rows, matched.accounts) == (5 + 1 + 3, 6)
    # 1/10 each in the first stratum, 1/12 in the third, 1/4 in the second: c2, c3 and x1 weigh 11/60 in all.
    assert matched.effective == pytest.approx(1 / (2 / 10**2 + 3 * (11 / 60) ** 2 + 1 / 4**2))
    assert matched.won.first == wilson(1 / 4, 4)
    assert matched.won.second is not None
    assert vars(matched.won.second) == pytest.approx(vars(wilson(1 / 10, matched.effective)))
    assert matched.won.difference is not None
    assert matched.won.difference.value == pytest.approx(1 / 4 - 1 / 10)
    assert matched.opened.first is not None
    assert matched.opened.second is not None
    assert matched.opened.first.value == 2 / 4
    assert matched.opened.second.value == pytest.approx(1 / 10 + 1 / 4 + 1 / 12)
    # So few tell of no ratio.
    assert (matched.won.ratio, matched.won.verdict) == (None, "not_enough")


@pytest.fixture
def once(store: Store) -> int:
    """A list that was approved once."""
    number = new_list(store)
    approved_at(store, number, FIRST, suggested=["a1", "a2", "a3", "r1"], dropped=["r1"])
    return number


def test_what_becomes_known_at_the_moment_or_later_changes_no_stratum(store: Store, once: int) -> None:
    plain = outcomes(tables_of(ACCOUNTS, DEALS, ACTIVITIES), store, list_id=once)
    later = [
        # Facts and activities of the moment itself, and deals of before that nobody knew of.
        *((name, FIRST, "banking", "US", 9_000) for name in ("a1", "c1", "c4")),
        ("new", FIRST, "software", "DE", 50),
    ]
    told_late = [
        ("l1", "c3", "2023-05-01", "2023-06-01", "won", FIRST),
        ("l2", "a1", "2023-05-01", "2023-06-01", "lost", "2024-04-01"),
        ("l3", "c2", "2024-02-01", None, None, FIRST),
    ]
    active = [("c3", FIRST), ("a2", "2024-03-05")]
    found = outcomes(
        tables_of([*ACCOUNTS, *later], [*DEALS, *told_late], [*ACTIVITIES, *active]), store, list_id=once
    )
    assert found == plain
    # A second before, each of them does.
    before = "2024-03-01T11:59:59"
    early = [(*one[:-1], before) if one[-1] == FIRST else one for one in told_late]
    assert outcomes(tables_of(ACCOUNTS, [*DEALS, *early]), store, list_id=once) != plain


def test_what_comes_after_the_window_counts_nothing(store: Store, once: int) -> None:
    plain = outcomes(tables_of(ACCOUNTS, DEALS), store, list_id=once)
    end = "2024-06-09T12:00:00"
    at_its_end = [
        ("n1", "a3", end, end, "won", end),
        ("n2", "c3", end, None, None, end),
        # Opened within it, and won when it was over.
        ("n3", "r1", "2024-06-01", end, "won", end),
    ]
    found = outcomes(tables_of(ACCOUNTS, [*DEALS, *at_its_end]), store, list_id=once)
    assert found.groups["accepted"] == plain.groups["accepted"]
    assert found.comparable == plain.comparable
    assert found.groups["rejected"] == group(accounts=1, ripe=1, opened=1)
    # A second earlier all of them count.
    inside = [tuple("2024-06-09T11:59:59" if each == end else each for each in one) for one in at_its_end]
    found = outcomes(tables_of(ACCOUNTS, [*DEALS, *inside]), store, list_id=once)
    assert found.groups["accepted"].won == plain.groups["accepted"].won + 1
    assert found.comparable.opened == plain.comparable.opened + 1
    assert found.groups["rejected"] == group(accounts=1, ripe=1, opened=1, won=1, ended=1, ended_won=1)


def test_what_nobody_approved_changes_nobody_elses_outcomes(store: Store, once: int) -> None:
    """Drafts and proposals come and go, and with them the past would change."""
    plain = outcomes(tables_of(ACCOUNTS), store, list_id=once)
    draft = new_list(store, "draft")
    approved_at(store, draft, FIRST, suggested=["c3", "c2"], draft=True)
    assert outcomes(tables_of(ACCOUNTS), store, list_id=once) == plain
    approved_at(store, draft, SECOND, suggested=["c3"], kind="rebuild")
    assert outcomes(tables_of(ACCOUNTS), store, list_id=draft).groups["accepted"].accounts == 1


def test_what_comes_at_the_moment_counts(store: Store, once: int) -> None:
    """Nobody was in that deal before it, and the account that another list takes up then is on it later."""
    deal = ("m", "a3", FIRST, "2024-04-01", "won", "2024-04-01")
    early = ("m", "a3", "2024-03-01T11:59:59", "2024-04-01", "won", "2024-04-01")
    found = [outcomes(tables_of(ACCOUNTS, [one]), store, list_id=once) for one in (deal, early)]
    assert [one.groups["accepted"].won for one in found] == [1, 0]
    # One that was planned before was none yet.
    planned = ("p", "a3", "2024-04-01", None, None, "2024-02-01")
    assert outcomes(tables_of(ACCOUNTS, [planned]), store, list_id=once).groups["accepted"].opened == 1
    for number, moment in enumerate(("2024-06-09T11:59:59", "2024-06-09T12:00:00"), start=1):
        approved_at(store, new_list(store, f"later {number}"), moment, suggested=[f"c{number}"])
    told = outcomes(tables_of(ACCOUNTS), store, list_id=once)
    # c1 within the hundred days, c2 when they were over.
    assert told.comparable.taken_up_later == 1


def test_a_deal_that_nobody_dates_ended_when_that_became_known(store: Store, once: int) -> None:
    deal = ("d", "a3", "2024-04-01", None)
    known = [(*deal, "won", "2024-05-01"), (*deal, "won", "2024-11-01")]
    assert outcomes(tables_of(ACCOUNTS, known), store, list_id=once).groups["accepted"].won == 1
    later = [(*deal, None, "2024-05-01"), (*deal, "won", "2024-11-01")]
    assert outcomes(tables_of(ACCOUNTS, later), store, list_id=once).groups["accepted"].won == 0


@pytest.mark.parametrize(
    "told",
    [
        {"traffic": "bot"},
        {"quantity": 0},
        {"withdrawn_at": pd.Timestamp("2024-02-28")},
        {"occurred_at": pd.Timestamp("2023-12-02T11:59:59")},
        # Somebody who has opted out since, and may not be followed any more.
        {"contact_id": "somebody"},
    ],
    ids=lambda told: next(iter(told)),
)
def test_what_is_no_activity_makes_nobody_active(store: Store, once: int, told: dict[str, Any]) -> None:
    """c3 is alike to a1 and a2 while it did nothing, and not once it did."""
    idle = outcomes(tables_of(ACCOUNTS, DEALS), store, list_id=once).matched
    tables = tables_of(ACCOUNTS, DEALS, [("c3", "2023-12-02T12:00:00")])
    assert outcomes(tables, store, list_id=once).matched.rows == idle.rows - 1
    frames = {name: tables.read(name) for name in tables.sources}
    frames["activities"] = frames["activities"].assign(**told)
    opted_out = {"opted_out_at": [pd.Timestamp("2024-02-25")], "known_at": [pd.Timestamp("2024-02-25")]}
    frames["contacts"] = pd.DataFrame({"contact_id": ["somebody"], "account_id": ["c3"], **opted_out})
    assert outcomes(Tables.from_frames(frames), store, list_id=once).matched == idle


def test_whom_sales_works_is_not_compared_with_a_universe_that_nobody_works(store: Store) -> None:
    """c1 came from a register alone until the CRM told of it, a second before the other list's moment."""
    accounts = [(name, *_SOFTWARE) for name in ("a1", "c1", "c2", "b1")]
    tables = tables_of(accounts)
    register = {"a1": "crm", "c1": "register", "c2": "crm", "b1": "register"}
    told = tables.read("accounts").assign(compared=True)
    told["origin"] = told.account_id.map(register)
    later = told[told.account_id == "c1"].assign(origin="crm", known_at=pd.Timestamp("2024-04-15T11:59:59"))
    rules = OriginRules({"s-1": "crm", "s-2": "register"})
    rows = pa.Table.from_pandas(pd.concat([told, later]), preserve_index=False)
    tables = replace(tables, origins=rules, told=rows)
    number, other = new_list(store, "worked"), new_list(store, "later")
    approved_at(store, number, FIRST, suggested=["a1"])
    found = outcomes(tables, store, list_id=number)
    # c2 alone, and not c1 nor b1.
    assert (found.matched.matched, found.matched.rows) == (1, 1)
    approved_at(store, other, SECOND, suggested=["c2"])
    found = outcomes(tables, store, list_id=other)
    assert (found.matched.matched, found.matched.rows) == (1, 1)


def test_a_list_of_a_product_asks_for_deals_of_it_alone(store: Store) -> None:
    number = new_list(store, rules={"product": "crm"})
    approved_at(store, number, FIRST, suggested=["a1", "a2", "a3"])
    deals = [
        # a1 is a customer of another line, a2 of this one; c2 is in a deal of another line.
        ("1", "a1", "2023-01-01", "2023-02-01", "won", "2023-02-01", "erp"),
        ("2", "a2", "2023-01-01", "2023-02-01", "won", "2023-02-01", "crm"),
        ("3", "c2", "2024-02-01", None, None, "2024-02-01", "erp"),
        ("4", "a1", "2024-04-01", "2024-05-01", "won", "2024-05-01", "crm"),
        ("5", "a3", "2024-04-01", "2024-05-01", "won", "2024-05-01", "erp"),
        ("6", "c2", "2024-04-01", "2024-05-01", "won", "2024-05-01", None),
    ]
    found = outcomes(tables_of(ACCOUNTS, deals), store, list_id=number)
    told = group(accounts=3, left_out={"customers": 1}, ripe=2, opened=1, won=1, ended=1, ended_won=1)
    assert found.groups["accepted"] == told
    assert (found.comparable.left_out["open_deals"], found.comparable.won) == (0, 0)
    # A deal of another line is one all the same: a1 is beside c2 alone; a3 beside all other 12 of software.
    assert (found.matched.matched, found.matched.rows) == (2, 1 + 12)
    assert found.matched.effective == pytest.approx(1 / (1 / 2**2 + 12 / 24**2))


def test_another_product_counts_from_its_redraw_on(store: Store) -> None:
    number = new_list(store, rules={"product": "crm"})
    approved_at(store, number, FIRST, suggested=["a1"])
    approved_at(
        store, number, SECOND, suggested=["a1", "a2"], kind="redraw", given={"rules": {"product": "erp"}}
    )
    with store.reading() as connection:
        told = read_lists(connection).versions.to_pylist()
    assert [(one["number"], one["product"]) for one in told] == [(1, "crm"), (2, "erp")]


def test_an_account_counts_once_and_from_its_first_time(store: Store, tables: Tables) -> None:
    """Over two lists, and over the versions of one."""
    first, other = new_list(store, "first"), new_list(store, "other")
    approved_at(store, first, FIRST, suggested=["a1", "r1"], pinned=["p1"], dropped=["r1"])
    # p1 was worked before the machine named it; r1 was rejected before the other list took it up.
    approved_at(store, other, SECOND, suggested=["a1", "a2", "p1", "r1"])
    alone = outcomes(tables, store, list_id=other)
    assert {name: one.accounts for name, one in alone.groups.items()} == {
        "accepted": 4,
        "added": 0,
        "rejected": 0,
    }
    both = outcomes(tables, store, list_id=None)
    assert {name: one.accounts for name, one in both.groups.items()} == {
        "accepted": 3,
        "added": 1,
        "rejected": 1,
    }
    assert both.groups["rejected"].taken_up_later == 1
    assert both.moments == 2
    # As of a moment before the second approval there was the first list alone.
    early = outcomes(tables, store, list_id=None, now="2024-04-01", until="2024-04-01")
    assert {name: one.accounts for name, one in early.groups.items()} == {
        "accepted": 1,
        "added": 1,
        "rejected": 1,
    }
    assert early.groups["accepted"].first_ripe_at == at(FIRST) + timedelta(days=100)


def test_whom_people_took_off_stays_rejected_when_the_list_is_drawn_anew(
    store: Store, tables: Tables
) -> None:
    number = new_list(store)
    approved_at(store, number, FIRST, suggested=["a1"])
    # Taken off while the draft was there, which is then drawn again: the machine says no more of it.
    approved_at(store, number, SECOND, suggested=["a1", "r1"], dropped=["r1"], kind="refresh")
    approved_at(store, number, THIRD, suggested=["a1", "r1", "e1"], kind="refresh")
    found = outcomes(tables, store, list_id=number)
    assert found.groups["rejected"] == group(accounts=1, ripe=1)
    assert found.groups["accepted"].accounts == 2


def test_accounts_that_became_one_count_as_the_one(store: Store, tmp_path: Path) -> None:
    number = new_list(store)
    approved_at(store, number, FIRST, suggested=["old", "new", "a1"], dropped=["new"])
    merged = tmp_path / "identity.parquet"
    names = {"account_id": ["old"], "identity": ["new"], "place": [1], "rule": ["domain"], "score": [1.0]}
    pd.DataFrame(names).to_parquet(merged)
    accounts = [(name, *_SOFTWARE) for name in ("old", "new", "a1", "c1")]
    deals = [("1", "old", "2024-04-01", "2024-05-01", "won", "2024-05-01")]
    found = outcomes(replace(tables_of(accounts, deals), merged=merged), store, list_id=number)
    # On the list by one of its names, and known by the other: accepted once, with the deal of both.
    assert found.groups["accepted"] == group(accounts=2, ripe=2, opened=1, won=1, ended=1, ended_won=1)
    assert found.groups["rejected"].accounts == 0
    assert (found.comparable.accounts, found.comparable.on_lists) == (3, 2)


def test_an_archived_list_answers_and_one_that_was_never_approved_does_not(
    store: Store, tables: Tables, once: int
) -> None:
    asked: dict[str, Any] = {"days": 100, "now": at("2024-12-01")}
    before = outcomes_of(tables, store, list_id=once, **asked)
    with store.writing() as connection:
        seen = lists.find(connection, list_id=once).revision
        move_state(connection, list_id=once, action="archive", seen=seen, who="Ann", now=at(THIRD))
    assert outcomes_of(tables, store, list_id=once, **asked) == before
    with pytest.raises(ListStateError, match="no version of the list was approved yet"):
        outcomes_of(tables, store, list_id=new_list(store, "draft"), **asked)
    with pytest.raises(UnknownListError):
        outcomes_of(tables, store, list_id=99, **asked)


def test_what_the_data_do_not_reach_is_too_early(store: Store, once: int) -> None:
    """The window ends at 2024-06-09T12:00: deals known through the second before tell of all of it, whatever
    activities are known after."""
    asked: dict[str, Any] = {"list_id": once, "days": 100, "now": at("2024-12-01")}

    def known_through(moment: str) -> Tables:
        accounts = [(name, *_SOFTWARE) for name in ("a1", "a2", "a3", "c1")]
        deals = [("1", "c1", "2024-06-01", None, None, moment)]
        return tables_of(accounts, deals, [("a1", "2024-11-01")])

    found = outcomes_of(known_through("2024-06-09T11:59:58"), store, **asked)
    assert (found.groups["accepted"].too_early, found.groups["accepted"].ripe) == (3, 0)
    assert (found.comparable.accounts, found.matched.accepted) == (0, 0)
    found = outcomes_of(known_through("2024-06-09T11:59:59"), store, **asked)
    assert (found.groups["accepted"].too_early, found.groups["accepted"].ripe) == (0, 3)
