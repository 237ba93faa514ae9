"""The words of the simulated market: its columns and their levels, and which of them have an effect.

Turns nothing into nothing; every other module reads it. Time rule: none. Null rule: codes count from 0 and
-1 stands for a missing category. Half of all columns have no effect on either chance (`NOISE`); they are
as plausible as the others and correlated with them.
"""

from __future__ import annotations

from typing import Final

from features.contract import AttributeType

__all__ = [
    "ATTRIBUTES",
    "CERTIFICATIONS",
    "CHANNELS",
    "CITIES",
    "COUNTRIES",
    "DEPARTMENTS",
    "DIRECTION_OF_CHANNEL",
    "FISCAL_YEAR_ENDS",
    "FUNDING_STAGES",
    "INDUSTRIES",
    "INFORMATIVE",
    "NOISE",
    "NUMBER_OF_CHANNELS",
    "NUMBER_OF_TOPICS",
    "REGIONS",
    "REGION_OF_COUNTRY",
    "SECTOR_OF_INDUSTRY",
    "TECHNOLOGIES",
    "TOPICS",
    "channel",
    "technology",
    "topic",
]

INDUSTRIES: Final = (
    "software",
    "financial services",
    "business services",
    "media",
    "manufacturing",
    "logistics",
    "retail",
    "healthcare",
    "education",
    "construction",
)
SECTOR_OF_INDUSTRY: Final = (0, 0, 0, 0, 1, 1, 1, 2, 2, 2)
"""0 digital, 1 industrial, 2 public and local; the truth speaks of sectors, the tables of industries."""

COUNTRIES: Final = (
    "United States",
    "Germany",
    "United Kingdom",
    "China",
    "France",
    "Japan",
    "Singapore",
    "Brazil",
)
REGIONS: Final = ("AMER", "EMEA", "APAC")
REGION_OF_COUNTRY: Final = ("AMER", "EMEA", "EMEA", "APAC", "EMEA", "APAC", "APAC", "AMER")
CITIES: Final = (
    *("New York", "Austin", "Denver", "Boston"),
    *("Berlin", "Munich", "Hamburg", "Cologne"),
    *("London", "Leeds", "Bristol", "Glasgow"),
    *("Shanghai", "Shenzhen", "Beijing", "Hangzhou"),
    *("Paris", "Lyon", "Lille", "Nantes"),
    *("Tokyo", "Osaka", "Nagoya", "Fukuoka"),
    *("Singapore", "Jurong", "Tampines", "Woodlands"),
    *("Sao Paulo", "Rio de Janeiro", "Recife", "Curitiba"),
)
"""Four per country, in the order of the countries."""

TECHNOLOGIES: Final = (
    "crm_platform",
    "data_warehouse",
    "competitor_suite",
    "marketing_automation",
    "customer_data_platform",
    "consent_manager",
    "mail_suite_alpha",
    "mail_suite_beta",
    "web_analytics",
    "chat_widget",
    "payment_gateway",
    "help_desk",
)
"""The first six have an effect. One of the two mail suites is always there, so a known set is never empty."""

FUNDING_STAGES: Final = ("bootstrapped", "seed", "venture", "private equity", "public")
FISCAL_YEAR_ENDS: Final = ("march", "june", "september", "december")
CERTIFICATIONS: Final = ("iso_9001", "iso_27001", "soc_2", "hipaa")
DEPARTMENTS: Final = ("marketing", "sales", "finance", "it", "operations", "human_resources")

ATTRIBUTES: Final[dict[str, AttributeType]] = {
    "sales_team_share": "number",
    "has_procurement_team": "boolean",
    "funding_stage": "category",
    "last_funding_at": "date",
    "remote_share": "number",
    "is_subsidiary": "boolean",
    "fiscal_year_end": "category",
    "certifications": "set",
}
"""Further account columns that the mapping declares, with their types."""

CHANNELS: Final = (
    "web_visit",
    "pricing_visit",
    "webinar",
    "content_download",
    "product_trial",
    "meeting",
    "email_click",
    "ad_click",
    "blog_visit",
    "careers_visit",
    "social_touch",
    "community_post",
    "email_sent",
    "call",
)
DIRECTION_OF_CHANNEL: Final = ("inbound",) * 5 + ("mutual",) + ("inbound",) * 6 + ("outbound",) * 2
NUMBER_OF_CHANNELS: Final = len(CHANNELS)

TOPICS: Final = (
    "account_based_marketing",
    "intent_data",
    "sales_forecasting",
    "lead_scoring",
    "cloud_security",
    "payroll",
    "office_design",
    "team_events",
)
NUMBER_OF_TOPICS: Final = len(TOPICS)

_COLUMNS: Final = (
    *("industry", "country", "region", "city", "employees", "annual_revenue", "founded_year"),
    *ATTRIBUTES,
    *(f"technologies.{name}" for name in TECHNOLOGIES),
    *("contacts.seniority", "contacts.department", "contacts.role"),
    *(f"activities.{name}" for name in CHANNELS),
    *(f"intent_topics.{name}" for name in TOPICS),
)

INFORMATIVE: Final = (
    *("industry", "employees", "annual_revenue", "founded_year"),
    *("sales_team_share", "has_procurement_team", "funding_stage", "last_funding_at"),
    *(f"technologies.{name}" for name in TECHNOLOGIES[:6]),
    "contacts.seniority",
    *(f"activities.{name}" for name in CHANNELS[:7]),
    *(f"intent_topics.{name}" for name in TOPICS[:4]),
)
"""Columns with an effect on winning, on opening, or on both."""

NOISE: Final = tuple(name for name in _COLUMNS if name not in INFORMATIVE)
"""Columns without any effect of their own, though correlated with those that have one."""


def channel(name: str) -> int:
    """The code of a channel."""
    return CHANNELS.index(name)


def technology(name: str) -> int:
    """The code of a technology."""
    return TECHNOLOGIES.index(name)


def topic(name: str) -> int:
    """The code of a topic."""
    return TOPICS.index(name)
