"""The preview of a promotion: which accounts would change grade, from which to which, and why.

Turns what is served and what would be into one table of grades per model and a row for each account whose
grade differs. Nothing is changed. Time rule: both releases are asked as the server answers today: as of the
later of today's midnight in the workspace's time zone and just after the newest known fact. Null rule: an
account outside of a model's population, or without that model, has the grade "none" there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.settings import GRADES, ServingSettings
from features.tables import Tables
from models.bundle import NAMES, Bundle, Kind
from models.choice import labels_of, speakers
from models.grades import GradeCuts
from models.scoring import Scorer
from training.fit import matrix
from training.labels import fit_population, intent_population, known_accounts, next_cutoff

__all__ = ["Half", "KindPreview", "preview_kind", "serving_moment"]

_NONE = "none"
_LEVELS = (*GRADES, _NONE)
_TOLD = 3
_NOBODY = "would answer no account: its population is empty, or models asked before it answer all of it"
_REFERENCE = "the population that it is compared with"
_COLUMNS = ("kind", "account_id", "name", "domain", "old_grade", "new_grade", "old_probability")
_NAMES = """
    SELECT account_id, name, domain FROM accounts WHERE known_at < $as_of
    QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY known_at DESC) = 1
"""


@dataclass(frozen=True)
class Half:
    """The models of one kind as a release serves them, in the order in which they are asked.

    settings: of the release.
    """

    bundles: tuple[Bundle, ...]
    settings: Mapping[str, Any]

    @property
    def scorers(self) -> list[Scorer]:
        serving = ServingSettings.model_validate(self.settings.get("serving", {}))
        cuts = GradeCuts.of_release(serving)
        return [Scorer(bundle, cuts=cuts) for bundle in self.bundles]

    def answering(self, tables: Tables, *, accounts: pd.DataFrame, as_of: datetime) -> NDArray[np.int64]:
        """The place of the model that answers for each account, -1 where none does."""
        return speakers(
            [
                accounts["account_id"].isin(self._population(bundle, tables, as_of=as_of)).to_numpy()
                for bundle in self.bundles
            ]
        )

    def _population(self, bundle: Bundle, tables: Tables, *, as_of: datetime) -> pd.Series[str]:
        labels = labels_of(self.settings, key=bundle.key)
        if bundle.kind == "fit":
            return fit_population(tables, as_of=as_of, settings=labels.fit)["account_id"]
        return intent_population(tables, as_of=as_of, settings=labels.intent)["account_id"]


@dataclass(frozen=True)
class KindPreview:
    """What a promotion changes in the answers of the models of one kind.

    counts: accounts by old grade (rows) and new grade (columns), A to D and none.
    changes: kind, account_id, name, domain, old_grade, new_grade, old_probability, new_probability and
        reasons, of each account whose grade changes; the largest changes of probability first.
    answered: by name of each model of the new release, how many accounts it would answer.
    """

    kind: Kind
    counts: pd.DataFrame
    changes: pd.DataFrame
    answered: Mapping[str, int]

    @property
    def sentence(self) -> str:
        total = int(self.counts.to_numpy().sum())
        return f"{NAMES[self.kind]}: {len(self.changes):,} of {total:,} accounts change grade"

    @property
    def answering(self) -> Iterator[str]:
        """How many accounts each model would answer, with a warning for one that would answer none."""
        for name, count in self.answered.items():
            yield f"{name} would answer {count:,} accounts" if count else f"Warning: {name} {_NOBODY}"

    def rows(self) -> Iterator[tuple[object, ...]]:
        """The table of grades for people."""
        for grade, counts in self.counts.iterrows():
            yield grade, *(int(count) for count in counts)

    def accounts(self, *, top: int) -> Iterator[tuple[str, ...]]:
        """The accounts that change most for people: account, name, grades, probabilities, why."""
        for row in self.changes.head(top).itertuples():
            chances = f"{_percent(row.old_probability)} to {_percent(row.new_probability)}"
            name = row.name if isinstance(row.name, str) else ""
            yield str(row.account_id), name, str(row.old_grade), str(row.new_grade), chances, str(row.reasons)

    def to_json(self, *, top: int) -> dict[str, Any]:
        """top: how many of the accounts that change are told."""
        shown = self.changes.head(top).astype(object)
        return {
            "counts": {str(grade): counts.to_dict() for grade, counts in self.counts.iterrows()},
            "answered": dict(self.answered),
            "changed": len(self.changes),
            "changes": shown.where(shown.notna(), None).to_dict("records"),
            "sentence": self.sentence,
        }


def preview_kind(
    tables: Tables, *, kind: Kind, old: Half | None, new: Half | None, as_of: datetime
) -> KindPreview:
    """Both releases over all accounts that a model of either speaks of."""
    accounts = known_accounts(tables, as_of=as_of)[["account_id", "as_of"]]
    ours, theirs = (_scored(half, tables, accounts=accounts, as_of=as_of) for half in (old, new))
    frame = accounts.assign(
        kind=kind,
        old_grade=ours["grade"],
        new_grade=theirs["grade"],
        old_probability=ours["probability"],
        new_probability=theirs["probability"],
        old_place=ours["place"],
        new_place=theirs["place"],
    )
    counts = pd.crosstab(
        pd.Categorical(frame["old_grade"], _LEVELS), pd.Categorical(frame["new_grade"], _LEVELS), dropna=False
    )
    counts = counts.reindex(index=list(_LEVELS), columns=list(_LEVELS), fill_value=0)
    changed = frame[frame["old_grade"] != frame["new_grade"]].reset_index(drop=True)
    changed["reasons"] = _reasons(changed, tables, old=old, new=new)
    told = _named(changed, tables, as_of=as_of)[[*_COLUMNS, "new_probability", "reasons"]]
    size = (told["new_probability"].fillna(0.0) - told["old_probability"].fillna(0.0)).abs()
    order = np.lexsort((told["account_id"].to_numpy(), -size.to_numpy()))
    return KindPreview(kind, counts, told.iloc[order].reset_index(drop=True), _answered(new, theirs["place"]))


def _answered(half: Half | None, places: pd.Series[int]) -> dict[str, int]:
    bundles = () if half is None else half.bundles
    return {bundle.name: int((places == place).sum()) for place, bundle in enumerate(bundles)}


def serving_moment(tables: Tables, *, now: datetime, time_zone: str) -> datetime:
    """The moment that the server answers for by default. now: naive UTC."""
    local = now.replace(tzinfo=UTC).astimezone(ZoneInfo(time_zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    return max(midnight.replace(tzinfo=None), next_cutoff(tables))


def _scored(half: Half | None, tables: Tables, *, accounts: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """grade, probability and the place of the model that answers, for each account in their order."""
    found = pd.DataFrame({"grade": _NONE, "probability": np.nan, "place": -1}, index=accounts.index)
    if half is None:
        return found
    found["place"] = half.answering(tables, accounts=accounts, as_of=as_of)
    for place, scorer in enumerate(half.scorers):
        own = (found["place"] == place).to_numpy()
        if own.any():
            X = matrix(tables, accounts[own], catalogue=scorer.bundle.catalogue)
            scores = scorer.score(X, contributions=False)
            found.loc[own, "grade"], found.loc[own, "probability"] = scores.grade, scores.probability
    return found


def _reasons(changed: pd.DataFrame, tables: Tables, *, old: Half | None, new: Half | None) -> list[str]:
    """Why each account's grade changes: the feature groups whose contributions differ most."""
    if changed.empty or old is None or new is None:
        return [_one_sided(old, new)] * len(changed)
    both = (changed["old_grade"] != _NONE) & (changed["new_grade"] != _NONE)
    told = np.full(len(changed), "in the population of one of the two only", dtype=object)
    if both.any():
        told[both.to_numpy()] = _compared(changed[both], tables, old=old, new=new)
    return [str(reason) for reason in told]


def _one_sided(old: Half | None, new: Half | None) -> str:
    return (
        "no such model was served" if old is None else "no such model would be served" if new is None else ""
    )


def _compared(changed: pd.DataFrame, tables: Tables, *, old: Half, new: Half) -> list[str]:
    before = _by_group(old, tables, keys=changed, places=changed["old_place"])
    after = _by_group(new, tables, keys=changed, places=changed["new_place"])
    # Of groups that one of the two does not know, it says nothing.
    difference = after.sub(before, fill_value=0.0)
    moved = np.zeros(len(changed), dtype=bool)
    for place, scorer in enumerate(old.scorers):
        own = (changed["old_place"] == place).to_numpy()
        again = scorer.cuts.grades(scorer.bundle.reference.scores(changed["new_probability"].to_numpy()[own]))
        moved[own] = again == changed["old_grade"].to_numpy()[own]
    return [
        _sentence(row, reference=bool(by_reference))
        for (_, row), by_reference in zip(difference.iterrows(), moved, strict=True)
    ]


def _by_group(half: Half, tables: Tables, *, keys: pd.DataFrame, places: pd.Series[int]) -> pd.DataFrame:
    """Log-odds by feature group, and the baseline, of the model that answers for each key; a row per key."""
    found = [
        _of_model(scorer, tables, keys=keys[places == place])
        for place, scorer in enumerate(half.scorers)
        if (places == place).any()
    ]
    return pd.concat(found).loc[keys.index]


def _of_model(scorer: Scorer, tables: Tables, *, keys: pd.DataFrame) -> pd.DataFrame:
    catalogue = scorer.bundle.catalogue
    contributions = scorer.score(matrix(tables, keys, catalogue=catalogue)).contributions
    assert contributions is not None
    groups = np.array([feature.group for feature in catalogue.features])
    sums: dict[str, NDArray[np.float64]] = {
        str(group): contributions[:, groups == group].sum(axis=1) for group in np.unique(groups)
    }
    return pd.DataFrame(sums | {"baseline": np.full(len(keys), scorer.baseline)}, index=keys.index)


def _sentence(row: pd.Series[float], *, reference: bool) -> str:
    """The largest differences, such as "engagement +0.41, baseline -0.20"; the reference where it decides."""
    largest = row.iloc[np.argsort(-row.abs().to_numpy(), kind="stable")[:_TOLD]]
    parts = [f"{group} {value:+.2f}" for group, value in largest.items() if abs(value) >= 0.005]
    return ", ".join([*([_REFERENCE] if reference else []), *parts])


def _percent(probability: Any) -> str:
    return "none" if pd.isna(probability) else f"{100 * probability:.1f} %"


def _named(changed: pd.DataFrame, tables: Tables, *, as_of: datetime) -> pd.DataFrame:
    with tables.connect() as connection:
        names = connection.execute(_NAMES, {"as_of": as_of}).to_arrow_table().to_pandas()
    return changed.merge(names, on="account_id", how="left")
