"""What `spearfish audit` looks at: a file, or the tables of a workspace.

Turns a file of rows, or a workspace, into audits. Time rule: dated tables are audited as a training at the
cutoff would see them; tables without dates as one list of records with their outcome. Null rule: a model that
these tables cannot give has no audit.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow.lib

from features.catalogue import learn_catalogue
from features.errors import ConfigError, InputError, NotEnoughDataError
from features.mapping import Config
from features.tables import Tables
from features.workspace import Workspace
from models.bundle import Kind
from models.card import kind_of
from training.audit.columns import raw_table
from training.audit.finding import Audit
from training.audit.of_training import audit_rows
from training.audit.running import audit_table
from training.fit import fit_rows, intent_rows, select_features
from training.labels import fit_labels, next_cutoff, require_past
from training.learning.learn import Rows
from training.learning.splits import time_folds

__all__ = ["EVENT", "audit_file", "audit_tables", "audit_undated", "audit_workspace", "read_list"]

EVENT = ("1", "true", "yes", "won")
"""What an outcome reads where it happened, in any case, unless something else is said."""

_ENDINGS = (".csv", ".parquet")

_RECORDS = """
SELECT account.* EXCLUDE (account_id, known_at, withdrawn_at), opportunity.outcome AS "_outcome"
FROM (
    SELECT * FROM opportunities WHERE withdrawn_at IS NULL
    QUALIFY row_number() OVER (PARTITION BY opportunity_id ORDER BY known_at DESC) = 1
) AS opportunity
JOIN (
    SELECT * FROM accounts WHERE withdrawn_at IS NULL
    QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY known_at DESC) = 1
) AS account USING (account_id)
WHERE opportunity.outcome IS NOT NULL
ORDER BY opportunity.opportunity_id"""


def audit_file(path: Path, *, outcome: str, event: Collection[str] = EVENT) -> Audit:
    """The audit of a CSV or Parquet file in which nothing has a date.

    outcome: its column. event: the words that mean that it happened. Raises InputError for a file that cannot
    be read, ContractError and NotEnoughDataError for an outcome that is not there or always the same.
    """
    return audit_table(raw_table(read_list(path), outcome=outcome, event=event))


def read_list(path: Path) -> pd.DataFrame:
    """The rows of a file as it words them.

    Raises ConfigError for another ending, InputError for a file that is not there, empty, torn or no table.
    """
    ending = path.suffix.lower()
    if ending not in _ENDINGS:
        raise ConfigError(
            "unknown kind of file to audit",
            got=repr(path.suffix),
            allowed=", ".join(_ENDINGS),
            fix="convert it",
        )
    try:
        if ending == ".parquet":
            rows = pd.read_parquet(path)
        else:
            rows = pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False)
    except (OSError, ValueError, pyarrow.lib.ArrowException) as error:
        raise _unreadable(path, error) from error
    if rows.empty:
        raise InputError(f"{path}: a header and no rows", allowed="at least one row", fix="export it again")
    return rows


def _unreadable(path: Path, error: Exception) -> InputError:
    """Why a file is no table, and what to do about it."""
    match error:
        case FileNotFoundError():
            return InputError(f"{path}: no such file", fix="correct the path")
        case OSError() if error.strerror:
            return InputError(
                f"{path}: cannot be read", got=error.strerror, fix="name a file that you may read"
            )
        case pd.errors.EmptyDataError():
            return InputError(
                f"{path}: the file is empty", allowed="a header and rows", fix="export it again"
            )
        case UnicodeDecodeError():
            got = f"byte {error.object[error.start]:#04x} at {error.start:,}"
            return InputError(f"{path}: not written in UTF-8", got=got, fix="save it as CSV in UTF-8")
        case pd.errors.ParserError():
            told = str(error).strip().removeprefix("Error tokenizing data. C error: ")
            fix = "export it again, as the end of the file may be missing, or mend that row"
            return InputError(f"{path}: torn, or no CSV file", got=told, fix=fix)
        case _:
            fix = "write it again: its end may be missing"
            return InputError(f"{path}: torn, or no {path.suffix[1:]} file", got=_first_line(error), fix=fix)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def audit_undated(tables: Tables) -> Audit:
    """The audit of tables without times: every opportunity won or lost, with what its account says."""
    with tables.connect() as connection:
        frame: pd.DataFrame = connection.execute(_RECORDS).to_arrow_table().to_pandas()
    for name in frame.columns:
        frame[name] = [", ".join(cell) if hasattr(cell, "tolist") else cell for cell in frame[name]]
    return audit_table(raw_table(frame.dropna(axis="columns", how="all"), outcome="_outcome", event=("won",)))


def audit_workspace(
    workspace: Workspace, *, config: Config, cutoff: datetime | None = None
) -> dict[str, Audit]:
    """The audit of each model that the workspace could train at `cutoff` (naive UTC; default: now).

    By key, such as "fit" and "fit.emea"; of undated tables one audit, by "list". Raises NotEnoughDataError
    when there is nothing to learn from.
    """
    with workspace.lease() as manifest:
        tables = workspace.tables(manifest)
        if manifest.undated:
            if cutoff is not None:
                manifest.require_dated("audit --cutoff")
            return {"list": audit_undated(tables)}
        moment = cutoff or next_cutoff(tables)
        require_past(moment, tables=tables)
        keys = [key for key in config.models if key != "fit" or config.labels.fit.enabled]
        found: dict[str, Audit] = {}
        problems = []
        for key in keys:
            own, kind = config.of_model(key), kind_of(key)
            try:
                found[key] = audit_tables(tables, kind=kind, cutoff=moment, config=own)
            except NotEnoughDataError as error:
                problems.append(error)
        if not found:
            raise problems[0]
        return found


def audit_tables(tables: Tables, *, kind: Kind, cutoff: datetime, config: Config) -> Audit:
    """The audit of what a model of this kind would learn from the tables at the cutoff.

    Raises NotEnoughDataError when there is too little to learn from.
    """
    rows = _rows(tables, kind=kind, cutoff=cutoff, config=config)
    settings = config.model.fit if kind == "fit" else config.model.intent
    folds = time_folds(rows.frame, folds=settings.folds)
    return audit_rows(tables, rows=rows, folds=folds, kind=kind, cutoff=cutoff, config=config)


def _rows(tables: Tables, *, kind: Kind, cutoff: datetime, config: Config) -> Rows:
    """What a training at the cutoff would learn from."""
    catalogue = learn_catalogue(tables, cutoff=cutoff, declared=config.features)
    settings = config.model.fit if kind == "fit" else config.model.intent
    selected = select_features(catalogue, kind=kind, settings=settings, keep=config.origins.keep)
    if kind == "intent":
        return intent_rows(tables, cutoff=cutoff, config=config, catalogue=selected)
    labels = fit_labels(tables, cutoff=cutoff, settings=config.labels.fit, seed=config.model.fit.seed)
    return fit_rows(tables, labels=labels, catalogue=selected)
