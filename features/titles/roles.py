"""Roles in the buying group, from level and department.

Turns a level and a department into decision maker, influencer, evaluator or user, by a table that the mapping
may change cell by cell in [titles.roles]. Time rule: none. Null rule: without a department, or with one that
the table does not name, the row "any" counts.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, field_validator

from features.settings import Section

__all__ = ["DEFAULT_ROLES", "Level", "RoleOrNone", "RoleTable", "TitleSettings", "buying_role"]

Level = Literal["c_level", "vice_president", "director", "manager", "staff"]
RoleOrNone = Literal["decision_maker", "influencer", "evaluator", "user", "none"]
RoleTable = dict[str, dict[Level, RoleOrNone]]

_SELLING: Final[dict[Level, RoleOrNone]] = {"director": "decision_maker"}
_TESTING: Final[dict[Level, RoleOrNone]] = {"manager": "evaluator", "staff": "evaluator"}
_APPROVING: Final[dict[Level, RoleOrNone]] = {"manager": "evaluator", "staff": "none"}

DEFAULT_ROLES: Final[RoleTable] = {
    "any": {
        "c_level": "decision_maker",
        "vice_president": "decision_maker",
        "director": "influencer",
        "manager": "influencer",
        "staff": "user",
    },
    **dict.fromkeys(("marketing", "sales", "business_development"), _SELLING),
    **dict.fromkeys(("information_technology", "purchasing", "project_management"), _TESTING),
    **dict.fromkeys(("finance", "legal"), _APPROVING),
}
"""By department, then by level. Vice presidents and higher decide everywhere, directors where the product is
used; technical and commercial departments evaluate; everybody else influences or uses."""


class TitleSettings(Section):
    """[titles]

    roles: role by department and level, such as [titles.roles.marketing] manager = "decision_maker". The
        department "any" stands for all that are not named; cells that are left out keep the default;
        "none" means no role in the buying group. After a change the next ingest reads everything again
        where the files are still there, and asks for `--rebuild` where they are not.
    """

    roles: RoleTable = Field(default_factory=dict, validate_default=True)

    @field_validator("roles")
    @classmethod
    def _whole(cls, given: RoleTable) -> RoleTable:
        rows = {department_key(name): row for name, row in given.items()}
        return {name: DEFAULT_ROLES.get(name, {}) | rows.get(name, {}) for name in {**DEFAULT_ROLES, **rows}}


def department_key(department: str) -> str:
    """How the table spells a department: "Business Development" is business_development."""
    return "_".join(department.casefold().split())


def buying_role(level: Level, *, department: str | None, settings: TitleSettings) -> str | None:
    """One of the contract's roles, or None where the table says "none".

    >>> buying_role("manager", department="Information Technology", settings=TitleSettings())
    'evaluator'
    """
    row = settings.roles.get(department_key(department or "any"), {})
    role = (settings.roles["any"] | row)[level]
    return None if role == "none" else role
