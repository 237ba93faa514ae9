"""Reasons: strongest first, every idea once, nothing lost."""

from __future__ import annotations

import math

import numpy as np
import pytest
from small_world import LEVELS, Matrix, feature

from features.catalogue import Catalogue
from models.explanation import Reason, reasons


def names(side: tuple[Reason, ...]) -> list[str]:
    return [reason.feature for reason in side]


def plain(count: int) -> Catalogue:
    return Catalogue(tuple(feature(f"trait_{position:02}") for position in range(count)))


def test_five_a_side_and_the_rest_in_other() -> None:
    contributions = np.array([0.1, -0.2, 0.3, -0.4, 0.5, 0.6, 0.7, 0.8, 0.0])
    supporting, opposing, other = reasons(np.zeros(9), contributions=contributions, catalogue=plain(9))
    assert names(supporting) == ["trait_07", "trait_06", "trait_05", "trait_04", "trait_02"]
    assert names(opposing) == ["trait_03", "trait_01"]
    assert other == 0.1


def test_equal_contributions_are_ordered_by_name() -> None:
    catalogue = Catalogue((feature("b"), feature("c"), feature("a")))
    supporting, _, _ = reasons(np.zeros(3), contributions=np.array([0.2, 0.2, 0.2]), catalogue=catalogue)
    assert names(supporting) == ["a", "b", "c"]


def test_the_windows_of_an_idea_are_one_reason_told_by_the_strongest() -> None:
    windows = Catalogue(
        (*(feature(f"visits_{days}d", idea="visits") for days in (7, 30, 90)), feature("size"))
    )
    contributions = np.array([0.25, 0.5, -0.25, -0.125])
    supporting, opposing, other = reasons(np.zeros(4), contributions=contributions, catalogue=windows)
    assert [(reason.feature, reason.contribution) for reason in supporting] == [("visits_30d", 0.5)]
    assert [(reason.feature, reason.contribution) for reason in opposing] == [("size", -0.125)]
    assert other == 0.0


def test_the_speaker_of_an_idea_is_on_the_side_of_its_sum() -> None:
    windows = Catalogue(tuple(feature(f"visits_{days}d", idea="visits") for days in (7, 30, 90)))
    contributions = np.array([0.5, -0.375, -0.375])
    supporting, opposing, _ = reasons(np.zeros(3), contributions=contributions, catalogue=windows)
    assert supporting == ()
    assert [(reason.feature, reason.contribution) for reason in opposing] == [("visits_30d", -0.25)]


def test_contributions_of_zero_are_no_reasons() -> None:
    assert reasons(np.zeros(3), contributions=np.zeros(3), catalogue=plain(3)) == ((), (), 0.0)


@pytest.mark.parametrize(
    ("row", "value", "sentence", "sentence_zh"),
    [
        (np.array([1.0]), "software", "industry is software", "industry为software"),
        (np.array([3.0]), "__other__", "industry is another one", "industry为其他"),
        (np.array([math.nan]), None, "industry is unknown", "industry未知"),
    ],
)
def test_a_reason_reads_well_in_both_languages(
    row: Matrix, value: str | None, sentence: str, sentence_zh: str
) -> None:
    catalogue = Catalogue((feature("industry", levels=LEVELS),))
    (reason,), _, _ = reasons(row, contributions=np.array([0.25]), catalogue=catalogue)
    assert reason == Reason("industry", value, sentence, sentence_zh, 0.25)
