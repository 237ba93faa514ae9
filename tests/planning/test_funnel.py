"""What became of accounts and deals in a span, counted by hand."""

from __future__ import annotations

from datetime import datetime

import pandas as pd

from features.funnel import Count, Funnel, count_funnel
from features.tables import Tables

SINCE, SPRING, UNTIL = map(datetime.fromisoformat, ("2024-01-01", "2024-04-01", "2025-01-01"))


def _tables(accounts: list[tuple[str, str]], deals: list[tuple[str, ...]]) -> Tables:
    """accounts: identifier, known since. deals: id, account, known_at, opened, closed, outcome, product."""
    columns = ("opportunity_id", "account_id", "known_at", "created_at", "closed_at", "outcome", "product")
    told = pd.DataFrame(deals, columns=columns).replace("", None)
    for name in ("known_at", "created_at", "closed_at"):
        told[name] = pd.to_datetime(told[name])
    known = pd.DataFrame(accounts, columns=("account_id", "known_at"))
    known["known_at"] = pd.to_datetime(known["known_at"])
    return Tables.from_frames({"accounts": known, "opportunities": told})


ACCOUNTS = [(name, "2020-01-01") for name in "abcdef"] + [("late", "2024-06-01")]
DEALS = [
    # a opens a deal in the span and wins it.
    ("1", "a", "2024-02-01", "2024-02-01", "", "", "core"),
    ("1", "a", "2024-03-01", "2024-02-01", "2024-03-01", "won", "core"),
    # b was a customer before.
    ("2", "b", "2023-03-01", "2023-02-01", "2023-03-01", "won", "core"),
    # c was in a deal when the span began, and lost it in the span.
    ("3", "c", "2023-12-01", "2023-12-01", "", "", "core"),
    ("3", "c", "2024-05-01", "2023-12-01", "2024-05-01", "lost", "core"),
    # d lost one before, and opened another one, which is open.
    ("4", "d", "2023-05-01", "2023-02-01", "2023-05-01", "lost", "core"),
    ("5", "d", "2024-07-01", "2024-07-01", "", "", "plus"),
    # e opened one after the span; late was not known when it began.
    ("6", "e", "2025-02-01", "2025-02-01", "", "", "core"),
    ("7", "late", "2024-08-01", "2024-08-01", "", "", "core"),
]


def test_what_a_span_brought() -> None:
    found = count_funnel(_tables(ACCOUNTS, DEALS), since=SINCE, until=UNTIL)
    # Free when it began: a, d, e, f. Of these a and d opened a deal. Closed in it: 1 (won) and 3 (lost).
    assert found == Funnel(opened=Count(2, 4), won=Count(1, 2))


def test_owners_of_another_product_can_be_won() -> None:
    found = count_funnel(_tables(ACCOUNTS, DEALS), since=SINCE, until=UNTIL, product="plus")
    # Nobody had anything to do with plus: all six were free, and d opened a deal.
    assert found == Funnel(opened=Count(1, 6), won=Count(0, 0))


def test_what_became_known_later_does_not_count() -> None:
    found = count_funnel(_tables(ACCOUNTS, DEALS), since=SINCE, until=SPRING)
    assert found == Funnel(opened=Count(1, 4), won=Count(1, 1))
    told_late = [("8", "f", "2025-06-01", "2024-03-01", "", "", "core")]
    assert count_funnel(_tables(ACCOUNTS, DEALS + told_late), since=SINCE, until=UNTIL).opened == Count(2, 4)
