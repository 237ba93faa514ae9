"""Salesforce: records of Flow, External Services and Apex as requests of the core.

Turns an Account, Contact or Lead, whole as Apex serialises it or only the fields that a flow fills in, into
the account that its id names, else the company that it describes. An id of 15 characters and that of 18 are
one; the check characters of a long one must be right. Time rule: moments are written as Salesforce does.
Null rule: empty texts and null are what is not known; the name of a person is never read.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

from pydantic import Field, create_model

from features.identity.identifiers import salesforce_id
from features.tables import Attribute
from serving.adapters.cells import cell, employees_of, revenue_of
from serving.adapters.records import Fact, Levels, Record, attribute_facts, described, fields_of
from serving.adapters.wanted import Wanted, wanted
from serving.problems import FieldError, InvalidRequestError
from serving.requests import MOST_ROWS, StrictModel

__all__ = ["SalesforceRecords", "records_model", "salesforce_model", "wanted_of"]

_PREFIXES = {"001": "Account", "003": "Contact", "00Q": "Lead"}
_NAMED_BY = "Id or AccountId of an account, SpearfishAccountId, Website, Email, Name or Company"
_WORD = "as the record has it"

_FACTS = (
    Fact("Industry", "industry", "string", f"Industry, {_WORD}.", "industry"),
    Fact("BillingCountryCode", "country", "string", "Country as an ISO code.", "country"),
    Fact("BillingCountry", "country", "string", f"Country, {_WORD}.", "country"),
    Fact("CountryCode", "country", "string", "Country of a lead as an ISO code.", "country"),
    Fact("Country", "country", "string", f"Country of a lead, {_WORD}.", "country"),
    Fact("BillingState", "region", "string", "State or province."),
    Fact("State", "region", "string", "State or province of a lead."),
    Fact("BillingCity", "city", "string", "City."),
    Fact("City", "city", "string", "City of a lead."),
    Fact("NumberOfEmployees", "employees", "integer", "Employees; also as text.", reader=employees_of),
    Fact("AnnualRevenue", "annual_revenue", "number", "Annual revenue; also as text.", reader=revenue_of),
    Fact("YearStarted", "founded_year", "integer", "Year of foundation; also as text."),
    Fact("Technologies", "technologies", "set", "Technologies in use, with semicolons between them."),
)
_ALIASES = {"account_type": "Type", "account_source": "AccountSource", "ownership": "Ownership"}
_ASKED = {
    "Id": cell("string", "Id of an Account, Contact or Lead, 15 or 18 characters."),
    "AccountId": cell("string", "Id of the account of a contact, 15 or 18 characters."),
    "SpearfishAccountId": cell("string", "account_id of the account, where that is no Salesforce id."),
    "Name": cell("string", "Name of an account; that of a person is not read."),
    "Company": cell("string", "Name of the company of a lead."),
    "Website": cell("string", "Web site or domain of the company."),
    "Email": cell("string", "E-mail address of a contact or lead; it is not stored."),
    "Title": cell("string", "Job title of a contact or lead; it is not stored."),
    "AsOf": cell("timestamp", "Only facts known before this moment count. Default: now."),
}
_PATHS = {
    "account_id": "Id",
    "as_of": "AsOf",
    "lead.website": "Website",
    "lead.email": "Email",
    "lead.title": "Title",
}


class SalesforceRecords(StrictModel):
    """A collection of records, each of which is checked for itself."""

    accounts: Annotated[list[Any], Field(min_length=1, max_length=MOST_ROWS)] = Field(
        description="Answered in this order."
    )


@cache
def salesforce_model(attributes: tuple[Attribute, ...]) -> type[Record]:
    """The model of a record. Fields that it does not name are ignored."""
    fields: dict[str, Any] = {**_ASKED, **fields_of(_facts(attributes))}
    return create_model(
        "SalesforceRecord",
        __base__=Record,
        __doc__="An Account, Contact or Lead. Numbers, dates and booleans may also be texts, an empty text "
        "is what is not known, custom fields may keep their API names (Web_Rank__c), and further fields are "
        "ignored.",
        **fields,
    )


@cache
def records_model(attributes: tuple[Attribute, ...]) -> type[SalesforceRecords]:
    """The model of a collection, for those who read what it may hold."""
    row: Any = salesforce_model(attributes)
    rows: Any = Annotated[list[row], Field(min_length=1, max_length=MOST_ROWS)]
    return create_model(
        "SalesforceRecords",
        __base__=SalesforceRecords,
        __doc__=f"Up to {MOST_ROWS:,} records, each right or wrong for itself.",
        accounts=(rows, Field(description="Answered in this order.")),
    )


@cache
def _facts(attributes: tuple[Attribute, ...]) -> tuple[Fact, ...]:
    return (*_FACTS, *attribute_facts(attributes, named=_pascal, aliases=_ALIASES))


def _pascal(name: str) -> str:
    """The name of a column as External Services can take it: no underscores."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def wanted_of(record: Any, *, attributes: tuple[Attribute, ...], levels: Levels, path: str = "") -> Wanted:
    """What a record asks of the core.

    path: of the record in its request, for what is wrong with it. levels: the words that the models know.
    Raises InvalidRequestError for an id that is none, or of something else, and for a record that names no
    account.
    """
    own, account = _id(record, "Id", path=path), _id(record, "AccountId", path=path)
    if account is not None and not account.startswith("001"):
        raise _wrong("AccountId", record.AccountId, "is not the id of an account", path=path)
    if own is not None and own[:3] not in _PREFIXES:
        raise _wrong("Id", record.Id, "is of another object", path=path)
    is_person = own[:3] != "001" if own else bool(record.Email or record.Title or record.Company or account)
    told = described(record, _facts(attributes), levels=levels)
    company = ("Company", record.Company) if is_person else ("Name", record.Name)
    who = {"website": record.Website, "company": company[1]}
    person = {"email": record.Email, "title": record.Title} if is_person else {}
    lead = {name: value for name, value in {**who, **person, **told.facts}.items() if value is not None}
    own_account = own if own and not is_person else account
    return wanted(
        [record.SpearfishAccountId, own_account, own_account and own_account[:15]],
        lead=lead if set(lead) - {"title"} else {},
        as_of=record.AsOf,
        names={**_PATHS, "lead.company": company[0], **told.names},
        named_by=_NAMED_BY,
    )


def _id(record: Any, name: str, *, path: str) -> str | None:
    """The 18 characters of an id. Raises InvalidRequestError."""
    given = getattr(record, name)
    if given is None:
        return None
    whole = salesforce_id(given)
    if whole is None:
        raise _wrong(name, given, "is no Salesforce id, or its check characters are wrong", path=path)
    return whole


def _wrong(name: str, given: str, what: str, *, path: str) -> InvalidRequestError:
    allowed = "15 or 18 letters and digits that begin with " + ", ".join(
        f"{prefix} ({kind})" for prefix, kind in _PREFIXES.items()
    )
    fix = "send the id as Salesforce gives it; an account_id that is none goes into SpearfishAccountId"
    return InvalidRequestError([FieldError(f"{path}{name}", what, given[:80], allowed, fix)])
