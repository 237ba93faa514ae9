"""The labelled job titles, grouped so that no near-duplicate is on both sides of a split.

Turns `department.csv` and `seniority.csv` (columns text, label) into frames with a group and a mark for the
held-out fifth. Two titles are in one group when they hold the same words (in any order, male or female,
without "and", "of", "der" and the like), or when the cosine of their letter trigrams is .9 or more, also
over a chain of others; at .85 most titles would be one group. The split was fixed before the first model
and hangs on nothing but the titles, the labels and the seed. Time rule: none. Null rule: a title that only
the other file labels has the empty label here: whoever labelled it found that it says nothing.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_matrix, triu
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedGroupKFold

from features.errors import ContractError
from features.titles.model import ABSTAIN
from features.titles.normalising import fold

__all__ = [
    "FOLDS",
    "SPLIT_SEED",
    "TASKS",
    "Task",
    "labelled_titles",
    "near_duplicates",
    "split_fingerprint",
    "titles_to_learn",
]

Task = Literal["seniority", "department"]
TASKS: Final[tuple[Task, ...]] = ("seniority", "department")
FOLDS: Final = 5
SPLIT_SEED: Final = 20261122
_SIMILAR: Final = 0.9
_FILLERS: Final = frozenset(
    re.findall("[a-z]+", "and und et of for fuer de des der die das du la le the in im l d en per y")
)


def labelled_titles(folder: Path, *, task: Task) -> pd.DataFrame:
    """Columns text, label, group (int), held_out (bool); one row per title, sorted by text.

    Raises ContractError when the file is absent or has other columns.
    """
    titles = _read(folder, task=task)
    titles["group"] = near_duplicates(titles["text"].tolist())
    titles["held_out"] = _held_out(titles)
    return titles


def _read(folder: Path, *, task: Task) -> pd.DataFrame:
    file = folder / f"{task}.csv"
    try:
        titles = pd.read_csv(file, dtype=str, keep_default_na=False)[["text", "label"]]
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise ContractError(
            f"no labelled titles in {file}", got=error, allowed="CSV with the columns text and label"
        ) from error
    return titles.sort_values("text", ignore_index=True)


def titles_to_learn(folder: Path, *, task: Task) -> pd.DataFrame:
    """The labelled titles and, with the empty label, those that only the other task's file holds.

    Groups are over both. A title without a label goes where its near-duplicates with a label are, is left
    out where they are on both sides, and has the chance of one fifth to be held out where it has none.
    """
    labelled = labelled_titles(folder, task=task)
    other = _read(folder, task=TASKS[1 - TASKS.index(task)])
    silent = other.loc[~other["text"].isin(labelled["text"]), ["text"]].assign(label=ABSTAIN, held_out=False)
    titles = pd.concat([labelled, silent], ignore_index=True)
    titles["group"] = near_duplicates(titles["text"].tolist())
    held = titles["group"].isin(titles.loc[titles["held_out"], "group"])
    taught = titles["group"].isin(titles.loc[(titles["label"] != ABSTAIN) & ~titles["held_out"], "group"])
    drawn = titles.groupby("group")["text"].transform("min").map(_drawn)
    is_silent = titles["label"] == ABSTAIN
    titles.loc[is_silent, "held_out"] = held | (drawn & ~taught)
    return titles[~(is_silent & held & taught)].reset_index(drop=True)


def near_duplicates(titles: list[str]) -> npt.NDArray[np.int64]:
    """A group number per title, (n,); equal for near-duplicates, directly or over a chain of others."""
    rows = np.arange(len(titles))
    keys = pd.Series([_key(title) for title in titles])
    first = pd.Series(rows).groupby(keys).transform("first").to_numpy()
    trigrams = TfidfVectorizer(preprocessor=fold, analyzer="char_wb", ngram_range=(3, 3), use_idf=False)
    one, other = _alike(trigrams.fit_transform(titles))
    edges = (np.r_[one, rows], np.r_[other, first])
    graph = csr_matrix((np.ones(len(edges[0])), edges), shape=(len(titles), len(titles)))
    groups: npt.NDArray[np.int64] = connected_components(graph, directed=False)[1].astype(np.int64)
    return groups


def _alike(vectors: csr_matrix) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pairs of rows whose cosine is .9 or more. vectors: rows of length 1."""
    rare = _rare_part(vectors)
    # Each of two similar rows holds a rare cell of the other; so one triangle has every pair.
    shared = triu(rare @ vectors.T, k=1).tocoo()
    rows, columns = shared.row.astype(np.int64), shared.col.astype(np.int64)
    parts = zip(
        np.array_split(rows, 1 + len(rows) // 500_000),
        np.array_split(columns, 1 + len(rows) // 500_000),
        strict=True,
    )
    cosines = [np.asarray(vectors[a].multiply(vectors[b]).sum(axis=1)).ravel() for a, b in parts]
    # The rounding of a sum must not decide whether .9 is reached.
    near = np.concatenate(cosines) >= _SIMILAR - 1e-9
    return rows[near], columns[near]


def _rare_part(vectors: csr_matrix) -> csr_matrix:
    """Of each row the rarest cells, so many that the others alone cannot reach a cosine of .9.

    So whoever is similar shares one of them: the prefix filter of Bayardo et al. 2007.
    """
    cells = vectors.tocoo()
    order = np.lexsort((cells.col, vectors.getnnz(axis=0)[cells.col], cells.row))
    row, column, value = cells.row[order], cells.col[order], cells.data[order]
    squares = np.concatenate([[0.0], np.cumsum(value**2)])
    before = squares[:-1] - squares[vectors.indptr[row]]
    needed = before <= 1.0 - _SIMILAR**2 + 1e-9
    return csr_matrix((value[needed], (row[needed], column[needed])), shape=vectors.shape)


def split_fingerprint(titles: pd.DataFrame) -> str:
    """A hash of which titles are held out, 16 hexadecimal digits."""
    text = "\n".join(sorted(titles.loc[titles["held_out"], "text"]))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _key(title: str) -> str:
    return " ".join(sorted({_without_gender(word) for word in fold(title).split()} - _FILLERS))


def _without_gender(word: str) -> str:
    return re.sub("(innen|in)$", "", word) if len(word) > 5 else word


def _drawn(title: str) -> bool:
    return int(hashlib.sha256(title.encode()).hexdigest(), 16) % FOLDS == 0


def _held_out(titles: pd.DataFrame) -> npt.NDArray[np.bool_]:
    folds = StratifiedGroupKFold(n_splits=FOLDS, shuffle=True, random_state=SPLIT_SEED)
    _, rows = next(folds.split(titles["text"], titles["label"], titles["group"]))
    return np.isin(np.arange(len(titles)), rows)
