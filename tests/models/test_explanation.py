"""Reasons: strongest first, every idea once, nothing lost."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import to_json
from small_world import LEVELS, feature

from features.catalogue import Catalogue
from features.feature import FORMULA, Feature, Group, Language
from models.explanation import Reason, Reasons, Told
from models.ideas import ideas_of
from models.spoken import SpokenFeature


def told(row: list[float], contributions: list[float], catalogue: Catalogue) -> Told:
    """The reasons of one row."""
    (found,) = Reasons(catalogue).of(np.array([row]), contributions=np.array([contributions]))
    return found


def names(side: tuple[Reason, ...]) -> list[str]:
    return [reason.feature for reason in side]


def plain(count: int) -> Catalogue:
    return Catalogue(tuple(feature(f"trait_{position:02}") for position in range(count)))


def test_five_a_side_and_the_rest_in_other() -> None:
    contributions = [0.1, -0.2, 0.3, -0.4, 0.5, 0.6, 0.7, 0.8, 0.0]
    supporting, opposing, other = told([0.0] * 9, contributions, plain(9))
    assert names(supporting) == ["trait_07", "trait_06", "trait_05", "trait_04", "trait_02"]
    assert names(opposing) == ["trait_03", "trait_01"]
    assert other == 0.1


def test_equal_contributions_are_ordered_by_name() -> None:
    catalogue = Catalogue((feature("b"), feature("c"), feature("a")))
    supporting, _, _ = told([0.0] * 3, [0.2, 0.2, 0.2], catalogue)
    assert names(supporting) == ["a", "b", "c"]


WINDOWS = (*(feature(f"visits_{days}d", idea="visits") for days in (7, 30, 90)), feature("size"))


def test_the_windows_of_an_idea_are_one_reason_with_each_of_them_beside_it() -> None:
    supporting, opposing, other = told([1.0, 4.0, 9.0, 50.0], [0.25, 0.5, -0.25, -0.125], Catalogue(WINDOWS))
    assert [(reason.idea, reason.feature, reason.contribution) for reason in supporting] == [
        ("visits", "visits_30d", 0.5)
    ]
    parts = [(part["feature"], part["value"], part["contribution"]) for part in supporting[0].parts]
    assert parts == [("visits_30d", "4", 0.5), ("visits_7d", "1", 0.25), ("visits_90d", "9", -0.25)]
    assert [(reason.feature, reason.contribution) for reason in opposing] == [("size", -0.125)]
    assert other == 0.0


def test_the_speaker_of_an_idea_is_on_the_side_of_its_sum() -> None:
    supporting, opposing, _ = told([0.0] * 3, [0.5, -0.375, -0.375], Catalogue(WINDOWS[:3]))
    assert supporting == ()
    assert [(reason.feature, reason.contribution) for reason in opposing] == [("visits_30d", -0.25)]


def test_contributions_of_zero_are_no_reasons_and_no_parts() -> None:
    assert told([0.0] * 3, [0.0] * 3, plain(3)) == ((), (), 0.0)
    ((reason,), _, _) = told([0.0] * 3, [0.0, 0.5, 0.0], Catalogue(WINDOWS[:3]))
    assert [part["feature"] for part in reason.parts] == ["visits_30d"]


@pytest.mark.parametrize(
    ("cell", "value", "sentence", "sentence_zh"),
    [
        (1.0, "software", "industry is software", "industry为software"),
        (3.0, "__other__", "industry is another one", "industry为其他"),
        (math.nan, None, "industry is unknown", "industry未知"),
    ],
)
def test_a_reason_reads_well_in_both_languages(
    cell: float, value: str | None, sentence: str, sentence_zh: str
) -> None:
    (reason,), _, _ = told([cell], [0.25], Catalogue((feature("industry", levels=LEVELS),)))
    assert (reason.feature, reason.value, reason.contribution) == ("industry", value, 0.25)
    assert (reason.sentence(), reason.sentence("zh")) == (sentence, sentence_zh)


def plainly_told(cells: list[float], shares: list[float], catalogue: Catalogue) -> Any:
    """The reasons of one row by loops and sorts, as the description has them."""
    columns: dict[str, list[int]] = {}
    for place, one in enumerate(catalogue.features):
        columns.setdefault(one.idea, []).append(place)
    totals = {idea: sum(shares[place] for place in own) for idea, own in columns.items()}
    ranked = sorted(totals, key=lambda idea: (-abs(totals[idea]), idea))
    sides = [[idea for idea in ranked if sign * totals[idea] > 0][:5] for sign in (1, -1)]
    told = [
        [
            (
                idea,
                totals[idea],
                [
                    (catalogue.names[place], catalogue.features[place].readable(cells[place]), shares[place])
                    for place in sorted(
                        (place for place in columns[idea] if shares[place]),
                        key=lambda place: (-sign * shares[place], catalogue.names[place]),
                    )
                ],
            )
            for idea in side
        ]
        for side, sign in zip(sides, (1, -1), strict=True)
    ]
    return told, math.fsum(totals[idea] for idea in ranked if idea not in (*sides[0], *sides[1]))


MANY = Catalogue(
    tuple(
        feature(f"{letter}_{number}", idea=f"idea_{letter}") for number in (3, 1, 2) for letter in "mbzakcyd"
    )
)
# Halves and quarters: sums are exact, and many are equal.
QUARTERS = st.integers(-3, 3).map(lambda number: number / 4)


@settings(deadline=None)
@given(rows=st.lists(st.lists(QUARTERS, min_size=24, max_size=24), min_size=1, max_size=6))
def test_reasons_of_many_rows_are_those_of_loops_and_sorts(rows: list[list[float]]) -> None:
    X = np.arange(24.0 * len(rows)).reshape(len(rows), 24)
    found = Reasons(MANY).of(X, contributions=np.array(rows))
    for cells, shares, (supporting, opposing, other) in zip(X.tolist(), rows, found, strict=True):
        told = [
            [
                (
                    one.idea,
                    one.contribution,
                    [(part["feature"], int(part["value"] or ""), part["contribution"]) for part in one.parts],
                )
                for one in side
            ]
            for side in (supporting, opposing)
        ]
        assert (told, other) == plainly_told(cells, shares, MANY)


ODD = Catalogue(
    (
        feature("industry", levels=('say "cheese"', "back\\slash", "汉字")),
        *(feature(f"visits_{days}d", idea='a "quoted" idea') for days in (7, 30, 90)),
        replace(feature("customer"), kind="flag"),
    )
)
CODES, FLAGS = st.sampled_from((0.0, 1.0, 2.0, 3.0, math.nan)), st.sampled_from((0.0, 1.0, math.nan))
NUMBERS = st.floats(allow_infinity=False) | st.sampled_from((-0.0, 1e-5, 1e16, 2.0**53 + 2))
SHARES = st.floats(-50, 50) | st.sampled_from((5e-324, -1e-5, 1 / 3))


@settings(deadline=None)
@given(
    row=st.tuples(CODES, NUMBERS, NUMBERS, NUMBERS, FLAGS),
    shares=st.lists(SHARES, min_size=5, max_size=5),
    language=st.sampled_from(get_args(Language)),
)
def test_the_json_of_a_reason_says_what_the_reason_does_to_the_bit(
    row: tuple[float, ...], shares: list[float], language: Language
) -> None:
    supporting, opposing, _ = told(list(row), shares, ODD)
    for reason in (*supporting, *opposing):
        document = {
            "idea": reason.idea,
            "feature": reason.feature,
            "value": reason.value,
            "sentence": reason.sentence(language),
            "contribution": reason.contribution,
            "parts": reason.parts,
        }
        assert json.loads(reason.as_json(language)) == document
        # Small numbers are written as the rest of the answer writes them.
        assert reason.as_json(language) == to_json(document).decode()


def test_words_are_made_once_for_a_cell_and_forgotten_before_they_are_too_many() -> None:
    spoken = SpokenFeature(feature("visits"))
    assert (spoken.values[3.0], spoken.sentences["en"][3.0]) == ("3", "visits is 3")
    assert spoken.openings[3.0] is spoken.openings[3.0]
    for cell in range(2_000):
        assert spoken.values[float(cell)] == str(cell)
    assert len(spoken.values) <= 500
    unknown = [spoken.values[math.nan] for _ in range(3)]
    assert unknown == [None, None, None]
    assert not any(math.isnan(cell) for cell in spoken.values)


def declared(name: str, *, group: Group, table: str, aggregation: str, subject: str, idea: str) -> Feature:
    return replace(
        feature(name, idea=idea), group=group, table=table, aggregation=aggregation, subject=subject
    )


def of_channel(name: str, aggregation: str, *, subject: str = "web_visit") -> Feature:
    idea = f"{subject}_{aggregation}"
    return declared(
        name, group="engagement", table="activities", aggregation=aggregation, subject=subject, idea=idea
    )


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        (  # Every window, the minutes and the rhythm of web visits; webinars are something else.
            (
                of_channel("visits_7d", "count"),
                of_channel("minutes_30d", "minutes"),
                of_channel("trend", "trend"),
                of_channel("webinars_7d", "count", subject="webinar"),
            ),
            [{"visits_7d", "minutes_30d", "trend"}, {"webinars_7d"}],
        ),
        (  # How recently, and who, are ideas of their own.
            (
                of_channel("visits_7d", "count"),
                of_channel("since", "days_since"),
                of_channel("since_first", "days_since_first"),
                of_channel("people", "people"),
                of_channel("senior", "senior_people"),
            ),
            [{"visits_7d"}, {"since", "since_first"}, {"people", "senior"}],
        ),
        (  # A set of the account is one idea, its number of members too; so is third-party research.
            (
                *(
                    declared(
                        name,
                        group="technographic",
                        table="accounts",
                        aggregation=aggregation,
                        subject="technologies",
                        idea=name,
                    )
                    for name, aggregation in (("tech_crm", "member"), ("tech_count", "size"))
                ),
                *(
                    declared(
                        name, group="topics", table="intent_topics", aggregation=name, subject="*", idea=name
                    )
                    for name in ("surge", "score")
                ),
            ),
            [{"tech_crm", "tech_count"}, {"surge", "score"}],
        ),
        (  # A declared feature joins the idea that it names.
            (
                of_channel("visits_7d", "count"),
                replace(of_channel("long_visits", FORMULA), idea="web_visit_count"),
                replace(of_channel("other", FORMULA), idea="other"),
            ),
            [{"visits_7d", "long_visits"}, {"other"}],
        ),
    ],
)
def test_what_is_one_idea_follows_from_the_declarations(
    features: tuple[Feature, ...], expected: list[set[str]]
) -> None:
    catalogue = Catalogue(features)
    found = [{catalogue.names[column] for column in idea.columns} for idea in ideas_of(catalogue)]
    assert sorted(map(sorted, found)) == sorted(map(sorted, expected))
