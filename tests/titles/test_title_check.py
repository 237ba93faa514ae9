"""The figures and the split, on titles small enough to check by hand."""

from __future__ import annotations

import math
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from features.errors import ContractError
from features.titles.model import ABSTAIN
from training.checks.titles import measure
from training.publishing.titles import title_figures
from training.titles.data import labelled_titles, near_duplicates, titles_to_learn


def test_near_duplicates_are_one_group() -> None:
    same = ["Leiter Marketing", "Leiterin, Marketing (m/w/d)", "Marketing: Leiter", "Leiter der Marketing"]
    other = ["Head of Purchasing", "IT Support"]
    groups = near_duplicates([*same, *other])
    assert len(set(groups[:4])) == 1
    assert len(set(groups)) == 3


WORDS = "marketing manager communication account international buyer head global deputy purchasing project"


def _trigrams(title: str) -> Counter[str]:
    words = [f" {word} " for word in title.split()]
    return Counter(word[at : at + 3] for word in words for at in range(len(word) - 2))


def _cosine(one: Counter[str], other: Counter[str]) -> float:
    lengths = math.sqrt(sum(n * n for n in one.values()) * sum(n * n for n in other.values()))
    return sum(count * other[part] for part, count in one.items()) / lengths


def test_groups_are_those_of_comparing_every_pair() -> None:
    generator = random.Random(5)
    words = [*WORDS.split(), *(f"{word}s" for word in WORDS.split()[:4])]
    titles = [" ".join(generator.choices(words, k=generator.randint(3, 5))) for _ in range(150)]
    held = [_trigrams(title) for title in titles]
    graph = [
        [_cosine(a, b) >= 0.9 or set(s.split()) == set(t.split()) for b, t in zip(held, titles, strict=True)]
        for a, s in zip(held, titles, strict=True)
    ]
    _, wanted = connected_components(csr_matrix(np.array(graph)), directed=False)
    found = near_duplicates(titles)
    assert 20 < len(set(wanted)) < 130
    assert [list(wanted == number) for number in wanted] == [list(found == number) for number in found]


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


def test_the_figures_are_told_in_markdown() -> None:
    one = {
        "labels": {"a": {}, "b": {}},
        "titles": 1234,
        "macro_f1": {"value": 0.9, "low": 0.85, "high": 0.94},
        "macro_f1_of_always_the_most_common": 0.1,
        "abstained": 0.012,
        "unlabelled_titles": 50,
        "abstained_on_unlabelled": 0.98,
    }
    tries = {"seniority": {"x": 0.8, "y": 0.9}, "department": {"x": 0.7, "y": 0.85}}
    lines = list(title_figures({"seniority": one, "department": one, "chosen": "y", "tries": tries}))
    abstained = "0.012 (0.007 to 0.020) | 0.980 (0.894 to 0.999) of 50"
    assert f"| seniority | 2 | 1,234 | 0.900 (0.850 to 0.940) | 0.100 | {abstained} |" in lines
    assert lines[-2:] == ["| x | 0.800 | 0.700 |", "| **y** | 0.900 | 0.850 |"]
