"""How a ranking looks in a terminal."""

from __future__ import annotations

from io import StringIO

import pandas as pd
import pytest
from rich.console import Console

from training.console import Output
from training.present import ranking_document, show_ranking

MIDNIGHT, LATER = pd.Timestamp("2026-03-15"), pd.Timestamp("2026-03-15T09:00:01")


def ranking(*moments: pd.Timestamp) -> pd.DataFrame:
    """One account per moment, the last without intent."""
    rows = [
        {
            "account_id": f"acc-{number}",
            "domain": None,
            "as_of": moment,
            "fit_probability": 0.25,
            "fit_score": 90.0,
            "fit_grade": "A",
            "intent_probability": None if number == len(moments) - 1 else 0.125,
            "intent_score": None,
            "intent_grade": None,
            "priority": "nurture",
        }
        for number, moment in enumerate(moments)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("moments", "title"),
    [
        ([MIDNIGHT] * 3, "The 2 most promising of 3 accounts, as of 2026-03-15T00:00:00Z ┏"),
        (
            [LATER, MIDNIGHT],
            "of 2 accounts, as of 2026-03-15T00:00:00Z; 1 with newer facts just after their newest",
        ),
    ],
)
def test_the_title_says_as_of_when(moments: list[pd.Timestamp], title: str) -> None:
    output, page = Output(as_json=False), StringIO()
    output.people = Console(width=150, file=page)
    show_ranking(ranking(*moments), output=output, top=2)
    # A title is as wide as its table.
    assert title in " ".join(page.getvalue().split())
    assert "acc-0" in page.getvalue()


def test_a_ranking_as_json_has_each_account_s_moment_and_null_for_what_is_not_there() -> None:
    first, last = ranking_document(ranking(LATER, MIDNIGHT))
    assert (first["as_of"], last["as_of"]) == ("2026-03-15T09:00:01Z", "2026-03-15T00:00:00Z")
    assert (first["intent_probability"], last["intent_probability"]) == (0.125, None)
