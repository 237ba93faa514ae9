"""How the fields of an export are made in a CRM.

Turns the layout into the JSON that the CRM's own interface takes: for Salesforce one CustomField of the
Tooling API for each, for HubSpot the body of a batch of company properties. Time rule: none. Null rule: none.
"""

from __future__ import annotations

from typing import Any

from serving.exporting.layout import EXTERNAL, FIELDS, Crm, Field, Kind, field_name
from serving.flat_reasons import LONGEST_TEXT

__all__ = ["field_definitions"]

_SALESFORCE: dict[Kind, dict[str, Any]] = {
    "number": {"type": "Number", "precision": 5, "scale": 2},
    "share": {"type": "Number", "precision": 7, "scale": 6},
    "text": {"type": "Text", "length": LONGEST_TEXT},
    "flag": {"type": "Checkbox", "defaultValue": "false"},
    "moment": {"type": "DateTime"},
}
_HUBSPOT: dict[Kind, tuple[str, str]] = {
    "number": ("number", "number"),
    "share": ("number", "number"),
    "text": ("string", "text"),
    "flag": ("bool", "booleancheckbox"),
    "moment": ("datetime", "date"),
}
_YES_AND_NO = [
    {"label": label, "value": value, "displayOrder": order, "hidden": False}
    for order, (label, value) in enumerate((("Yes", "true"), ("No", "false")))
]


def field_definitions(crm: Crm, *, own: tuple[Field, ...] = FIELDS) -> dict[str, Any]:
    """Every field of an export and the one that finds an account, as the CRM's interface makes them.

    salesforce: {"fields": [...]}, each the body of POST /services/data/vXX.X/tooling/sobjects/CustomField.
    hubspot: the body of POST /crm/v3/properties/companies/batch/create.
    """
    fields = (EXTERNAL, *own)
    if crm == "hubspot":
        return {"inputs": [_property(field) for field in fields]}
    return {"fields": [_custom_field(field) for field in fields]}


def _custom_field(field: Field) -> dict[str, Any]:
    external = {"externalId": True, "unique": True} if field is EXTERNAL else {}
    told = {"label": f"Spearfish {field.label.lower()}", "description": field.description}
    return {
        "FullName": f"Account.{field_name(field, crm='salesforce')}",
        "Metadata": {**told, **_SALESFORCE[field.kind], **external},
    }


def _property(field: Field) -> dict[str, Any]:
    kind, widget = _HUBSPOT[field.kind]
    return {
        "name": field_name(field, crm="hubspot"),
        "label": f"Spearfish {field.label.lower()}",
        "description": field.description,
        "groupName": "companyinformation",
        "type": kind,
        "fieldType": widget,
        **({"hasUniqueValue": True} if field is EXTERNAL else {}),
        **({"options": _YES_AND_NO} if kind == "bool" else {}),
    }
