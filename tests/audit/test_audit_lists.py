"""Lists without dates: what blocks is named with its reason, and honest columns are left in peace."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_lists import ROWS, filled, leads

from features.errors import ContractError, NotEnoughDataError
from training.audit.columns import raw_table
from training.audit.finding import Audit, Finding
from training.audit.running import audit_table

HONEST = leads()


def audit(frame: pd.DataFrame) -> Audit:
    return audit_table(raw_table(frame, outcome="won"))


def found(frame: pd.DataFrame, column: str) -> dict[str, Finding]:
    """What is said of one column, by kind; nothing else may block."""
    audited = audit(frame)
    assert {finding.column for finding in audited.blocking} <= {column}
    return {finding.kind: finding for finding in audited.findings if finding.column == column}


@pytest.mark.parametrize("seed", range(4))
def test_honest_columns_block_nothing(seed: int) -> None:
    audited = audit(leads(seed))
    assert not audited.blocks
    assert [finding.column for finding in audited.findings if finding.column] == []


def numbers(
    frame: pd.DataFrame, *, start: int = 0, step: int = 1
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return start + step * np.random.default_rng(3).permutation(len(frame))


@pytest.mark.parametrize(
    ("column", "told"),
    [
        ([f"lead-{number}" for number in range(ROWS)], "3,000 different words in 3,000 filled rows"),
        (numbers(HONEST), r"about 1,500 pairs of equal ones \(got 0\); its order does not follow"),
        (numbers(HONEST, start=579_000, step=9), r"about 167 pairs of equal ones \(got 0\)"),
        (np.arange(ROWS) * 10**7, r"in the order of the rows \(rank correlation 1.000\)"),
        (
            HONEST["won"].rank(method="first", ascending=False).astype(int),
            r"its order follows the outcome \(ROC AUC 0.000",
        ),
        (pd.date_range("2024-01-01", periods=ROWS, freq="h").astype(str), "in the order of the rows"),
    ],
)
def test_identifiers_are_named(column: Any, told: str) -> None:
    finding = found(HONEST.assign(key=column), "key")["identifier"]
    assert finding.severity == "blocks"
    assert pd.Series([finding.why]).str.contains(told).all(), finding.why


def test_measurements_that_hardly_repeat_are_no_identifiers() -> None:
    spread = np.random.default_rng(5).integers(0, 10**9, ROWS)
    assert found(HONEST.assign(amount=spread), "amount") == {}


def test_words_of_single_rows_are_a_warning() -> None:
    names = [f"company {number // 2 if number < 2_400 else number}" for number in range(ROWS)]
    assert found(HONEST.assign(company=names), "company")["identifier"].severity == "warns"


@pytest.mark.parametrize(
    ("column", "kinds"),
    [
        (np.where(HONEST["won"] == 1, "yes", "no"), {"ranks_too_well", "one_class", "current_value_only"}),
        (
            HONEST["won"] + np.random.default_rng(0).normal(0, 0.2, ROWS),
            {"ranks_too_well", "current_value_only"},
        ),
        (filled(HONEST, won=0.3, lost=0.0), {"one_class", "current_value_only"}),
        (filled(HONEST, won=1.0, lost=0.9), {"one_class", "current_value_only"}),
        (filled(HONEST, won=0.8, lost=0.4), {"current_value_only"}),
    ],
)
def test_what_knows_the_outcome_blocks(column: Any, kinds: set[str]) -> None:
    told = found(HONEST.assign(late=column), "late")
    assert {kind for kind, finding in told.items() if finding.severity == "blocks"} == kinds


def test_a_value_of_one_class_is_told_with_its_count_and_interval() -> None:
    late = np.where((HONEST["won"] == 1) & (HONEST.index < 200), "signed", "open")
    cases = int((late == "signed").sum())
    finding = found(HONEST.assign(late=late), "late")["one_class"]
    assert f"'signed' comes with the event and never without it in all {cases} cases" in finding.why
    assert finding.figures["low"] == pytest.approx(0.025 ** (1 / cases))


def test_a_value_that_chance_makes_pure_is_not_named() -> None:
    rare = np.where(HONEST.index.isin(np.flatnonzero(HONEST["won"] == 1)[:6]), "rare", "usual")
    assert found(HONEST.assign(late=rare), "late") == {}


def test_emptiness_that_what_is_known_explains_is_honest() -> None:
    """Of the empty ones 27 % won, of the others 45 %: all of it by the source, which is known."""
    rates = HONEST.groupby(HONEST["segment"] == "")["won"].mean()
    assert rates[False] - rates[True] > 0.1
    assert found(HONEST, "segment") == {}


def test_emptiness_that_repeats_that_of_a_blocked_column_is_explained_by_it() -> None:
    late = filled(HONEST, won=0.9, lost=0.4)
    generator = np.random.default_rng(2)
    empty = (late == "") & (generator.random(ROWS) < 0.4)
    frame = HONEST.assign(beside=np.where(empty, "", generator.choice(["p", "q"], ROWS)))
    assert found(frame, "beside")["current_value_only"].severity == "blocks"
    assert set(found(frame.assign(late=late), "late")) == {"current_value_only"}


def test_what_is_filled_with_a_blocked_column_blocks_with_it() -> None:
    late = pd.Series(filled(HONEST, won=0.8, lost=0.3))
    twin = np.where(late == "", "", np.random.default_rng(8).choice(["p", "q"], ROWS))
    told = {one.column: one.why for one in audit(HONEST.assign(late=late, twin=twin)).blocking}
    assert set(told) == {"late", "twin"}


@pytest.mark.parametrize(
    ("words", "blocks"),
    [(("E-mail opened", "SMS sent", "已打开"), True), (("opener", "consent", "wonder"), False)],
)
def test_a_full_column_is_doubtful_only_when_its_words_name_events(
    words: tuple[str, ...], blocks: bool
) -> None:
    generator = np.random.default_rng(6)
    often = np.where(HONEST["won"] == 1, 0.8, 0.3)
    last = np.where(generator.random(ROWS) < often, words[0], generator.choice(words[1:], ROWS))
    assert ("current_value_only" in found(HONEST.assign(last=last), "last")) is blocks


def test_equal_rows_are_a_warning_with_their_count() -> None:
    twice = pd.concat([HONEST, HONEST.head(40)])
    overlap = [finding for finding in audit(twice).findings if finding.kind == "overlap"]
    assert [(finding.severity, finding.figures["rows"]) for finding in overlap] == [("warns", 80)]


def test_an_outcome_that_tells_nothing_blocks_nothing() -> None:
    frame = HONEST.assign(late=filled(HONEST, won=0.8, lost=0.3))
    shuffled = frame.assign(won=np.random.default_rng(9).permutation(frame["won"]))
    assert not audit(shuffled).blocks


@pytest.mark.parametrize(
    ("frame", "error", "told"),
    [
        (HONEST.rename(columns={"won": "win"}), ContractError, r"no column 'won'.*did you mean 'win'"),
        (HONEST.assign(won=0), NotEnoughDataError, r"one class only \(got 0 of 3000"),
        (HONEST.assign(won=""), NotEnoughDataError, r"one class only \(got 0 of 0"),
        (HONEST.assign(won=HONEST["won"].map({0: "lost", 1: "gewonnen"})), NotEnoughDataError, "'gewonnen'"),
    ],
)
def test_an_outcome_that_cannot_be_read_is_refused(
    frame: pd.DataFrame, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        audit(frame)


@pytest.mark.parametrize("frame", [HONEST.head(30), HONEST[["won"]], HONEST.assign(nothing="", same="x")])
def test_short_lists_and_empty_columns_are_handled(frame: pd.DataFrame) -> None:
    assert not audit(frame).blocks


def test_an_audit_is_what_its_json_says() -> None:
    audited = audit(HONEST.assign(late=filled(HONEST, won=0.8, lost=0.3)))
    assert Audit.from_json(audited.to_json()).to_json() == audited.to_json()
    assert "late" in audited.sentence


def test_too_few_of_one_class_are_said_not_to_be_looked_at() -> None:
    won = HONEST["won"].astype(bool)
    few = pd.concat([HONEST[~won], HONEST[won].head(39)])
    assert audit(few).checked["current_value_only"] == "not looked at: 39 rows of the rarer class, 40 needed"


def test_addresses_are_no_part_of_what_is_said() -> None:
    with pytest.raises(NotEnoughDataError) as raised:
        raw_table(pd.DataFrame({"mail": ["ann@x.example", "bob@x.example"]}), outcome="mail")
    assert "@" not in str(raised.value)
    assert "[address]" in str(raised.value)
