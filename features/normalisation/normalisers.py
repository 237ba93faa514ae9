"""Normalisers by name: what a mapping declares of a column as `normalise = "employees"`.

Turns a cell's text into the one spelling that the canonical column holds, as text, whatever the reader gives.
Time rule: none. Null rule: "" for a cell that says nothing, None for one that could not be read, so that
ingest can tell the two apart and count the second.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Final

import pycountry

from features.errors import ConfigError, suggestion
from features.identity.domains import company_domain, registrable_domain
from features.normalisation.amounts import Amount
from features.normalisation.employees import read_employees
from features.normalisation.industries import Industry, Scheme, read_industry
from features.normalisation.places import read_country, read_region
from features.normalisation.reading import NOTHING, UNREAD, Reading, tidy
from features.normalisation.revenue import RATES_YEAR, exchange_rate, read_revenue
from features.normalisation.technologies import read_technologies

__all__ = ["NORMALISERS", "Normaliser", "normaliser"]

Normaliser = Callable[[str], str | None]


def _text(reading: Reading[str]) -> str | None:
    return None if reading.unread else reading.value or ""


def _whole(reading: Reading[Amount]) -> str | None:
    """The middle of the bounds, rounded; not for amounts that a person would give in full."""
    return _text(
        Reading(str(round(reading.value.middle))) if reading.value else Reading(unread=reading.unread)
    )


def _read_domain(cell: str) -> Reading[str]:
    if tidy(cell) is None:
        return NOTHING
    domain = registrable_domain(cell)
    return Reading(domain) if domain else UNREAD


def _company_domain(cell: str) -> str:
    """Nothing where the mail provider or nobody is told: the company may be told elsewhere."""
    return company_domain(cell) or ""


def _company_key(cell: str) -> str:
    """One spelling for names that differ in legal form, case and accents only."""
    # Spelling out Chinese names takes long tables.
    from features.identity.names import company_name

    return company_name(tidy(cell) or "").key.replace(" ", "-")


def _industry(cell: str, *, scheme: Scheme | None = None, section: bool = False) -> str | None:
    reading = read_industry(cell, scheme=scheme)
    found: Industry | None = reading.value
    if found is None:
        return None if reading.unread else ""
    return found.section_title if section else found.title


def _technologies(cell: str) -> str | None:
    reading = read_technologies(cell)
    return None if reading.unread else ";".join(name.replace(";", " ") for name in reading.value or ())


NORMALISERS: Final[dict[str, Normaliser]] = {
    "domain": lambda cell: _text(_read_domain(cell)),
    "company_domain": _company_domain,
    "company_key": _company_key,
    "employees": lambda cell: _whole(read_employees(cell)),
    "country": lambda cell: _text(read_country(cell)),
    "region": lambda cell: _text(read_region(cell)),
    "industry": _industry,
    "industry_section": partial(_industry, section=True),
    "industry_naics": partial(_industry, scheme="naics"),
    "industry_sic": partial(_industry, scheme="sic"),
    "industry_nace": partial(_industry, scheme="nace"),
    "industry_isic": partial(_industry, scheme="isic"),
    "technologies": _technologies,
}
"""Beside these, region_us (a country's regions) and revenue_eur (the currency to convert into)."""

_REGION = re.compile("region_([a-z]{2})")
_REVENUE = re.compile("revenue_([a-z]{3})")
_FAMILIES: Final = ("region_us", "revenue_usd", "revenue_eur", "revenue_cny")


def normaliser(name: str) -> Normaliser:
    """The function of that name. Raises ConfigError for a name that does not exist."""
    if name in NORMALISERS:
        return NORMALISERS[name]
    region, revenue = _REGION.fullmatch(name), _REVENUE.fullmatch(name)
    if region and any(one.alpha_2 == region[1].upper() for one in pycountry.countries):
        return lambda cell: _text(read_region(cell, country=region[1].upper()))
    if revenue and exchange_rate(revenue[1].upper(), into="EUR", year=RATES_YEAR) is not None:
        return lambda cell: _whole(read_revenue(cell, currency=revenue[1].upper()))
    allowed = (*NORMALISERS, *_FAMILIES)
    raise ConfigError(
        "unknown normaliser", got=repr(name), allowed=", ".join(allowed), fix=suggestion(name, allowed)
    )
