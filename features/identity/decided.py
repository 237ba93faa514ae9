"""Merging again without the mapping: the settings and decisions that a snapshot was merged with.

Turns what a snapshot keeps of [identity] into accounts that are one company, and into the files of a snapshot
in which some accounts are no more. Time rule: none of its own. Null rule: a snapshot that was not merged has
no settings, and each of its accounts is a company of its own.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import duckdb

from features.engine import run_sql
from features.identity.counts import REVIEW_FILE
from features.identity.merging import SETTINGS_FILE, merge_accounts
from features.identity.resolving import read_decisions
from features.identity.settings import IdentitySettings
from features.identity.views import MERGED_FILE, ROLLED_UP
from features.validation import literal

__all__ = ["copy_merging", "keep_decisions", "merge_again", "same_companies"]

_DECISIONS_FILE = Path("kept") / "decisions.csv"


def keep_decisions(
    connection: duckdb.DuckDBPyConnection, *, folder: Path, settings: IdentitySettings
) -> None:
    """Keep beside a snapshot's tables what was decided of accounts that are in them."""
    if not (settings.used and settings.decisions):
        return
    decided = read_decisions(settings.decisions)
    accounts = literal(str(folder / "accounts.parquet"))
    found = run_sql(
        connection,
        f"SELECT DISTINCT account_id FROM read_parquet({accounts})"
        " WHERE account_id IN (SELECT unnest(?::VARCHAR[]))",
        parameters=[sorted({account for pair in decided for account in pair})],
    )
    known = {account for (account,) in found.fetchall()}
    kept = [(*pair, "same" if same else "different") for pair, same in decided.items() if known >= {*pair}]
    file = folder / _DECISIONS_FILE
    file.parent.mkdir(exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("record_id", "account_id", "decision"), *sorted(kept)])


def copy_merging(*, folder: Path, earlier: Path) -> None:
    """Take over who stands for whom, for a snapshot with the same accounts."""
    for name in (SETTINGS_FILE, MERGED_FILE, _DECISIONS_FILE, Path(REVIEW_FILE)):
        if (earlier / name).is_file():
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(earlier / name, folder / name)


def merge_again(
    connection: duckdb.DuckDBPyConnection,
    *,
    folder: Path,
    earlier: Path,
    sources: Mapping[str, str],
    attributes: Sequence[str],
) -> None:
    """Merge the accounts in `folder` as those of `earlier` were. The rest as in `merge_accounts`."""
    settings = _settings(earlier)
    if settings is None:
        return
    merge_accounts(connection, folder=folder, settings=settings, sources=sources, attributes=attributes)
    keep_decisions(connection, folder=folder, settings=settings)
    # The file of decisions that the mapping names is as it was.
    shutil.copyfile(earlier / SETTINGS_FILE, folder / SETTINGS_FILE)


def same_companies(
    connection: duckdb.DuckDBPyConnection,
    accounts: Collection[str],
    *,
    snapshot: Path,
    scratch: Path,
    sources: Mapping[str, str],
    attributes: Sequence[str],
) -> set[str]:
    """The accounts, and those that are one company with them: a subsidiary and its parent are two.

    scratch: an empty folder to work in.
    """
    settings, merged = _settings(snapshot), snapshot / MERGED_FILE
    if settings is not None and settings.parent is not None:
        # Who was rolled up into a parent is no longer told by the file.
        for name in ("accounts.parquet", "kept/accounts.parquet"):
            if (snapshot / name).is_file():
                (scratch / name).parent.mkdir(exist_ok=True)
                (scratch / name).symlink_to((snapshot / name).absolute())
        alone = settings.model_copy(update={"parent": None})
        merge_accounts(connection, folder=scratch, settings=alone, sources=sources, attributes=attributes)
        merged = scratch / MERGED_FILE
    if not merged.is_file():
        return set(accounts)
    sql = (
        f"WITH one AS (SELECT account_id, identity FROM read_parquet({literal(str(merged))})"
        f" WHERE rule <> {literal(ROLLED_UP)}),"
        " asked AS (SELECT unnest(?::VARCHAR[]) AS account_id),"
        " company AS (SELECT coalesce(identity, asked.account_id) AS identity"
        " FROM asked LEFT JOIN one USING (account_id))"
        " SELECT identity FROM company UNION SELECT account_id FROM one"
        " WHERE identity IN (SELECT identity FROM company)"
    )
    found = run_sql(connection, sql, parameters=[sorted(accounts)]).fetchall()
    return {*accounts, *(account for (account,) in found)}


def _settings(snapshot: Path) -> IdentitySettings | None:
    """The settings that a snapshot was merged with, with the decisions that it keeps."""
    file, decisions = snapshot / SETTINGS_FILE, snapshot / _DECISIONS_FILE
    if not file.is_file():
        return None
    told = json.loads(file.read_text(encoding="utf-8"))
    del told["decided"]
    settings = IdentitySettings.model_validate_json(json.dumps(told))
    return settings.model_copy(update={"decisions": decisions if decisions.is_file() else None})
