"""The title check: learns the title models, measures them on held-out titles, and ships them as data.

Turns the labelled titles into macro-F1 figures with 95 % intervals and, with `--ship`, into the two files of
features/titles/data. What was tried is compared by cross-validation inside the training part (`--tries`); the
held-out titles are read once, by what was chosen. Intervals are percentiles over 2,000 resamples of whole
groups of near-duplicates. Time rule: none. Null rule: a title that the model abstains on counts as wrong
where it has a label.

    python -m training.checks.titles --tries --ship --out results/job_titles.json
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import f1_score, precision_recall_fscore_support
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from features.titles.encoding import presence
from features.titles.model import ABSTAIN, TitleModel
from features.titles.normalising import fold
from training.checks.results import ROOT, write_result
from training.console import Output
from training.titles.data import FOLDS, SPLIT_SEED, TASKS, Task, split_fingerprint, titles_to_learn
from training.titles.model import CHOSEN, TRIES, export, fit

__all__ = ["check", "labels_of", "measure", "tries"]

_REPLICATES = 2000
SHIPPED = ROOT / "features" / "titles" / "data"


def check(folder: Path, *, task: Task) -> tuple[TitleModel, dict[str, object]]:
    """Learn the chosen model from the training part and measure it on the held-out titles."""
    titles = titles_to_learn(folder, task=task)
    held_out = titles[titles["held_out"]]
    learned_from = titles[~titles["held_out"]]
    model = export(fit(learned_from))
    return model, {
        "split": split_fingerprint(held_out[held_out["label"] != ABSTAIN]),
        "learned_from": int((learned_from["label"] != ABSTAIN).sum()),
        "learned_from_unlabelled": int((learned_from["label"] == ABSTAIN).sum()),
    } | measure(held_out, got=labels_of(held_out["text"], model=model))


def labels_of(titles: pd.Series[str], *, model: TitleModel) -> npt.NDArray[np.str_]:
    """The label that the model gives to each title, ABSTAIN for none."""
    return model.label(presence([fold(title) for title in titles]))


def measure(titles: pd.DataFrame, *, got: npt.NDArray[np.str_]) -> dict[str, object]:
    """Macro-F1 with its interval over the labelled titles, abstain rates, and every label's own figures.

    titles: columns text, label, group. got: the labels found, ABSTAIN for none.
    """
    labelled = (titles["label"] != ABSTAIN).to_numpy()
    wanted, found = titles["label"].to_numpy()[labelled], got[labelled]
    names = sorted(set(wanted))
    return {
        "titles": len(wanted),
        "macro_f1": _with_interval(wanted, found, groups=titles["group"].to_numpy()[labelled], names=names),
        "macro_f1_of_always_the_most_common": _macro_f1(
            wanted, np.full_like(found, _most_common(wanted)), names
        ),
        "accuracy": round(float((wanted == found).mean()), 4),
        "abstained": round(float((found == ABSTAIN).mean()), 4),
        "unlabelled_titles": int((~labelled).sum()),
        "abstained_on_unlabelled": round(float((got[~labelled] == ABSTAIN).mean()), 4),
        "labels": _by_label(wanted, found, names=names),
    }


def tries(folder: Path, *, task: Task) -> dict[str, float]:
    """Macro-F1 by name of what was tried, by cross-validation over groups of the training part."""
    titles = titles_to_learn(folder, task=task)
    titles = titles[~titles["held_out"]].reset_index(drop=True)
    labelled = titles["label"] != ABSTAIN
    names = sorted(set(titles.loc[labelled, "label"]))
    folds = StratifiedGroupKFold(n_splits=FOLDS, shuffle=True, random_state=SPLIT_SEED + 1)
    cut = list(folds.split(titles["text"], titles["label"], titles["group"]))
    return {
        name: _macro_f1(
            titles.loc[labelled, "label"],
            cross_val_predict(make(), titles["text"], titles["label"], cv=cut)[labelled],
            names,
        )
        for name, make in TRIES.items()
    }


def _macro_f1(wanted: npt.ArrayLike, found: npt.ArrayLike, names: list[str]) -> float:
    return round(float(f1_score(wanted, found, labels=names, average="macro", zero_division=0.0)), 4)


def _most_common(labels: npt.NDArray[np.str_]) -> str:
    return str(pd.Series(labels).mode()[0])


def _with_interval(
    wanted: npt.NDArray[np.str_],
    found: npt.NDArray[np.str_],
    *,
    groups: npt.NDArray[np.int64],
    names: list[str],
) -> dict[str, float]:
    """The macro-F1 and the interval that resampling whole groups gives it."""
    codes = np.unique(groups, return_inverse=True)[1]
    times = np.random.default_rng(SPLIT_SEED).multinomial(
        codes.max() + 1, np.full(codes.max() + 1, 1.0 / (codes.max() + 1)), size=_REPLICATES
    )[:, codes]
    scores = np.zeros(_REPLICATES)
    for name in names:
        is_wanted, is_found = wanted == name, found == name
        agreed = times @ (is_wanted & is_found)
        # A label that a resample has none of scores 0 in it, which can only lower the interval.
        scores += 2.0 * agreed / np.maximum(times @ is_wanted + times @ is_found, 1)
    low, high = np.percentile(scores / len(names), [2.5, 97.5])
    return {
        "value": _macro_f1(wanted, found, names),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
    }


def _by_label(
    wanted: npt.NDArray[np.str_], found: npt.NDArray[np.str_], *, names: list[str]
) -> dict[str, dict[str, float]]:
    columns = precision_recall_fscore_support(wanted, found, labels=names, zero_division=0.0)
    return {
        name: {
            "precision": round(float(precision), 4),
            "recall": round(float(recall), 4),
            "f1": round(float(score), 4),
            "titles": int(count),
        }
        for name, precision, recall, score, count in zip(names, *columns, strict=True)
    }


def main() -> None:
    """The command: measure both models, and write what was found."""
    parser = argparse.ArgumentParser(prog="python -m training.checks.titles", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT.parent / "shared" / "data" / "job_titles")
    parser.add_argument("--tries", action="store_true", help="compare everything that was tried (minutes)")
    parser.add_argument("--ship", action="store_true", help="replace the models that come with the package")
    parser.add_argument("--out", type=Path, help="write the JSON here, too")
    given = parser.parse_args()
    document: dict[str, object] = {"seed": SPLIT_SEED, "chosen": CHOSEN}
    for task in TASKS:
        model, document[task] = check(given.folder, task=task)
        if given.ship:
            model.save(SHIPPED / f"{task}.npz")
    if given.tries:
        document["tries"] = {task: tries(given.folder, task=task) for task in TASKS}
    Output(as_json=True).result(write_result(document, out=given.out))


if __name__ == "__main__":
    main()
