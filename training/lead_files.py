"""Leads in a CSV file, matched to the accounts of the workspace.

Turns a file of leads into matches and pairs to look at. Time rule: accounts are taken as they are known
today. Null rule: a lead without a company, a web site or an address matches nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from features.errors import ContractError, InputError
from features.identity.leads import lead_records
from features.identity.matching import AccountMatcher, Matches, MatchSettings
from features.identity.resolving import read_decisions
from features.tables import Tables

__all__ = ["match_lead_file"]

_FACTS = ("name", "domain", "country")
_OPTIONAL = ("registration_number", "salesforce_id")


def match_lead_file(
    tables: Tables,
    *,
    file: Path,
    columns: Mapping[str, str],
    settings: MatchSettings | None = None,
    decisions: Sequence[Path] = (),
) -> Matches:
    """Match the leads of a CSV file (UTF-8).

    decisions: review files of earlier matches in which a person wrote "same" or "different"; a later file
        goes before an earlier one. What was decided of an account that another one stands for by now counts
        for that one.
    columns: the file's column for lead_id, company, email, website, country, registration_number and
        account_salesforce_id; those that the file lacks are empty, but for lead_id.
    Raises InputError for a file that cannot be read, ContractError for one without leads or identifiers, and
    for a file of decisions that is none.
    """
    leads = _leads(file, columns=columns)
    told: dict[tuple[str, str], bool] = {}
    for each in decisions:
        told |= _decisions(each)
    decided = _standing(told, tables=tables) if told else {}
    return AccountMatcher(_accounts(tables), settings=settings).match(lead_records(leads), decisions=decided)


def _decisions(file: Path) -> dict[tuple[str, str], bool]:
    try:
        return read_decisions(file)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(
            f"{file}: cannot be read as CSV", got=str(error), fix="give a review file that `match` wrote"
        ) from error


def _standing(decisions: Mapping[tuple[str, str], bool], *, tables: Tables) -> dict[tuple[str, str], bool]:
    """The decisions, with the accounts that stand for others in their place; "same" before "different"."""
    with tables.connect() as connection:
        rows = connection.execute("SELECT account_id, identity FROM merged_accounts").fetchall()
    stands = dict(rows)
    found: dict[tuple[str, str], bool] = {}
    for (one, two), same in decisions.items():
        pair = (stands.get(one, one), stands.get(two, two))
        key = (min(pair), max(pair))
        found[key] = same or found.get(key, False)
    return found


def _leads(file: Path, *, columns: Mapping[str, str]) -> pd.DataFrame:
    try:
        raw = pd.read_csv(file, dtype=str, encoding="utf-8-sig", keep_default_na=False)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(
            f"{file}: cannot be read as CSV", got=str(error), fix="give a CSV file in UTF-8 with a header"
        ) from error
    identifier = columns["lead_id"]
    if identifier not in raw.columns:
        raise ContractError(
            f"{file}: no column {identifier!r}", got=", ".join(raw.columns), fix="name it with --id"
        )
    present = {column: name for name, column in columns.items() if column in raw.columns}
    return raw[list(present)].rename(columns=present)


def _accounts(tables: Tables) -> pd.DataFrame:
    """The latest of what tells an account from others."""
    optional = [attribute.name for attribute in tables.attributes if attribute.name in _OPTIONAL]
    # Two versions known at once are told apart by their text.
    latest = ", ".join(
        f'max_by("{name}", (known_at, "{name}")) FILTER ("{name}" IS NOT NULL) AS "{name}"'
        for name in (*_FACTS, *optional)
    )
    with tables.connect() as connection:
        sql = f"SELECT account_id, {latest} FROM accounts GROUP BY account_id ORDER BY account_id"
        frame: pd.DataFrame = connection.execute(sql).to_arrow_table().to_pandas()
    if "salesforce_id" not in frame.columns:
        frame["salesforce_id"] = frame["account_id"]
    return frame
