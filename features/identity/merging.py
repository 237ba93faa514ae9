"""Accounts of several sources as one account, wherever tables are read.

Turns the settled table of accounts into a file that says which account stands for which, and views in which
that has been done. The tables keep the identifiers of their sources: what is one company follows from the
set of all accounts, so any order and any split of the files gives the same, and nothing is lost when a later
file shows that two are different. Time rule: who is who is told by all that is known today; when a fact was
known is never changed. Null rule: of two accounts that say something of one moment, what was not deleted, or
later, counts first, then the one that stands for both, cell by cell; an empty cell leaves the other's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.engine import run_sql
from features.errors import ConfigError, suggestion
from features.identity.companies import with_salesforce_ids
from features.identity.counts import REVIEW_FILE, Cycle, IdentityCounts, Step
from features.identity.identifiers import salesforce_id
from features.identity.lead_companies import each_its_own, joined, match_leads
from features.identity.matching import MatchSettings, write_review
from features.identity.merged_records import (
    NOTHING_MERGED_BY_SOURCE,
    read_merged_records,
    with_merged_records,
)
from features.identity.parents import ultimate_parents
from features.identity.resolving import Identities, read_decisions, resolve
from features.identity.settings import IdentitySettings
from features.identity.views import MERGED_FILE, ROLLED_UP
from features.origins import told_files
from features.validation import literal

__all__ = ["SETTINGS_FILE", "match_settings", "merge_accounts", "merging_as_before"]

SETTINGS_FILE = Path("identity.json")

_SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("identity", pa.string()),
        ("place", pa.int64()),
        ("rule", pa.string()),
        ("score", pa.float64()),
    ]
)
_OPTIONAL = ("registration_number", "salesforce_id")


def merge_accounts(
    connection: duckdb.DuckDBPyConnection,
    *,
    folder: Path,
    settings: IdentitySettings,
    sources: Mapping[str, str],
    attributes: Sequence[str],
) -> IdentityCounts:
    """Write into a snapshot's folder who stands for whom, and the review file.

    sources: the name of each source of accounts by its id, in the order of the mapping.
    attributes: the names of the further account columns.
    Raises ConfigError for a `parent` or `merged_into` that is no attribute, and for `leads` that are no
    source; ContractError for a file of decisions that is none.
    """
    if not settings.used:
        return IdentityCounts()
    _require_known(settings, sources=sources, attributes=attributes)
    accounts = _accounts(
        connection,
        file=folder / "accounts.parquet",
        settings=settings,
        sources=sources,
        attributes=attributes,
    )
    rules = match_settings(settings)
    decisions = read_decisions(settings.decisions) if settings.decisions else {}
    named = accounts["origin"].isin(settings.leads)
    others = accounts[~named]
    by_source = NOTHING_MERGED_BY_SOURCE
    if settings.merged_into:
        by_source = read_merged_records(
            connection,
            files=told_files(folder),
            column=settings.merged_into,
            accounts=list(others["account_id"]),
            leads=set(accounts.loc[named, "account_id"]),
        )
    if settings.merge:
        found = resolve(
            others,
            origins=(*settings.origins, *sources.values()),
            within_origin=settings.within_origin,
            settings=rules,
            decisions=decisions,
            merged=by_source.winner,
        )
    else:
        found = each_its_own(others[~others["account_id"].isin(set(by_source.winner))])
    found = with_merged_records(found, by_source)
    matched = match_leads(accounts[named], accounts=others, found=found, settings=rules, decisions=decisions)
    cycles = by_source.cycles
    if settings.parent:
        told = _parents(found, accounts=others)
        families = ultimate_parents({own: said.parent if said else None for own, said in told.items()})
        found = replace(found, identity=_rolled_up(found, top=families.top))
        cycles += tuple(_cycle(ring, told=told, column=settings.parent) for ring in families.cycles)
        top = dict(zip(found.identity["account_id"], found.identity["identity"], strict=True))
        matched = replace(
            matched, identity=matched.identity.assign(identity=matched.identity["identity"].map(top))
        )
    _write(joined(found, matched), folder=folder, settings=settings)
    merged = int((found.identity["account_id"] != found.identity["identity"]).sum())
    review = len(found.review) + len(matched.review)
    return IdentityCounts(
        merged,
        review,
        leads=int(named.sum()),
        matched=len(matched.identity),
        cycles=cycles,
    )


def _cycle(ring: Sequence[str], *, told: Mapping[str, _Said | None], column: str) -> Cycle:
    said = (told[own] for own in ring)
    return Cycle(column, tuple(Step(one.account, one.written) for one in said if one is not None))


def _require_known(
    settings: IdentitySettings, *, sources: Mapping[str, str], attributes: Sequence[str]
) -> None:
    for key, name in (("parent", settings.parent), ("merged_into", settings.merged_into)):
        if name is not None and name not in attributes:
            raise ConfigError(
                f"[identity] {key} is no attribute", got=repr(name), allowed=", ".join(attributes)
            )
    allowed = tuple(sources.values())
    if odd := [name for name in settings.leads if name not in allowed]:
        raise ConfigError(
            "[identity] leads names no source of accounts",
            got=repr(odd[0]),
            allowed=", ".join(allowed),
            fix=suggestion(odd[0], allowed),
        )


def match_settings(settings: IdentitySettings) -> MatchSettings:
    """What [identity] says of how names are compared."""
    return MatchSettings(
        accept=settings.accept,
        review=settings.review,
        lead=settings.lead,
        register=settings.company_register,
    )


def merging_as_before(folder: Path, settings: IdentitySettings) -> bool:
    """Whether the snapshot in `folder` was merged as `settings` say."""
    file = folder / SETTINGS_FILE
    before = file.read_text(encoding="utf-8") if file.is_file() else None
    return before == (_told(settings) if settings.used else None)


def _told(settings: IdentitySettings) -> str:
    """The settings with what the file of decisions holds."""
    decided = settings.decisions.read_bytes() if settings.decisions and settings.decisions.is_file() else b""
    told = settings.model_dump(mode="json", exclude={"decisions"}) | {
        "decided": hashlib.sha256(decided).hexdigest()
    }
    return json.dumps(told, indent=1, sort_keys=True) + "\n"


def _accounts(
    connection: duckdb.DuckDBPyConnection,
    *,
    file: Path,
    settings: IdentitySettings,
    sources: Mapping[str, str],
    attributes: Sequence[str],
) -> pd.DataFrame:
    """One row per account: the latest of each column, its first source, when it was known first."""
    columns = ["name", "domain", "country", *(name for name in _OPTIONAL if name in attributes)]
    if settings.parent:
        columns.append(settings.parent)
    # Two versions known at once are told apart by their text, so that no order of rows matters.
    latest = ", ".join(
        f'max_by("{name}", (known_at, "{name}")) FILTER ("{name}" IS NOT NULL) AS "{name}"'
        for name in columns
    )
    place = " ".join(f"WHEN {literal(source)} THEN {at}" for at, source in enumerate(sources))
    names = list(sources.values())
    frame: pd.DataFrame = (
        run_sql(
            connection,
            f"SELECT account_id, min(known_at) AS known_at, min(CASE _source {place} END) AS source, {latest}"
            f" FROM read_parquet({literal(str(file))}) GROUP BY account_id ORDER BY account_id",
        )
        .to_arrow_table()
        .to_pandas()
    )
    frame["origin"] = [None if pd.isna(at) else names[int(at)] for at in frame.pop("source")]
    return with_salesforce_ids(frame).rename(columns={settings.parent or "": "parent"})


@dataclass(frozen=True)
class _Said:
    """The company that is a company's parent, the account that says so, and what is written there."""

    parent: str
    account: str
    written: str


def _parents(found: Identities, *, accounts: pd.DataFrame) -> dict[str, _Said | None]:
    """The parent of each company that accounts stand for."""
    identity = dict(zip(found.identity["account_id"], found.identity["identity"], strict=True))
    parents: dict[str, _Said | None] = dict.fromkeys(sorted(set(identity.values())))
    for account, parent in zip(accounts["account_id"], accounts["parent"], strict=True):
        own = identity[account]
        meant = None if pd.isna(parent) else identity.get(parent) or identity.get(salesforce_id(parent) or "")
        # Who merged with its parent is one company with it, and no ancestor of itself.
        if meant is None or (meant == own and not _is_one(parent, account)):
            continue
        # A company's own account tells its parent before the others that stand for it.
        if account == own or parents[own] is None:
            parents[own] = _Said(meant, account, parent)
    return parents


def _is_one(one: str, other: str) -> bool:
    """Whether two identifiers are one, written alike or as the two lengths of a Salesforce id."""
    return one == other or (salesforce_id(one) or one) == (salesforce_id(other) or other)


def _rolled_up(found: Identities, *, top: Mapping[str, str]) -> pd.DataFrame:
    """The identities with the top of the family in place of its members."""
    rolled = found.identity["identity"].map(dict(top))
    rule = found.identity["rule"].where(rolled == found.identity["identity"], ROLLED_UP)
    return found.identity.assign(identity=rolled, rule=rule)


def _write(found: Identities, *, folder: Path, settings: IdentitySettings) -> None:
    identity = found.identity
    others = identity[identity["account_id"] != identity["identity"]].copy()
    others["place"] = others.groupby("identity").cumcount() + 1
    (folder / SETTINGS_FILE).write_text(_told(settings), encoding="utf-8")
    if len(found.review):
        write_review(found.review, folder / REVIEW_FILE)
    if len(others):
        (folder / MERGED_FILE.parent).mkdir(exist_ok=True)
        table = pa.Table.from_pandas(others[_SCHEMA.names], schema=_SCHEMA, preserve_index=False)
        pq.write_table(table, folder / MERGED_FILE)
