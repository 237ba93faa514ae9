"""The fields of an export: what each is called in the CRM, and by what an account is found there.

Turns the name of a CRM into its columns. Time rule: none. Null rule: none; see `serving.exporting.cells`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, get_args

__all__ = ["CRMS", "MATCHES", "Crm", "Field", "Layout", "Match", "layout_of"]

Crm = Literal["salesforce", "hubspot"]
Match = Literal["id", "domain", "external"]
Kind = Literal["number", "share", "text", "flag", "moment"]

CRMS: tuple[Crm, ...] = get_args(Crm)
MATCHES: Mapping[Crm, tuple[Match, ...]] = {
    "salesforce": ("id", "external"),
    "hubspot": ("id", "domain", "external"),
}
"""By CRM, what an account may be found by: its record id, its domain, or a field with our account_id."""

REASONS = 3
"""How many texts say what speaks for an account, and how many what speaks against it."""


class Field(NamedTuple):
    """One field. column: of the scored rows. kind: number 0-100, share 0-1."""

    column: str
    kind: Kind
    label: str
    description: str


FIELDS = (
    Field("machine_score", "number", "Score", "Mean of the fit and the intent score, 0 to 100."),
    Field("working_score", "number", "Working score", "The score after feedback of sales: work with it."),
    Field("grade", "text", "Grade", "Grades of fit and intent, such as A/B."),
    Field("working_priority", "text", "Priority", "What to do with the account, after feedback of sales."),
    Field("to_sales", "flag", "To sales", "Whether the priority hands the account to sales."),
    Field("fit_score", "number", "Fit score", "How much it looks like those that are won, 0 to 100."),
    Field("fit_grade", "text", "Fit grade", "A is best."),
    Field("fit_probability", "share", "Fit probability", "Chance to win the account if it is pursued."),
    Field("intent_score", "number", "Intent score", "How likely it is to move, by its behaviour, 0 to 100."),
    Field("intent_grade", "text", "Intent grade", "A is best."),
    Field("intent_probability", "share", "Intent probability", "Chance that it moves within the horizon."),
    *(
        Field(f"reason_{number}", "text", f"Reason {number}", "What speaks for the account.")
        for number in range(1, REASONS + 1)
    ),
    *(
        Field(f"against_{number}", "text", f"Against {number}", "What speaks against the account.")
        for number in range(1, REASONS + 1)
    ),
    Field("model", "text", "Model", "Names and versions of the models that scored."),
    Field("scored_at", "moment", "Scored at", "When the file was written; facts known until then count."),
)

EXTERNAL = Field("account_id", "text", "Account id", "Identifier of the account in Spearfish.")

_OTHER_NAMES = {"machine_score": "score", "working_priority": "priority"}
_IDS: Mapping[tuple[Crm, Match], str] = {
    ("salesforce", "id"): "Id",
    ("hubspot", "id"): "hs_object_id",
    ("hubspot", "domain"): "domain",
}


class Layout(NamedTuple):
    """The columns of a file, the identifier first."""

    crm: Crm
    match: Match
    identifier: str
    names: tuple[str, ...]

    @property
    def header(self) -> list[str]:
        return [self.identifier, *self.names]


def layout_of(crm: Crm, *, match: Match) -> Layout:
    """The layout of a CRM.

    >>> layout_of("salesforce", match="external").header[:3]
    ['Spearfish_Account_Id__c', 'Spearfish_Score__c', 'Spearfish_Working_Score__c']
    >>> layout_of("hubspot", match="domain").header[:2]
    ['domain', 'spearfish_score']
    """
    identifier = _IDS.get((crm, match)) or field_name(EXTERNAL, crm=crm)
    return Layout(crm, match, identifier, tuple(field_name(field, crm=crm) for field in FIELDS))


def field_name(field: Field, *, crm: Crm) -> str:
    """What a field is called in a CRM."""
    words = _OTHER_NAMES.get(field.column, field.column)
    if crm == "hubspot":
        return f"spearfish_{words}"
    return "Spearfish_" + "_".join(word.capitalize() for word in words.split("_")) + "__c"
