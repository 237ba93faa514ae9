"""What the records of every CRM have in common: facts of the company under the names of that CRM.

Turns a record with fields that nobody here has heard of into the few that the core knows, and these into the
facts of a lead, spelled as the models know them. Names count without case, underscores and what Salesforce
adds (`__c`, a namespace), so that `Web_Rank__c`, `web_rank` and `WebRank` are one. Time rule: none. Null
rule: of several fields for one fact the first that is not empty counts; a word that cannot be read is left
out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, model_validator

from features.contract import ColumnType
from features.normalisation.normalisers import normaliser
from features.tables import Attribute
from serving.adapters.cells import cell

__all__ = ["Described", "Fact", "Levels", "Record", "attribute_facts", "described", "fields_of"]

Json = dict[str, Any]
Levels = Mapping[str, Collection[str]]
"""By column, the words that the models know."""


class Fact(NamedTuple):
    """A field of a CRM that tells of the company.

    column: of the contract, or the name of a declared attribute. normalise: as in a mapping.
    """

    name: str
    column: str
    type: ColumnType
    description: str
    normalise: str | None = None
    reader: Callable[[object], Any] | None = None
    is_attribute: bool = False


class Described(NamedTuple):
    """What a record says of a company. facts: of a lead. names: by path in it, the field of the CRM."""

    facts: Json
    names: Mapping[str, str]


class Record(BaseModel):
    """A record as a CRM sends it. What we have no use for is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        known = {_key(name): name for name in cls.model_fields}
        found: Json = {}
        for name, value in cls.flat(given).items():
            field = known.get(_key(name))
            if field is not None and (name == field or found.get(field) in (None, "")):
                found[field] = value
        return found

    @classmethod
    def flat(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """The record without levels within it."""
        return given


def _key(name: str) -> str:
    """What is left of a name that is spelled in many ways.

    >>> _key("spear__Web_Rank__c"), _key("web_rank"), _key("hs_object_id")
    ('webrank', 'webrank', 'hsobjectid')
    """
    bare = re.sub("__c$", "", name)
    return re.sub("[^a-z0-9]", "", bare.rpartition("__")[2].lower())


def attribute_facts(
    attributes: Iterable[Attribute], *, named: Callable[[str], str], aliases: Mapping[str, str]
) -> list[Fact]:
    """The facts that the workspace declares. named: how the CRM would name it; aliases: what it does name."""
    return [
        Fact(
            name=aliases.get(attribute.name) or named(attribute.name),
            column=attribute.name,
            type=attribute.column_type,
            description=f"{attribute.label} (a column that this workspace declares).",
            is_attribute=True,
        )
        for attribute in attributes
    ]


def fields_of(facts: Iterable[Fact]) -> Json:
    """Fields for `pydantic.create_model`."""
    return {fact.name: cell(fact.type, fact.description, reader=fact.reader) for fact in facts}


def described(record: Record, facts: Iterable[Fact], *, levels: Levels) -> Described:
    """The facts of a lead that a record tells, each with the field that told it."""
    own: Json = {}
    attributes: Json = {}
    names: dict[str, str] = {}
    for fact in facts:
        path = f"lead.attributes.{fact.column}" if fact.is_attribute else f"lead.{fact.column}"
        names.setdefault(path, fact.name)
        found = attributes if fact.is_attribute else own
        value = _as_known(getattr(record, fact.name), fact, levels=levels)
        if value is not None and fact.column not in found:
            found[fact.column], names[path] = value, fact.name
    return Described(own | ({"attributes": attributes} if attributes else {}), names)


def _as_known(value: Any, fact: Fact, *, levels: Levels) -> Any:
    """The value as the models know it: as it is written, else as an ingest would have spelled it."""
    if value is None or fact.normalise is None or value in levels.get(fact.column, ()):
        return value
    return normaliser(fact.normalise)(value) or None
