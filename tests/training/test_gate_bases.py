"""What a comparison rests on: rows that neither has learned from, counted for each served model."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from features.settings import GateSettings
from features.tables import Tables
from training.gate import comparing
from training.gate.bases import Basis, bases_of
from training.gate.contest import Champion, Contest, Contested

EMEA, ALL = 0, 1
SETTINGS = GateSettings(replicates=100)


def champion(key: str, cutoff: str) -> Champion:
    bundle: Any = SimpleNamespace(card={"cutoff": f"{cutoff}T00:00:00Z"})
    return Champion(key, key, bundle, None)


def rows(place: int, month: int, *, events: int, others: int, account: str = "a") -> pd.DataFrame:
    """Rows of one served model, of which everything became known on the second of a month of 2025."""
    label = [1] * events + [0] * others
    return pd.DataFrame(
        {
            "account_id": [f"{account}{place}-{month}-{number}" for number in range(len(label))],
            "as_of": pd.Timestamp("2024-12-01"),
            "label": label,
            "label_known_at": pd.Timestamp(2025, month, 2),
            "place": place,
            "challenger": [0.9 if one else 0.1 for one in label],
        }
    )


def contested(*parts: pd.DataFrame) -> Contested:
    frame = pd.concat(parts, ignore_index=True) if parts else rows(ALL, 1, events=0, others=0)
    return Contested(frame, {"asked_before": 0, "unanswered": 0, "other_product": 0})


OLD_EMEA = (champion("fit.emea", "2025-02-01"), champion("fit", "2025-05-01"))
OWN = contested(
    rows(EMEA, 3, events=6, others=6), rows(ALL, 3, events=9, others=40), rows(ALL, 6, events=2, others=9)
)


def test_rows_that_a_served_model_may_have_learned_from_are_left_out_and_counted() -> None:
    slices, held = bases_of(OWN, contested(), champions=OLD_EMEA, rehearsed_at=None, accounts=[])
    assert slices.found.left_out["learned_from"] == 49
    contest = Contest("fit", OLD_EMEA)
    assert slices.counts(contest, smallest=5) == {
        "fit.emea": {"rows": 12, "events": 6, "enough": True},
        "fit": {"rows": 11, "events": 2, "enough": False},
    }
    # The pool alone would have borne it, and said nothing of the model that answers most.
    assert (slices.bears(5, main=None), slices.bears(5, main=ALL)) == (True, False)
    (few,) = slices.few(contest, smallest=5, among=OWN.rows)
    assert few == "of icp_fit alone there are too few, 2 with the event and 9 without, 5 needed of each"
    assert (len(held.rows), held.found.left_out["not_held_out"]) == (0, 72)


@pytest.mark.parametrize(
    ("rehearsed_at", "kept", "left_out", "told"),
    [
        # That of the unnamed one: the segment's older model could not know what the rehearsal knew.
        ("2025-05-01", {ALL}, {"rehearsed_later": 12, "learned_from": 0}, ""),
        # That of the segment: the unnamed one learned on, which is hard on the challenger alone.
        ("2025-02-01", {EMEA, ALL}, {"rehearsed_later": 0, "learned_from": 0}, "known on 2025-02-01"),
        # Later than either: it shows nothing.
        ("2025-05-02", set(), {"rehearsed_later": 23, "learned_from": 0}, ""),
    ],
)
def test_a_rehearsal_counts_against_what_had_learned_as_far(
    rehearsed_at: str, kept: set[int], left_out: dict[str, int], told: str
) -> None:
    again = contested(rows(EMEA, 6, events=6, others=6), rows(ALL, 6, events=2, others=9))
    at = datetime.fromisoformat(rehearsed_at)
    basis, *_ = bases_of(OWN, again, champions=OLD_EMEA, rehearsed_at=at, accounts=[])
    assert set(basis.rows["place"]) == kept
    assert left_out.items() <= basis.found.left_out.items()
    assert told in basis.what


def judged(*bases: Basis, own: pd.DataFrame) -> Any:
    return comparing._check(
        bases, own, contest=Contest("fit", OLD_EMEA), tables=Tables.from_frames({}), settings=SETTINGS
    )


def scored(found: Contested, what: str, **left_out: int) -> Basis:
    frame = found.rows.assign(champion=found.rows["challenger"])
    return Basis(Contested(frame, {**found.left_out, **left_out}), what)


def test_where_the_model_that_answers_most_has_too_few_the_next_rows_are_asked_and_all_is_told() -> None:
    emea = rows(EMEA, 6, events=6, others=6)
    fairest = scored(contested(emea, rows(ALL, 6, events=2, others=9)), "of the rehearsal", rehearsed_later=7)
    next_best = scored(OWN, "of the slices")
    check = judged(fairest, next_best, own=OWN.rows)
    assert (check.outcome, check.figures["rows"], check.figures["basis"]) == ("passed", 72, "of the slices")
    assert (
        "of rows of the rehearsal there are 8 with the event and 15 without; of icp_fit alone"
        in check.sentence
    )
    assert "7 rows are left out: the rehearsal knew more than the served model" in check.sentence
    alone = judged(fairest, fairest, own=OWN.rows)
    assert (alone.outcome, "cannot be compared with the served model" in alone.sentence) == ("failed", True)
    assert "of icp_fit alone there are too few, 2 with the event and 9 without" in alone.sentence


def test_a_small_model_beside_the_one_that_answers_most_is_told_and_does_not_fail_it() -> None:
    own = contested(rows(EMEA, 6, events=1, others=3), rows(ALL, 6, events=9, others=40))
    check = judged(scored(own, "of the slices"), own=own.rows)
    assert check.outcome == "passed"
    assert check.sentence.endswith(
        "of icp_fit.emea alone there are too few, 1 with the event and 3 without, 5 needed of each"
    )
    assert check.figures["served_models"]["fit.emea"] == {"rows": 4, "events": 1, "enough": False}


def test_of_several_small_models_the_pool_tells() -> None:
    """None of them ever had enough rows: together they are what is served today."""
    own = contested(rows(EMEA, 6, events=4, others=9), rows(ALL, 6, events=3, others=9))
    check = judged(scored(own, "of the slices"), own=own.rows)
    assert (check.outcome, check.sentence.count("alone there are too few")) == ("passed", 2)
