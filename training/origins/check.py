"""How well could the origin of an account be told from the features that a model uses?

Turns the features of accounts of one origin each into a cross-validated classifier of origin, its ROC AUC
with an interval, and the columns that tell most. Where an origin could be told, a model can learn it instead
of what it should learn. Time rule: origins and features of one moment, from rows with `known_at` before it.
Null rule: an account of several origins says nothing of either and is left out; emptiness is a value, and
judged apart, as no company is large or small because a list lacks its size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.console import Group
from rich.table import Table
from rich.text import Text

from features.catalogue import Catalogue, learn_catalogue
from features.comparable import compare_origins
from features.errors import ConfigError, NotEnoughDataError
from features.formulas import columns_read
from features.mapping import Config
from features.origin_report import compared_table, share
from features.origins import Comparison, account_origins
from features.tables import Tables
from features.workspace import Workspace
from models.card import Kind
from training.backtesting.evaluate import Estimate, measure
from training.fit import matrix, select_features
from training.labels import known_accounts, next_cutoff
from training.origins.classifier import OriginClassifier, fold_of, out_of_fold

__all__ = ["OriginCheck", "ToldBy", "check_origin", "check_workspace"]

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]

_MOST = 5_000
"""Accounts of each side: the standard error of the ROC AUC is below .006 then."""

_FEWEST = 20
_NAMED = 5
_PLAIN = 0.9
_SEED = 7
_SURE = 3.0
"""Standard errors by which a column must tell the origin by itself to be named."""


@dataclass(frozen=True)
class ToldBy:
    """A column of accounts. features: those made of it.

    alone: ROC AUC of a classifier that sees nothing else. lost: what the whole classifier's ROC AUC loses
    when the column's features are shuffled. filled: share of accounts with a value, by side. surely: whether
    `alone` is beyond chance.
    """

    column: str
    features: tuple[str, ...]
    alone: float
    lost: float
    filled: Mapping[str, float]
    surely: bool

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self)) | {"features": list(self.features), "filled": dict(self.filled)}


@dataclass(frozen=True)
class OriginCheck:
    """The answer for the features of one model.

    sides: the name of the origin that is to be told (as "crm"), and of all others. accounts: of one origin,
    by side; several: accounts of several origins, which are left out. used: rows of the classifier.
    base_rate: share of the first side. auc: of all features; by_emptiness: of which are empty.
    comparison: of every column of accounts; the model may have left out what is not comparable.
    """

    kind: Kind
    as_of: datetime
    sides: tuple[str, str]
    accounts: Mapping[str, int]
    several: int
    used: int
    features: tuple[str, ...]
    base_rate: float
    auc: Estimate
    by_emptiness: Estimate
    columns: tuple[ToldBy, ...]
    comparison: Comparison

    @property
    def told(self) -> bool:
        """Whether the origin can be told better than by chance."""
        return self.auc.low > 0.5

    @property
    def named(self) -> tuple[ToldBy, ...]:
        """The columns to look at, those that tell most first."""
        return tuple(one for one in self.columns if one.surely)[:_NAMED] if self.told else ()

    @property
    def verdict(self) -> str:
        """The answer in a sentence or two."""
        first, second = self.sides
        interval = f"ROC AUC {self.auc.value:.3f}, 95 % interval {self.auc.low:.3f} to {self.auc.high:.3f}"
        if not self.told:
            return f"The origin cannot be told from these features: {interval}; .5 is chance."
        how = "plainly" if self.auc.value >= _PLAIN else "in part"
        look = "; ".join(self._look(one) for one in self.named)
        return (
            f"The origin ({first} or {second}) can be told {how} from these features: {interval}."
            f" Look at {look or 'several columns together; none tells it alone'}."
            " What sales picks by (size, industry) may differ; emptiness, units and spelling should not."
        )

    def _look(self, one: ToldBy) -> str:
        first, second = (share(one.filled[side]) for side in self.sides)
        gap = abs(one.filled[self.sides[0]] - one.filled[self.sides[1]])
        empty = f", filled {first} in {self.sides[0]} and {second} in {self.sides[1]}" if gap >= 0.05 else ""
        return f"{one.column} (alone {one.alone:.2f}{empty})"

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "as_of": f"{self.as_of.isoformat()}Z",
            "sides": list(self.sides),
            "accounts": dict(self.accounts),
            "several": self.several,
            "used": self.used,
            "features": list(self.features),
            "base_rate": self.base_rate,
            "roc_auc": self.auc.to_json(),
            "roc_auc_by_emptiness": self.by_emptiness.to_json(),
            "told": self.told,
            "verdict": self.verdict,
            "columns": [one.to_json() for one in self.columns],
            "comparison": self.comparison.to_dict(),
        }

    def __rich__(self) -> Group:
        table = Table(title=f"What tells the origin, {self.kind} model", title_justify="left")
        for name in ("column", "alone", "lost when shuffled", *(f"filled, {side}" for side in self.sides)):
            table.add_column(name, justify="left" if name == "column" else "right")
        for one in self.columns:
            filled = (share(one.filled[side]) for side in self.sides)
            table.add_row(one.column, f"{one.alone:.3f}", f"{one.lost:.3f}", *filled)
        counts = ", ".join(f"{count:,} {side}" for side, count in self.accounts.items())
        lines = (
            f"accounts of one origin: {counts} (base rate {share(self.base_rate)}); "
            f"of several, left out: {self.several:,}",
            f"by emptiness alone: ROC AUC {self.by_emptiness}",
            self.verdict,
        )
        return Group(compared_table(self.comparison), table, *map(Text, lines))


def check_workspace(
    workspace: Workspace,
    *,
    config: Config,
    kind: Kind = "fit",
    of: str | None = None,
    as_of: datetime | None = None,
) -> OriginCheck:
    """The check on the features that the model of `kind` would use if it were trained now.

    as_of: naive UTC; default: just after the newest known fact. of: see `check_origin`.
    Raises ConfigError when all accounts come from one place.
    """
    with workspace.lease() as manifest:
        tables = workspace.tables(manifest)
        if manifest.undated:
            if as_of is not None:
                manifest.require_dated("check-origin --as-of")
            tables = tables.without_times()
        moment = as_of or next_cutoff(tables)
        catalogue = learn_catalogue(tables, cutoff=moment, declared=config.features)
        settings = config.model.fit if kind == "fit" else config.model.intent
        selected = select_features(catalogue, kind=kind, settings=settings, keep=config.origins.keep)
        return check_origin(tables, as_of=moment, catalogue=selected, kind=kind, of=of)


def check_origin(
    tables: Tables, *, as_of: datetime, catalogue: Catalogue, kind: Kind = "fit", of: str | None = None
) -> OriginCheck:
    """Tell the origin of accounts from exactly the features of `catalogue`.

    of: the origin to tell from all others. Default: whether sales works it or, where sales works all or none,
    the first by name.
    Raises ConfigError when all accounts come from one place or `of` is no origin, NotEnoughDataError, with
    counts, when a side has fewer than 20 accounts of its own.
    """
    frame, several = _accounts(tables, as_of=as_of)
    first, sides = _sides(tables, frame, of=of)
    counts = {sides[0]: int(first.sum()), sides[1]: int((~first).sum())}
    if min(counts.values()) < _FEWEST:
        raise NotEnoughDataError(
            "too few accounts of one origin to check whether it can be told",
            got=", ".join(f"{count:,} {side}" for side, count in counts.items())
            + f", {several:,} of several",
            allowed=f"at least {_FEWEST} of each",
            fix="load more of them",
        )
    frame = frame.assign(label=first.astype("int64"))
    drawn = _drawn(frame)
    X = matrix(tables, drawn, catalogue=catalogue)
    label = drawn["label"].to_numpy(dtype=np.int64)
    whole = OriginClassifier(X, label, catalogue)
    empty = np.isnan(X).astype(np.float64)
    estimates = _estimates(drawn, probability=whole.told, emptiness=out_of_fold(empty, label, ()))
    return OriginCheck(
        kind=kind,
        as_of=as_of,
        sides=sides,
        accounts=counts,
        several=several,
        used=len(drawn),
        features=catalogue.names,
        base_rate=counts[sides[0]] / len(frame),
        auc=estimates["probability"],
        by_emptiness=estimates["emptiness"],
        columns=_columns(whole, tables=tables, sides=sides),
        comparison=_comparison(tables, as_of=as_of),
    )


def _comparison(tables: Tables, *, as_of: datetime) -> Comparison:
    with tables.connect() as connection:
        return compare_origins(connection, rules=tables.origins, attributes=tables.attributes, before=as_of)


def _accounts(tables: Tables, *, as_of: datetime) -> tuple[pd.DataFrame, int]:
    """Accounts of one origin (account_id, as_of, origin, worked), and how many are of several."""
    known = known_accounts(tables, as_of=as_of)
    frame = known.merge(account_origins(tables, as_of=as_of).query("compared"), on="account_id")
    single = frame["origins"].map(len) == 1
    alone = frame[single].reset_index(drop=True)
    return alone.assign(origin=[origins[0] for origins in alone["origins"]]), int((~single).sum())


def _sides(
    tables: Tables, frame: pd.DataFrame, *, of: str | None
) -> tuple[NDArray[np.bool_], tuple[str, str]]:
    """Which accounts are of the first side, and what the sides are called."""
    names, worked = tables.origins.names, tables.origins.worked
    if not tables.origins.several:
        raise ConfigError(
            "all accounts come from one place: there is no origin to tell",
            got=", ".join(names) or "no origin declared",
            fix='declare that of a bought list or a register in its source, as in origin = "universe"',
        )
    if of is not None and of not in names:
        raise ConfigError("unknown origin", got=repr(of), allowed=", ".join(names))
    ours = [name for name in names if name in worked]
    if of is None and 0 < len(ours) < len(names):
        theirs = [name for name in names if name not in ours]
        return frame["worked"].to_numpy(dtype=bool), (" or ".join(ours), " or ".join(theirs))
    one = of or names[0]
    return (frame["origin"] == one).to_numpy(dtype=bool), (
        one,
        " or ".join(name for name in names if name != one),
    )


def _drawn(frame: pd.DataFrame) -> pd.DataFrame:
    """At most so many accounts of each side, drawn at random."""
    parts = [part.sample(min(len(part), _MOST), random_state=_SEED) for _, part in frame.groupby("label")]
    return pd.concat(parts).sort_values("account_id", ignore_index=True)


def _estimates(drawn: pd.DataFrame, **told: Matrix) -> dict[str, Estimate]:
    """The ROC AUC of each ranking, as the mean over folds, with its interval over resampled accounts.

    Across folds an account that is told from others, and teaches others, would be compared with them: where
    there is nothing to tell, that gives less than .5.
    """
    label = drawn["label"].to_numpy(dtype=np.int64)
    rows = drawn[["account_id", "label"]].assign(cutoff=fold_of(label), **told)
    # No probabilities: slopes of every replicate would take most of the time, and nobody asks for them.
    measured = measure(rows, columns=tuple(told), probabilities=(), replicates=400, seed=_SEED)
    return {name: measured.estimates[name]["roc_auc"] for name in told}


def _columns(whole: OriginClassifier, *, tables: Tables, sides: tuple[str, str]) -> tuple[ToldBy, ...]:
    """Every column of accounts that features are made of, the one that tells most alone first."""
    found = [
        _column(name, positions, whole=whole, sides=sides)
        for name, positions in _by_column(whole.catalogue, tables=tables).items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.alone, one.column)))


def _column(name: str, positions: list[int], *, whole: OriginClassifier, sides: tuple[str, str]) -> ToldBy:
    filled: NDArray[np.bool_] = np.asarray(~np.isnan(whole.X[:, positions]).all(axis=1))
    ours, others = int(whole.label.sum()), int((1 - whole.label).sum())
    # The standard error of the ROC AUC of a ranking without knowledge: Mann and Whitney 1947.
    chance = float(np.sqrt((ours + others + 1) / (12 * ours * others)))
    alone = whole.alone(positions)
    return ToldBy(
        column=name,
        features=tuple(whole.catalogue.names[at] for at in positions),
        alone=alone,
        lost=whole.lost(positions),
        filled={
            side: float(filled[whole.label == value].mean())
            for side, value in zip(sides, (1, 0), strict=True)
        },
        surely=alone > 0.5 + _SURE * chance,
    )


def _by_column(catalogue: Catalogue, *, tables: Tables) -> dict[str, list[int]]:
    """Positions of features by the first column of the contract that they read."""
    found: dict[str, list[int]] = {}
    for position, feature in enumerate(catalogue.features):
        column = columns_read(feature, attributes=tables.attributes)[0]
        found.setdefault(column.removeprefix("accounts."), []).append(position)
    return found
