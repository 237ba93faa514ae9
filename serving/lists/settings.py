"""What a list is made of, as people and files write it: segments, goals, and the rules of who may be on it.

Turns JSON into frozen, checked settings, and back. Time rule: none. Null rule: a rule that is left out keeps
nobody off; an account of which a filtered fact is not known does not pass the filter.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from serving.fields import Identifier, StrictModel, one_of

__all__ = [
    "LARGEST_LIST",
    "PILOT_SIZE",
    "Cap",
    "Filters",
    "Goal",
    "Quota",
    "Rules",
    "Segment",
    "WhereRule",
    "require_each_once",
]

PILOT_SIZE = 50
"""Accounts of a list that is tried out."""

LARGEST_LIST = 1_000_000
"""Accounts of a list at most."""

BASES = ("funnel_stage", "industry", "competitive_situation", "size", "territory", "suggested", "other")
"""What the accounts of a segment have in common; suggested: the machine named it."""

METRICS = (
    *("win_rate", "deal_size", "funnel_velocity"),
    *("pipeline", "share_of_pipeline", "engagement", "coverage", "awareness", "reach", "influence"),
    *("meetings", "opportunities", "customers"),
)
"""What a goal may be about."""

UNITS = ("absolute", "percent_change")
FACTS = ("industry", "country", "territory", "owner", "segment")
"""Facts of which a list may hold a share at most."""


def _words(allowed: tuple[str, ...]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": list(allowed)})


_Basis = Annotated[str, AfterValidator(one_of(BASES)), _words(BASES)]
_Metric = Annotated[str, AfterValidator(one_of(METRICS)), _words(METRICS)]
_Unit = Annotated[str, AfterValidator(one_of(UNITS)), _words(UNITS)]
_Fact = Annotated[str, AfterValidator(one_of(FACTS)), _words(FACTS)]


def _day(value: object) -> str:
    """A day as it is written; it stays a text, as the settings of a list are JSON. TOML tells a date."""
    if type(value) is date:
        return value.isoformat()
    if not isinstance(value, str):
        raise PydanticCustomError("day_form", "is no day", {"allowed": "such as 2026-12-31"})
    try:
        told = date.fromisoformat(value).isoformat()
    except ValueError as error:
        raise PydanticCustomError("day_form", "is no day", {"allowed": "such as 2026-12-31"}) from error
    if told != value:
        raise PydanticCustomError("day_form", "is no day", {"allowed": "such as 2026-12-31"})
    return told


Day = Annotated[str, PlainValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Sentence = Annotated[str, Field(min_length=1, max_length=1_000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
Names = Annotated[list[Identifier], Field(max_length=1_000)]
Count = Annotated[int, Field(ge=0, le=LARGEST_LIST)]
"""How many accounts at most."""


class Segment(StrictModel):
    """A part of a list that is worked in a way of its own."""

    name: Identifier
    basis: _Basis = Field(default="other", description="What the accounts of the segment have in common.")
    description: Sentence | None = None


class Goal(StrictModel):
    """What a list is to achieve, in a way that can be measured."""

    metric: _Metric
    segment: Identifier | None = Field(
        default=None, description="For one segment of the list; null for all of it."
    )
    baseline: float | None = Field(
        default=None, description="What it was before; null when nobody has measured it."
    )
    target: float = Field(description="What it is to be: a value, or a change such as 15 for +15 %.")
    unit: _Unit = Field(default="absolute", description="absolute, or percent_change of the baseline.")
    date: Day = Field(description="By when.")


class WhereRule(StrictModel):
    """Accounts of which a fact is one of these values, such as partners or competitors."""

    name: Annotated[str, Field(pattern="^[a-z][a-z0-9 _]{0,39}$")] = Field(
        description="What they are called where they are counted, such as partners."
    )
    attribute: Identifier = Field(description="The column of the accounts that says so.")
    values: Names = Field(description="What it says of them, in any case of letters.")


class Filters(StrictModel):
    """Facts that an account must have to be on the list."""

    industries: Names | None = None
    countries: Names | None = None
    territories: Names | None = None
    owners: Names | None = Field(default=None, description="The people of sales whose accounts count.")
    technologies: Names | None = Field(default=None, description="An account must use one of them.")
    employees_from: Annotated[int, Field(ge=0, le=10_000_000)] | None = None
    employees_to: Annotated[int, Field(ge=0, le=10_000_000)] | None = None


class Quota(StrictModel):
    """How many accounts of one segment, or of one owner, a list may hold."""

    name: Identifier
    most: Count


class Cap(StrictModel):
    """No more than a share of the list may have one value of a fact."""

    fact: _Fact
    share: Annotated[float, Field(gt=0, le=1)]


class Rules(StrictModel):
    """Who may be on a list. The order of the rules is that of `serving.lists.constraints`."""

    customers: bool = Field(default=True, description="Keep customers off.")
    open_opportunities: bool = Field(default=True, description="Keep accounts with an open opportunity off.")
    opted_out: bool = Field(
        default=True, description="Keep accounts off all of whose contacts have opted out."
    )
    product: Identifier | None = Field(
        default=None,
        description="Only customers and opportunities of this product are kept off; null for any.",
    )
    where: Annotated[list[WhereRule], Field(max_length=50)] = Field(
        default_factory=list, description="Others to be kept off, such as competitors and partners."
    )
    filters: Filters = Filters()
    territory_column: Identifier = Field(default="region", description="The column that holds the territory.")
    owner_column: Identifier | None = Field(
        default=None, description="The column that holds the account's owner."
    )
    parent_column: Identifier | None = Field(
        default=None, description="The column that holds the parent company; one account of each is kept."
    )
    minimum_score: float | None = None
    segment_quotas: Annotated[list[Quota], Field(max_length=1_000)] = Field(default_factory=list)
    owner_quotas: Annotated[list[Quota], Field(max_length=1_000)] = Field(default_factory=list)
    most_per_owner: Count | None = Field(
        default=None, description="For each owner without a quota of their own."
    )
    caps: Annotated[list[Cap], Field(max_length=5)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _each_once(self) -> Rules:
        for what, names in (
            ("where", [one.name for one in self.where]),
            ("segment_quotas", [one.name for one in self.segment_quotas]),
            ("owner_quotas", [one.name for one in self.owner_quotas]),
            ("caps", [one.fact for one in self.caps]),
        ):
            require_each_once(what, names)
        return self


def require_each_once(what: str, names: Sequence[str]) -> None:
    """Raise where a name is given twice."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PydanticCustomError("twice", f"{what} names one twice")
