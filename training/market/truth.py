"""The world: how the chance of winning and of opening an opportunity follows from the facts as known.

Turns facts as known at a moment into log-odds; the same for every seed and every market. Time rule: none of
its own; callers hand in what was known strictly before the moment. Null rule: a missing fact is a level of
its own (code -1 or NaN) with an effect of its own, nothing is filled in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from training.market.settings import DAY
from training.market.vocabulary import SECTOR_OF_INDUSTRY, channel, technology

__all__ = [
    "CORE_TOPICS",
    "SIDE_TOPICS",
    "EngagementFacts",
    "FirmographicFacts",
    "any_opening",
    "chance",
    "opening_log_odds",
    "win_log_odds",
]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

CORE_TOPICS: Final = (0, 1)
SIDE_TOPICS: Final = (2, 3)


@dataclass(frozen=True)
class FirmographicFacts:
    """Firmographic and technology facts of n accounts as known at one moment per account.

    industry, funding_stage, has_procurement_team: codes (n,), -1 missing.
    employees, annual_revenue, founded_year, sales_team_share: (n,), NaN missing.
    last_funding_at: seconds since 1970 (n,), NaN missing.
    technologies: (n, T) flags; technologies_known: (n,).
    moments: seconds since 1970 (n,), the moment at which the facts are looked at.
    region: codes (n,), -1 missing; only the worlds of `training.market.pursuit` look at it.
    """

    industry: Integers
    employees: Floats
    annual_revenue: Floats
    founded_year: Floats
    sales_team_share: Floats
    has_procurement_team: Integers
    funding_stage: Integers
    last_funding_at: Floats
    technologies: Flags
    technologies_known: Flags
    moments: Integers
    region: Integers | None = None


@dataclass(frozen=True)
class EngagementFacts:
    """Engagement of n accounts as known at a moment: inbound and mutual activities, topics, earlier deals.

    counts: activities of the last 90 days per channel (n, C); people, senior_people: distinct contacts
    among them (n,). topic_scores: sums over the last 30 days per topic (n, topics).
    days_since_loss: days since the last lost opportunity (n,), NaN without one.
    """

    counts: Integers
    people: Integers
    senior_people: Integers
    topic_scores: Floats
    days_since_loss: Floats


def _table(*rows: tuple[float, ...]) -> Floats:
    return np.array(rows, dtype=np.float64)


_SECTOR: Final = np.array((*SECTOR_OF_INDUSTRY, 3), dtype=np.int64)
"""Sector by industry code; the last entry, reached by code -1, is the missing industry."""

_SIZE_EDGES: Final = (40.0, 250.0, 1500.0)
_SIZE_BY_SECTOR: Final = _table(
    # under 40, under 250, under 1,500, larger, missing
    (-0.8, 1.5, 1.2, -0.9, 0.1),
    (-1.4, 0.3, 1.2, 0.0, -0.3),
    (-1.8, -0.6, -0.6, -1.5, -1.0),
    (-1.0, 0.4, 0.6, -0.5, -0.4),
)
_AGE_EDGES: Final = (5.0, 14.0)
_AGE: Final = np.array((-0.2, 0.2, -0.1, -0.1))
_SHARE_EDGES: Final = (0.12, 0.30)
_SHARE: Final = np.array((-0.2, 0.25, -0.2, -0.1))
_PROCUREMENT: Final = np.array((0.0, 0.2, -0.1))
_FUNDING_STAGE: Final = np.array((-0.1, 0.1, 0.15, 0.0, -0.1, -0.05))


def _bands(values: Floats, *, edges: tuple[float, ...]) -> Integers:
    """Band of each value: 0 below the first edge, ..., len(edges) at or above the last, then missing."""
    bands = np.searchsorted(np.array(edges), values, side="right")
    return np.where(np.isnan(values), len(edges) + 1, bands).astype(np.int64)


def _company_age(facts: FirmographicFacts) -> Floats:
    """Full calendar years between the year of foundation and the year of the moment."""
    years = facts.moments.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970
    return years - facts.founded_year


def _technology_effect(facts: FirmographicFacts) -> Floats:
    """Pairs count, not single technologies: the second one turns the effect of the first around."""
    crm, warehouse, competitor, automation, customer_data, consent = (
        facts.technologies[:, technology(name)].astype(np.int64)
        for name in (
            "crm_platform",
            "data_warehouse",
            "competitor_suite",
            "marketing_automation",
            "customer_data_platform",
            "consent_manager",
        )
    )
    effect = (
        _table((-0.6, -0.6), (-0.5, 1.2))[crm, warehouse]
        + _table((0.0, 0.1), (-0.4, 0.1))[competitor, automation]
        + _table((0.0, -0.1), (0.0, 0.2))[customer_data, consent]
    )
    return np.where(facts.technologies_known, effect, -0.4)


def win_log_odds(facts: FirmographicFacts) -> Floats:
    """Log-odds (n,) that an opportunity opened at the moment will be won."""
    size = _bands(facts.employees, edges=_SIZE_EDGES)
    recently_funded = facts.moments - facts.last_funding_at < 365 * DAY
    wealthy = facts.annual_revenue > 40e6
    result: Floats = (
        -1.8
        + _SIZE_BY_SECTOR[_SECTOR[facts.industry], size]
        + _AGE[_bands(_company_age(facts), edges=_AGE_EDGES)]
        + _SHARE[_bands(facts.sales_team_share, edges=_SHARE_EDGES)]
        + _PROCUREMENT[facts.has_procurement_team]
        + _FUNDING_STAGE[facts.funding_stage]
        + 0.2 * recently_funded
        + 0.15 * wealthy
        + _technology_effect(facts)
    )
    return result


def _pricing_effect(facts: EngagementFacts) -> Floats:
    """A look at the prices counts when a senior person is around; without one it is curiosity."""
    looked = facts.counts[:, channel("pricing_visit")] >= 1
    effect: Floats = np.where(looked, np.where(facts.senior_people >= 1, 1.6, -0.5), 0.0)
    return effect


def _visit_effect(facts: EngagementFacts) -> Floats:
    """Some visits are interest; many without any senior person are job seekers and support."""
    visits = facts.counts[:, channel("web_visit")]
    many = np.where(facts.senior_people >= 1, 0.8, -1.4)
    return np.select([visits == 0, visits <= 4], [-0.2, 0.5], many)


def _topic_effect(facts: EngagementFacts) -> Floats:
    """Research on core topics; a webinar counts with it and speaks against buying without it."""
    surge = facts.topic_scores[:, list(CORE_TOPICS)].sum(axis=1) >= 100.0
    side = facts.topic_scores[:, list(SIDE_TOPICS)].sum(axis=1) >= 100.0
    webinar = facts.counts[:, channel("webinar")] >= 1
    effect: Floats = np.where(surge, 0.5 + 0.8 * webinar, -0.6 * webinar) + 0.2 * side
    return effect


def opening_log_odds(facts: EngagementFacts, *, win_log_odds: Floats, employees: Floats) -> Floats:
    """Log-odds (n,) that an account without an open opportunity opens one in a step of 30 days."""
    small = employees < _SIZE_EDGES[1]
    trial = facts.counts[:, channel("product_trial")] >= 1
    downloads = facts.counts[:, channel("content_download")]
    result: Floats = (
        -4.64
        + 0.35 * np.clip(win_log_odds, -3.0, 3.0)
        + np.array((-0.2, 0.0, 0.4, 0.4))[np.minimum(facts.people, 3)]
        + _pricing_effect(facts)
        + _visit_effect(facts)
        + _topic_effect(facts)
        + np.where(trial, np.where(small, 0.9, -0.4), 0.0)
        + np.select([downloads == 0, downloads <= 2], [0.0, 0.3], -0.7)
        + 0.3 * (facts.counts[:, channel("meeting")] >= 1)
        + 0.1 * (facts.counts[:, channel("email_click")] >= 2)
        - 0.6 * (facts.days_since_loss < 180.0)
    )
    return result


def chance(log_odds: Floats) -> Floats:
    """Probability of log-odds."""
    result: Floats = 1.0 / (1.0 + np.exp(-log_odds))
    return result


def any_opening(*step_chances: Floats) -> Floats:
    """Chance that an account opens an opportunity in at least one of the coming steps."""
    closed: Any = 1.0
    for step_chance in step_chances:
        closed = closed * (1.0 - step_chance)
    result: Floats = 1.0 - closed
    return result
