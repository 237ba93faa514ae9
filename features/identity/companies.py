"""Rows that name a company, read for comparison.

Turns a frame into `Company` values: every identifier in its one spelling. Time rule: none. Null rule: absent
columns and empty cells are None; a domain of a mail provider and an invalid number are None, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from features.errors import ContractError
from features.identity.domains import company_domain
from features.identity.identifiers import registration_number, salesforce_id
from features.identity.names import CompanyName, company_name
from features.normalisation.places import read_country

__all__ = ["Company", "read_companies", "with_salesforce_ids"]

_COLUMNS = ("name", "domain", "country", "registration_number", "salesforce_id")
_SALESFORCE_ACCOUNT = "001"
"""What the identifiers of accounts begin with in every Salesforce."""


@dataclass(frozen=True)
class Company:
    """written: the name as it stands in the source; empty where there is none."""

    identifier: str
    written: str
    name: CompanyName
    domain: str | None
    country: str | None
    registration_number: str | None
    salesforce_id: str | None


def read_companies(frame: pd.DataFrame, *, identifier: str, register: str | None = None) -> list[Company]:
    """One company per row, in the order of the rows. register: of the registration numbers.

    Raises ContractError when `identifier` is not a column, or is empty or repeated in a row.
    """
    if identifier not in frame.columns:
        raise ContractError(
            f"no column {identifier}", got=", ".join(map(str, frame.columns)), fix=f"add {identifier}"
        )
    identifiers = [_text(value) for value in frame[identifier]]
    if None in identifiers or len(set(identifiers)) < len(identifiers):
        raise ContractError(
            f"{identifier} must be filled and unique",
            got=f"{identifiers.count(None)} empty, {len(identifiers) - len(set(identifiers))} repeated",
            fix="settle the rows first",
        )
    columns = (_cells(frame, name) for name in _COLUMNS)
    return [
        _company(key or "", cells=cells, register=register)
        for key, *cells in zip(identifiers, *columns, strict=True)
    ]


def with_salesforce_ids(accounts: pd.DataFrame) -> pd.DataFrame:
    """An account's own identifier is its Salesforce id, where it looks like one and no other is given."""
    own = accounts["account_id"].where(accounts["account_id"].str.startswith(_SALESFORCE_ACCOUNT))
    given = accounts["salesforce_id"] if "salesforce_id" in accounts.columns else own
    return accounts.assign(salesforce_id=given.where(given.notna(), own))


def _company(identifier: str, *, cells: list[str | None], register: str | None) -> Company:
    name, domain, country, number, salesforce = cells
    return Company(
        identifier=identifier,
        written=(name or "").strip(),
        name=company_name(name or ""),
        domain=company_domain(domain),
        country=read_country(country).value,
        registration_number=registration_number(number, register=register),
        salesforce_id=salesforce_id(salesforce),
    )


def _cells(frame: pd.DataFrame, name: str) -> list[str | None]:
    return [_text(value) for value in frame[name]] if name in frame.columns else [None] * len(frame)


def _text(value: Any) -> str | None:
    """None for None, NaN and blanks."""
    return None if pd.isna(value) or not str(value).strip() else str(value)
