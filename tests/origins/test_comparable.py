"""When a column counts as comparable between origins: by hand, and by what chance alone would do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made_origins import AS_OF, KNOWN, RULES, as_tables
from scipy.stats import fisher_exact

from features.comparable import compare_origins, emptier, known_words
from features.origins import EMPTY_ELSEWHERE, OTHER_VALUES, Comparison


def compared(crm: dict[str, list[object]], universe: dict[str, list[object]]) -> Comparison:
    """The comparison of accounts with these cells."""
    parts = [
        pd.DataFrame(cells).assign(origin=origin) for origin, cells in (("crm", crm), ("universe", universe))
    ]
    frame = pd.concat(parts, ignore_index=True).astype(object)
    frame = frame.where(frame.notna(), None)
    frame["account_id"], frame["known_at"] = [f"a{n}" for n in range(len(frame))], KNOWN
    tables = as_tables(frame)
    with tables.connect() as connection:
        return compare_origins(connection, rules=RULES, attributes=tables.attributes, before=AS_OF)


def words(**counts: int) -> list[object]:
    return [word for word, count in counts.items() for _ in range(count)]


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ((0, 300), (280, 400), True),
        ((20, 300), (280, 400), True),
        # A tenth as often, and one more.
        ((21, 300), (280, 400), True),
        ((22, 300), (280, 400), False),
        # Nobody of five has what one of twenty has: that is no wonder.
        ((0, 5), (20, 400), False),
        # Nobody of twenty has what four of five have: that is.
        ((0, 20), (320, 400), True),
        ((0, 20), (0, 400), False),
        ((0, 0), (400, 400), False),
    ],
)
def test_hardly_ever_filled(one: tuple[int, int], other: tuple[int, int], found: bool) -> None:
    assert emptier(one, other, ratio=0.1) is found


@pytest.mark.parametrize("few", [0, 1, 2, 3])
@pytest.mark.parametrize("among", [30, 60])
def test_chance_is_what_fishers_exact_test_says(few: int, among: int) -> None:
    table = [[few, among - few], [20, 20]]
    surely = fisher_exact(table, alternative="less").pvalue < 0.01
    assert emptier((few, among), (20, 40), ratio=1.0) is bool(surely)


def test_known_words_count_rows_not_words() -> None:
    assert known_words(np.array([90, 10, 0]), np.array([1, 0, 5])) == 0.9
    assert known_words(np.array([0, 0]), np.array([1, 1])) == 0.0


@pytest.mark.parametrize(
    ("crm", "universe", "reason"),
    [
        (words(Software=60, Retail=40), words(Software=10, Retail=90), ""),
        (words(Software=60, Retail=40), words(c6201=70, c4711=130), OTHER_VALUES),
        # A CRM of one country, a register of all: the words are the same.
        (words(DE=100), words(DE=5, FR=100, US=95), ""),
        # "Other" is the only word that both have.
        (words(Software=60, Other=40), words(c6201=160, Other=40), OTHER_VALUES),
        (words(Software=45, Other=55), words(c6201=160, Other=40), ""),
        # Too few to tell words of one's own from rare ones.
        (words(Software=1), words(c6201=1, c4711=1, c3511=1), ""),
        # A word for each: nothing repeats, within an origin or across.
        ([f"x{n}" for n in range(100)], [f"y{n}" for n in range(100)], ""),
        ([None] * 100, words(Software=100), EMPTY_ELSEWHERE),
        ([None] * 100, [None] * 100, ""),
    ],
)
def test_words_of_one_origin_alone(crm: list[object], universe: list[object], reason: str) -> None:
    found = compared({"industry": crm}, {"industry": universe})
    column = next(column for column in found.columns if column.name == "industry")
    assert column.reason == reason


def test_origins_that_draw_from_one_distribution_are_hardly_ever_marked() -> None:
    """Of 40 pairs of samples from a long-tailed vocabulary, at 1 % a test, more than three in 10,000 runs."""
    generator = np.random.default_rng(3)
    vocabulary = np.array([f"w{n}" for n in range(200)])
    weight = 1.0 / np.arange(1, 201)
    marked = 0
    for _ in range(40):
        drawn = [
            generator.choice(vocabulary, size=size, p=weight / weight.sum()).astype(object).tolist()
            for size in (30, 200)
        ]
        marked += bool(compared({"industry": drawn[0]}, {"industry": drawn[1]}).not_comparable)
    assert marked <= 3


def test_the_latest_value_before_the_moment_counts() -> None:
    frame = pd.DataFrame(
        {
            "account_id": [f"a{n}" for n in range(80)] * 2,
            "origin": (["crm"] * 40 + ["universe"] * 40) * 2,
            "industry": words(Software=80) + words(Software=40, c6201=40),
            "known_at": [KNOWN] * 80 + [pd.Timestamp("2023-06-01")] * 80,
        }
    )
    tables = as_tables(frame)
    moments = [pd.Timestamp(text).to_pydatetime() for text in ("2023-06-01", "2023-06-02")]
    with tables.connect() as connection:
        early, late = (
            compare_origins(connection, rules=RULES, attributes=tables.attributes, before=moment)
            for moment in moments
        )
    assert early.not_comparable == {}
    assert late.not_comparable == {"industry": OTHER_VALUES}
