"""The exported model gives what the scikit-learn pipeline gives, fast, and what was published."""

from __future__ import annotations

import json
import time
from itertools import islice, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.pipeline import Pipeline

from features.errors import ContractError
from features.titles.encoding import letter_groups, presence
from features.titles.model import ABSTAIN, TitleModel, shipped
from features.titles.normalising import fold
from features.titles.reading import read_titles
from training.checks.results import ROOT
from training.checks.titles import labels_of, measure
from training.titles.data import TASKS, Task, split_fingerprint, titles_to_learn
from training.titles.model import export, fit

RESULTS = ROOT / "results" / "job_titles.json"
LEVELS = {"Director": "Director", "Leiterin": "Lead", "Junior": "Junior", "Expert": ABSTAIN}
FIELDS = ("Marketing", "Verkauf", "Einkauf", "Sales & Service", "Réseau", "IT (m/w/d)")
TITLES = st.text(max_size=30) | st.sampled_from(
    [f"{level} {field}" for level, field in product(LEVELS, FIELDS)]
)


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    pairs = product(LEVELS, FIELDS)
    made = pd.DataFrame(
        [(f"{level} {field}", LEVELS[level]) for level, field in pairs], columns=["text", "label"]
    )
    return fit(made)


@pytest.fixture(scope="module")
def exported(pipeline: Pipeline) -> TitleModel:
    return export(pipeline)


def _encoded(titles: list[str]) -> csr_matrix:
    return presence([fold(title) for title in titles])


@settings(deadline=None, max_examples=30)
@given(st.lists(TITLES, max_size=8))
def test_words_encoded_once_give_the_matrix_of_scikit_learn(titles: list[str]) -> None:
    ours = _encoded(titles)
    theirs = letter_groups().transform(titles) if titles else ours
    theirs.sort_indices()
    for part in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(ours, part), getattr(theirs, part))


@settings(deadline=None, max_examples=30)
@given(st.lists(TITLES, min_size=1, max_size=8))
def test_the_export_decides_as_the_pipeline_bit_for_bit(
    pipeline: Pipeline, exported: TitleModel, titles: list[str]
) -> None:
    groups = _encoded(titles)
    np.testing.assert_array_equal(exported.decisions(groups), pipeline.decision_function(titles))
    known = pipeline[:-1].transform(titles).getnnz(axis=1) > 0
    np.testing.assert_array_equal(exported.label(groups), np.where(known, pipeline.predict(titles), ABSTAIN))


def test_what_is_saved_is_what_is_loaded(exported: TitleModel, tmp_path: Path) -> None:
    exported.save(tmp_path / "model.npz")
    again = TitleModel.load(tmp_path / "model.npz")
    for part in ("labels", "columns", "weights", "intercepts"):
        np.testing.assert_array_equal(getattr(again, part), getattr(exported, part))


@pytest.mark.parametrize("damage", ["absent", "text", "half", "pickled", "misfit"])
def test_a_damaged_model_is_refused(damage: str, exported: TitleModel, tmp_path: Path) -> None:
    file = tmp_path / "model.npz"
    arrays = {name: getattr(exported, name) for name in ("labels", "columns", "weights", "intercepts")}
    if damage == "text":
        file.write_text("no model")
    elif damage == "half":
        exported.save(file)
        file.write_bytes(file.read_bytes()[:500])
    elif damage == "pickled":
        np.savez(file, **arrays | {"labels": np.array(["a", None], dtype=object)})
    elif damage == "misfit":
        np.savez(file, **arrays | {"columns": exported.columns[1:]})
    with pytest.raises(ContractError, match=r"model\.npz"):
        TitleModel.load(file)


@pytest.mark.parametrize("title", ["", "?", "12", "🚀", "ЖЖ", "สวัสดี"])
@pytest.mark.parametrize("task", TASKS)
def test_a_title_that_says_nothing_gets_no_label(task: Task, title: str) -> None:
    assert shipped(task).label(_encoded([title])).tolist() == [ABSTAIN]


def test_a_hundred_thousand_different_titles_take_seconds() -> None:
    levels = (
        "Senior",
        "Junior",
        "Head of",
        "Director",
        "Leiter",
        "VP",
        "Assistant",
        "Chef de",
        "Responsable",
        "",
    )
    fields = (
        "Marketing",
        "Sales",
        "IT",
        "Einkauf",
        "Vertrieb",
        "Support",
        "Projects",
        "HR",
        "Finance",
        "CRM",
    )
    made = (" ".join(parts) for parts in product(levels, fields, fields, map(str, range(10)), fields, "abc"))
    titles = list(islice(made, 100_000))
    assert len(set(titles)) == 100_000
    read_titles(titles[:1])
    started = time.process_time()
    read_titles(titles)
    assert time.process_time() - started < 12


def test_the_shipped_models_are_small_and_hold_no_title() -> None:
    for task in TASKS:
        file = ROOT / "features" / "titles" / "data" / f"{task}.npz"
        assert file.stat().st_size < 2_000_000
        with np.load(file, allow_pickle=False) as arrays:
            texts = [name for name in arrays if arrays[name].dtype.kind == "U"]
        assert texts == ["labels"]


@pytest.fixture(scope="module", params=TASKS)
def learned(request: pytest.FixtureRequest, shared_data: Path) -> tuple[Task, pd.DataFrame]:
    """A task and its titles, labelled or not, with the mark for the held-out ones."""
    return request.param, titles_to_learn(shared_data / "job_titles", task=request.param)


def test_the_shipped_model_reaches_the_published_figures(learned: tuple[Task, pd.DataFrame]) -> None:
    task, titles = learned
    published = json.loads(RESULTS.read_text())[task]
    held_out = titles[titles["held_out"]]
    found = measure(held_out, got=labels_of(held_out["text"], model=shipped(task)))
    assert json.loads(json.dumps(found)) == {name: published[name] for name in found}
    assert published["macro_f1"]["value"] >= 0.80


def test_no_spelling_of_a_title_is_on_both_sides_of_the_split(learned: tuple[Task, pd.DataFrame]) -> None:
    task, titles = learned
    words = titles["text"].map(lambda title: frozenset(fold(title).split()))
    assert not set(words[titles["held_out"]]) & set(words[~titles["held_out"]])
    labelled = titles[titles["label"] != ABSTAIN]
    assert 0.19 < labelled["held_out"].mean() < 0.21
    assert split_fingerprint(labelled) == json.loads(RESULTS.read_text())[task]["split"]
