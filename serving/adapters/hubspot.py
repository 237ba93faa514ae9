"""HubSpot: bodies of workflow webhooks and of custom code actions as requests of the core.

Turns a company or contact into the account that its record id names, else the company that it describes. A
webhook sends the whole object, `properties` with a `value` and `versions` each, or the few properties that
were chosen for it, flat; an action in code sends what it likes, mostly its event. Time rule: moments are
milliseconds since 1970, days, or ISO. Null rule: empty texts and null are what is not known; the name of a
person is never read.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import Field, create_model

from features.tables import Attribute
from serving.adapters.cells import cell, employees_of, revenue_of
from serving.adapters.records import Fact, Levels, Record, attribute_facts, described, fields_of
from serving.adapters.wanted import Wanted, wanted
from serving.problems import FieldError, InvalidRequestError

__all__ = ["HubSpotRecord", "hubspot_model", "wanted_of"]

_COMPANY, _CONTACT = ("company", "companies", "0-2"), ("contact", "contacts", "0-1")
_NAMED_BY = "hs_object_id or objectId of a company, associatedcompanyid, domain, email, name or company"

_FACTS = (
    Fact("industry", "industry", "string", "Industry, as the property has it.", "industry"),
    Fact("hs_country_code", "country", "string", "Country as an ISO code.", "country"),
    Fact("country", "country", "string", "Country, as the property has it.", "country"),
    Fact("state", "region", "string", "State or province."),
    Fact("city", "city", "string", "City."),
    Fact("numberofemployees", "employees", "integer", "Employees; also as text.", reader=employees_of),
    Fact("annualrevenue", "annual_revenue", "number", "Annual revenue; also as text.", reader=revenue_of),
    Fact("founded_year", "founded_year", "integer", "Year of foundation; also as text."),
    Fact("web_technologies", "technologies", "set", "Technologies in use, with semicolons between them."),
)
_ALIASES = {"company_type": "type"}
_ASKED = {
    "hs_object_id": cell("string", "Record id of the company or contact."),
    "objectId": cell("string", "Record id of the object that is enrolled, as an event names it."),
    "companyId": cell("string", "Record id of the company, as a whole company has it."),
    "vid": cell("string", "Record id of the contact, as a whole contact has it."),
    "objectType": cell("string", "COMPANY or CONTACT (0-2, 0-1); where absent, an e-mail tells a contact."),
    "portalId": cell("string", "The HubSpot account; not used."),
    "associatedcompanyid": cell("string", "Record id of the company of a contact."),
    "spearfish_account_id": cell("string", "account_id of the account, where that is no record id."),
    "name": cell("string", "Name of a company; that of a person is not read."),
    "company": cell("string", "Name of the company of a contact."),
    "domain": cell("string", "Web domain of the company."),
    "website": cell("string", "Web site of the company."),
    "email": cell("string", "E-mail address of a contact; it is not stored."),
    "jobtitle": cell("string", "Job title of a contact; it is not stored."),
    "as_of": cell("timestamp", "Only facts known before this moment count. Default: now."),
}
_PATHS = {
    "account_id": "hs_object_id",
    "as_of": "as_of",
    "lead.website": "domain",
    "lead.email": "email",
    "lead.title": "jobtitle",
}


class HubSpotRecord(Record):
    """A company or contact. Of an object within it, properties come before what stands beside them."""

    @classmethod
    def flat(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """The record with its properties on one level, and the facts of the company of a contact."""
        found = {**_plain(given)}
        for part in ("origin", "object", "inputFields", "fields", "properties"):
            found |= _plain(given.get(part))
        company = given.get("associated-company") or given.get("associatedCompany")
        if not isinstance(company, Mapping):
            return found
        of_company = _plain(company.get("properties"))
        of_company["company"] = of_company.pop("name", None)
        of_company["associatedcompanyid"] = company.get("company-id") or company.get("companyId")
        return {**of_company, **{name: value for name, value in found.items() if value not in (None, "")}}


def _plain(given: object) -> dict[str, Any]:
    """The values of properties, whether they stand there or in a `value` with its versions."""
    if not isinstance(given, Mapping):
        return {}
    found = {name: value.get("value") if _is_property(value) else value for name, value in given.items()}
    return {name: value for name, value in found.items() if not isinstance(value, Mapping)}


def _is_property(value: object) -> bool:
    return isinstance(value, Mapping) and "value" in value


@cache
def hubspot_model(attributes: tuple[Attribute, ...]) -> type[HubSpotRecord]:
    """The model of a record. Fields that it does not name are ignored."""
    fields: dict[str, Any] = {**_ASKED, **fields_of(_facts(attributes))}
    properties: Any = create_model(
        "HubSpotProperties",
        __base__=Record,
        __doc__="Properties by their internal names; each may also be an object with its value and versions.",
        **fields,
    )
    return create_model(
        "HubSpotRecord",
        __base__=HubSpotRecord,
        __doc__="A company or contact, whole or with chosen properties. Numbers, dates and booleans may also "
        "be texts, an empty text is what is not known, and further properties are ignored.",
        **fields,
        properties=(properties | None, Field(None, description="The same, as a whole object has them.")),
    )


@cache
def _facts(attributes: tuple[Attribute, ...]) -> tuple[Fact, ...]:
    return (*_FACTS, *attribute_facts(attributes, named=str, aliases=_ALIASES))


def wanted_of(record: Any, *, attributes: tuple[Attribute, ...], levels: Levels) -> Wanted:
    """What a record asks of the core. levels: the words that the models know.

    Raises InvalidRequestError for an object that is neither company nor contact, for an id that is none, and
    for a record that names no account.
    """
    is_person = _is_person(record)
    own = record.companyId or record.hs_object_id or record.objectId
    account = record.associatedcompanyid if is_person else own
    _require_number(account, name="associatedcompanyid" if is_person else "hs_object_id")
    told = described(record, _facts(attributes), levels=levels)
    name = ("company", record.company) if is_person else ("name", record.name)
    who = {"website": record.domain or record.website, "company": name[1]}
    person = {"email": record.email, "title": record.jobtitle} if is_person else {}
    lead = {key: value for key, value in {**who, **person, **told.facts}.items() if value is not None}
    return wanted(
        [record.spearfish_account_id, account],
        lead=lead if set(lead) - {"title"} else {},
        as_of=record.as_of,
        names={**_PATHS, "lead.company": name[0], **told.names},
        named_by=_NAMED_BY,
    )


def _is_person(record: Any) -> bool:
    if record.objectType is None:
        return record.companyId is None and bool(record.vid or record.email or record.associatedcompanyid)
    kind = record.objectType.lower()
    if kind not in (*_COMPANY, *_CONTACT):
        allowed, fix = "COMPANY, CONTACT, 0-2, 0-1", "enrol companies, or contacts with their company"
        raise InvalidRequestError(
            [FieldError("objectType", "is of another object", record.objectType[:80], allowed, fix)]
        )
    return kind in _CONTACT


def _require_number(given: str | None, *, name: str) -> None:
    if given is not None and not (given.isascii() and given.isdigit() and len(given) <= 20):
        allowed, fix = "digits only", "an account_id that is no record id goes into spearfish_account_id"
        raise InvalidRequestError([FieldError(name, "is no record id", given[:80], allowed, fix)])
