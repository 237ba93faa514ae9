"""The figures and the split, on titles small enough to check by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import ContractError
from features.titles.model import ABSTAIN
from training.title_check import measure
from training.title_data import labelled_titles, near_duplicates, titles_to_learn


def test_near_duplicates_are_one_group() -> None:
    same = ["Leiter Marketing", "Leiterin, Marketing (m/w/d)", "Marketing: Leiter", "Leiter der Marketing"]
    other = ["Head of Purchasing", "IT Support"]
    groups = near_duplicates([*same, *other])
    assert len(set(groups[:4])) == 1
    assert len(set(groups)) == 3


def test_an_abstention_counts_as_wrong_where_there_is_a_label() -> None:
    titles = pd.DataFrame({"label": ["a", "a", "b", "b", ABSTAIN, ABSTAIN], "group": range(6)})
    found = measure(titles, got=np.array(["a", "a", "b", ABSTAIN, ABSTAIN, "a"]))
    # a: two of two found, none too many. b: one of two found: F1 = 2/3. Mean 5/6.
    assert found["macro_f1"]["value"] == pytest.approx(5 / 6, abs=1e-4)
    assert found["macro_f1"]["low"] <= 5 / 6 <= found["macro_f1"]["high"]
    assert (found["abstained"], found["abstained_on_unlabelled"], found["titles"]) == (0.25, 0.5, 4)
    # Always a: F1 of a is 2/3, of b 0.
    assert found["macro_f1_of_always_the_most_common"] == pytest.approx(1 / 3, abs=1e-4)


def _write(folder: Path, name: str, titles: dict[str, str]) -> None:
    pd.DataFrame({"text": list(titles), "label": list(titles.values())}).to_csv(
        folder / f"{name}.csv", index=False
    )


def test_titles_that_only_the_other_file_holds_have_the_empty_label(tmp_path: Path) -> None:
    words = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliett")
    _write(tmp_path, "seniority", dict.fromkeys(words, "Lead"))
    _write(tmp_path, "department", dict.fromkeys((*words[:9], "zulu zulu"), "Sales"))
    titles = titles_to_learn(tmp_path, task="seniority")
    assert titles.loc[titles["label"] == ABSTAIN, "text"].tolist() == ["zulu zulu"]
    assert titles.loc[titles["label"] != ABSTAIN, "held_out"].sum() == 2


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"seniority\.csv"):
        labelled_titles(tmp_path, task="seniority")
