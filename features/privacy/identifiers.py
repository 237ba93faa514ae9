"""One spelling of what systems call a person.

Turns an identifier into the spelling by which rows of all files meet: Salesforce writes one id with 15
characters or with 18, and some systems take the address for the identifier. Without that an opt-out would
not find the dealings of the person who opted out. Time rule: none. Null rule: nothing stays nothing.
"""

from __future__ import annotations

from features.identity.identifiers import salesforce_id
from features.identity.identifiers_in_sql import salesforce_letters_sql
from features.privacy.addresses import normalised_address

__all__ = ["person_identifier", "salesforce_person_sql"]

_OF_PEOPLE = ("003", "00Q")
"""How Salesforce begins the ids of contacts and leads; other systems' texts of 15 signs stay as they are."""


def person_identifier(text: str) -> str:
    """The one spelling: an address as addresses are spelled, an id of Salesforce with 18 characters.

    >>> person_identifier("003A0000006Vm9u"), person_identifier(" Ann@X.example "), person_identifier("c-1")
    ('003A0000006Vm9uIAC', 'ann@x.example', 'c-1')
    """
    if "@" in text:
        return normalised_address(text) or text
    short = len(text) == 15 and text.startswith(_OF_PEOPLE)
    return (salesforce_id(text) or text) if short else text


def salesforce_person_sql(text: str) -> str:
    """SQL for the 18 characters of the id of a contact or a lead that is written with 15.

    The letters are those of `salesforce_id`.
    """
    begins = "|".join(_OF_PEOPLE)
    return (
        f"CASE WHEN length({text}) = 15 AND regexp_full_match({text}, '({begins})[A-Za-z0-9]{{12}}')"
        f" THEN {text} || {salesforce_letters_sql(text)} ELSE {text} END"
    )
