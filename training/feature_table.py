"""The features of every account at one moment, as a frame that people can read.

Turns a workspace into features and their summary. Time rule: rows with `known_at < as_of` only, for the
values and for the catalogue. Null rule: that of each feature; `filled` says how often a value is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from features.catalogue import Catalogue, learn_catalogue
from features.comparable import compare_origins
from features.declared import DeclaredFeature
from features.errors import ConfigError, NotEnoughDataError
from features.origins import NOTHING_COMPARED, Comparison
from features.point_in_time import build_features
from features.spreadsheets import write_csv
from features.tables import Tables
from features.workspace import Workspace
from training.labels import next_cutoff

__all__ = ["FeatureTable", "check_target", "feature_table", "write_frame"]

_SECOND = timedelta(seconds=1)
_ENDINGS = (".parquet", ".csv")


@dataclass(frozen=True)
class FeatureTable:
    """Features as of one moment, or of undated tables (None).

    workspace: its name. frame: one row per account, values as people read them.
    comparison: of the account columns between origins, where accounts come from several.
    assumed: by source of contacts, what the mapping assumes of consent.
    """

    workspace: str
    as_of: datetime | None
    catalogue: Catalogue
    frame: pd.DataFrame
    comparison: Comparison = NOTHING_COMPARED
    assumed: Mapping[str, str] = field(default_factory=dict)

    def summary(self) -> Iterator[tuple[str, str, str, str, str]]:
        """Per feature: name, group, unit, how often it is filled, and the median (or commonest) value."""
        for feature in self.catalogue.features:
            values = self.frame[feature.name].dropna()
            filled = f"{len(values) / max(len(self.frame), 1):.0%}"
            yield feature.name, feature.group, feature.unit or "", filled, _middle(values)

    def to_json(self) -> dict[str, Any]:
        names = ("feature", "group", "unit", "filled", "middle")
        return {
            "as_of": None if self.as_of is None else f"{self.as_of.isoformat()}Z",
            "accounts": len(self.frame),
            "features": [dict(zip(names, line, strict=True)) for line in self.summary()],
            **(self._compared() if self.comparison != NOTHING_COMPARED else {}),
            **({"consent_assumed": dict(self.assumed)} if self.assumed else {}),
        }

    def _compared(self) -> dict[str, Any]:
        return {"not_comparable": self.catalogue.not_comparable, "origins": self.comparison.to_dict()}


def feature_table(
    workspace: Workspace, *, as_of: datetime | None = None, declared: Sequence[DeclaredFeature] = ()
) -> FeatureTable:
    """Every feature of every account known before `as_of` (naive UTC; default: just after the newest fact).

    declared: the [[features]] of a config. Undated tables have no such moment: all that they say counts.
    Raises ContractError when they are asked for one all the same, NotEnoughDataError when no account was
    known then.
    """
    with workspace.lease() as manifest:
        tables = workspace.tables(manifest)
        if manifest.undated:
            if as_of is not None:
                manifest.require_dated("features --as-of")
            tables = tables.without_times()
        moment = as_of or _now(tables, data_through=manifest.data_through)
        catalogue = learn_catalogue(tables, cutoff=moment, declared=declared)
        keys = _known_accounts(tables, as_of=moment)
        matrix = build_features(tables, keys, catalogue=catalogue)
        compared = _comparison(tables, as_of=moment)
    shown = None if manifest.undated else moment
    frame = _readable(matrix, catalogue=catalogue)
    return FeatureTable(manifest.workspace, shown, catalogue, frame, compared, manifest.assumed)


def _now(tables: Tables, *, data_through: datetime | None) -> datetime:
    """Just after the newest fact, and the newest opt-out."""
    newest = next_cutoff(tables)
    return newest if data_through is None else max(newest, data_through + _SECOND)


def write_frame(frame: pd.DataFrame, *, out: Path) -> None:
    """Write a frame as Parquet or CSV, by the file's ending; CSV as spreadsheets read it.

    Raises ConfigError for another ending.
    """
    check_target(out)
    try:
        if out.suffix.lower() == ".parquet":
            frame.to_parquet(out, index=False)
        else:
            write_csv(frame, out)
    except OSError as error:
        raise ConfigError("cannot write the file", got=error, fix="name another one") from error


def check_target(out: Path) -> None:
    """ConfigError for a file that cannot be written, before the work is done."""
    if out.suffix.lower() not in _ENDINGS:
        raise ConfigError(
            "unknown kind of file to write",
            got=repr(out.suffix),
            allowed=", ".join(_ENDINGS),
            fix="rename the file",
        )
    if out.is_dir() or not out.parent.is_dir():
        raise ConfigError("not a file in a folder that exists", got=out, fix="name another file")


def _comparison(tables: Tables, *, as_of: datetime) -> Comparison:
    if not tables.origins.several:
        return NOTHING_COMPARED
    with tables.connect() as connection:
        return compare_origins(
            connection, rules=tables.origins, attributes=tables.attributes, before=as_of, year_before=True
        )


def _known_accounts(tables: Tables, *, as_of: datetime) -> pd.DataFrame:
    with tables.connect() as connection:
        accounts: pd.DataFrame = (
            connection.execute(
                "SELECT DISTINCT account_id FROM accounts WHERE known_at < $1"
                " AND (withdrawn_at IS NULL OR withdrawn_at >= $1) ORDER BY account_id",
                [as_of],
            )
            .to_arrow_table()
            .to_pandas()
        )
    if accounts.empty:
        raise NotEnoughDataError(
            "no account was known yet", got=f"as_of {as_of.isoformat()}Z", fix="choose a later moment"
        )
    accounts["as_of"] = pd.Series(as_of, index=accounts.index, dtype="datetime64[us]")
    return accounts


def _readable(matrix: pd.DataFrame, *, catalogue: Catalogue) -> pd.DataFrame:
    frame = matrix.reset_index()
    for feature in catalogue.features:
        if feature.kind == "category":
            frame[feature.name] = [feature.readable(value) for value in matrix[feature.name]]
    return frame


def _middle(values: pd.Series[Any]) -> str:
    if values.empty:
        return ""
    if pd.api.types.is_numeric_dtype(values):
        return f"{values.median():,.4g}"
    return str(values.mode().iloc[0])
