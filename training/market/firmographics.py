"""What is known of companies and people, and since when.

Draws versions of accounts and contacts for one block, and looks up what was known at any moment. Time rule:
a version measures the company some weeks before it becomes known; `as_known` reads versions with
`known_at < moment`, strictly. Null rule: cells are empty at random, more often for small companies; the
latest known non-empty cell counts, as the contract says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from features.contract import SENIOR, SENIORITIES
from training.market.hazards import emptied, measured_days_before
from training.market.settings import BLOCK_ACCOUNTS, DAY, MarketSettings
from training.market.truth import FirmographicFacts, Flags, Floats, Integers
from training.market.vocabulary import (
    CERTIFICATIONS,
    DEPARTMENTS,
    REGION_OF_COUNTRY,
    REGIONS,
    SECTOR_OF_INDUSTRY,
    TECHNOLOGIES,
)

__all__ = [
    "CONTACTS",
    "NEVER",
    "VERSIONS",
    "Accounts",
    "Contacts",
    "draw_accounts",
    "draw_contacts",
    "facts_as_known",
    "senior_as_known",
]

NEVER: Final = 2**62
"""The `known_at` of a version that does not exist."""

VERSIONS: Final = 6
CONTACTS: Final = 8

_N: Final = BLOCK_ACCOUNTS


@dataclass(frozen=True)
class Accounts:
    """Versions of the accounts of one block; n accounts, V versions, strictly increasing in time.

    known_at: (n, V) seconds, NEVER where there is no such version.
    numbers: by column, (n, V) float64, NaN where empty; categories and booleans are codes.
    sets: by column, (n, V, members) flags; set_known: by column, (n, V).
    """

    known_at: Integers
    numbers: dict[str, Floats]
    sets: dict[str, Flags]
    set_known: dict[str, Flags]

    @property
    def first_known(self) -> Integers:
        return self.known_at[:, 0]


@dataclass(frozen=True)
class Contacts:
    """People of the accounts of one block; n accounts, CONTACTS slots, two versions each.

    known_at: (n, K, 2), NEVER where absent. seniority, role: (n, K, 2) codes, -1 empty. department: (n, K).
    weight: (n, K) cumulated share of the account's identified activity that each person causes.
    """

    known_at: Integers
    seniority: Integers
    role: Integers
    department: Integers
    weight: Floats


def _choice(generator: np.random.Generator, *, shares: npt.ArrayLike, size: int | None = None) -> Integers:
    """Codes drawn with the shares given: one row of shares for all (levels,) or one per account."""
    table = np.atleast_2d(np.asarray(shares, dtype=np.float64))
    cumulated = np.cumsum(table / table.sum(axis=1, keepdims=True), axis=1)
    uniform = generator.random(size or len(table))[:, None]
    codes: Integers = np.minimum((uniform >= cumulated).sum(axis=1), table.shape[1] - 1).astype(np.int64)
    return codes


_INDUSTRY_SHARES: Final = (17, 11, 12, 6, 14, 8, 10, 9, 7, 6)
_LOG_SIZE: Final = np.array((4.6, 5.6, 4.6, 4.3, 5.9, 5.4, 5.3, 5.7, 5.2, 4.8))
_TECHNOLOGY_SHARES: Final = np.array(
    # in the order of TECHNOLOGIES; one row per sector
    (
        (0.60, 0.52, 0.34, 0.48, 0.35, 0.35, 0.5, 0.5, 0.75, 0.45, 0.40, 0.50),
        (0.45, 0.40, 0.36, 0.38, 0.20, 0.30, 0.5, 0.5, 0.60, 0.20, 0.30, 0.35),
        (0.38, 0.34, 0.24, 0.32, 0.15, 0.40, 0.5, 0.5, 0.50, 0.25, 0.20, 0.30),
    )
)


def _draw_times(generator: np.random.Generator, *, settings: MarketSettings) -> Integers:
    """When each version becomes known: five in six accounts before the history, the rest during it."""
    start, end = settings.start_seconds, settings.end_seconds
    before = start - generator.integers(120 * DAY, 900 * DAY, _N)
    during = generator.integers(start, end - 120 * DAY, _N)
    first = np.where(generator.random(_N) < 5 / 6, before, during)
    share = generator.random((_N, VERSIONS - 1))
    later = first[:, None] + DAY + (share * (end - first - DAY)[:, None]).astype(np.int64)
    later = np.where(generator.random(later.shape) < 0.7, later, NEVER)
    times = np.sort(np.column_stack([first, later]), axis=1)
    return times + np.where(times < NEVER, np.arange(VERSIONS), 0)


def _year(seconds: Integers) -> Integers:
    """Calendar year of each moment."""
    return seconds.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970


def _draw_lasting(
    generator: np.random.Generator, *, industry: Integers, log_size: Floats, first_measured: Integers
) -> dict[str, npt.NDArray[Any]]:
    """Columns that stay the same: (n,) each. Larger companies are older, better funded and buy formally."""
    age = np.maximum(np.exp(generator.normal(2.35 + 0.13 * (log_size - 5.0), 0.75, _N)), 0.5)
    founded_year = np.floor(_year(first_measured) + 0.5 - age)
    funded_days_ago = generator.exponential(900.0, _N) - 700.0
    funded_at = first_measured - (funded_days_ago * DAY).astype(np.int64)
    founded_at = (founded_year - 1970).astype(np.int64).astype("datetime64[Y]").astype("datetime64[s]")
    country = _choice(generator, shares=(38, 14, 12, 10, 9, 7, 5, 5), size=_N)
    stage_shares = np.column_stack(
        [
            np.full(_N, 0.4),
            np.exp(3.0 - log_size * 0.8),
            np.full(_N, 0.25),
            np.maximum(0.04 * log_size, 0.0),
            np.exp(log_size - 8.5),
        ]
    )
    return {
        "industry": industry,
        "country": country,
        "region": np.array([REGIONS.index(region) for region in REGION_OF_COUNTRY])[country],
        "city": country * 4 + _choice(generator, shares=(5, 3, 2, 2), size=_N),
        "founded_year": founded_year,
        "sales_team_share": np.round(generator.beta(2.0, 6.0 + 2.0 * (industry >= 7), _N), 3),
        "has_procurement_team": generator.random(_N) < 1 / (1 + np.exp(6.0 - log_size)),
        "funding_stage": _choice(generator, shares=stage_shares),
        "last_funding_at": np.maximum(funded_at // DAY * DAY, founded_at.astype(np.int64)),
        "remote_share": np.round(generator.beta(1.5, 2.5, _N), 3),
        "is_subsidiary": generator.random(_N) < 0.12 + 0.02 * np.clip(log_size - 3.0, 0.0, 6.0),
        "fiscal_year_end": _choice(generator, shares=(2, 2, 1, 7), size=_N),
    }


def _draw_numbers(
    generator: np.random.Generator, *, industry: Integers, measured_at: Integers, settings: MarketSettings
) -> dict[str, Floats]:
    """The true course of each column at the moments measured, without any gaps: (n, V) each."""
    years = (measured_at - settings.start_seconds) / (365.25 * DAY)
    log_size = _LOG_SIZE[industry] + generator.normal(0.0, 1.45, _N)
    growth = generator.normal(0.06, 0.12, _N)
    employees = np.maximum(np.round(np.exp(log_size[:, None] + growth[:, None] * years)), 1.0)
    revenue_per_head = np.exp(generator.normal(11.9, 0.5, _N) + np.array((0.1, 0.4, -0.2))[industry % 3])
    lasting = _draw_lasting(generator, industry=industry, log_size=log_size, first_measured=measured_at[:, 0])
    numbers = {
        name: np.repeat(np.asarray(column, dtype=np.float64)[:, None], VERSIONS, axis=1)
        for name, column in lasting.items()
    }
    revenue = employees * revenue_per_head[:, None]
    numbers["employees"] = employees
    numbers["annual_revenue"] = np.round(revenue * np.exp(generator.normal(0.0, 0.05, revenue.shape)), -3)
    # A funding round is not known before it took place; until then there is nothing to tell.
    numbers["last_funding_at"][numbers["last_funding_at"] > measured_at] = np.nan
    return numbers


def _draw_technologies(
    generator: np.random.Generator, *, industry: Integers, employees: Floats, measured_at: Integers
) -> Flags:
    """Technologies in use at the moments measured: (n, V, T); adopted or dropped in the course of time."""
    shares = _TECHNOLOGY_SHARES[np.array(SECTOR_OF_INDUSTRY)[industry]]
    tilt = 0.25 * (np.log(employees[:, 0]) - 5.0)
    odds = shares / (1 - shares) * np.exp(tilt)[:, None]
    used = generator.random(shares.shape) < odds / (1 + odds)
    changes = generator.random(used.shape) < 0.15
    changed_at = measured_at[:, :1] + generator.integers(60 * DAY, 1100 * DAY, used.shape)
    flags: Flags = used[:, None, :] ^ (
        changes[:, None, :] & (measured_at[:, :, None] >= changed_at[:, None, :])
    )
    alpha, beta = TECHNOLOGIES.index("mail_suite_alpha"), TECHNOLOGIES.index("mail_suite_beta")
    flags[:, :, beta] = ~flags[:, :, alpha]
    return flags


_EMPTY_FOR_GOOD: Final = {
    "industry": 0.04,
    "country": 0.03,
    "region": 0.03,
    "city": 0.10,
    "employees": 0.07,
    "annual_revenue": 0.25,
    "founded_year": 0.10,
    "sales_team_share": 0.10,
    "has_procurement_team": 0.12,
    "funding_stage": 0.12,
    "last_funding_at": 0.20,
    "remote_share": 0.15,
    "is_subsidiary": 0.10,
    "fiscal_year_end": 0.20,
    "technologies": 0.06,
    "certifications": 0.20,
}
_EMPTY_IN_A_VERSION: Final = 0.15


def _draw_gaps(generator: np.random.Generator, *, column: str, small: Flags) -> Flags:
    """Which cells are empty (n, V): some accounts never have the fact, some versions leave it out."""
    share = _EMPTY_FOR_GOOD[column] * np.where(small, 1.6, 0.7)
    for_good = generator.random(_N) < share
    return for_good[:, None] | (generator.random((_N, VERSIONS)) < _EMPTY_IN_A_VERSION)


def draw_accounts(generator: np.random.Generator, *, settings: MarketSettings) -> Accounts:
    """The accounts of one block with all their versions."""
    known_at = _draw_times(generator, settings=settings)
    industry = _choice(generator, shares=_INDUSTRY_SHARES, size=_N)
    existing = np.where(known_at < NEVER, known_at, settings.end_seconds)
    least, most = measured_days_before(settings)
    measured_at = existing - generator.integers(least * DAY, most * DAY, known_at.shape)
    numbers = _draw_numbers(generator, industry=industry, measured_at=measured_at, settings=settings)
    sets = {
        "technologies": _draw_technologies(
            generator, industry=industry, employees=numbers["employees"], measured_at=measured_at
        ),
        "certifications": np.repeat(generator.random((_N, 1, len(CERTIFICATIONS))) < 0.3, VERSIONS, axis=1),
    }
    small = numbers["employees"][:, 0] < 60
    for column, values in numbers.items():
        values[_draw_gaps(generator, column=column, small=small)] = np.nan
    set_known = {
        column: ~_draw_gaps(generator, column=column, small=small) & flags.any(axis=2)
        for column, flags in sets.items()
    }
    if settings.hazard is not None:
        for values in numbers.values():
            values[emptied(generator, values=values, settings=settings)] = np.nan
        used = sets["technologies"].sum(axis=2).astype(np.float64)
        set_known["technologies"] &= ~emptied(generator, values=used, settings=settings)
    return Accounts(known_at, numbers, sets, set_known)


def draw_contacts(
    generator: np.random.Generator, *, accounts: Accounts, settings: MarketSettings
) -> Contacts:
    """One to eight people per account, more at larger ones; some levels become known only later."""
    shape = (_N, CONTACTS)
    size = np.log(np.nan_to_num(np.nanmax(accounts.numbers["employees"], axis=1, initial=1.0), nan=50.0))
    number = 1 + np.minimum(generator.poisson(np.clip(0.55 * size - 0.6, 0.2, 6.0)), CONTACTS - 1)
    exists = np.arange(CONTACTS) < number[:, None]
    first = np.maximum(accounts.first_known, settings.start_seconds - 400 * DAY)[:, None]
    early = first + generator.integers(0, 60 * DAY, shape)
    late = first + (generator.random(shape) * (settings.end_seconds - first)).astype(np.int64)
    known = np.where(exists, np.where(generator.random(shape) < 0.8, early, late), NEVER)
    second = known + generator.integers(20 * DAY, 300 * DAY, shape)
    second = np.where(exists & (generator.random(shape) < 0.45), second, NEVER)
    level = _choice(generator, shares=(9, 14, 20, 27, 30), size=_N * CONTACTS).reshape(shape)
    promoted = np.maximum(level - (generator.random(shape) < 0.15), 0)
    role = _choice(generator, shares=(15, 30, 25, 30), size=_N * CONTACTS).reshape(shape)
    weight = generator.gamma(0.6, 1.0, shape) * exists + 1e-9
    return Contacts(
        known_at=np.stack([known, second], axis=2),
        seniority=np.stack([np.where(generator.random(shape) < 0.8, level, -1), promoted], axis=2),
        role=np.stack([np.where(generator.random(shape) < 0.6, role, -1), role], axis=2),
        department=generator.integers(0, len(DEPARTMENTS), shape),
        weight=np.cumsum(weight / weight.sum(axis=1, keepdims=True), axis=1),
    )


def _latest(known_at: Integers, *, present: Flags, moments: Integers) -> Integers:
    """Index of the latest version with the fact that was known before the moment (n,), -1 without one."""
    visible = present & (known_at < moments[:, None])
    newest = visible.shape[1] - 1 - np.argmax(visible[:, ::-1], axis=1)
    return np.where(visible.any(axis=1), newest, -1)


def facts_as_known(accounts: Accounts, *, rows: Integers, moments: Integers) -> FirmographicFacts:
    """Facts of some accounts (rows of the block), each as known strictly before its moment."""
    known_at, every = accounts.known_at[rows], np.arange(len(rows))

    def number(column: str) -> Floats:
        values = accounts.numbers[column][rows]
        index = _latest(known_at, present=~np.isnan(values), moments=moments)
        return np.where(index >= 0, values[every, index], np.nan)

    def code(column: str) -> Integers:
        return np.nan_to_num(number(column), nan=-1.0).astype(np.int64)

    index = _latest(known_at, present=accounts.set_known["technologies"][rows], moments=moments)
    return FirmographicFacts(
        industry=code("industry"),
        employees=number("employees"),
        annual_revenue=number("annual_revenue"),
        founded_year=number("founded_year"),
        sales_team_share=number("sales_team_share"),
        has_procurement_team=code("has_procurement_team"),
        funding_stage=code("funding_stage"),
        last_funding_at=number("last_funding_at"),
        technologies=accounts.sets["technologies"][rows, index],
        technologies_known=index >= 0,
        moments=moments,
        region=code("region"),
    )


def senior_as_known(contacts: Contacts, *, moment: int) -> Flags:
    """Which contacts (n, K) count as senior by what was known before the moment."""
    visible = (contacts.known_at < moment) & (contacts.seniority >= 0)
    level = np.where(visible[:, :, 1], contacts.seniority[:, :, 1], contacts.seniority[:, :, 0])
    return visible.any(axis=2) & np.isin(level, [SENIORITIES.index(name) for name in SENIOR])
